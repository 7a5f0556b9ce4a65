"""A plan by one of its meters: where the interval stands by what was surely and what was possibly counted."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import ceil, floor
from typing import NamedTuple

from models.declared_plans import Plan
from models.maintenance import dates, forecast
from models.maintenance.facts import DAY_US, UNITS, Facts, Measure, Meter, State, Use
from models.maintenance.interval import FLOATING, MOST_MISSED, Grid, Shift, Standing, share, shift_of, standing
from models.motion.meter import Bounds

RATE_US = 28 * DAY_US
"""The rate of use that a forecast without days rests on is that of so long, or of as long as the meter was heard."""
FARTHEST_US = 36_500 * DAY_US
MOST_MARKS = 100
NOTHING = Fraction(0)


class Edges(NamedTuple):
    """An interval in units of the meter, and what is used when it is near, due and overdue: whole units are compared.

    Near and overdue is what is above; due is what has come to it.
    """

    interval: Fraction
    near: int
    due: int
    late: int


class Stood(NamedTuple):
    """In one of two worlds, in which only what is sure was use, or all of it: what is used of the present interval."""

    used: int
    number: int
    begin: Fraction
    """Where the interval began, of all that was counted since the plan did; 0 if intervals float."""


def measure(facts: Facts, meter: Meter, every: Decimal, now: int) -> Measure:
    """How the plan stands by this meter."""
    use: Use | None = getattr(facts, meter)
    if use is None:
        return Measure(meter, every, None, "unknown", "unknown", number=facts.occurrence)
    edges, shift = _edges(every, meter, *_told(facts.plan, meter)), shift_of(facts.plan)
    surely, possibly = (_stood(use, edges.interval, shift, sure=sure) for sure in (True, False))
    used = Bounds(surely.used, max(surely.used, possibly.used))
    due_from, due_by = _when(facts, use, edges, used, now)
    state, at_most = _state(edges, used.least), _state(edges, used.most)
    if state == "ok" and _is_called(facts, meter, due_from, now):
        state = "due_soon"
    missed = min(MOST_MISSED, max(0, _times(used.least, edges.interval)))
    return Measure(
        by=meter,
        every=every,
        used=used,
        state="may_be_due" if used.least < edges.due <= used.most else state,
        at_most=at_most,
        due_from=due_from,
        due_by=due_by,
        number=surely.number if use.before or not facts.done else facts.occurrence,
        missed=missed,
        marks=tuple(floor(surely.begin + edges.interval * k) for k in range(1, min(missed, MOST_MARKS) + 1)),
    )


def _told(plan: Plan, meter: Meter) -> tuple[float, float, Decimal | None, bool]:
    own = {"hours": plan.call_hours, "km": plan.call_km}.get(meter)
    return plan.due_soon, plan.overdue_after, own, plan.call_days is not None


@lru_cache(maxsize=4096)
def _edges(  # noqa: PLR0913, PLR0917 - an interval and what is told of it: few plans differ in these
    every: Decimal,
    meter: Meter,
    due_soon: float,
    overdue_after: float,
    own: Decimal | None,
    by_days: bool,  # noqa: FBT001
) -> Edges:
    interval = Fraction(every) * UNITS[meter]
    soon = Fraction(0) if by_days else interval * share(due_soon)
    if own is not None:
        soon = Fraction(own) * UNITS[meter]
    return Edges(interval, floor(interval - soon), ceil(interval), floor(interval * (1 + share(overdue_after))))


def _stood(use: Use, interval: Fraction, shift: Shift, *, sure: bool) -> Stood:
    since = use.since.least if sure else use.since.most
    if not use.before:
        return Stood(since, 1, NOTHING)
    parts = [each.least if sure else each.most for each in use.before]
    if shift is FLOATING:
        return Stood(since, 1 + sum(max(1, _times(each, interval)) for each in parts), NOTHING)
    services = [*accumulate(parts)]
    stand = standing(_grid(interval), shift, Standing(0, 1, 1), services)
    begin = stand.origin + interval * (stand.count - 1)
    return Stood(floor(services[-1] + since - begin), stand.number, begin)


def _times(used: int, interval: Fraction) -> int:
    return used * interval.denominator // interval.numerator


def _grid(interval: Fraction) -> Grid:
    return lambda origin, count: origin + interval * count


def _state(edges: Edges, used: int) -> State:
    if used > edges.late:
        return "overdue"
    if used >= edges.due:
        return "due"
    return "due_soon" if used > edges.near else "ok"


def _is_called(facts: Facts, meter: Meter, due_from: int | None, now: int) -> bool:
    """Whether the forecast has come within the plan's days; once told, it must go back by a quarter of them."""
    days, own = facts.plan.call_days, {"hours": facts.plan.call_hours, "km": facts.plan.call_km}.get(meter)
    if days is None or own is not None or due_from is None:
        return False
    ahead = days * DAY_US
    return due_from - now <= (ahead * 5 // 4 if facts.called else ahead)


def _when(facts: Facts, use: Use, edges: Edges, used: Bounds, now: int) -> tuple[int | None, int | None]:
    """From when it may be due, by when it surely is, if it goes on as in the last weeks."""
    if used.least >= edges.due:
        return None, None
    if use.daily is None and use.span_us < DAY_US:
        return now if used.most >= edges.due else None, None
    left = edges.interval - used.most, edges.interval - used.least
    if use.daily is None:
        return _steadily(use, left, now)
    rests = dates.rests(facts.seasons) if facts.seasons else None
    known = forecast.profile(use.daily, rests)
    if known is None:
        return now, None
    since = now if use.daily.heard_to is None else use.daily.heard_to
    found = forecast.reached(known, since, (max(0, ceil(left[0])), ceil(left[1])), rests)
    soonest, latest = (None if each is None else max(now, each) for each in (found.soonest, found.latest))
    return now if used.most >= edges.due else soonest, latest


def _steadily(use: Use, left: tuple[Fraction, Fraction], now: int) -> tuple[int | None, int | None]:
    """By the rate of the last days alone."""
    soonest = now if left[0] <= 0 else None
    if soonest is None and (wait := _wait(left[0], use.recent.most, use.span_us)) is not None:
        soonest = now + floor(wait)
    wait = _wait(left[1], use.recent.least, use.span_us)
    return soonest, None if wait is None else now + ceil(wait)


def _wait(left: Fraction, counted: int, span_us: int) -> Fraction | None:
    wait = left * span_us / counted if counted else None
    return wait if wait is not None and wait <= FARTHEST_US else None
