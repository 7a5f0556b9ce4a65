"""What is true of a month: running time, trips, stops, stays in zones and being carried, from the motion itself.

A trip is movement on its own wheels without a pause of `stop_s` or more that goes farther than `trip_m` from where it
began; everything else is a stop. Nothing here looks at a fix.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

from simulators.fences import Fence, Trace
from simulators.month import Month, Stretch
from simulators.past import Span
from simulators.yard import Point

LOOKS_EVERY_MS = 1000
DEEP_M = 10.0
UNSURE_S, UNSURE_M = 20.0, 25.0
"""A pause or a reach so near to the limit may be told either way; a drive so short may be noise."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a trip of this kind of machine."""

    stop_s: float
    trip_m: float


RULES = {"truck": Rule(180.0, 200.0), "crane": Rule(300.0, 30.0)}


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip, or one stop (`driven_m` is then what it moved within)."""

    begin_ms: int
    end_ms: int
    driven_m: float
    point: Point
    """Where it ended."""
    plain: bool = True
    """Whether it is one by far: no pause and no reach near the limits, and no drive in it too short to be seen."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A machine was inside a zone; `deep` is the longest time without a break 10 m or more from the border."""

    zone: str
    begin_ms: int
    end_ms: int
    most_m: float
    deep: Span | None


@dataclass(frozen=True, slots=True)
class _Burst:
    """Movement without a pause of the rule's length."""

    drives: tuple[Stretch, ...]
    longest_ms: int
    """The longest pause in it."""

    @property
    def reach_m(self) -> float:
        """How far from where it began it came."""
        x, y = self.drives[0].point
        return max(hypot(p[0] - x, p[1] - y) for each in self.drives for p in _points(each))


def ran_ms(month: Month) -> int:
    """How long the engine ran."""
    return sum(each.end_ms - each.begin_ms for each in month.stretches if each.engine)


def driven_m(month: Month) -> float:
    """How far it drove by itself."""
    return sum(each.driven_m(each.end_ms) for each in month.stretches)


def carried(month: Month) -> list[Span]:
    """When it was on a trailer."""
    return [(each.begin_ms, each.end_ms) for each in month.stretches if each.carried]


def trips(month: Month, rule: Rule) -> list[Trip]:
    """Every trip, in order of time."""
    return [trip for trip, reach_m, _ in _movements(month, rule) if reach_m > rule.trip_m]


def doubtful(month: Month, rule: Rule) -> list[Span]:
    """When it moved in a way that is a trip, or none, or several, by a few seconds or metres only."""
    least_m = rule.trip_m - UNSURE_M
    return [
        (trip.begin_ms, trip.end_ms)
        for trip, reach_m, sure in _movements(month, rule)
        if not trip.plain and (reach_m > least_m or not sure)
    ]


def _movements(month: Month, rule: Rule) -> Iterator[tuple[Trip, float, bool]]:
    """All movement as if each were a trip, how far from its begin it came, and whether its pauses are clear cases."""
    bursts = [*_bursts(month, rule.stop_s * 1000)]
    for i, burst in enumerate(bursts):
        first, last = burst.drives[0], burst.drives[-1]
        pauses = [burst.longest_ms]
        pauses += [first.begin_ms - bursts[i - 1].drives[-1].end_ms] if i else []
        pauses += [bursts[i + 1].drives[0].begin_ms - last.end_ms] if i + 1 < len(bursts) else []
        sure = all(abs(pause / 1000 - rule.stop_s) > UNSURE_S for pause in pauses)
        seen = all(_Burst((each,), 0).reach_m > UNSURE_M for each in burst.drives)
        plain = sure and seen and burst.reach_m > rule.trip_m + UNSURE_M
        driven = sum(each.driven_m(each.end_ms) for each in burst.drives)
        yield Trip(first.begin_ms, last.end_ms, driven, last.at(last.end_ms)[0], plain), burst.reach_m, sure


def stops(month: Month, made: Sequence[Trip]) -> list[Trip]:
    """What is between the trips and the times on a trailer."""
    ends = [(trip.begin_ms, trip.end_ms, trip.point) for trip in made]
    ends += [(each.begin_ms, each.end_ms, each.at(each.end_ms)[0]) for each in month.stretches if each.carried]
    found: list[Trip] = []
    now_ms, point = month.begin_ms, month.stretches[0].point
    for begin_ms, end_ms, there in [*sorted(ends), (month.end_ms, month.end_ms, point)]:
        if begin_ms > now_ms:
            found.append(Trip(now_ms, begin_ms, 0.0, point))
        now_ms, point = end_ms, there
    return found


def _bursts(month: Month, stop_ms: float) -> Iterator[_Burst]:
    found: list[Stretch] = []
    longest_ms = 0
    for each in month.stretches:
        if each.drive is None or each.carried:
            continue
        pause_ms = each.begin_ms - found[-1].end_ms if found else 0
        if found and pause_ms >= stop_ms:
            yield _Burst(tuple(found), longest_ms)
            found, longest_ms, pause_ms = [], 0, 0
        found.append(each)
        longest_ms = max(longest_ms, pause_ms)
    if found:
        yield _Burst(tuple(found), longest_ms)


def trace(month: Month) -> Trace:
    """Where it is at each second of movement, and where it begins to stand."""
    moments: list[tuple[int, float, float, bool]] = []
    for each in month.stretches:
        stands = each.drive is None
        every_ms = each.end_ms - each.begin_ms if stands else LOOKS_EVERY_MS
        times = range(each.begin_ms, each.end_ms, every_ms)
        moments += [(at_ms, *each.at(at_ms)[0], stands) for at_ms in times]
    at, x, y, standing = zip(*moments, strict=True)
    return Trace(np.array(at), np.array(x), np.array(y), np.array(standing))


def stays(month: Month, traced: Trace, fences: Sequence[Fence]) -> list[Stay]:
    """Every stay in every zone, by zone and time."""
    ends = np.append(traced.at_ms[1:], month.end_ms)
    return [stay for fence in fences for stay in _stays(traced, ends, fence)]


def _stays(traced: Trace, ends: NDArray[np.int64], fence: Fence) -> Iterator[Stay]:
    depths = fence.depths(traced)
    for begin, end in _runs(depths > 0):
        deep = [
            (int(traced.at_ms[begin + first]), int(ends[begin + last - 1]))
            for first, last in _runs(depths[begin:end] >= DEEP_M)
        ]
        longest = max(deep, key=lambda span: span[1] - span[0], default=None)
        most_m = float(depths[begin:end].max())
        yield Stay(fence.zone, int(traced.at_ms[begin]), int(ends[end - 1]), most_m, longest)


def _runs(holds: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """From where to where (not included) it holds."""
    edges = np.flatnonzero(np.diff(holds, prepend=False, append=False))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _points(stretch: Stretch) -> tuple[Point, ...]:
    return (stretch.point,) if stretch.drive is None else stretch.drive.route.points


def seen(stay: Stay, good_ms: Sequence[int]) -> int:
    """How many of the moments (in order) at which there was a good fix lie in its deep time."""
    return 0 if stay.deep is None else bisect_left(good_ms, stay.deep[1]) - bisect_left(good_ms, stay.deep[0])
