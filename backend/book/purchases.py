"""Purchase orders in the book: placed once, cancelled with a reason, filled by what the ledger has from suppliers."""

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, insert, select

from backend.book import events, locks, receipts
from backend.book.schema_orders import purchase_event, purchase_fill, purchase_line, purchase_order
from models.errors import Clash, NotFound, Refused
from models.stock.fulfilment import standings
from models.units import checked, quantity_text

MOST_LINES = 200
_OPEN = select(purchase_fill).where(purchase_fill.c.is_open, purchase_fill.c.sku.in_(bindparam("skus", expanding=True)))


class OrderLine(Struct, frozen=True, kw_only=True):
    """So much of an item, at a price for one unit, expected at a time (microseconds)."""

    sku: str
    quantity: Decimal
    price: Decimal | None = None
    expected_at: int | None = None

    def values(self) -> dict[str, Any]:
        """As the book keeps it."""
        price = None if self.price is None else quantity_text(self.price)
        quantity = quantity_text(checked(self.quantity))
        return {"sku": self.sku, "quantity": quantity, "price": price, "expected_at": self.expected_at}


class Order(Struct, frozen=True, kw_only=True):
    """What is ordered from a supplier at a time (microseconds), and the proposal that it was approved as, if any."""

    id: str
    supplier: str | None
    ordered_at: int
    lines: list[OrderLine]
    proposal: str | None = None
    note: str | None = None

    def values(self) -> dict[str, Any]:
        """As the book keeps it, without its lines."""
        names = ("id", "supplier", "ordered_at", "proposal", "note")
        return {name: getattr(self, name) for name in names}


def put(tx: Connection, order: Order, actor: str, now: int) -> Literal["created", "same"]:
    """Place an order. Raises Clash if the id has other content, Refused without a line."""
    locks.number(tx)
    if not 1 <= len(order.lines) <= MOST_LINES:
        msg = f"lines: 1 ... {MOST_LINES} expected, got {len(order.lines)}"
        raise Refused(msg)
    wanted = [line.values() for line in order.lines]
    present = tx.execute(select(purchase_order).where(purchase_order.c.id == order.id)).one_or_none()
    if present is not None:
        if not _is_same(present, lines(tx, order.id), order, wanted):
            msg = f"id: purchase order {order.id} is there with other content"
            raise Clash(msg)
        return "same"
    tx.execute(insert(purchase_order).values(**order.values(), actor=actor, recorded_at=now))
    rows = [{"order_id": order.id, "line": n} | line for n, line in enumerate(wanted, 1)]
    tx.execute(insert(purchase_line), rows)
    _record(tx, order.id, None, "ordered", (actor, order.note, now))
    receipts.refill(tx, {line.sku for line in order.lines}, now)
    return "created"


def cancel(tx: Connection, ident: str, line: int | None, why: str, stamp: tuple[str, int]) -> None:
    """What has not come of a line, or of the whole order, is expected no more; again is harmless.

    Raises NotFound, or Clash if nothing of it is open.
    """
    actor, now = stamp
    locks.number(tx)
    rows = [row for row in lines(tx, ident) if line in (None, row.line)]
    if not rows:
        what = ident if line is None else f"{ident} line {line}"
        msg = f"purchase orders: nothing of id {what!r}"
        raise NotFound(msg)
    ended = receipts.lines_of(tx, {row.sku for row in rows})
    left = [row for row in rows if ended[ident, row.line].until is None]
    if not left:
        return
    fills = {row.line: row for row in tx.execute(select(purchase_fill).where(purchase_fill.c.order_id == ident))}
    if not any(fills[row.line].is_open for row in left):
        msg = f"purchase order {ident}: an open line expected, everything has come"
        raise Clash(msg)
    for row in left:
        if fills[row.line].is_open:
            _record(tx, ident, row.line, "cancelled", (actor, why, now))
    receipts.refill(tx, {row.sku for row in left}, now)


def lines(tx: Connection, ident: str) -> list[Row[Any]]:
    """The lines of an order."""
    rows = select(purchase_line).where(purchase_line.c.order_id == ident).order_by(purchase_line.c.line)
    return [*tx.execute(rows)]


def on_order(tx: Connection, skus: Collection[str]) -> dict[str, Decimal]:
    """By item: what is ordered and has neither come nor been cancelled, as far as the planner has followed."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in tx.execute(_OPEN, {"skus": sorted(skus)}):
        found[row.sku] += Decimal(row.outstanding)
    return dict(found)


def on_order_at(tx: Connection, skus: Collection[str], at: int) -> dict[str, Decimal]:
    """By item: what was ordered by a time (microseconds) and had then neither come nor been cancelled.

    By event time, as is known now: what became known late counts where it belongs.
    """
    lines = [line for line in receipts.lines_of(tx, skus).values() if line.since <= at]
    lines = [line if line.until is None or line.until <= at else line._replace(until=None) for line in lines]
    parts = receipts.parts_of(tx, lines, skus, at)
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    stands = standings(lines, parts)
    for line in lines:
        found[line.sku] += stands[line.id].outstanding
    return dict(found)


def prices(tx: Connection, skus: Collection[str]) -> dict[str, Decimal]:
    """By movement (of the fact: `movement_id`): the price of a unit by the order lines that the receipt fills.

    The mean by quantity if it filled several when it came; what goes back later does not change what it cost. One of
    which any part was ordered without a price is left out.
    """
    keys = receipts.lines_of(tx, skus)
    asked = {(row.order_id, row.line): row.price for row in tx.execute(receipts.LINES, {"skus": sorted(skus)})}
    price = {line.id: asked[key] for key, line in keys.items()}
    sums: defaultdict[str, list[tuple[Decimal, str | None]]] = defaultdict(list)
    for part in receipts.came_for(tx, keys.values(), skus):
        if part.line is not None:
            sums[part.move].append((part.quantity, price[part.line]))
    return {move: found for move, parts in sums.items() if (found := _mean(parts)) is not None}


def _mean(parts: list[tuple[Decimal, str | None]]) -> Decimal | None:
    total = value = Decimal(0)
    for quantity, price in parts:
        if price is None:
            return None
        total, value = total + quantity, value + quantity * Decimal(price)
    return value / total


def _is_same(present: Row[Any], rows: list[Row[Any]], order: Order, wanted: list[dict[str, Any]]) -> bool:
    held = [{name: getattr(row, name) for name in ("sku", "quantity", "price", "expected_at")} for row in rows]
    return held == wanted and all(getattr(present, name) == value for name, value in order.values().items())


def _record(tx: Connection, ident: str, line: int | None, what: str, by: tuple[str, str | None, int]) -> None:
    actor, note, now = by
    values = {"order_id": ident, "line": line, "what": what, "actor": actor, "note": note}
    tx.execute(insert(purchase_event).values(**values, at=now))
    events.emit(tx, "purchase", {"order": ident, "line": line, "what": what, "by": actor, "reason": note}, now)
