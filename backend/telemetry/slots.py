"""Places within a microsecond, for a store that has nanoseconds and keeps one value of a series at each.

A sample's own place follows from its content, so that what is written again takes the place that it had. Two contents
of a series and a time may have the same one, once in 500: ten minutes where that is so are written whole, each sample
at a place of its own, so that none is lost and the store says the same for any order of arrival.
"""

from collections import Counter
from collections.abc import Sequence

from backend.telemetry.rows import FIX, Sample

NS = 1000
"""Nanoseconds in a microsecond."""
_SMALL, _MIDDLE, _UPPER = 300, 200, 500
_HALF_BITS = 63


def slot(at: int, content: int) -> int:
    """Nanoseconds of a sample at `at` microseconds: of the same `at` in the order of their contents.

    >>> [slot(7, content) for content in (-(2**63), -1, 0, 299, 300, 2**63 - 1)]
    [7000, 7199, 7200, 7499, 7500, 7999]
    """
    if content >= _SMALL:
        return at * NS + _UPPER + (content * _UPPER >> _HALF_BITS)
    if content < 0:
        return at * NS + _MIDDLE + (content * _MIDDLE >> _HALF_BITS)
    return at * NS + _MIDDLE + content


def slots(at: int, contents: Sequence[int]) -> list[int]:
    """Nanoseconds of all contents that a series has at `at`, in their order: its own place or the next free one.

    >>> slots(7, [0, 2**62, 2**62 + 1, 2**63 - 2, 2**63 - 1])
    [7200, 7750, 7751, 7998, 7999]
    """
    found: list[int] = []
    for content in contents:
        found.append(max(slot(at, content), found[-1] + 1 if found else 0))
    last = at * NS + NS
    return [max(at * NS, min(place, last - left)) for place, left in zip(found, range(len(found), 0, -1), strict=True)]


def crowded(samples: Sequence[Sample]) -> bool:
    """Whether two samples of a device have the same place in one series."""
    times = Counter([each.at for each in samples])
    unsure = [each for each in samples if times[each.at] > 1]  # few, and no place is worked out for the others
    if len({slot(each.at, each.content) for each in unsure}) == len(unsure):
        return False
    taken: set[tuple[int, str, str]] = set()
    for _, at, content, _, columns in unsure:
        place = slot(at, content)
        for name, unit in {("", "") if FIX.get(name) == unit else (name, unit) for name, unit in columns.series}:
            if (place, name, unit) in taken:
                return True
            taken.add((place, name, unit))
    return False
