"""What is known of a plan, and how it stands: the shapes between the book, the rules and what is told of them.

Whole milliseconds, millimetres, counts and microseconds; nothing is rounded before it is shown.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from models.declared_plans import Plan, Season
from models.maintenance.forecast import Daily
from models.motion.meter import Bounds

State = Literal["resting", "unknown", "ok", "due_soon", "may_be_due", "due", "overdue"]
By = Literal["hours", "km", "days", "cycles", "starts", "calendar", "condition"]
Meter = Literal["hours", "km", "cycles", "starts"]
STATES: tuple[State, ...] = ("resting", "unknown", "ok", "due_soon", "may_be_due", "due", "overdue")
"""By how much it matters. Unknown: the plan counts by meters of which nothing was ever heard. Resting: not judged."""
DAY_US = 86_400_000_000
UNITS: Mapping[By, int] = {
    "hours": 3_600_000,
    "km": 1_000_000,
    "cycles": 1000,
    "starts": 1000,
    "days": DAY_US,
    "calendar": DAY_US,
    "condition": 1,
}
"""Milliseconds, millimetres, thousandths, microseconds in one of what a plan says."""
METERS: tuple[Meter, ...] = ("hours", "km", "cycles", "starts")
MILLIONTH = Decimal("0.000001")


class Use(Struct, frozen=True):
    """What a meter counted, in ms, mm or counts: `since` the last service, and `recent`, in the last `span_us`.

    `before`: from the plan's begin to its first service, from that to the second, and so on: for plans whose intervals
    do not float, or that have packages. `daily` makes the forecast a range; without it the rate of `recent` goes on.
    """

    since: Bounds
    recent: Bounds = Bounds(0, 0)
    span_us: int = 0
    before: tuple[Bounds, ...] = ()
    daily: Daily | None = None


class Found(Struct, frozen=True):
    """A condition as it was seen last, since the last service: whether it holds, since when, and by what."""

    holds: bool
    at: int
    what: str


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of one plan; times in microseconds UTC. A meter is None if nothing was ever heard of it."""

    asset: str
    plan_id: str
    plan: Plan
    starts_at: int
    """When the first interval begins."""
    done: tuple[int, ...] = ()
    """When services were done that count, in order, up to now."""
    hours: Use | None = None
    km: Use | None = None
    cycles: Use | None = None
    starts: Use | None = None
    found: tuple[Found | None, ...] = ()
    """Of each condition of the plan; None: nothing that says so was heard."""
    inactive: tuple[Season, ...] = ()
    """When the asset rests, beside the plan."""
    called: bool = False
    """Whether this occurrence was told already: a forecast that moves a little takes nothing back."""
    work_order: str | None = None
    """The one that is open for it."""

    @property
    def occurrence(self) -> int:
        """The number of the service that is next: 1, 2, ..."""
        return len(self.done) + 1

    @property
    def began_at(self) -> int:
        """When the present interval began, if it floats."""
        return self.done[-1] if self.done else self.starts_at

    @property
    def seasons(self) -> tuple[Season, ...]:
        """When it rests."""
        return (*self.inactive, *self.plan.inactive)


class Measure(Struct, frozen=True):
    """A plan by one of what it counts; `used` in ms, mm, thousandths or us; due from `due_from` to `due_by`.

    Both are None where that cannot be said: for want of use, and once use has reached the interval. `used` is of the
    present interval, and below 0 before it begins. `marks` are the points that were surely passed without a service:
    counted from the last one, or of fixed intervals from the plan's begin; of dates the dates themselves.
    """

    by: By
    every: Decimal
    used: Bounds | None
    state: State
    at_most: State
    """The state if all that nobody observed was use."""
    due_from: int | None = None
    due_by: int | None = None
    number: int = 1
    """Of all that fell due, this is the so-manieth."""
    missed: int = 0
    """How many have surely fallen due since the last service, this one included."""
    marks: tuple[int, ...] = ()
    what: str | None = None
    """Of a condition: what was seen."""

    @property
    def least(self) -> Decimal | None:
        """What was surely used, in what the plan says to a millionth."""
        return None if self.used is None else amount(self.by, self.used.least)

    @property
    def most(self) -> Decimal | None:
        """With what nobody observed."""
        return None if self.used is None else amount(self.by, self.used.most)


class Due(Struct, frozen=True, kw_only=True):
    """How a plan stands. `missed`: how many services have surely fallen due since the last one that was done.

    They are one occurrence: `numbers` says which of all that fall due it answers for, `packages` what it includes.
    """

    facts: Facts
    state: State
    measures: tuple[Measure, ...]
    missed: int
    due_from: int | None
    due_by: int | None
    numbers: range = range(1, 2)
    packages: tuple[str, ...] = ()


def amount(by: By, units: int) -> Decimal:
    """Milliseconds as hours, millimetres as km, microseconds as days, to a millionth.

    >>> amount("hours", 5_400_000)
    Decimal('1.500000')
    """
    return (Decimal(units) / UNITS[by]).quantize(MILLIONTH)
