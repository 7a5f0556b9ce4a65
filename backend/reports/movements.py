"""Movements of a span with what is behind each of them: the one list that an auditor asks for first."""

import json
from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import or_, select

from backend.book.schema import movement
from backend.reports.report import Column, Look, Report, Row, Span
from backend.reports.scope import skus_of
from models.reading import from_micros

ROWS_AT_ONCE = 2000
COLUMNS = (
    Column("n", "Entry", "number"),
    Column("id", "Id"),
    Column("at", "When", "time"),
    Column("recorded_at", "Recorded", "time"),
    Column("sku", "Item"),
    Column("lot", "Lot"),
    Column("quantity", "Quantity", "quantity"),
    Column("source", "From"),
    Column("target", "To"),
    Column("reason", "Reason"),
    Column("actor", "Who"),
    Column("reverses", "Takes back"),
    Column("evidence", "Evidence"),
)


def rows(look: Look, span: Span) -> Iterator[Row]:
    """Entries whose event time is in the span, by it; reversals too."""
    query = select(movement).where(movement.c.at >= span.begin, movement.c.at < span.end)
    if span.location is not None:
        query = query.where(or_(movement.c.source == span.location, movement.c.target == span.location))
    wanted = skus_of(look, span)
    for row in look.tx.execute(query.order_by(movement.c.at, movement.c.n)).yield_per(ROWS_AT_ONCE):
        if wanted is None or row.sku in wanted:
            yield (
                row.n,
                row.id,
                from_micros(row.at),
                from_micros(row.recorded_at),
                row.sku,
                row.lot,
                Decimal(row.quantity),
                row.source,
                row.target,
                row.reason,
                row.actor,
                row.reverses,
                " ".join(json.loads(row.evidence)) or f"person:{row.actor}",
            )


MOVEMENTS = Report(
    "movements",
    "Movements with evidence",
    "Every entry of the stock ledger with the readings, scans or persons behind it",
    COLUMNS,
    rows,
)
