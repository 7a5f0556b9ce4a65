"""The services that a plan will call for until a day, if each is done when it falls due: a maintenance calendar.

The next one stands as it does now; each further one is judged as if the one before it were done at the first moment,
and at the last, at which it may fall due, so that ranges grow with how far they are ahead.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from models.maintenance.due import judge
from models.maintenance.facts import METERS, UNITS, Due, Facts, State, Use
from models.motion.meter import Bounds

MOST = 400
"""Of one plan: a daily check for more than a year."""


class Planned(Struct, frozen=True):
    """One service to come. `due_from` is the present moment at the earliest; None: it cannot be said."""

    occurrence: int
    due_from: int | None
    due_by: int | None
    state: State | Literal["forecast"]
    numbers: range
    packages: tuple[str, ...]


def ahead(due: Due, now: int, until: int) -> Iterator[Planned]:
    """The service that is next, whenever that is, and those after it that may fall due by `until`."""
    facts, state = due.facts, due.state
    soonest, latest = due.due_from, due.due_by
    if state in {"due", "overdue"}:
        soonest, latest = soonest or now, latest or now
    found = due
    named: State | Literal["forecast"] = state
    for _ in range(MOST):
        yield Planned(facts.occurrence, soonest, latest, named, found.numbers, found.packages)
        if soonest is None or soonest > until:
            return
        early, late = max(soonest, now), None if latest is None else max(latest, now)
        after = _done(facts, found, early)
        found, named = judge(after, early), "forecast"
        soonest = found.due_from
        if soonest is None or soonest > until:
            return
        latest = None if late is None else judge(_done(facts, due, late), late).due_by
        facts, due = after, found


def _done(facts: Facts, due: Due, at: int) -> Facts:
    """As if it were done then, when it was due by what it counts."""
    uses: dict[str, Use] = {}
    for each in due.measures:
        use: Use | None = getattr(facts, each.by) if each.by in METERS else None
        if use is not None and each.used is not None:
            left = max(0, ceil(Fraction(Decimal(each.every)) * UNITS[each.by]) - each.used.least)
            whole = use.since.least + left
            uses[each.by] = replace(use, since=Bounds(0, 0), before=(*use.before, Bounds(whole, whole)))
    found = tuple(None for _ in facts.found)
    return replace(facts, done=(*facts.done, at), found=found, called=False, work_order=None, **uses)
