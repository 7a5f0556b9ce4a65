"""What was expected to be asked for and what was; and the service that replenishment reached beside its target."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import func, select

from backend.api.queries import reorder
from backend.book.outside import outside
from backend.book.schema import balance, movement
from backend.plan import levels
from backend.reports.report import Column, Look, Report, Row, Span
from backend.reports.scope import items_of, skus_of
from backend.reports.values import ITEM, averages, named
from models.stock import demand
from models.stock.demand import DAY_US

WINDOW_US = 365 * DAY_US
AT_ONCE = 200
ALL = "all of them"


def forecast(look: Look, span: Span) -> Iterator[Row]:
    """By item: demand as it was measured before the span, beside what was asked for in it; then all together."""
    items, wanted = items_of(look), skus_of(look, span)
    skus = sorted(items if wanted is None else wanted & items.keys())
    held, sums = averages(look, span), [Decimal(0)] * 3
    for sku, rate, expected, used in _expected(look, span, skus):
        quantity = held.get(sku, (None, None))[0]
        yield *named(items, sku), quantity, rate, expected, used, *_error(expected, used)
        if expected is not None:
            sums = [sums[0] + expected, sums[1] + used, sums[2] + abs(expected - used)]
    if sums[1]:
        yield ALL, None, None, None, None, sums[0], sums[1], sums[0] - sums[1], sums[2] / sums[1]


def _expected(look: Look, span: Span, skus: list[str]) -> Iterator[tuple[str, Decimal | None, Decimal | None, Decimal]]:
    """(sku, units a day, units in the span, units asked for)."""
    places, days = outside(look.register, look.now), Decimal(span.end - span.begin) / DAY_US
    for low in range(0, len(skus), AT_ONCE):
        page = skus[low : low + AT_ONCE]
        used = levels.used_of(look.tx, page, places, span.begin - WINDOW_US)
        begun = select(movement.c.sku, func.min(movement.c.at)).where(movement.c.sku.in_(page)).group_by(movement.c.sku)
        first = {sku: at for sku, at in look.tx.execute(begun)}  # noqa: C416 - rows are no pairs to the type checker
        for sku in page:
            pieces = used.get(sku, [])
            since = max(span.begin - WINDOW_US, first.get(sku, span.begin))
            measured = demand.measure(pieces, since, span.begin)
            rate = None if measured is None else Decimal(measured.mean).quantize(Decimal("0.001"))
            asked = sum((quantity for at, quantity in pieces if span.begin <= at < span.end), Decimal(0))
            yield sku, rate, None if rate is None else rate * days, asked


def _error(expected: Decimal | None, used: Decimal) -> tuple[Decimal | None, Decimal | None]:
    if expected is None:
        return None, None
    return expected - used, abs(expected - used) / used if used else None


def service(look: Look, span: Span) -> Iterator[Row]:
    """By item: the cycles of the last year in which something was always left, beside what its policy aims at."""
    items, wanted = items_of(look), skus_of(look, span)
    moved = {*look.tx.scalars(select(balance.c.sku).distinct())}
    skus = sorted((items.keys() if wanted is None else wanted & items.keys()) & moved)
    for low in range(0, len(skus), AT_ONCE):
        for each in reorder.reorder(look.tx, look.register, skus[low : low + AT_ONCE], look.now):
            of = each.service
            yield (
                *named(items, each.sku),
                of.of,
                _share(of.target),
                _share(of.expected_cycle),
                of.cycles,
                of.empty,
                _share(of.reached),
            )


def _share(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(value)


FORECAST = Report(
    "forecast",
    "On hand and forecast",
    "Average stock, demand as measured over the year before the span, what was asked for, and the error of both",
    (
        *ITEM,
        Column("average_on_hand", "Average on hand", "quantity"),
        Column("forecast_a_day", "Forecast a day", "quantity"),
        Column("forecast", "Forecast", "quantity"),
        Column("asked_for", "Asked for", "quantity"),
        Column("error", "Forecast less asked for", "quantity"),
        Column("error_share", "Error of asked for", "share", ("error", "asked_for")),
    ),
    forecast,
)
SERVICE = Report(
    "service",
    "Service level reached",
    "Replenishment cycles of the last year that ended without a stock-out, beside the target of the item's policy",
    (
        *ITEM,
        Column("target_of", "Target of"),
        Column("target", "Target", "share"),
        Column("expected", "Expected at this reorder point", "share"),
        Column("cycles", "Cycles", "number"),
        Column("empty", "of them with nothing left", "number"),
        Column("reached", "Reached", "share"),
    ),
    service,
)
