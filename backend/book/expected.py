"""What is announced to come or to leave, in the book: put once, closed by a person or by its window."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, insert, or_, select, update

from backend.book import events, locks, virtual, work_log
from backend.book.schema_expected import expected as table
from backend.book.schema_expected import expected_line
from backend.book.schema_orders import purchase_order
from backend.book.schema_warehouse import outbound_order
from backend.book.work_log import Stamp
from models.declared import Device, Location
from models.errors import Clash, NotFound, Refused
from models.register import Register
from models.stock.expected import Expected, Line
from models.units import quantity_text


class Announced(Struct, frozen=True, kw_only=True):
    """An announcement, with the order that it is of, if any."""

    body: Expected
    order: str | None = None
    note: str | None = None


def put(tx: Connection, known: Register, new: Announced, stamp: Stamp) -> Literal["created", "same"]:
    """Take an announcement. Again is harmless. Raises Refused for what is not known, or Clash."""
    locks.number(tx)
    each = new.body
    row = tx.execute(select(table).where(table.c.id == each.id)).one_or_none()
    if row is not None:
        if _asked(row) != _values(new) or _lines(tx, [each.id])[each.id] != each.lines:
            msg = f"expected {each.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    _check(tx, known, new, stamp.now)
    tx.execute(insert(table).values(**_values(new), actor=stamp.actor, recorded_at=stamp.now))
    rows = [
        {
            "expected_id": each.id,
            "line": line.line,
            "sku": line.sku,
            "lot": line.lot,
            "quantity": quantity_text(line.quantity),
            "tags": json.dumps(line.tags),
        }
        for line in each.lines
    ]
    tx.execute(insert(expected_line), rows)
    work_log.record(tx, f"expected:{each.id}", "announced", stamp, {"kind": each.kind})
    _stir(tx, each, stamp.now)
    return "created"


def close(tx: Connection, ident: str, at: int, reason: str | None, stamp: Stamp) -> None:
    """Somebody says that it is over since a time, and all that came of it has come. Again is harmless.

    Raises NotFound, Refused for a time that cannot be, or Clash if it was closed at another time.
    """
    locks.number(tx)
    row, each = one(tx, ident)
    if row.closed_at is not None:
        return
    if not each.begin < at <= stamp.now:
        msg = "at: a time after the window began, and not one to come, expected"
        raise Refused(msg)
    tx.execute(update(table).where(table.c.id == ident).values(closed_at=at, closed_by=stamp.actor))
    work_log.record(tx, f"expected:{ident}", "closed", stamp, {"reason": reason, "at": at})
    _stir(tx, each, stamp.now)


def told(tx: Connection, ident: str, now: int) -> None:
    """Others are told that it is over, and how it stands is settled but for what becomes known late."""
    tx.execute(update(table).where(table.c.id == ident).values(is_told=True))
    events.emit(tx, "expected", {"id": ident, "what": "over"}, now)


def one(tx: Connection, ident: str) -> tuple[Row[Any], Expected]:
    """An announcement with its row. Raises NotFound."""
    for found in of_query(tx, select(table).where(table.c.id == ident)):
        return found
    msg = f"expected: nothing of id {ident!r}"
    raise NotFound(msg)


def of_query(tx: Connection, query: Select[Any]) -> list[tuple[Row[Any], Expected]]:
    """The announcements of a query of the table, with their rows, in its order."""
    rows = tx.execute(query).all()
    lines = _lines(tx, [row.id for row in rows])
    return [(row, _of_row(row, lines[row.id])) for row in rows]


def touching(tx: Connection, asked: Expected, skus: Collection[str]) -> tuple[list[Expected], tuple[int, int]]:
    """What an announcement shares movements of these items with, and the time from and to which it does.

    Those of the same items whose windows overlap, and overlap those again; and those of a party or place meanwhile.
    """
    own = (asked.begin, asked.end)
    with_it = table.c.id.in_(select(expected_line.c.expected_id).where(expected_line.c.sku.in_(sorted(skus))))
    named = or_(table.c.party.is_not(None), table.c.place.is_not(None))
    found = _overlapping(tx, asked.kind, own, or_(with_it, named))
    windows = tx.execute(select(table.c.begin_at, table.c.end_at).where(table.c.kind == asked.kind, with_it))
    span = joined(own, [(begin, end) for begin, end in windows])
    found |= _overlapping(tx, asked.kind, span, with_it)
    return [*found.values()], span


def joined(own: tuple[int, int], windows: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """A window with those that overlap it, and overlap those again, as one.

    >>> joined((4, 6), [(8, 9), (1, 3), (2, 5), (6, 8)])
    (1, 6)
    """
    begin = end = 0
    for low, high in sorted([own, *windows]):
        if low < end:
            end = max(end, high)
        elif begin <= own[0] < end:
            break
        else:
            begin, end = low, high
    return begin, end


def _overlapping(tx: Connection, kind: str, span: tuple[int, int], what: ColumnElement[bool]) -> dict[str, Expected]:
    meanwhile = (table.c.kind == kind, table.c.end_at > span[0], table.c.begin_at < span[1], what)
    return {each.id: each for _, each in of_query(tx, select(table).where(*meanwhile))}


def _lines(tx: Connection, ids: Sequence[str]) -> dict[str, tuple[Line, ...]]:
    found: defaultdict[str, list[Line]] = defaultdict(list)
    for low in range(0, len(ids), locks.IDS_A_QUERY):
        own = select(expected_line).where(expected_line.c.expected_id.in_(ids[low : low + locks.IDS_A_QUERY]))
        for row in tx.execute(own.order_by(expected_line.c.expected_id, expected_line.c.line)):
            tags = tuple(json.loads(row.tags))
            found[row.expected_id].append(Line(row.line, row.sku, Decimal(row.quantity), row.lot, tags))
    return {ident: tuple(found[ident]) for ident in ids}


def _of_row(row: Row[Any], lines: tuple[Line, ...]) -> Expected:
    names = ("id", "kind", "party", "place", "closed_at")
    own = {name: getattr(row, name) for name in names}
    return Expected(**own, begin=row.begin_at, end=row.end_at, lines=lines)


def _values(new: Announced) -> dict[str, Any]:
    each = new.body
    own = {name: getattr(each, name) for name in ("id", "kind", "party", "place")}
    return own | {"begin_at": each.begin, "end_at": each.end, "order_id": new.order, "note": new.note}


def _asked(row: Row[Any]) -> dict[str, Any]:
    names = ("id", "kind", "party", "place", "begin_at", "end_at", "order_id", "note")
    return {name: getattr(row, name) for name in names}


def _check(tx: Connection, known: Register, new: Announced, now: int) -> None:
    each = new.body
    if each.begin >= each.end:
        msg = "end: a time after begin expected"
        raise Refused(msg)
    if not each.lines or len({line.line for line in each.lines}) < len(each.lines):
        msg = "lines: at least one, each with a number of its own, expected"
        raise Refused(msg)
    for line in each.lines:
        if known.get("items", line.sku, now) is None:
            msg = f"lines.sku: one of the items of the register expected, got {line.sku!r}"
            raise Refused(msg)
    _check_party(tx, known, new, now)
    place = None if each.place is None else known.get("locations", each.place, now)
    door = None if each.place is None else known.get("devices", each.place, now)
    is_real = isinstance(place, Location) and not place.is_virtual
    if each.place is not None and not is_real and not (isinstance(door, Device) and door.door is not None):
        msg = f"place: a real location, or a door (gateway/name), of the register expected, got {each.place!r}"
        raise Refused(msg)


def _check_party(tx: Connection, known: Register, new: Announced, now: int) -> None:
    """The supplier, or the place of the customer, is known; so is the order, and it is theirs."""
    each = new.body
    is_receipt = each.kind == "receipt"
    if each.party is not None:
        is_known = (
            known.get("suppliers", each.party, now) is not None
            if is_receipt
            else bool(virtual.kinds(tx, [each.party], now))
        )
        if not is_known:
            what = "one of the suppliers of the register" if is_receipt else "a virtual location"
            msg = f"party: {what} expected, got {each.party!r}"
            raise Refused(msg)
    if new.order is None:
        return
    orders, of = (purchase_order, "supplier") if is_receipt else (outbound_order, "customer")
    row = tx.execute(select(orders.c[of]).where(orders.c.id == new.order)).one_or_none()
    if row is None or (each.party is not None and row[0] not in (None, each.party)):
        msg = f"order: one of {each.party or 'the orders'} that is in the book expected, got {new.order!r}"
        raise Refused(msg)


def _stir(tx: Connection, each: Expected, now: int) -> None:
    events.emit(tx, "expected", {"id": each.id, "what": "announced" if each.closed_at is None else "closed"}, now)
    events.changed_all(tx, [f"item:{line.sku}" for line in each.lines], now)
