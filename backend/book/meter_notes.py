"""What people say of meters, in the book: noted once, withdrawn with a reason, never changed or deleted.

Notes on an asset that has a tracker are folded with its readings: they are in the register that folds go by, and a new
one makes the tracker's key dirty from its moment. Those of other assets are folded when they are asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Row, Select, select
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book import derived, events, locks, schema, sealed
from backend.book.schema_use import meter_note as table
from backend.book.schema_use import meter_note_end as end
from models.declared import Device
from models.errors import Clash, NotFound, Refused
from models.maintenance.done import AHEAD_US
from models.motion.meter import EACH, MOST
from models.motion.noted import Note, What, check
from models.reading import from_micros
from models.register import METER_NOTES, Entry, Register
from models.units import quantity_text
from models.wire import is_global

Outcome = Literal["created", "same"]
Stamp = tuple[str, int]
"""Who says so, and when."""
NS = (table.c.n, end.c.n)
"""Numbers that every change of what is noted raises."""
IDS_A_QUERY = 5000
_FIELDS = ("id", "asset", "meter", "at", "kind", "value", "before", "reason")
_STANDING = select(table).outerjoin(end, end.c.note == table.c.id).where(end.c.n.is_(None))
_IN_ORDER = (table.c.at, table.c.id)
"""Not in that of telling, which must not matter."""


class MeterNote(Struct, frozen=True, kw_only=True):
    """One note under the id of whoever tells it: `value` and `before` in hours, km or times; `at` in microseconds."""

    id: str
    asset: str
    meter: str
    at: int
    kind: What
    value: Decimal | None = None
    before: Decimal | None = None
    reason: str = ""

    @property
    def note(self) -> Note:
        """In whole units, for folds. Raises Refused for a value that no counter has."""
        value, before = (self._units(field) for field in ("value", "before"))
        return Note(self.id, self.at, self.meter, self.kind, value, before)

    def _units(self, field: str) -> int | None:
        given: Decimal | None = getattr(self, field)
        if given is None:
            return None
        whole = int(given * EACH[self.meter])
        if not 0 <= whole <= MOST:
            msg = f"{field}: 0 to {MOST // EACH[self.meter]} expected, got {quantity_text(given)}"
            raise Refused(msg)
        return whole


def record(tx: Connection, register: Register, noted: MeterNote, stamp: Stamp) -> Outcome:
    """Somebody says this. The same again is harmless, also when it was withdrawn since: then it stays so.

    Raises Refused naming the field, Sealed for a time of before the seal, or Clash if the id has other content.
    """
    locks.own_register(tx)
    row = tx.execute(select(table).where(table.c.id == noted.id)).one_or_none()
    if row is not None:
        if _held(row) != noted:
            msg = f"meter note {noted.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    _check(tx, register, noted, stamp[1])
    texts = {each: None if (it := getattr(noted, each)) is None else quantity_text(it) for each in ("value", "before")}
    values = {field: getattr(noted, field) for field in _FIELDS} | texts
    tx.execute(insert_or_ignore(table).values(**values, actor=stamp[0], recorded_at=stamp[1]))
    _fold_anew(tx, register, noted, "noted", stamp)
    return "created"


def withdraw(tx: Connection, register: Register, ident: str, why: str, stamp: Stamp) -> None:
    """It was a mistake. Again is harmless, the first reason stays. Raises NotFound, or Sealed."""
    locks.own_register(tx)
    noted = one(tx, ident)
    _check_sealed(tx, noted)
    values = {"note": ident, "reason": why, "actor": stamp[0], "recorded_at": stamp[1]}
    if tx.scalar(insert_or_ignore(end).values(values).on_conflict_do_nothing().returning(end.c.n)) is not None:
        _fold_anew(tx, register, noted, "withdrawn", stamp)


def one(tx: Connection, ident: str) -> MeterNote:
    """A note by its id, withdrawn or not. Raises NotFound."""
    row = tx.execute(select(table).where(table.c.id == ident)).one_or_none()
    if row is None:
        msg = f"meter notes: nothing of id {ident!r}"
        raise NotFound(msg)
    return _held(row)


def of_trackers(tx: Connection, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The notes that stand on assets that ever had a tracker, as the register has them."""
    if tx.execute(select(table.c.n).limit(1)).first() is None:
        return
    bodies = (entry.body for entry in entries if isinstance(entry.body, Device))
    tracked = sorted({body.tracker.asset for body in bodies if body.tracker is not None})
    for low in range(0, len(tracked), IDS_A_QUERY):
        rows = _STANDING.where(table.c.asset.in_(tracked[low : low + IDS_A_QUERY]))
        for n, row in enumerate(tx.execute(rows.order_by(*_IN_ORDER))):
            yield Entry(METER_NOTES, row.asset, row.at, n, _held(row).note, row.recorded_at)


def standing(tx: Connection, asset: str, meter: str) -> list[Note]:
    """The notes that stand on a meter of an asset, by time."""
    rows = _STANDING.where(table.c.asset == asset, table.c.meter == meter).order_by(*_IN_ORDER)
    return [_held(row).note for row in tx.execute(rows)]


def noted_meters(tx: Connection) -> frozenset[tuple[str, str]]:
    """(asset, meter) of everything that was ever noted."""
    return frozenset((row.asset, row.meter) for row in tx.execute(select(table.c.asset, table.c.meter).distinct()))


def _held(row: Row[Any]) -> MeterNote:
    fields: dict[str, Any] = {field: getattr(row, field) for field in _FIELDS}
    for amount in ("value", "before"):
        fields[amount] = None if fields[amount] is None else Decimal(fields[amount])
    return MeterNote(**fields)


def _check(tx: Connection, register: Register, noted: MeterNote, now: int) -> None:
    if noted.meter not in EACH:
        msg = f"meter: one of {', '.join(EACH)} expected, got {noted.meter!r}"
        raise Refused(msg)
    if not any(register.get("assets", noted.asset, at) for at in (noted.at, now)):
        msg = f"asset: one of the assets of the register expected, got {noted.asset!r}"
        raise Refused(msg)
    if noted.at > now + AHEAD_US:
        msg = f"at: a time that has come expected, got {from_micros(noted.at).isoformat()}"
        raise Refused(msg)
    check(noted.note)
    _check_sealed(tx, noted)


def _check_sealed(tx: Connection, noted: MeterNote) -> None:
    if noted.at < (since := sealed.boundary(tx)):
        raise sealed.Sealed(since, noted.at)


def _fold_anew(tx: Connection, register: Register, noted: MeterNote, what: str, stamp: Stamp) -> None:
    """Every tracker that was ever on the asset, and the planner's look at it."""
    ids = [*_devices(tx, register, noted.asset)]
    derived.mark_dirty(tx, [("hours", device, "", noted.at, derived.FOR_EVER) for device in ids])
    fields = {"id": noted.id, "asset": noted.asset, "meter": noted.meter, "kind": noted.kind, "at": noted.at}
    events.emit(tx, "meter_note", fields | {"what": what, "by": stamp[0]}, stamp[1])
    events.changed(tx, f"asset:{noted.asset}", stamp[1])


def _devices(tx: Connection, register: Register, asset: str) -> Iterator[int]:
    table = schema.device.c
    for name in _trackers_of(register, asset):
        owner, _, own = ("", "", name) if is_global(name) else name.partition("/")
        gateway = select(schema.gateway.c.id).where(schema.gateway.c.name == owner).scalar_subquery()
        of_gateway: Select[Any] = select(table.id).where(table.name == own)
        yield from tx.scalars(of_gateway.where(table.gateway_id == (gateway if owner else 0)))


def _trackers_of(register: Register, asset: str) -> Sequence[str]:
    return [
        ident
        for (kind, ident), dated in sorted(register.entries.items())
        if kind == "devices" and any(_is_on(entry.body, asset) for entry in dated)
    ]


def _is_on(body: Struct, asset: str) -> bool:
    return isinstance(body, Device) and body.tracker is not None and body.tracker.asset == asset
