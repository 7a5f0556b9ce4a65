"""PM compliance: by plan, how many services were done in time of those that fell due."""

from collections.abc import Iterator

from backend import dues
from backend.kept import outcomes
from backend.reports.report import Column, Look, Report, Row, Span
from models.declared import Plan
from models.maintenance.compliance import compliance


def _rows(look: Look, span: Span) -> Iterator[Row]:
    assets = dues.plans_of(look.register, look.now)
    found = outcomes(look.tx, look.register, assets, (span.begin, span.end), look.now)
    for each in compliance(found, "plan"):
        body = look.register.get("plans", each.key, look.now)
        known = body if isinstance(body, Plan) else None
        named = (each.key, None, None, None) if known is None else (each.key, known.asset, known.name, known.kind)
        yield (*named, each.due, each.on_time, each.late, each.overdue, each.unknown, each.share)


COMPLIANCE = Report(
    "pm-compliance",
    "Services in time",
    "By maintenance plan: services done in time of those that fell due; overdue ones count as due. "
    "Where nobody can say whether one was in time, it is counted apart.",
    (
        Column("plan", "Plan"),
        Column("asset", "Asset"),
        Column("name", "Service"),
        Column("kind", "Kind"),
        Column("due", "Due", "number"),
        Column("on_time", "In time", "number"),
        Column("late", "Late", "number"),
        Column("overdue", "Overdue", "number"),
        Column("unknown", "Not known", "number"),
        Column("share", "Share in time", "share"),
    ),
    _rows,
    module="assets",
)
