"""When a plan may stand otherwise though nothing more is heard or declared: dates come, unobserved hours add up."""

from collections.abc import Iterator
from math import ceil, floor

from models.maintenance.facts import DAY_US, METERS, UNITS, Due, Measure, State
from models.maintenance.interval import part

LATEST_US, TOLD_US = 7 * DAY_US, 3_600_000_000
"""What was told has figures that go on; they are told anew every hour."""
TOLD: frozenset[State] = frozenset({"due_soon", "due", "overdue"})
US_A_MS = 1000


def next_look(due: Due, now: int) -> int:
    """The first moment, microseconds, at which it is worth judging again: now where that must last to be told."""
    if due.state == "may_be_due":
        return now
    if due.state in TOLD:
        return min(now + TOLD_US, *_times(due, now))
    plan = due.facts.plan
    if due.facts.seasons or plan.call_days is not None:
        return min(now + DAY_US, *_times(due, now))
    return min(now + LATEST_US, *_times(due, now))


def _times(due: Due, now: int) -> Iterator[int]:
    yield now + LATEST_US
    for each in due.measures:
        if each.by == "hours" and (left := _left(each)) > 0:
            yield now + left * US_A_MS
        elif each.by not in METERS and each.due_by is not None:
            yield from (at for at in _edges(due, each, each.due_by, now) if at > now)


def _left(measure: Measure) -> int:
    """How much more may go on unobserved until it may be due."""
    return 0 if measure.used is None else _whole(measure) - measure.used.most


def _edges(due: Due, measure: Measure, due_at: int, now: int) -> Iterator[int]:
    """When a date is near, when it has come, and when it is late; days are as long as they really are."""
    interval = _whole(measure) if measure.used is None else due_at - now + measure.used.least
    days = due.facts.plan.call_days
    near = due_at - (ceil(part(due.facts.plan.due_soon, interval)) if days is None else days * DAY_US)
    yield near
    yield near + 1
    yield due_at
    yield due_at + floor(part(due.facts.plan.overdue_after, interval)) + 1


def _whole(measure: Measure) -> int:
    return int(measure.every * UNITS[measure.by])
