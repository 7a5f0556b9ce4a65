"""Work that was done: each order with what it cost and how long its asset stood still, and both by cause."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row as Found
from sqlalchemy import select

from backend.book import work_sums
from backend.book.ledger import IDS_A_QUERY
from backend.book.schema_use import downtime
from backend.book.schema_work import work_cost, work_order
from backend.reports.report import Column, Look, Report, Row, Span
from models.maintenance.work_costs import MS, ZERO, Costs, hours
from models.motion.spans import length, merged
from models.reading import from_micros

MONEY = (
    Column("labour", "Labour", "money"),
    Column("parts", "Parts", "money"),
    Column("other", "Other costs", "money"),
    Column("total", "Total", "money"),
    Column("uncosted", "Parts of unknown cost", "number"),
)
DOWN, WORKED = Column("downtime_h", "Downtime, h", "quantity"), Column("labour_h", "Labour, h", "quantity")


class Done(NamedTuple):
    """An order that was done in the span: its downtime until the end of it, and hours that were worked."""

    order: Found[Any]
    costs: Costs
    down_h: Decimal
    labour_h: Decimal


def orders(look: Look, span: Span) -> Iterator[Row]:
    """Each order, by cause and time."""
    for each in _done(look, span):
        row = each.order
        codes = (row.cause, row.mode, row.mechanism, row.remedy)
        what = (row.id, row.kind, row.asset, row.site, row.component, row.plan, row.title, from_micros(row.done_at))
        yield *codes, *what, each.down_h, each.labour_h, *_money(each.costs)


def causes(look: Look, span: Span) -> Iterator[Row]:
    """Corrective work by cause; what nobody gave a cause is together, without one."""
    found: defaultdict[str | None, list[Done]] = defaultdict(list)
    for each in _done(look, span):
        if each.order.kind == "corrective":
            found[each.order.cause].append(each)
    for cause, of_cause in found.items():
        assets = len({each.order.asset for each in of_cause})
        down_h = sum((each.down_h for each in of_cause), ZERO)
        labour_h = sum((each.labour_h for each in of_cause), ZERO)
        yield (
            cause,
            len(of_cause),
            assets,
            down_h,
            labour_h,
            *_money(work_sums.added([each.costs for each in of_cause])),
        )


def _money(found: Costs) -> Row:
    return found.labour, found.parts, found.other, found.total, found.uncosted or None


def _is_wanted(look: Look, span: Span, row: Found[Any]) -> bool:
    """By the site that the asset was of when the order was made, and what else the register says of it now."""
    body = look.register.get("assets", row.asset, look.now)
    if span.site not in {None, row.site}:
        return False
    narrowed = {name: wanted for name in ("unit", "project", "category") if (wanted := getattr(span, name)) is not None}
    return all(getattr(body, name, None) == wanted for name, wanted in narrowed.items())


def _done(look: Look, span: Span) -> list[Done]:
    own = work_order.c
    query = select(work_order).where(own.done_at >= span.begin, own.done_at < span.end, own.costs.is_not(None))
    found = look.tx.execute(query.order_by(own.cause.is_(None), own.cause, own.done_at, own.n)).all()
    rows = [row for row in found if _is_wanted(look, span, row)]
    stood: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    worked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for low in range(0, len(rows), IDS_A_QUERY):
        ids = [row.id for row in rows[low : low + IDS_A_QUERY]]
        stops = select(downtime).where(downtime.c.work_order.in_(ids), downtime.c.withdrawn_at.is_(None))
        for stop in look.tx.execute(stops):
            stood[stop.work_order].append((stop.begin_at, min(span.end, stop.end_at or span.end)))
        lines = select(work_cost).where(work_cost.c.order_id.in_(ids), work_cost.c.withdrawn_why.is_(None))
        for line in look.tx.execute(lines.where(work_cost.c.hours.is_not(None))):
            worked[line.order_id] += Decimal(line.hours)
    return [
        Done(row, work_sums.thaw(row.costs), hours(length(merged(stood[row.id])) // MS), worked[row.id]) for row in rows
    ]


WORK_ORDERS = Report(
    "work-orders",
    "Work orders with costs and downtime",
    "Every order that was done in the span, by cause: what it cost, and how long its asset stood still for it",
    (
        Column("cause", "Cause"),
        Column("mode", "Failure mode"),
        Column("mechanism", "Mechanism"),
        Column("remedy", "Remedy"),
        Column("order", "Work order"),
        Column("kind", "Kind"),
        Column("asset", "Asset"),
        Column("site", "Site"),
        Column("component", "Component"),
        Column("plan", "Plan"),
        Column("title", "Title"),
        Column("done_at", "Done", "time"),
        DOWN,
        WORKED,
        *MONEY,
    ),
    orders,
    "assets",
)
CAUSES = Report(
    "downtime-causes",
    "Downtime and costs by cause",
    "Corrective work that was done in the span: downtime, labour and costs by cause of failure",
    (
        Column("cause", "Cause"),
        Column("orders", "Work orders", "number"),
        Column("assets", "Assets", "number"),
        DOWN,
        WORKED,
        *MONEY,
    ),
    causes,
    "assets",
)
