"""A plan by the calendar or by what was found: dates in the plan's time zone, conditions since the last service."""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from models.declared_plans import Plan, Recurrence, Season
from models.maintenance.dates import active_from, first, is_inactive, later, local_date, midnight
from models.maintenance.facts import DAY_US, MILLIONTH, By, Facts, Found, Measure, State
from models.maintenance.interval import FLOATING, Grid, Position, Shift, Standing, part, passed, shift_of, standing
from models.motion.meter import Bounds

MOST_MARKS = 100
MOST_SKIPPED, TOGETHER = 1000, 40
"""So many dates in a row are left out at most; so many are looked at together."""


class Calendar(NamedTuple):
    """A rule in a time zone, its days of rest, and whether dates on these come after them or not at all."""

    rule: Recurrence
    zone: str
    seasons: tuple[Season, ...]
    is_shifted: bool


def by_calendar(facts: Facts, by: By, rule: Recurrence, now: int) -> Measure:
    """How the plan stands by dates: of `every_days`, or of its calendar rule."""
    plan = facts.plan
    grid = dates(_calendar(facts, rule))
    stand = stand_of(facts, rule)
    due_at, begun = _edge(grid, stand)
    interval = due_at - begun
    used = now - begun if facts.done or now > facts.starts_at else 0
    state = _state(plan, interval, used)
    missed = passed(grid, stand, now)
    return Measure(
        by=by,
        every=_days(by, rule, interval),
        used=Bounds(used, used),
        state=state,
        at_most=state,
        due_from=due_at,
        due_by=due_at,
        number=stand.number,
        missed=missed,
        marks=tuple(int(grid(stand.origin, stand.count + k)) for k in range(min(missed, MOST_MARKS))),
    )


def stand_of(facts: Facts, rule: Recurrence) -> Standing:
    """Where the next date of a rule stands after the services that were done."""
    calendar, shift = _calendar(facts, rule), shift_of(facts.plan)
    begun = Standing(facts.starts_at, first(rule, facts.starts_at, facts.plan.tz), 1)
    if shift is FLOATING and facts.done:
        number = _after(calendar, FLOATING, begun, facts.done).number if facts.plan.packages else facts.occurrence
        return Standing(facts.done[-1], 1, number)
    return _after(calendar, shift, begun, facts.done)


@lru_cache(maxsize=1024)
def _after(calendar: Calendar, shift: Shift, begun: Standing, services: tuple[int, ...]) -> Standing:
    """Where it stands after these; what stood after the first of them is remembered, for one more comes at the end."""
    first_ones = services[: (len(services) - 1) // TOGETHER * TOGETHER] if services else ()
    stand = _after(calendar, shift, begun, first_ones) if first_ones else begun
    return standing(dates(calendar), shift, stand, services[len(first_ones) :])


def _calendar(facts: Facts, rule: Recurrence) -> Calendar:
    return Calendar(rule, facts.plan.tz, facts.seasons, facts.plan.when_inactive == "shift")


def dates(calendar: Calendar) -> Grid:
    """The moments of a rule in the plan's time zone; those on days of rest come right after them, or not at all."""
    rule, zone, seasons, is_shifted = calendar

    def raw(origin: Position, count: int) -> int:
        return later(rule, int(origin), count, zone)

    def shifted(origin: Position, count: int) -> int:
        at = raw(origin, count)
        day = local_date(at, zone)
        back = active_from(seasons, day)
        return at if back is None or back == day else midnight(back, zone)

    def left_out(origin: Position, count: int) -> int:
        if count < 1:
            return raw(origin, count)
        seen = begin = skipped = 0
        while skipped < MOST_SKIPPED:
            active = _active(rule, seasons, zone, int(origin), begin)
            if seen + len(active) >= count:
                return raw(origin, active[count - seen - 1])
            seen, begin, skipped = seen + len(active), begin + TOGETHER, 0 if active else skipped + TOGETHER
        return raw(origin, begin + count - seen)

    if not seasons:
        return raw
    return shifted if is_shifted else left_out


@lru_cache(maxsize=8192)
def _active(rule: Recurrence, seasons: tuple[Season, ...], zone: str, origin: int, begin: int) -> tuple[int, ...]:
    """Of so many counts after `begin` those whose dates are on no day of rest."""
    counts = range(begin + 1, begin + TOGETHER + 1)
    return tuple(each for each in counts if not is_inactive(seasons, local_date(later(rule, origin, each, zone), zone)))


def by_condition(facts: Facts) -> Measure:
    """Due as soon as one of the plan's conditions holds; unknown if nothing was heard of any."""
    known = [each for each in facts.found if each is not None]
    holding: list[Found] = [each for each in known if each.holds]
    state: State = "due" if holding else "ok" if len(known) == len(facts.found) else "unknown"
    since = min((each.at for each in holding), default=None)
    return Measure(
        by="condition",
        every=Decimal(1),
        used=Bounds(len(holding[:1]), len(holding[:1])) if known else None,
        state=state,
        at_most=state,
        due_from=since,
        due_by=since,
        number=facts.occurrence,
        missed=len(holding[:1]),
        what="; ".join(each.what for each in holding or known) or None,
    )


def _edge(grid: Grid, stand: Standing) -> tuple[int, int]:
    """When it is due, and from when that counts."""
    due_at = int(grid(stand.origin, stand.count))
    return due_at, int(stand.origin if stand.count == 1 else grid(stand.origin, stand.count - 1))


def _days(by: By, rule: Recurrence, interval: int) -> Decimal:
    if by == "days":
        return Decimal(rule.every)
    return (Decimal(interval) / DAY_US).quantize(MILLIONTH)


def _state(plan: Plan, interval: int, used: int) -> State:
    if used - interval > part(plan.overdue_after, interval):
        return "overdue"
    if used >= interval:
        return "due"
    if plan.call_days is not None:
        return "due_soon" if interval - used <= plan.call_days * DAY_US else "ok"
    return "due_soon" if interval - used < part(plan.due_soon, interval) else "ok"
