"""When the next service of a plan is due: by hours, distance or days since the last one, whichever comes first.

Intervals float: each begins when the last service was done, so that one done early or late moves what follows. Judged
on what is sure; what nobody observed can make a service one that may be due, never one that is. Whole milliseconds,
millimetres and microseconds are compared with exact fractions: exactly at the interval is due.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from msgspec import Struct

from models.declared import Plan
from models.motion.meter import Bounds

State = Literal["unknown", "ok", "due_soon", "may_be_due", "due", "overdue"]
By = Literal["hours", "km", "days"]
STATES: tuple[State, ...] = ("unknown", "ok", "due_soon", "may_be_due", "due", "overdue")
"""By how much it matters. Unknown: the plan counts by meters of which nothing was ever heard."""
DAY_US = 86_400_000_000
UNITS: Mapping[By, int] = {"hours": 3_600_000, "km": 1_000_000, "days": DAY_US}
"""Milliseconds, millimetres, microseconds in one of what a plan says."""
RATE_US = 28 * DAY_US
"""The rate of use that forecasts rest on is that of so long, or of as long as the meter has been heard."""
FARTHEST_US = 36_500 * DAY_US
MILLIONTH = Decimal("0.000001")


class Use(Struct, frozen=True):
    """What a meter counted, in ms or mm: `since` the interval began, and `recent`, in the last `span_us`."""

    since: Bounds
    recent: Bounds = Bounds(0, 0)
    span_us: int = 0


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of one plan; times in microseconds UTC. `hours` or `km` is None if nothing was ever heard of it."""

    asset: str
    plan_id: str
    plan: Plan
    starts_at: int
    """When the first interval begins."""
    done: tuple[int, ...] = ()
    """When services were done that count, in order, up to now."""
    hours: Use | None = None
    km: Use | None = None

    @property
    def occurrence(self) -> int:
        """The number of the service that is next: 1, 2, ..."""
        return len(self.done) + 1

    @property
    def began_at(self) -> int:
        """When the present interval began."""
        return self.done[-1] if self.done else self.starts_at


class Measure(Struct, frozen=True):
    """A plan by one of hours, km and days. `used` is in ms, mm or us; `due_from` to `due_by` is when it will be due.

    Both are None where that cannot be said: for want of use, and once hours or km have reached the interval.
    """

    by: By
    every: Decimal
    used: Bounds | None
    state: State
    at_most: State
    """The state if all that nobody observed was use."""
    due_from: int | None = None
    due_by: int | None = None

    @property
    def least(self) -> Decimal | None:
        """What was surely used, in hours, km or days to a millionth."""
        return None if self.used is None else amount(self.by, self.used.least)

    @property
    def most(self) -> Decimal | None:
        """With what nobody observed."""
        return None if self.used is None else amount(self.by, self.used.most)


class Due(Struct, frozen=True, kw_only=True):
    """How a plan stands. `missed`: how often the interval has surely passed since the last service."""

    facts: Facts
    state: State
    measures: tuple[Measure, ...]
    missed: int
    due_from: int | None
    due_by: int | None


def amount(by: By, units: int) -> Decimal:
    """Milliseconds as hours, millimetres as km, microseconds as days, to a millionth.

    >>> amount("hours", 5_400_000)
    Decimal('1.500000')
    """
    return (Decimal(units) / UNITS[by]).quantize(MILLIONTH)


def judge(facts: Facts, now: int) -> Due:
    """How the plan stands at `now`; the register sees to it that a plan has at least one interval."""
    measures = tuple(_measures(facts, now))
    states: list[State] = ["unknown", *(each.state for each in measures)]
    state = max(states, key=STATES.index)
    missed = [floor(each.used.least / _units(each.by, each.every)) for each in measures if each.used is not None]
    due_from, due_by = _first(state, measures)
    return Due(
        facts=facts,
        state=state,
        measures=measures,
        missed=max(missed, default=0),
        due_from=due_from,
        due_by=due_by,
    )


def on_time(due: Due) -> bool | None:
    """Whether a service done at the moment of `judge` is on time: not overdue by any measure. None: nobody can say.

    That is so if unobserved hours or a meter that was never heard decide it; and for the first service of a plan that
    has no `starts_at`, for its interval began whenever the plan was written down.
    """
    if due.facts.occurrence == 1 and due.facts.plan.starts_at is None:
        return None
    if due.state == "overdue":
        return False
    is_open = any(each.at_most in {"overdue", "unknown"} for each in due.measures)
    return None if is_open else True


def _measures(facts: Facts, now: int) -> Iterator[Measure]:
    plan = facts.plan
    if plan.every_hours is not None:
        yield _by_use(plan, "hours", plan.every_hours, facts.hours, now)
    if plan.every_km is not None:
        yield _by_use(plan, "km", plan.every_km, facts.km, now)
    if plan.every_days is not None:
        passed = max(0, now - facts.began_at)
        due_at = facts.began_at + plan.every_days * DAY_US
        state = _state(plan, Fraction(plan.every_days * DAY_US), passed)
        yield Measure("days", Decimal(plan.every_days), Bounds(passed, passed), state, state, due_at, due_at)


def _by_use(plan: Plan, by: By, every: Decimal, use: Use | None, now: int) -> Measure:
    if use is None:
        return Measure(by, every, None, "unknown", "unknown")
    interval = _units(by, every)
    surely, at_most = _state(plan, interval, use.since.least), _state(plan, interval, use.since.most)
    may_be = use.since.least < interval <= use.since.most
    return Measure(by, every, use.since, "may_be_due" if may_be else surely, at_most, *_forecast(interval, use, now))


def _state(plan: Plan, interval: Fraction, used: int) -> State:
    if used > interval * (1 + _share(plan.overdue_after)):
        return "overdue"
    if used >= interval:
        return "due"
    return "due_soon" if interval - used < interval * _share(plan.due_soon) else "ok"


def _forecast(interval: Fraction, use: Use, now: int) -> tuple[int | None, int | None]:
    """From when it may be due, by when it surely is, if it goes on as in the last days."""
    if use.since.least >= interval:
        return None, None
    soonest = now if use.since.most >= interval else None
    if use.span_us < DAY_US:
        return soonest, None
    if soonest is None and (wait := _wait(interval - use.since.most, use.recent.most, use.span_us)) is not None:
        soonest = now + floor(wait)
    wait = _wait(interval - use.since.least, use.recent.least, use.span_us)
    return soonest, None if wait is None else now + ceil(wait)


def _wait(left: Fraction, counted: int, span_us: int) -> Fraction | None:
    wait = left * span_us / counted if counted else None
    return wait if wait is not None and wait <= FARTHEST_US else None


def _first(state: State, measures: tuple[Measure, ...]) -> tuple[int | None, int | None]:
    """Whichever comes first. Of what is due only a date tells since when, if it is one that has come."""
    if state in {"due", "overdue"}:
        measures = tuple(each for each in measures if each.by == "days" and each.state in {"due", "overdue"})
    soonest = [each.due_from for each in measures if each.due_from is not None]
    latest = [each.due_by for each in measures if each.due_by is not None]
    return min(soonest, default=None), min(latest, default=None)


def _units(by: By, every: Decimal) -> Fraction:
    return Fraction(every) * UNITS[by]


def _share(share: float) -> Fraction:
    """The share as it was written: 0.1 is a tenth, not the nearest binary number."""
    return Fraction(repr(share))
