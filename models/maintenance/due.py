"""When the next service of a plan is due: by use, by dates, by what was found; the first that comes, or all of them.

Judged on what is sure; what nobody observed can make a service one that may be due, never one that is. Compared with
exact fractions: exactly at the interval is due. Several that were missed are one service.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from models.declared_plans import Recurrence
from models.maintenance import packages
from models.maintenance.by_date import by_calendar, by_condition
from models.maintenance.by_use import RATE_US, measure
from models.maintenance.dates import is_inactive, local_date
from models.maintenance.facts import (
    DAY_US,
    METERS,
    STATES,
    By,
    Due,
    Facts,
    Found,
    Measure,
    Meter,
    State,
    Use,
    amount,
)

__all__ = [
    "DAY_US",
    "METERS",
    "RATE_US",
    "STATES",
    "By",
    "Due",
    "Facts",
    "Found",
    "Measure",
    "Meter",
    "State",
    "Use",
    "amount",
    "judge",
    "on_time",
]
OPEN: frozenset[State] = frozenset({"due", "overdue"})


def judge(facts: Facts, now: int) -> Due:
    """How the plan stands at `now`; the register sees to it that a plan counts by something."""
    plan = facts.plan
    measures = tuple(_measures(facts, now))
    every = plan.match == "all"
    state = _combined(facts, measures)
    if facts.seasons and is_inactive(facts.seasons, local_date(now, plan.tz)):
        state = "resting"
    missed = (min if every else max)((each.missed for each in measures), default=0)
    number = max((each.number for each in measures), default=facts.occurrence)
    numbers = range(number, number + max(1, missed))
    due_from, due_by = (_last if every else _first)(state, measures)
    return Due(
        facts=facts,
        state=state,
        measures=measures,
        missed=missed,
        due_from=due_from,
        due_by=due_by,
        numbers=numbers,
        packages=tuple(packages.due(plan.packages, numbers)),
    )


def on_time(due: Due) -> bool | None:
    """Whether a service done at the moment of `judge` is on time: not overdue by any measure. None: nobody can say.

    That is so if unobserved hours or a meter that was never heard decide it; and for the first service of a plan that
    has no `starts_at`, for its interval began whenever the plan was written down.
    """
    if due.facts.occurrence == 1 and due.facts.plan.starts_at is None:
        return None
    if _combined(due.facts, due.measures) == "overdue":
        return False
    is_open = [each.at_most in {"overdue", "unknown"} for each in due.measures]
    return None if (all if due.facts.plan.match == "all" else any)(is_open) else True


def _combined(facts: Facts, measures: tuple[Measure, ...]) -> State:
    """The gravest of any, or the least grave of all."""
    states: list[State] = [each.state for each in measures] or ["unknown"]
    return (min if facts.plan.match == "all" else max)(states, key=STATES.index)


def _measures(facts: Facts, now: int) -> Iterator[Measure]:
    plan = facts.plan
    counted = (plan.every_hours, plan.every_km, plan.every_cycles, plan.every_starts)
    for meter, every in zip(METERS, counted, strict=True):
        if every is not None:
            yield measure(facts, meter, Decimal(every), now)
    if plan.every_days is not None:
        yield by_calendar(facts, "days", _daily(plan.every_days), now)
    if plan.calendar is not None:
        yield by_calendar(facts, "calendar", plan.calendar, now)
    if plan.conditions:
        yield by_condition(facts)


@lru_cache(maxsize=1024)
def _daily(days: int) -> Recurrence:
    return Recurrence(days, "day")


def _first(state: State, measures: tuple[Measure, ...]) -> tuple[int | None, int | None]:
    """Whichever comes first. Of what is due only a date tells since when, if it is one that has come."""
    if state in OPEN:
        measures = tuple(each for each in measures if each.by not in METERS and each.state in OPEN)
    soonest = [each.due_from for each in measures if each.due_from is not None]
    latest = [each.due_by for each in measures if each.due_by is not None]
    return min(soonest, default=None), min(latest, default=None)


def _last(_state: State, measures: tuple[Measure, ...]) -> tuple[int | None, int | None]:
    """When the last of them has come: those that have by use say no more."""
    waited = [each for each in measures if each.state not in OPEN or each.by not in METERS]
    soonest, latest = [each.due_from for each in waited], [each.due_by for each in waited]
    return (
        None if None in soonest else max((each for each in soonest if each is not None), default=None),
        None if None in latest else max((each for each in latest if each is not None), default=None),
    )
