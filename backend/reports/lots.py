"""Lots on hand by their expiry, with what they are worth; and how true the records were that counts found."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import select

from backend.api.queries import lots
from backend.book.schema_warehouse import counted
from backend.reports.report import Column, Look, Report, Row, Span
from backend.reports.scope import items_of, skus_of
from backend.reports.values import ITEM, named
from models.reading import from_micros
from models.stock.count import Line, accuracy


def expiry(look: Look, span: Span) -> Iterator[Row]:
    """Lots as they stand now, those that expire first first."""
    items, wanted = items_of(look), skus_of(look, span)
    for each in lots.on_hand(look.tx, lots.LotAsk(), look.now):
        if (wanted is None or each.sku in wanted) and span.location in (None, each.location):
            lot = each.lot, each.location, each.standing, each.expires, each.days_left
            yield *named(items, each.sku), *lot, Decimal(each.on_hand), Decimal(each.allocated)


def found(look: Look, span: Span) -> Iterator[Row]:
    """What counts and sweeps found in the span, by event time, and the accuracy of all of it."""
    items, wanted = items_of(look), skus_of(look, span)
    query = select(counted).where(counted.c.at >= span.begin, counted.c.at < span.end)
    if span.location is not None:
        query = query.where(counted.c.location == span.location)
    lines: list[Line] = []
    for row in look.tx.execute(query.order_by(counted.c.at, counted.c.id)):
        if wanted is not None and row.sku not in wanted:
            continue
        quantity, variance = Decimal(row.quantity), Decimal(row.adjustment)
        line = Line(row.sku, quantity - variance, quantity)
        lines.append(line)
        at = from_micros(row.at)
        yield (
            *named(items, row.sku),
            row.source,
            at,
            row.location,
            row.lot,
            line.book,
            quantity,
            variance,
            accuracy([line]),
        )
    if lines:
        sums = sum((each.book for each in lines), Decimal(0)), sum((each.counted for each in lines), Decimal(0))
        yield "all of them", None, None, None, None, None, None, *sums, sums[1] - sums[0], accuracy(lines)


EXPIRY = Report(
    "expiry",
    "Lots and their expiry",
    "Lots on hand now, those that expire first first, with what may not be used",
    (
        *ITEM,
        Column("lot", "Lot"),
        Column("location", "Place"),
        Column("standing", "Standing"),
        Column("expires", "Expires", "date"),
        Column("days_left", "Days left", "number", adds=False),
        Column("on_hand", "On hand", "quantity"),
        Column("allocated", "Allocated", "quantity"),
    ),
    expiry,
)
ACCURACY = Report(
    "accuracy",
    "Record accuracy",
    "What approved counts and sweeps found beside the book: 1 less the sum of the differences over the book",
    (
        *ITEM,
        Column("source", "Count or sweep"),
        Column("at", "When", "time"),
        Column("location", "Place"),
        Column("lot", "Lot"),
        Column("book", "Book", "quantity"),
        Column("counted", "Counted", "quantity"),
        Column("variance", "Difference", "quantity"),
        Column("accuracy", "Accuracy", "share"),
    ),
    found,
)
