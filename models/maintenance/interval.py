"""Where the next service of a plan is due, after those that were done: in units of use, or in time.

One rule for all timings: a service moves the next one by a share of its own delay. The share is 1 where intervals
float, 0 where they are fixed, and between by the shift factors of a plan. Several that were missed are one service.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor

from models.declared_plans import Plan

Position = int | Fraction
Grid = Callable[[Position, int], Position]
"""The position that is so many intervals after an origin; it rises with the number."""
MOST_MISSED = 40_000


@dataclass(frozen=True, slots=True)
class Shift:
    """By which share of its delay a service moves the next one; `tolerance` is a share of the interval."""

    late: Fraction
    early: Fraction
    tolerance: Fraction

    def by(self, delay: Position, interval: Position) -> int:
        """How far the next one moves, in the unit of both; whole units, half up.

        >>> Shift(Fraction(1, 2), Fraction(1), Fraction(1, 10)).by(14, 90)
        7
        """
        allowed = interval * self.tolerance
        if -allowed <= delay <= allowed:
            return 0
        return floor(delay * (self.late if delay > 0 else self.early) + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Standing:
    """The next service is due at the `count`-th point from `origin`; it is the `number`-th of all that fell due."""

    origin: Position
    count: int
    number: int


FLOATING, FIXED = Shift(Fraction(1), Fraction(1), Fraction(0)), Shift(Fraction(0), Fraction(0), Fraction(0))


def shift_of(plan: Plan) -> Shift:
    """What the plan says of services that come late or early."""
    if plan.timing == "shifted":
        return Shift(share(plan.shift_late), share(plan.shift_early), share(plan.shift_tolerance))
    return FLOATING if plan.timing == "floating" else FIXED


def standing(grid: Grid, shift: Shift, begun: Standing, services: Sequence[Position]) -> Standing:
    """Where the next service stands after these, each at its position, in order."""
    origin, count, number = begun.origin, begun.count, begun.number
    for at in services:
        answered = max(1, passed(grid, Standing(origin, count, number), at))
        count, number = count + answered, number + answered
        if shift is FLOATING:
            origin, count = at, 1
        if shift is FLOATING or shift is FIXED:
            continue
        due, before = grid(origin, count - 1), grid(origin, count - 2)
        if moved := shift.by(at - due, due - before):
            origin, count = grid(origin, count) + moved, 0
    return Standing(origin, count, number)


def passed(grid: Grid, now: Standing, at: Position) -> int:
    """How many services have fallen due at a position, the next one included: 0 while it is still to come."""
    if grid(now.origin, now.count) > at:
        return 0
    high = 1
    while high < MOST_MISSED and grid(now.origin, now.count + high - 1) <= at:
        high *= 2
    return bisect_right(range(high), at, key=lambda k: grid(now.origin, now.count + k))


@lru_cache(maxsize=1024)
def share(written: float) -> Fraction:
    """The share as it was written: 0.1 is a tenth, not the nearest binary number."""
    return Fraction(repr(written))


def part(written: float, whole: int) -> Fraction | int:
    """That share of a whole, exactly.

    >>> part(0.1, 250)
    25
    """
    exact = share(written)
    least, rest = divmod(whole * exact.numerator, exact.denominator)
    return least if not rest else whole * exact
