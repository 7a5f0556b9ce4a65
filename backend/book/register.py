"""The register in the book: an append-only log of dated declarations, and what each of them sets in motion.

A declaration that changes what readings mean marks the derived keys it touches dirty from the day it holds.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, bindparam, func, insert, literal, select

from backend.book import derived, events, labels, locks, meter_notes, schema, sealed, touched
from models import classification
from models.assets.asset import check_transition
from models.declared import KINDS, Asset, Id, LotId, decode_body
from models.errors import Refused
from models.reading import Epc, from_micros
from models.register import Entry, Register
from models.stock.lot import lot_id, split

Outcome = Literal["created", "changed", "same"]
BY_SCAN = labels.BY_SCAN


ID_OF: dict[str, Any] = {"tags": Epc, "lots": LotId}
"""What an id of a kind is like, where it is not `Id`."""
IDS_A_QUERY = 5000
_SOME = (
    select(schema.register_entry)
    .where(
        schema.register_entry.c.kind == bindparam("kind"),
        schema.register_entry.c.id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(schema.register_entry.c.n)
)
_NEWEST = select(func.max(schema.register_entry.c.n))
_VERSION = select(
    sum(
        (func.coalesce(select(func.max(n)).scalar_subquery(), 0) for n in (schema.register_entry.c.n, *meter_notes.NS)),
        start=literal(0),
    )
)


def put(  # noqa: PLR0913 - what is declared, and the stamp that every entry of the log has
    tx: Connection, kind: str, ident: str, body: Struct, *, valid_from: int, actor: str, now: int
) -> Outcome:
    """Declare that `body` holds for (kind, ident) from `valid_from`, microseconds, until the next entry.

    "same" when that content holds then already; of a tag, when it was declared of that very time; never for what only
    scans said. Raises Refused for a
    kind or an id that cannot be, or a state that cannot follow the one before it, or come before the one after it, in
    an asset's life; Sealed for a time of before the seal. Whether what the body names exists is asked afterwards of the
    register as a whole: `references.problems`.
    """
    _check(kind, ident, body)
    body = classification.checked(kind, ident, body)
    locks.own_register(tx)
    entries = _entries(tx, kind, ident)
    dated = Register.of(entries)
    if dated.get(kind, ident, valid_from) == body and _said_by_person(tx, kind, ident, valid_from):
        return "same"
    if kind in touched.KINDS and valid_from < (since := sealed.boundary(tx)):
        raise sealed.Sealed(since, valid_from)
    if isinstance(body, Asset):
        _check_life(dated, ident, body, valid_from)
    append(tx, kind, ident, body, valid_from=valid_from, actor=actor, now=now)
    if kind == "lots":
        follow_labels(tx, [split(ident)], now)
    return "changed" if entries else "created"


def follow_labels(tx: Connection, lots: Iterable[labels.LotKey], now: int) -> None:
    """Bring the entries of these lots in line with what their labels said at desks, and people."""
    wanted = sorted(lots)
    if wanted:
        locks.own_register(tx)
        events.changed_all(tx, sorted({f"item:{sku}" for sku, _ in wanted}), now)
    for lot in wanted:
        for at, actor, body in labels.missing(tx, lot):
            append(tx, "lots", lot_id(*lot), body, valid_from=at, actor=actor, now=now)


def append(  # noqa: PLR0913 - as `put`
    tx: Connection, kind: str, ident: str, body: Struct, *, valid_from: int, actor: str, now: int
) -> None:
    """A further entry, whatever held before, and what it sets in motion. `put` is what people's declarations go by."""
    locks.own_register(tx)
    held = Register.of(_entries(tx, kind, ident)).get(kind, ident, valid_from)
    tx.execute(
        insert(schema.register_entry).values(
            kind=kind,
            id=ident,
            valid_from=valid_from,
            recorded_at=now,
            actor=actor,
            body=msgspec.json.encode(body),
        )
    )
    change = touched.Change(kind, ident, held, body, valid_from)
    keys = sorted(touched.keys(tx, change))
    first = sealed.boundary(tx)
    spans = [(k.step, k.device_id, k.subject, max(touched.since(tx, k, change), first), derived.FOR_EVER) for k in keys]
    derived.mark_dirty(tx, spans)
    for subject in touched.subjects(tx, kind, ident, held, body):
        events.changed(tx, subject, now)


def _said_by_person(tx: Connection, kind: str, ident: str, at: int) -> bool:
    """Whether what holds was declared, a tag at this very moment: scans of before may still come, or be taken back."""
    if kind not in {"tags", "lots"}:
        return True
    table = schema.register_entry.c
    of_time = table.valid_from == at if kind == "tags" else table.valid_from <= at
    said = select(table.actor).where(table.kind == kind, table.id == ident, of_time)
    newest = tx.scalar(said.order_by(table.valid_from.desc(), table.n.desc()).limit(1))
    return not (newest or BY_SCAN).startswith(BY_SCAN)


def load(tx: Connection) -> Register:
    """The whole register. Build it once per `version`."""
    entries = _entries(tx)
    return Register.of([*entries, *meter_notes.of_trackers(tx, entries)])


def held(tx: Connection, kind: str, ids: Iterable[str], at: int) -> dict[str, Struct]:
    """The bodies of some ids of a kind at a time; an id that nobody declared by then is left out."""
    wanted = sorted({*ids})
    loaded = Register.of(
        entry
        for low in range(0, len(wanted), IDS_A_QUERY)
        for entry in _rows(tx, _SOME, {"kind": kind, "ids": wanted[low : low + IDS_A_QUERY]})
    )
    return loaded.all(kind, at)


def version(tx: Connection) -> int:
    """What every change raises, of meters too: the key to cache a loaded register under; 0 while it is empty."""
    return tx.scalar(_VERSION) or 0


def newest(tx: Connection) -> int:
    """The number of the last entry, for who follows them; 0 while there is none."""
    return tx.scalar(_NEWEST) or 0


def _check(kind: str, ident: str, body: Struct) -> None:
    if kind not in KINDS:
        msg = f"kind: one of {', '.join(KINDS)} expected, got {kind!r}"
        raise Refused(msg)
    if not isinstance(body, KINDS[kind]):
        msg = f"{kind}: a {KINDS[kind].__name__} expected, got {type(body).__name__}"
        raise Refused(msg)
    try:
        msgspec.convert(ident, ID_OF.get(kind, Id))
    except msgspec.ValidationError as error:
        msg = f"{kind}.{ident}: id: {error}"
        raise Refused(msg) from error


def _check_life(dated: Register, ident: str, body: Asset, valid_from: int) -> None:
    """An entry of the same time is replaced, so that a mistake can be corrected: it is not what was before."""
    later = min((at for at in dated.changes("assets", ident) if at > valid_from), default=None)
    before = dated.get("assets", ident, valid_from - 1)
    after = None if later is None else dated.get("assets", ident, later)
    steps = [(before, body, valid_from), (body, after, later)]
    for one, other, at in steps:
        if isinstance(one, Asset) and isinstance(other, Asset) and at is not None:
            try:
                check_transition(one.state, other.state)
            except Refused as error:
                msg = f"assets.{ident}: {error}, from {from_micros(at).isoformat()} on"
                raise Refused(msg) from error


def _entries(tx: Connection, kind: str | None = None, ident: str | None = None) -> list[Entry]:
    table = schema.register_entry.c
    rows = select(schema.register_entry).order_by(table.n)
    if kind is not None:
        rows = rows.where(table.kind == kind, table.id == ident)
    return _rows(tx, rows, {})


def _rows(tx: Connection, query: Select[Any], of: dict[str, Any]) -> list[Entry]:
    return [
        Entry(row.kind, row.id, row.valid_from, row.n, decode_body(row.kind, row.body), row.recorded_at)
        for row in tx.execute(query, of)
    ]
