"""Zones around what machines do in a month, and how deep in one a point is; metres, in no way that the system shares.

Borders run 10 to 25 m beside the places where machines stop, on either side, and anywhere beside their ways, so that
a visit that was none, or one that was missed, shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, inf, pi, sin

import numpy as np
from numpy.typing import NDArray

from simulators.kinematics import real_way
from simulators.world import Chance
from simulators.yard import NODES, SITE_2, SITE_2_RADIUS_M, ZONES, Point

Metres = NDArray[np.float64]
BESIDE_M = (-25, -20, -15, -12, -10, 11, 12, 15, 20, 25)
"""How deep inside a zone a place is, or how far outside of it."""
STOPS = ("gate", "dock", "crane-pad", "fuel", "park", SITE_2)
RANDOM_ZONES = 20
VERGE_M = (20.0, 60.0)
"""A field beside a road: from so far to so far from its middle."""
CORRIDOR_M = 40.0
NEAR_M = 10.0


@dataclass(frozen=True)
class Trace:
    """Where a machine is, one moment after the other; each holds up to the next."""

    at_ms: NDArray[np.int64]
    x: Metres
    y: Metres
    stands: NDArray[np.bool_]


@dataclass(frozen=True)
class Fence:
    """A zone: a polygon's corners, a circle (its middle is the only point) or a corridor along points."""

    zone: str
    points: tuple[Point, ...]
    radius_m: float | None = None
    width_m: float | None = None

    def depths(self, trace: Trace) -> Metres:
        """Metres from the border at each moment, positive inside; -inf where it is far away."""
        reach = (self.radius_m or 0.0) + (self.width_m or 0.0) / 2 + NEAR_M
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        near = (trace.x >= min(xs) - reach) & (trace.x <= max(xs) + reach)
        near &= (trace.y >= min(ys) - reach) & (trace.y <= max(ys) + reach)
        depths = np.full(trace.x.shape, -inf)
        depths[near] = self._depths(trace.x[near], trace.y[near])
        return depths

    def _depths(self, x: Metres, y: Metres) -> Metres:
        if self.radius_m is not None:
            return self.radius_m - np.hypot(x - self.points[0][0], y - self.points[0][1])
        nearest, inside = np.full(x.shape, inf), np.zeros(x.shape, dtype=np.bool_)
        for a, b in pairwise(self.points if self.width_m is not None else (*self.points, self.points[0])):
            nearest = np.minimum(nearest, _to_line_m((a, b), x, y))
            if a[1] != b[1]:
                crossed = x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
                inside ^= ((a[1] > y) != (b[1] > y)) & crossed
        if self.width_m is not None:
            return self.width_m / 2 - nearest
        return np.where(inside, nearest, -nearest)


def fences(chance: Chance) -> list[Fence]:
    """The yard's zones, a road as a corridor, a field that the road passes, and some by chance."""
    made = [Fence(name, ((x1, y1), (x2, y1), (x2, y2), (x1, y2))) for name, (x1, x2, y1, y2) in ZONES.items()]
    made.append(Fence(SITE_2, (NODES[SITE_2],), radius_m=SITE_2_RADIUS_M))
    road = real_way([NODES[name] for name in ("village", "canal", "junction")]).points
    made.append(Fence("canal-road", (*road[:-1:2], road[-1]), width_m=CORRIDOR_M))
    made.append(Fence("field", _verge(real_way([NODES["bridge"], NODES["village"]]).points)))
    return [*made, *(_by_chance(chance, f"zone-{number}") for number in range(1, RANDOM_ZONES + 1))]


def _by_chance(chance: Chance, name: str) -> Fence:
    """A circle or a turned rectangle near a place where machines stop."""
    x, y = NODES[chance.choice(STOPS)]
    depth_m, angle = chance.choice(BESIDE_M), chance.uniform(0, 2 * pi)
    ahead = (cos(angle), sin(angle))
    if chance.happens(0.3):
        radius_m = chance.uniform(30, 70)
        back_m = radius_m - depth_m
        return Fence(name, ((x - back_m * ahead[0], y - back_m * ahead[1]),), radius_m=radius_m)
    far_m, aside_m = chance.uniform(60, 90), chance.uniform(30, 60)
    corners = [(depth_m, -aside_m), (depth_m, aside_m), (depth_m - far_m, aside_m), (depth_m - far_m, -aside_m)]
    return Fence(name, tuple((x + u * ahead[0] - v * ahead[1], y + u * ahead[1] + v * ahead[0]) for u, v in corners))


def _verge(road: Sequence[Point]) -> tuple[Point, ...]:
    """The field on the left of a road."""
    return (*_beside(road, VERGE_M[0]), *reversed([*_beside(road, VERGE_M[1])]))


def _beside(road: Sequence[Point], aside_m: float) -> Iterator[Point]:
    for (x1, y1), (x2, y2) in pairwise(road[4:-4:2]):
        length = hypot(x2 - x1, y2 - y1)
        yield x1 - (y2 - y1) / length * aside_m, y1 + (x2 - x1) / length * aside_m


def _to_line_m(line: tuple[Point, Point], x: Metres, y: Metres) -> Metres:
    (ax, ay), (bx, by) = line
    along = (bx - ax, by - ay)
    length2 = along[0] ** 2 + along[1] ** 2
    share = np.clip(((x - ax) * along[0] + (y - ay) * along[1]) / length2, 0.0, 1.0) if length2 else 0.0 * x
    return np.hypot(x - ax - share * along[0], y - ay - share * along[1])
