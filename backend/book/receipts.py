"""What came of purchase orders: the ledger's movements from and to suppliers, and the lines that they fill.

The planner follows the ledger by its numbers. What a movement fills depends on all movements and lines of its item, so
these are filled anew whenever one is added; `models.stock.fulfilment` says how. The tables can be made again.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book import events, locks
from backend.book.bulk import write_rows
from backend.book.ledger import IDS_A_QUERY, STOCK
from backend.book.outside import Outside
from backend.book.schema import ledger_head, movement
from backend.book.schema_orders import (
    purchase_event,
    purchase_fill,
    purchase_line,
    purchase_order,
    receipts_followed,
    supplier_move,
)
from models.stock import fulfilment
from models.stock.fulfilment import Filled, Line, Move, Part, fill, standings
from models.units import quantity_text

ACTOR = "planner"
ITEMS_AT_ONCE = 500
_HEAD = select(ledger_head.c.n).where(ledger_head.c.ledger == STOCK)
_MARK = select(receipts_followed).where(receipts_followed.c.ledger == STOCK)
_OVER_MARK = upsert(receipts_followed)
_SAVE_MARK = _OVER_MARK.on_conflict_do_update(
    index_elements=["ledger"], set_={"n": _OVER_MARK.excluded.n, "sources": _OVER_MARK.excluded.sources}
)
_THERE: BindParameter[Any] = bindparam("places", expanding=True)
_NEW = select(movement).where(
    movement.c.n > bindparam("since"),
    movement.c.n <= bindparam("head"),
    or_(movement.c.source.in_(_THERE), movement.c.target.in_(_THERE)),
)
LINES = (
    select(purchase_line, purchase_order.c.supplier, purchase_order.c.ordered_at)
    .join_from(purchase_line, purchase_order, purchase_line.c.order_id == purchase_order.c.id)
    .where(purchase_line.c.sku.in_(bindparam("skus", expanding=True)))
    .order_by(purchase_line.c.order_id, purchase_line.c.line)
)
_MOVES = select(supplier_move).where(supplier_move.c.sku.in_(bindparam("skus", expanding=True)))
_MADE = select(purchase_fill).where(purchase_fill.c.sku.in_(bindparam("skus", expanding=True)))
_CANCELLED = select(purchase_event).where(
    purchase_event.c.order_id.in_(bindparam("orders", expanding=True)), purchase_event.c.what == "cancelled"
)
_OVER = upsert(supplier_move)
_SAVE_MOVES = _OVER.on_conflict_do_update(index_elements=["movement_id"], set_={"quantity": _OVER.excluded.quantity})
_FILL = upsert(purchase_fill)
_FIGURES = ("received", "outstanding", "is_open", "first_at", "last_at")
_SAVE_FILLS = _FILL.on_conflict_do_update(
    index_elements=["order_id", "line"], set_={name: _FILL.excluded[name] for name in _FIGURES}
)
Key = tuple[str, int]
"""(order, line)."""


def follow(tx: Connection, places: Outside, now: int) -> None:
    """Take in what the ledger has since the last time, and fill the lines of the items that moved."""
    sources = json.dumps(sorted(places.suppliers.items()))
    if _since(tx, sources) == (tx.scalar(_HEAD) or 0):
        return
    locks.number(tx)
    since, head = _since(tx, sources), tx.scalar(_HEAD) or 0
    if since == head:  # another took it in while this one waited
        return
    if since is None:
        tx.execute(delete(supplier_move))
    moved = tx.execute(_NEW, {"since": since or 0, "head": head, "places": sorted(places.suppliers)}).all()
    skus = {row.sku for row in moved}
    _take_in(tx, moved, places.suppliers)
    tx.execute(_SAVE_MARK, {"ledger": STOCK, "n": head, "sources": sources})
    if since is None:
        skus |= set(tx.scalars(select(purchase_line.c.sku).distinct()))
    refill(tx, skus, now)


def _since(tx: Connection, sources: str) -> int | None:
    """The number up to which all is taken in; None if other places were the suppliers' then."""
    row = tx.execute(_MARK).one_or_none()
    return row.n if row is not None and row.sources == sources else None


def _take_in(tx: Connection, moved: Sequence[Row[Any]], suppliers: Mapping[str, str | None]) -> None:
    """A fact that was reversed sums to nothing."""
    if not moved:
        return
    facts: dict[str, dict[str, Any]] = {}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in moved:
        inward = row.source in suppliers
        if inward == (row.target in suppliers):
            continue
        ident, party = row.movement_id, suppliers[row.source if inward else row.target]
        facts[ident] = {"movement_id": ident, "sku": row.sku, "at": row.at, "party": party, "lot": row.lot}
        sums[ident] += Decimal(row.quantity) if inward else -Decimal(row.quantity)
    known, idents = select(supplier_move.c.movement_id, supplier_move.c.quantity), sorted(facts)
    for low in range(0, len(idents), IDS_A_QUERY):
        page = supplier_move.c.movement_id.in_(idents[low : low + IDS_A_QUERY])
        for ident, quantity in tx.execute(known.where(page)):
            sums[ident] += Decimal(quantity)
    rows = [facts[ident] | {"quantity": quantity_text(sums[ident])} for ident in idents]
    write_rows(tx, _SAVE_MOVES, rows)


def lines_of(tx: Connection, skus: Collection[str]) -> dict[Key, Line]:
    """Every line of some items, as `fulfilment` takes them."""
    rows = tx.execute(LINES, {"skus": sorted(skus)}).all()
    ended: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    orders = sorted({row.order_id for row in rows})
    for low in range(0, len(orders), IDS_A_QUERY):
        for each in tx.execute(_CANCELLED, {"orders": orders[low : low + IDS_A_QUERY]}):
            ended[each.order_id].append(each)
    found: dict[Key, Line] = {}
    for row in rows:
        until = min((each.at for each in ended[row.order_id] if each.line in (None, row.line)), default=None)
        ident = f"{row.order_id}/{row.line:04d}"
        found[row.order_id, row.line] = Line(
            ident, row.sku, Decimal(row.quantity), row.ordered_at, until, party=row.supplier
        )
    return found


def parts_of(tx: Connection, lines: Iterable[Line], skus: Collection[str], until: int | None = None) -> list[Part]:
    """What the movements of some items, those up to a time if one is given, fill of their lines."""
    return fill(lines, _moves_of(tx, skus, until))


def came_for(tx: Connection, lines: Iterable[Line], skus: Collection[str]) -> list[Part]:
    """What the receipts of some items filled when they came, whatever went back later."""
    return fulfilment.came_for(lines, _moves_of(tx, skus, None))


def _moves_of(tx: Connection, skus: Collection[str], until: int | None) -> list[Move]:
    return [
        Move(row.movement_id, row.at, row.sku, Decimal(row.quantity), row.party, row.lot)
        for row in tx.execute(_MOVES, {"skus": sorted(skus)})
        if row.quantity != "0" and (until is None or row.at <= until)
    ]


def refill(tx: Connection, skus: Collection[str], now: int) -> None:
    """Fill the lines of some items anew, and tell what was received in full, or is open again."""
    wanted = sorted(skus)
    for low in range(0, len(wanted), ITEMS_AT_ONCE):
        _refill(tx, wanted[low : low + ITEMS_AT_ONCE], now)


def _refill(tx: Connection, skus: Collection[str], now: int) -> None:
    lines = lines_of(tx, skus)
    if not lines:
        return
    stands = standings(lines.values(), parts_of(tx, lines.values(), skus))
    made = {(row.order_id, row.line): row for row in tx.execute(_MADE, {"skus": sorted(skus)})}
    changed: list[dict[str, Any]] = []
    for key, line in lines.items():
        row, before = _fill_row(key, line, stands[line.id]), made.get(key)
        if before is None or any(getattr(before, name) != row[name] for name in _FIGURES):
            changed.append(row)
            _tell(tx, row, before, now)
    write_rows(tx, _SAVE_FILLS, changed)
    events.changed_all(tx, [f"item:{row['sku']}" for row in changed], now)


def _fill_row(key: Key, line: Line, stands: Filled) -> dict[str, Any]:
    order, number = key
    return {
        "order_id": order,
        "line": number,
        "sku": line.sku,
        "supplier": line.party,
        "received": quantity_text(stands.received),
        "outstanding": quantity_text(stands.outstanding),
        "is_open": stands.outstanding > 0,
        "ordered_at": line.since,
        "first_at": stands.first_at,
        "last_at": stands.last_at,
    }


def _tell(tx: Connection, row: dict[str, Any], before: Row[Any] | None, now: int) -> None:
    was_open = before is None or before.is_open
    if was_open == row["is_open"] or (was_open and row["received"] == "0"):
        return
    what = "received" if was_open else "reopened"
    key = {"order_id": row["order_id"], "line": row["line"]}
    tx.execute(purchase_event.insert().values(**key, at=now, what=what, actor=ACTOR))
    events.emit(tx, "purchase", {"order": row["order_id"], "line": row["line"], "sku": row["sku"], "what": what}, now)


def spans(supplier: str | None, sku: str, since: int, limit: int = 200) -> Select[Any]:
    """(ordered_at, last_at) of the lines of a supplier, or of an item whose supplier is not known; newest first."""
    of = purchase_fill.c
    whose = of.supplier == supplier if supplier is not None else of.supplier.is_(None) & (of.sku == sku)
    done = select(purchase_fill).where(whose, ~of.is_open, of.last_at >= since)
    return done.order_by(of.last_at.desc()).limit(limit)
