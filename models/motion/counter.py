"""A counter of a machine or tracker: hours, distance, starts or cycles that it adds up, also while nobody hears it.

What it says is believed when it could be true of the time that passed, or when its next value confirms it. What a
jump was is told apart: reset to about 0, gone past its declared greatest value (then the gain is exact), or replaced.
A reset in a silence that leaves a value which could be true cannot be seen.
"""

from collections.abc import Sequence

from msgspec import Struct

from models.motion.gain import MS, NOTHING, REPLACED, RESET, ROLLOVER, Gain, Heard

HOUR_US = 3_600_000_000
PERCENT_MS = 100 * MS


class Kind(Struct, frozen=True):
    """How fast a counter can go: `most` in a millisecond; `percent` of that with its clock, and `slack` ahead of it.

    Some count whole hours, or kilometres.
    """

    most: int
    percent: int
    slack: int

    def reach(self, elapsed_us: int) -> int:
        """The most that a counter can go on by in a time."""
        return elapsed_us * self.most * self.percent // PERCENT_MS + self.slack


HOURS = Kind(1, 102, 3_600_000)
DISTANCE = Kind(70, 100, 1_000_000)
"""70 m/s."""
STARTS = Kind(1, 100, 10_000)
CYCLES = Kind(10, 100, 100_000)
"""One start, and ten cycles, in a second; counted in thousandths."""


class Counter(Struct):
    """A stretch of a counter within an hour, and a value that waits to be confirmed."""

    begin_at: int
    begin: int
    last_at: int
    value: int
    first: str
    last: str
    odd_at: int | None = None
    odd: int = 0
    odd_by: str = ""


def begin(at: int, value: int, evidence: str) -> Counter:
    """A counter that is heard for the first time."""
    return Counter(at, value, at, value, evidence, evidence)


def hear(counter: Counter, kind: Kind, width: int | None, fact: Heard) -> Sequence[Gain]:
    """A value: within reach of the last one, confirming an odd one, or odd itself.

    `width`: the value at which it begins at 0 again, where that is declared.
    """
    at, value = fact.at, fact.value
    assert value is not None  # noqa: S101 - asked by the caller
    gains: Sequence[Gain] = NOTHING
    if _follows(kind, width, at - counter.last_at, value - counter.value):
        if at // HOUR_US > counter.begin_at // HOUR_US and counter.last_at > counter.begin_at:
            gains = close(counter)
            counter.begin_at, counter.begin, counter.first = counter.last_at, counter.value, counter.last
    elif counter.odd_at is not None and _follows(kind, width, at - counter.odd_at, value - counter.odd):
        gains = [*close(counter), *_jump(counter, kind, width, fact.evidence)]
        counter.begin_at, counter.begin, counter.first = counter.odd_at, counter.odd, counter.odd_by
    else:
        counter.odd_at, counter.odd, counter.odd_by = at, value, fact.evidence
        return gains
    counter.last_at, counter.value, counter.last, counter.odd_at = at, value, fact.evidence, None
    return gains


def close(counter: Counter) -> list[Gain]:
    """What it gained since the stretch began."""
    gained = counter.value - counter.begin
    if not gained:
        return []
    return [Gain(counter.begin_at, counter.last_at, gained, gained, None, (counter.first, counter.last))]


def _follows(kind: Kind, width: int | None, elapsed_us: int, gained: int) -> bool:
    """Whether it can have gained so much in the time, and not a whole turn more."""
    reach = kind.reach(elapsed_us)
    return 0 <= gained <= reach and (width is None or reach - gained < width)


def _jump(counter: Counter, kind: Kind, width: int | None, evidence: str) -> list[Gain]:
    """From the last value to the odd one, which is confirmed now."""
    assert counter.odd_at is not None  # noqa: S101 - asked by the caller
    elapsed_us = counter.odd_at - counter.last_at
    reach, gained = kind.reach(elapsed_us), counter.odd - counter.value
    least, most, why = 0, elapsed_us // MS * kind.most, REPLACED
    if width is not None and max(counter.value, counter.odd) < width and gained % width <= reach:
        least, why = gained % width, ROLLOVER
        most = least + (reach - least) // width * width
    elif gained < 0 and counter.odd <= reach:
        why = RESET
    if not most:
        return []
    return [Gain(counter.last_at, counter.odd_at, least, most, why, (counter.last, counter.odd_by, evidence))]
