"""What a fine tracker makes of a month: a record each few seconds and at each turn while the engine runs.

Without a network it keeps its records and sends them later; `live_first` and the others are ways in which they arrive.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import cos, exp, pi, radians, sin, sqrt

from simulators.month import Month, Stretch, under_roof
from simulators.past import Span
from simulators.record import ENGINE_S, HDOP, IGNITION, ODOMETER_M, Record
from simulators.weather import DAY_MS, HOUR_MS
from simulators.world import Chance
from simulators.yard import LAT, LON, Point

EQUATOR_M, FLATTENING = 6_378_137.0, 1 / 298.257223563
"""The ellipsoid of WGS 84 (NGA.STND.0036, table 3.1)."""
_SQUASHED = FLATTENING * (2 - FLATTENING)
_BENT = 1 - _SQUASHED * sin(radians(LAT)) ** 2
METRES_NORTH = radians(1) * EQUATOR_M * (1 - _SQUASHED) / _BENT**1.5
METRES_EAST = radians(1) * EQUATOR_M / sqrt(_BENT) * cos(radians(LAT))
"""Metres in one degree at the gate: the radii of curvature along the meridian and across it."""
LOOKS_EVERY_MS = 1000
SETTLES_MS = 3000
"""A record is sent so long after it was made."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The receiver's error: metres per axis, correlated over so many seconds (0: not), and how often it fails."""

    sigma_m: float = 3.0
    correlated_s: float = 300.0
    no_fix_share: float = 0.002
    jump_share: float = 0.0002
    """How often it is tens of kilometres off, with a poor HDOP."""
    stray_share: float = 0.0002
    """How often a single fix is off by a reflection and does not say so."""


@dataclass(frozen=True, slots=True)
class Habit:
    """When a tracker makes records."""

    on_s: int = 5
    off_s: int = 600
    turn_deg: int = 10
    """Also when its course has changed by so much."""
    sleeps_after_s: int | None = None
    """So long after the engine was stopped it wakes up hourly only."""


@dataclass(frozen=True, slots=True)
class Report:
    """One record, and when it left the tracker."""

    record: Record
    sent_ms: int
    on: bool
    good: bool
    """Whether it has a fix of where the machine is."""


def degrees_of(point: Point) -> tuple[float, float]:
    """Degrees WGS 84 of metres east and north of the gate, so that metres are metres: multiples of 1e-7."""
    return round((LAT + point[1] / METRES_NORTH) * 1e7) / 1e7, round((LON + point[0] / METRES_EAST) * 1e7) / 1e7


def outages(month: Month, every_days: float = 1.5) -> list[Span]:
    """When the tracker had no network for 1 to 12 hours, some of them while it drives."""
    chance = month.chance("outages")
    found: list[Span] = []
    at_ms = month.begin_ms + chance.randint(0, 4 * HOUR_MS)
    while at_ms < month.end_ms:
        end_ms = at_ms + chance.randint(HOUR_MS, 12 * HOUR_MS)
        found.append((at_ms, end_ms))
        at_ms = end_ms + HOUR_MS + round(chance.expovariate(1 / (every_days * DAY_MS)))
    return found


def reports(month: Month, noise: Noise, habit: Habit, without: Sequence[Span] = ()) -> Iterator[Report]:
    """Every record of a month, in order of time; `without` a network they are sent when it is over."""
    receiver = _Receiver(month.chance("receiver"), noise)
    engine_ms, driven_m, stopped_ms = month.machine.engine_ms, month.machine.driven_mm / 1000, month.begin_ms
    spans = [*without]
    for stretch in month.stretches:
        if stretch.engine:
            stopped_ms = stretch.end_ms
        for at_ms in _moments(stretch, habit, stopped_ms):
            while spans and spans[0][1] <= at_ms:
                spans.pop(0)
            sent_ms = spans[0][1] if spans and spans[0][0] <= at_ms else at_ms
            ran_ms = engine_ms + (at_ms - stretch.begin_ms if stretch.engine else 0)
            counters = {ENGINE_S: ran_ms // 1000, ODOMETER_M: int(driven_m + stretch.driven_m(at_ms))}
            record, good = receiver.record(stretch, at_ms, counters)
            yield Report(record, sent_ms + SETTLES_MS, stretch.engine, good)
        engine_ms += stretch.end_ms - stretch.begin_ms if stretch.engine else 0
        driven_m += stretch.driven_m(stretch.end_ms)


def _moments(stretch: Stretch, habit: Habit, stopped_ms: int) -> Iterator[int]:
    """When records are due: where it begins, at full multiples of the interval, and at turns."""
    begin_ms, end_ms = stretch.begin_ms, stretch.end_ms
    yield begin_ms
    if not stretch.engine:
        asleep_ms = end_ms if habit.sleeps_after_s is None else stopped_ms + habit.sleeps_after_s * 1000
        for at_ms in range(_next(begin_ms, habit.off_s * 1000), end_ms, habit.off_s * 1000):
            if at_ms < asleep_ms or at_ms % HOUR_MS == 0:
                yield at_ms
    elif stretch.drive is None:
        yield from range(_next(begin_ms, habit.on_s * 1000), end_ms, habit.on_s * 1000)
    else:
        told_deg = stretch.at(begin_ms)[1]
        for at_ms in range(_next(begin_ms, LOOKS_EVERY_MS), end_ms, LOOKS_EVERY_MS):
            course = stretch.at(at_ms)[1]
            turned = told_deg is not None and course is not None and abs((course - told_deg + 180) % 360 - 180)
            if at_ms % (habit.on_s * 1000) == 0 or turned >= habit.turn_deg:
                told_deg = course
                yield at_ms


def _next(at_ms: int, every_ms: int) -> int:
    return (at_ms // every_ms + 1) * every_ms


class _Receiver:
    """Asked in order of time."""

    def __init__(self, chance: Chance, noise: Noise) -> None:
        self._chance, self._noise = chance, noise
        self._error = (chance.gauss(0, noise.sigma_m), chance.gauss(0, noise.sigma_m))
        self._at_ms = 0
        self._last = (degrees_of((0.0, 0.0)), 0)

    def record(self, stretch: Stretch, at_ms: int, counters: Mapping[int, int]) -> tuple[Record, bool]:
        """The record of a moment, and whether it is good."""
        chance, noise = self._chance, self._noise
        self._drift(at_ms)
        point, course, speed_mps = stretch.at(at_ms)
        kind = chance.random()
        hdop = min(99, round(noise.sigma_m / 4 * chance.uniform(8, 13)))
        io = {IGNITION: int(stretch.engine), HDOP: hdop, **counters}
        if under_roof(stretch, point) or kind < noise.no_fix_share:
            at, course = self._last
            return _record(at_ms, at, course, io | {HDOP: 999}), False
        (x, y), swing_mps = stretch.boom(at_ms)
        away = (point[0] + x + self._error[0], point[1] + y + self._error[1])
        if strays := noise.jump_share < 1 - kind <= noise.jump_share + noise.stray_share:
            angle, away_m = chance.uniform(0, 2 * pi), chance.uniform(30, 120)
            away = (away[0] + away_m * cos(angle), away[1] + away_m * sin(angle))
        if jumps := stretch.engine and kind > 1 - noise.jump_share:
            away = (away[0] + chance.uniform(20_000, 60_000), away[1] - chance.uniform(20_000, 60_000))
            io[HDOP] = chance.randint(60, 150)
        self._last = (degrees_of(away), self._last[1] if course is None else course)
        speed_kmh = round(abs(speed_mps + swing_mps + chance.gauss(0, 0.12)) * 3.6)
        record = _record(at_ms, *self._last, io, (4 if jumps else chance.randint(8, 15), speed_kmh))
        return record, not (jumps or strays)

    def _drift(self, at_ms: int) -> None:
        noise, (x, y) = self._noise, self._error
        kept = exp((self._at_ms - at_ms) / 1000 / noise.correlated_s) if noise.correlated_s else 0.0
        fresh = noise.sigma_m * sqrt(1 - kept * kept)
        self._error = (kept * x + self._chance.gauss(0, fresh), kept * y + self._chance.gauss(0, fresh))
        self._at_ms = at_ms


def _record(
    at_ms: int, at: tuple[float, float], course: int, io: Mapping[int, int], seen: tuple[int, int] = (0, 0)
) -> Record:
    satellites, speed_kmh = seen
    return Record(at_ms * 1000, *at, 8, course, satellites, speed_kmh, tuple(sorted(io.items())))


def live_first(reported: Sequence[Report]) -> list[Report]:
    """After each outage the newest record comes first, then what was kept, oldest first."""
    return _after_outages(reported, lambda kept: [kept[-1], *kept[:-1]])


def newest_first(reported: Sequence[Report]) -> list[Report]:
    """After each outage everything that was kept comes newest first."""
    return _after_outages(reported, lambda kept: kept[::-1])


def lost(reported: Sequence[Report]) -> list[Report]:
    """What was kept is lost, but for the newest."""
    return _after_outages(reported, lambda kept: kept[-1:])


def _after_outages(reported: Sequence[Report], order: Callable[[list[Report]], list[Report]]) -> list[Report]:
    """Records that left at one moment were kept together; the one after them is live."""
    arrived: list[Report] = []
    for sent_ms, group in groupby(reported, key=lambda each: each.sent_ms):
        kept = [*group]
        made = kept[0].record.at_us // 1000 + SETTLES_MS
        arrived += order(kept) if made != sent_ms else kept
    return arrived
