"""Purchase orders with what came of them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, Select, select

from backend.api import items_purchases as shapes
from backend.api.answers import Paged
from backend.api.queries.intake import time
from backend.book.schema_orders import purchase_event, purchase_fill, purchase_line, purchase_order
from models.reading import from_micros

_LINES = (
    select(
        purchase_line,
        purchase_fill.c.received,
        purchase_fill.c.outstanding,
        purchase_fill.c.is_open,
        purchase_fill.c.first_at,
        purchase_fill.c.last_at,
    )
    .join(
        purchase_fill,
        (purchase_fill.c.order_id == purchase_line.c.order_id) & (purchase_fill.c.line == purchase_line.c.line),
    )
    .order_by(purchase_line.c.order_id, purchase_line.c.line)
)


class PurchaseAsk(Paged, frozen=True):
    """Which orders: of a supplier, with a line of an item, open or not."""

    supplier: str | None = Field(None, max_length=64)
    sku: str | None = Field(None, max_length=64)
    state: Literal["open", "closed"] | None = None


def purchases(tx: Connection, ask: PurchaseAsk) -> list[shapes.Purchase]:
    """Orders with n above `after`."""
    query = select(purchase_order).where(purchase_order.c.n > ask.after)
    if ask.supplier is not None:
        query = query.where(purchase_order.c.supplier == ask.supplier)
    if ask.sku is not None:
        with_it = select(purchase_line.c.order_id).where(purchase_line.c.sku == ask.sku)
        query = query.where(purchase_order.c.id.in_(with_it))
    if ask.state is not None:
        still = select(purchase_fill.c.order_id).where(purchase_fill.c.is_open)
        is_open = purchase_order.c.id.in_(still)
        query = query.where(is_open if ask.state == "open" else ~is_open)
    return _whole(tx, query.order_by(purchase_order.c.n).limit(ask.limit))


def one_purchase(tx: Connection, ident: str) -> shapes.Purchase | None:
    """One order."""
    found = _whole(tx, select(purchase_order).where(purchase_order.c.id == ident))
    return found[0] if found else None


def _whole(tx: Connection, query: Select[Any]) -> list[shapes.Purchase]:
    orders = tx.execute(query).all()
    ids = [row.id for row in orders]
    events = select(purchase_event).where(purchase_event.c.order_id.in_(ids)).order_by(purchase_event.c.n)
    steps: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in tx.execute(events):
        steps[row.order_id].append(row)
    lines: defaultdict[str, list[shapes.PurchaseLine]] = defaultdict(list)
    for row in tx.execute(_LINES.where(purchase_line.c.order_id.in_(ids))):
        lines[row.order_id].append(_line(row, steps[row.order_id]))
    return [_order(row, lines[row.id], steps[row.id]) for row in orders]


def _order(row: Row[Any], lines: list[shapes.PurchaseLine], steps: Sequence[Row[Any]]) -> shapes.Purchase:
    return shapes.Purchase(
        id=row.id,
        n=row.n,
        supplier=row.supplier,
        ordered_at=from_micros(row.ordered_at),
        proposal=row.proposal,
        note=row.note,
        actor=row.actor,
        recorded_at=from_micros(row.recorded_at),
        state="open" if any(line.state == "open" for line in lines) else "closed",
        lines=lines,
        events=[
            shapes.PurchaseStep(from_micros(each.at), each.line, each.what, each.actor, each.note) for each in steps
        ],
    )


def _line(row: Row[Any], steps: Sequence[Row[Any]]) -> shapes.PurchaseLine:
    is_cancelled = any(each.what == "cancelled" and each.line in (None, row.line) for each in steps)
    return shapes.PurchaseLine(
        line=row.line,
        sku=row.sku,
        quantity=row.quantity,
        price=row.price,
        expected_at=time(row.expected_at),
        received=row.received,
        outstanding=row.outstanding,
        state="cancelled" if is_cancelled else "open" if row.is_open else "received",
        first_at=time(row.first_at),
        last_at=time(row.last_at),
    )
