"""The maintenance calendar: every service that plans call for until a day, by asset and team, as ranges of time.

And how services kept to their plans.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from backend import dues
from backend.api import items_plans as items
from backend.api.queries.intake import time
from backend.book import work_orders
from backend.kept import outcomes
from models.declared_plans import Plan
from models.maintenance.compliance import compliance
from models.maintenance.due import DAY_US, judge
from models.maintenance.outlook import Planned, ahead
from models.reading import from_micros, micros
from models.register import Register
from models.units import quantity_text

YEAR_US = 366 * DAY_US
Named = Annotated[str | None, Field(max_length=64)]


class CalendarAsk(BaseModel, frozen=True, extra="forbid"):
    """Until when, and of which asset or team."""

    until: AwareDatetime | None = None
    asset: Named = None
    team: Named = None


class ComplianceAsk(BaseModel, frozen=True, extra="forbid"):
    """From when to before when, counted by what."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    by: Literal["asset", "plan", "month"] = "month"
    asset: Named = None


class Occurrence(Struct, frozen=True):
    """One service of one plan. (plan, occurrence) with the asset names it for good: see the alerts of `service_due`."""

    asset: str
    plan_id: str
    plan: Plan
    planned: Planned
    work_order: str | None


def occurrences(
    tx: Connection, register: Register, now: int, until: int, assets: Sequence[str] | None = None
) -> list[Occurrence]:
    """What is due and will be until then of these assets, or of all, by the first moment at which it may be."""
    wanted = [*dues.plans_of(register, now)] if assets is None else assets
    known = dues.facts(tx, register, wanted, now)
    orders = work_orders.open_by_plan(tx, sorted({each.asset for each in known}))
    found = [
        Occurrence(each.asset, each.plan_id, each.plan, planned, None if k else orders.get((each.asset, each.plan_id)))
        for each in known
        for k, planned in enumerate(ahead(judge(each, now), now, until))
        if _is_in(planned, until)
    ]
    return sorted(found, key=lambda each: (each.planned.due_from or 0, each.asset, each.plan_id))


def calendar(tx: Connection, register: Register, ask: CalendarAsk, now: int) -> list[items.Occurrence]:
    """The same as the API shows it."""
    until = now + YEAR_US if ask.until is None else min(micros(ask.until), now + 3 * YEAR_US)
    found = occurrences(tx, register, now, until, None if ask.asset is None else [ask.asset])
    return [_shown(each) for each in found if ask.team is None or each.plan.team == ask.team]


def kept(tx: Connection, register: Register, ask: ComplianceAsk, now: int) -> list[items.Kept]:
    """Services in time of those that fell due, by asset, plan or month."""
    since = now - YEAR_US if ask.since is None else micros(ask.since)
    until = now + 1 if ask.until is None else micros(ask.until)
    assets = register.all("assets", now) if ask.asset is None else [ask.asset]
    counted = compliance(outcomes(tx, register, assets, (since, until), now), ask.by)
    return [
        items.Kept(
            key=each.key,
            due=each.due,
            on_time=each.on_time,
            late=each.late,
            overdue=each.overdue,
            unknown=each.unknown,
            share=None if each.share is None else quantity_text(each.share),
        )
        for each in counted
    ]


def _is_in(planned: Planned, until: int) -> bool:
    return planned.due_from is not None and planned.due_from <= until


def _shown(each: Occurrence) -> items.Occurrence:
    plan, planned = each.plan, each.planned
    return items.Occurrence(
        asset=each.asset,
        plan=each.plan_id,
        name=plan.name,
        kind=plan.kind,
        team=plan.team,
        occurrence=planned.occurrence,
        state=planned.state,
        due_from=from_micros(planned.due_from or 0),
        due_by=time(planned.due_by),
        covers=[*planned.numbers],
        packages=[*planned.packages],
        lasts_hours=None if plan.lasts_hours is None else quantity_text(plan.lasts_hours),
        work_order=each.work_order,
    )
