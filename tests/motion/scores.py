"""What was found of a month against what is true of it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from models.motion.travel import Travel
from simulators import month_truth
from simulators.month_truth import RULES, Stay, Trip
from tests.motion.months import Told

SLACK_MS = 60_000
LONG_MS = 300_000
ROAD_M = 5000.0


@dataclass(frozen=True)
class Found:
    """A stretch that was found, in milliseconds."""

    begin_ms: int
    end_ms: int
    zone: str = ""
    metres: float = 0.0


def found(rows: Sequence[Travel], what: str) -> list[Found]:
    """The rows of a kind, in order of time."""
    made = [
        Found(row.begin_at // 1000, row.end_at // 1000, row.zone or "", row.distance_mm / 1000)
        for row in rows
        if row.what == what
    ]
    return sorted(made, key=lambda each: each.begin_ms)


@dataclass(frozen=True)
class Visits:
    """How the visits came out. `owed` had to be found: 5 minutes 10 m deep, with two good fixes in that time."""

    true: int
    owed: int
    found: int
    missed: list[Stay]
    false: list[Found]


def visits(good_ms: Sequence[int], stays: Sequence[Stay], rows: Sequence[Found]) -> Visits:
    """An owed stay is found by a visit that lasts over its deep time; a false visit has no stay, but for a minute.

    `good_ms`: when there were good fixes, in order.
    """
    by_zone: dict[str, list[Found]] = {}
    for row in rows:
        by_zone.setdefault(row.zone, []).append(row)
    true: dict[str, list[Stay]] = {}
    for stay in stays:
        true.setdefault(stay.zone, []).append(stay)
    owed = [each for each in stays if _lasts(each) and month_truth.seen(each, good_ms) > 1]
    missed = [each for each in owed if not any(_covers(row, each, good_ms) for row in by_zone.get(each.zone, ()))]
    false = [
        row
        for row in rows
        if not any(
            stay.begin_ms - SLACK_MS <= row.end_ms and row.begin_ms <= stay.end_ms + SLACK_MS
            for stay in true.get(row.zone, ())
        )
    ]
    return Visits(len(stays), len(owed), len(rows), missed, false)


def depth_m(given: Told, row: Found) -> float:
    """How deep in its zone the machine was at most while it was found there, give or take a minute."""
    (fence,) = (each for each in given.fences if each.zone == row.zone)
    at_ms = given.trace.at_ms
    depths = fence.depths(given.trace)[(at_ms >= row.begin_ms - SLACK_MS) & (at_ms <= row.end_ms + SLACK_MS)]
    return float(depths.max())


def _lasts(stay: Stay) -> bool:
    return stay.deep is not None and stay.deep[1] - stay.deep[0] >= LONG_MS


def _covers(row: Found, stay: Stay, good_ms: Sequence[int]) -> bool:
    """Whether it lasts from the first to the last good fix of the deep time."""
    assert stay.deep is not None
    first = good_ms[bisect_left(good_ms, stay.deep[0])]
    last = good_ms[bisect_left(good_ms, stay.deep[1]) - 1]
    return row.begin_ms <= first + SLACK_MS and row.end_ms >= last - SLACK_MS


@dataclass(frozen=True)
class Matches:
    """True stretches and found ones that begin and end within a minute of each other."""

    pairs: list[tuple[Trip, Found]]
    missed: list[Trip]
    false: list[Found]

    @property
    def recall(self) -> float:
        return len(self.pairs) / max(1, len(self.pairs) + len(self.missed))

    @property
    def precision(self) -> float:
        return len(self.pairs) / max(1, len(self.pairs) + len(self.false))

    @property
    def begin_s(self) -> float:
        """Mean error of the begin."""
        return sum(abs(row.begin_ms - true.begin_ms) for true, row in self.pairs) / 1000 / max(1, len(self.pairs))

    @property
    def end_s(self) -> float:
        """Mean error of the end."""
        return sum(abs(row.end_ms - true.end_ms) for true, row in self.pairs) / 1000 / max(1, len(self.pairs))


def matches(true: Sequence[Trip], rows: Sequence[Found], slack_ms: int = SLACK_MS) -> Matches:
    """Each true stretch with the found one that is nearest to it."""
    left = [*rows]
    pairs: list[tuple[Trip, Found]] = []
    missed: list[Trip] = []
    for one in true:
        near = [
            row
            for row in left
            if abs(row.begin_ms - one.begin_ms) <= slack_ms and abs(row.end_ms - one.end_ms) <= slack_ms
        ]
        if near:
            best = min(near, key=lambda row: abs(row.begin_ms - one.begin_ms) + abs(row.end_ms - one.end_ms))
            left.remove(best)
            pairs.append((one, best))
        else:
            missed.append(one)
    return Matches(pairs, missed, left)


def plain(given: Told, matched: Matches) -> Matches:
    """Of these trips those that are no matter of a few seconds or metres."""
    unsure = month_truth.doubtful(given.month, RULES[given.kind])
    false = [
        row
        for row in matched.false
        if not any(begin - SLACK_MS <= row.end_ms and row.begin_ms <= end + SLACK_MS for begin, end in unsure)
    ]
    return Matches(
        [pair for pair in matched.pairs if pair[0].plain], [each for each in matched.missed if each.plain], false
    )


def stays(given: Told) -> list[Stay]:
    return month_truth.stays(given.month, given.trace, given.fences)


def trips(given: Told) -> list[Trip]:
    return month_truth.trips(given.month, RULES[given.kind])


def road_error(matched: Matches) -> tuple[float, float]:
    """How much more was found than driven on the road trips, as a share in all; and the worst single one."""
    road = [(true, row) for true, row in matched.pairs if true.driven_m >= ROAD_M]
    if not road:
        return 0.0, 0.0
    whole = sum(row.metres for _, row in road) / sum(true.driven_m for true, _ in road) - 1
    return whole, max((row.metres / true.driven_m - 1 for true, row in road), key=abs)
