"""Where machines are and drive: places, roads and zones of the simulated yard, and a customer's site far outside.

Metres east (x) and north (y) of the gate; deploy/site.example.toml declares the same zones in degrees.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians

Point = tuple[float, float]
LAT, LON = 51.06, 3.73
METRES_A_DEGREE = 111_320
SITE_2, SITE_2_RADIUS_M = "site-2", 150.0
PLACES: dict[str, Point] = {
    "gate": (0, 0),
    "dock": (150, 120),
    "crane-pad": (300, 60),
    "fuel": (60, 200),
    "workshop": (40, 120),
    "park": (220, 220),
}
"""Where machines stop in the yard."""
ZONES: dict[str, tuple[float, float, float, float]] = {
    "dock": (110, 190, 90, 150),
    "crane-pad": (240, 360, 10, 110),
    "workshop": (10, 70, 90, 150),
    "fuel": (40, 85, 180, 225),
    "park": (190, 260, 195, 250),
    "yard": (-30, 400, -30, 280),
}
"""Rectangles x1, x2, y1, y2; those that lie inside another come before it."""
NODES: dict[str, Point] = {
    **PLACES,
    SITE_2: (9000, 7000),
    "south": (100, 40),
    "middle": (100, 155),
    "north": (205, 165),
    "east": (230, 60),
    "bridge": (900, 250),
    "village": (3100, 1600),
    "canal": (5300, 4300),
    "junction": (8100, 6250),
}
ROADS = (
    ("gate", "south"),
    ("south", "middle"),
    ("south", "east"),
    ("middle", "workshop"),
    ("middle", "fuel"),
    ("middle", "dock"),
    ("dock", "north"),
    ("north", "park"),
    ("north", "east"),
    ("east", "crane-pad"),
    ("gate", "bridge"),
    ("bridge", "village"),
    ("village", "canal"),
    ("canal", "junction"),
    ("junction", SITE_2),
)


@dataclass(frozen=True, slots=True)
class Route:
    """Way points, and how many metres from the first each is."""

    points: tuple[Point, ...]
    marks_m: tuple[float, ...]

    @property
    def length_m(self) -> float:
        return self.marks_m[-1]

    def at(self, metres: float) -> tuple[Point, int]:
        """The point so far along, and the course there in degrees."""
        leg = min(max(bisect_right(self.marks_m, metres), 1), len(self.points) - 1)
        (x1, y1), (x2, y2) = self.points[leg - 1], self.points[leg]
        length = self.marks_m[leg] - self.marks_m[leg - 1]
        share = (metres - self.marks_m[leg - 1]) / length if length else 0.0
        course = round(degrees(atan2(x2 - x1, y2 - y1))) % 360
        return (x1 + share * (x2 - x1), y1 + share * (y2 - y1)), course

    def until(self, metres: float) -> "Route":
        """Its first metres."""
        passed = bisect_right(self.marks_m, metres)
        return route((*self.points[:passed], self.at(metres)[0]))


def route(points: tuple[Point, ...]) -> Route:
    """The way along these points; a single one is a way of no length."""
    points = points if len(points) > 1 else points * 2
    marks = [0.0]
    for (x1, y1), (x2, y2) in pairwise(points):
        marks.append(marks[-1] + hypot(x2 - x1, y2 - y1))
    return Route(points, tuple(marks))


def way(here: Point, place: str, end: Point | None = None) -> Route:
    """By road from a point to a place, or to a point at it."""
    middle = way_points(nearest(here), place)
    start = () if middle[0] == here else (here,)
    return route((*start, *middle, *(() if end is None else (end,))))


@cache
def way_points(start: str, end: str) -> tuple[Point, ...]:
    """The shortest way between two nodes of the roads."""
    found: dict[str, tuple[float, tuple[str, ...]]] = {start: (0.0, (start,))}
    todo = [start]
    while todo:
        here = todo.pop(0)
        metres, path = found[here]
        for one, other in (*ROADS, *((other, one) for one, other in ROADS)):
            if one != here:
                continue
            total = metres + hypot(NODES[other][0] - NODES[one][0], NODES[other][1] - NODES[one][1])
            if other not in found or total < found[other][0]:
                found[other] = (total, (*path, other))
                todo.append(other)
    return tuple(NODES[name] for name in found[end][1])


def nearest(point: Point) -> str:
    """The node of the roads that is nearest to a point."""
    x, y = point
    return min((hypot(there[0] - x, there[1] - y), name) for name, there in NODES.items())[1]


def zone(point: Point) -> str | None:
    """The innermost zone around a point.

    >>> zone((150, 120)), zone((0, 0)), zone((9000, 7100)), zone((500, 0))
    ('dock', 'yard', 'site-2', None)
    """
    x, y = point
    if hypot(x - NODES[SITE_2][0], y - NODES[SITE_2][1]) <= SITE_2_RADIUS_M:
        return SITE_2
    return next((name for name, (x1, x2, y1, y2) in ZONES.items() if x1 <= x <= x2 and y1 <= y <= y2), None)


def lat_lon(point: Point) -> tuple[float, float]:
    """Degrees WGS 84, multiples of 1e-7 as trackers send them."""
    lat = LAT + point[1] / METRES_A_DEGREE
    lon = LON + point[0] / (METRES_A_DEGREE * cos(radians(LAT)))
    return round(lat * 1e7) / 1e7, round(lon * 1e7) / 1e7
