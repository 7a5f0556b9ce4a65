"""Announcements as they are answered, with what came of them."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, and_, select

from backend.api import items_expected as shapes
from backend.api.answers import Paged
from backend.book import expected as book
from backend.book.expected_moves import standings
from backend.book.schema_expected import expected as table
from backend.book.schema_expected import expected_line
from models.reading import from_micros
from models.register import Register
from models.stock import expected as rules
from models.units import quantity_text

ACTOR_OF_WINDOW = "window"


class ExpectedAsk(Paged, frozen=True):
    """Which announcements: open or closed, of a kind, of an order, with a line of an item."""

    limit: int = Field(100, ge=1, le=200, description="items at most")
    state: Literal["open", "closed"] | None = None
    kind: Literal["receipt", "shipment"] | None = None
    order: str | None = Field(None, max_length=64)
    sku: str | None = Field(None, max_length=64)


def announcements(tx: Connection, known: Register, ask: ExpectedAsk, now: int) -> list[shapes.Expected]:
    """Announcements with n above `after`."""
    query = select(table).where(table.c.n > ask.after)
    for column, wanted in ((table.c.kind, ask.kind), (table.c.order_id, ask.order)):
        if wanted is not None:
            query = query.where(column == wanted)
    if ask.state is not None:
        is_open = and_(table.c.closed_at.is_(None), table.c.end_at > now)
        query = query.where(is_open if ask.state == "open" else ~is_open)
    if ask.sku is not None:
        query = query.where(table.c.id.in_(select(expected_line.c.expected_id).where(expected_line.c.sku == ask.sku)))
    return _whole(tx, known, book.of_query(tx, query.order_by(table.c.n).limit(ask.limit)), now)


def one(tx: Connection, known: Register, ident: str, now: int) -> shapes.Expected:
    """One announcement. Raises NotFound."""
    return _whole(tx, known, [book.one(tx, ident)], now)[0]


def _whole(
    tx: Connection, known: Register, found: Sequence[tuple[Row[Any], rules.Expected]], now: int
) -> list[shapes.Expected]:
    stands = standings(tx, known, [each for _, each in found], now)
    return [_one(row, each, stands[each.id]) for row, each in found]


def _one(row: Row[Any], each: rules.Expected, stands: rules.Standing) -> shapes.Expected:
    return shapes.Expected(
        id=row.id,
        n=row.n,
        kind=row.kind,
        party=row.party,
        place=row.place,
        order=row.order_id,
        begin=from_micros(row.begin_at),
        end=from_micros(row.end_at),
        note=row.note,
        actor=row.actor,
        recorded_at=from_micros(row.recorded_at),
        state="closed" if stands.is_over else "open",
        closed_at=from_micros(each.until) if stands.is_over else None,
        closed_by=row.closed_by or (ACTOR_OF_WINDOW if stands.is_over else None),
        matched=stands.is_matched,
        lines=[_line(line) for line in stands.lines],
        wrong=[shapes.WrongItem(w.sku, w.lot, quantity_text(w.quantity), [*w.moves]) for w in stands.wrong],
    )


def _line(stands: rules.LineStands) -> shapes.ExpectedLine:
    line = stands.line
    return shapes.ExpectedLine(
        line=line.line,
        sku=line.sku,
        quantity=quantity_text(line.quantity),
        lot=line.lot,
        tags=[*line.tags],
        came=quantity_text(stands.came),
        over=quantity_text(stands.over),
        verdict=stands.verdict,
        missing=[*stands.missing],
        movements=[*stands.moves],
    )
