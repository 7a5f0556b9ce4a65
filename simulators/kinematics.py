"""How a machine on wheels really goes along a route: it speeds up, slows down for bends, brakes, and roads wind.

A drive is a list of phases of constant acceleration, so that where it is and how fast is exact at every moment.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, ceil, hypot, pi, sin, sqrt

from simulators.yard import Point, Route, route

WINDS_FROM_M = 500.0
"""A straight between two nodes that is longer is really a winding road."""
WINDS_EVERY_M = 25.0
CORNER_M = 8.0
"""A corner is cut so far before and after it."""
SHARP, TURNS_BACK = pi / 12, pi * 5 / 6
SLOWEST_MPS = 1.0
"""How fast it turns on the spot."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What a machine's drive can do: metres per second squared, along its way and across it."""

    pull: float
    brake: float
    across: float


ENGINES = {"truck": Engine(0.8, 1.2, 2.0), "crane": Engine(0.3, 0.4, 0.5)}


@dataclass(frozen=True, slots=True)
class Phase:
    """Constant acceleration from a moment of the drive on."""

    at_s: float
    at_m: float
    speed_mps: float
    pull: float


@dataclass(frozen=True, slots=True)
class Drive:
    """A route with when it is where on it."""

    route: Route
    phases: tuple[Phase, ...]
    begins_s: tuple[float, ...]
    length_ms: int

    def at(self, ms: int) -> tuple[float, float]:
        """Metres along the route and metres per second, so many milliseconds after it began."""
        if ms >= self.length_ms:
            return self.route.length_m, 0.0
        phase = self.phases[max(0, bisect_right(self.begins_s, ms / 1000) - 1)]
        t = ms / 1000 - phase.at_s
        metres = phase.at_m + phase.speed_mps * t + phase.pull * t * t / 2
        return min(metres, self.route.length_m), max(0.0, phase.speed_mps + phase.pull * t)


def drive(way: Route, cruise_mps: float, engine: Engine) -> Drive:
    """Along a route from standing to standing, no faster than its bends and the cruising speed allow."""
    limits = _limits(way.points, cruise_mps, engine)
    legs = [after - before for before, after in pairwise(way.marks_m)]
    for i, length in enumerate(legs):
        limits[i + 1] = min(limits[i + 1], sqrt(limits[i] ** 2 + 2 * engine.pull * length))
    for i in range(len(legs) - 1, -1, -1):
        limits[i] = min(limits[i], sqrt(limits[i + 1] ** 2 + 2 * engine.brake * legs[i]))
    phases: list[Phase] = []
    now_s = now_m = 0.0
    for length, begin, end in zip(legs, limits, limits[1:], strict=False):
        for metres, speed, pull in _leg(length, (begin, end), cruise_mps, engine):
            phases.append(Phase(now_s, now_m, speed, pull))
            after = sqrt(max(0.0, speed * speed + 2 * pull * metres))
            now_s, now_m = now_s + 2 * metres / (speed + after), now_m + metres
    return Drive(way, tuple(phases), tuple(phase.at_s for phase in phases), ceil(now_s * 1000))


def _limits(points: Sequence[Point], cruise_mps: float, engine: Engine) -> list[float]:
    """How fast each way point may be passed; it stands at the first and the last."""
    limits = [0.0]
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        turn = _turn((ax, ay), (bx, by), (cx, cy))
        reach = (hypot(bx - ax, by - ay) + hypot(cx - bx, cy - by)) / 2
        bend = sqrt(engine.across * reach / turn) if turn else cruise_mps
        limits.append(SLOWEST_MPS if turn > TURNS_BACK else min(cruise_mps, max(SLOWEST_MPS, bend)))
    return [*limits, 0.0]


def _leg(
    length: float, ends: tuple[float, float], cruise_mps: float, engine: Engine
) -> list[tuple[float, float, float]]:
    """Phases of one straight: metres, speed at their begin, acceleration."""
    begin, end = ends
    up, down = 2 * engine.pull, 2 * engine.brake
    top = min(cruise_mps, sqrt((length * up * down + begin**2 * down + end**2 * up) / (up + down)))
    faster, slower = max(0.0, top**2 - begin**2) / up, max(0.0, top**2 - end**2) / down
    phases = [(faster, begin, engine.pull), (length - faster - slower, top, 0.0), (slower, top, -engine.brake)]
    return [phase for phase in phases if phase[0] > 1e-9]  # noqa: PLR2004 - rounding


def _turn(a: Point, b: Point, c: Point) -> float:
    """By how much the way turns at b, radians, whichever side."""
    turn = abs(atan2(c[1] - b[1], c[0] - b[0]) - atan2(b[1] - a[1], b[0] - a[0]))
    return min(turn, 2 * pi - turn)


def real_way(points: Sequence[Point]) -> Route:
    """A route as it is really driven: long straights wind, corners are cut."""
    once = [points[0], *(b for a, b in pairwise(points) if hypot(b[0] - a[0], b[1] - a[1]) > 0.5)]  # noqa: PLR2004
    wound = [once[0]]
    for a, b in pairwise(once):
        wound += winding(a, b)[1:]
    return route(tuple(_cut_corners(wound)))


def winding(a: Point, b: Point) -> list[Point]:
    """The road between two points, the same in both directions."""
    length = hypot(b[0] - a[0], b[1] - a[1])
    if length < WINDS_FROM_M:
        return [a, b]
    if a > b:
        return winding(b, a)[::-1]
    ahead = ((b[0] - a[0]) / length, (b[1] - a[1]) / length)
    made = [a]
    number = round(length / WINDS_EVERY_M)
    for i in range(1, number):
        along = length * i / number
        aside = sin(pi * i / number) * (35 * sin(2 * pi * along / 610) + 6 * sin(2 * pi * along / 190))
        made.append((a[0] + along * ahead[0] - aside * ahead[1], a[1] + along * ahead[1] + aside * ahead[0]))
    return [*made, b]


def _cut_corners(points: Sequence[Point]) -> list[Point]:
    """Corners as curves (quadratic Bezier), those of a turn back left sharp."""
    made = [points[0]]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        if not SHARP < _turn(a, b, c) <= TURNS_BACK:
            made.append(b)
            continue
        before, after = _towards(b, a), _towards(b, c)
        for i in range(7):
            u = i / 6
            parts = ((1 - u) ** 2, 2 * u * (1 - u), u * u)
            x, y = (parts[0] * before[k] + parts[1] * b[k] + parts[2] * after[k] for k in (0, 1))
            made.append((x, y))
    return [*made, points[-1]]


def _towards(corner: Point, other: Point) -> Point:
    length = hypot(other[0] - corner[0], other[1] - corner[1])
    share = min(CORNER_M, 0.45 * length) / length
    return corner[0] + share * (other[0] - corner[0]), corner[1] + share * (other[1] - corner[1])
