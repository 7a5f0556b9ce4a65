"""The ground of the yard plan: zones in metres around a place, and which of them one plan can show together.

Zones that lie near each other are one place; a building site 11 km away is another, and would make the yard a dot.
Longitudes are taken as equally long within a place, which is exact to a thousandth over some kilometres.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.declared import Circle, Zone
from models.register import Register

DEGREE_M = 111_320.0
NEAR_M = 300.0
"""Zones with less between them are one place, and so is an asset with less to its zones."""
ALONE_M = 150.0
"""How far a plan without zones reaches around an asset, at least."""
WIDTH, LEAST_HEIGHT, MOST_HEIGHT, EDGE = 640, 240, 480, 18
CORNERS = 36
"""Of what is drawn for a circle."""
COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
Point = tuple[float, float]
"""(lat, lon), degrees."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A zone's border."""

    id: str
    name: str
    corners: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """South-west and north-east corner of a place, and the zones in it, the largest first."""

    low: Point
    high: Point
    outlines: tuple[Outline, ...] = ()

    @property
    def centre(self) -> Point:
        return (self.low[0] + self.high[0]) / 2, (self.low[1] + self.high[1]) / 2

    def gap_m(self, other: "Ground") -> float:
        """How far two places lie apart, measured along the axis on which they lie further apart."""
        tall = max(self.low[0] - other.high[0], other.low[0] - self.high[0]) * DEGREE_M
        wide = max(self.low[1] - other.high[1], other.low[1] - self.high[1]) * DEGREE_M * _shrink(self.low[0])
        return max(tall, wide)

    def joined(self, other: "Ground") -> "Ground":
        """Both."""
        low = min(self.low[0], other.low[0]), min(self.low[1], other.low[1])
        high = max(self.high[0], other.high[0]), max(self.high[1], other.high[1])
        return Ground(low, high, self.outlines + other.outlines)

    def widened(self, by_m: float) -> "Ground":
        """With so many metres more on each side."""
        tall, wide = by_m / DEGREE_M, by_m / DEGREE_M / _shrink(self.low[0])
        return Ground(
            (self.low[0] - tall, self.low[1] - wide), (self.high[0] + tall, self.high[1] + wide), self.outlines
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """Where things of a place are in the drawing; y grows downwards."""

    ground: Ground
    height: int
    per_m: float
    """Units of the drawing in a metre."""

    def xy(self, at: Point) -> tuple[float, float]:
        """The place of a position in the drawing."""
        lat, lon = self.ground.centre
        x = WIDTH / 2 + (at[1] - lon) * DEGREE_M * _shrink(lat) * self.per_m
        y = self.height / 2 - (at[0] - lat) * DEGREE_M * self.per_m
        return round(x, 1), round(y, 1)

    @property
    def scale(self) -> tuple[int, float]:
        """A round number of metres for the scale bar, and how long it is in the drawing."""
        most = WIDTH / 5 / self.per_m
        ten = 10 ** math.floor(math.log10(most))
        metres = max(step * ten for step in (1, 2, 5) if step * ten <= most)
        return (int(metres), round(metres * self.per_m, 1)) if metres >= 1 else (1, round(self.per_m, 1))


def frame(ground: Ground) -> Frame:
    """The drawing that a place fits into."""
    tall = max((ground.high[0] - ground.low[0]) * DEGREE_M, 1.0)
    wide = max((ground.high[1] - ground.low[1]) * DEGREE_M * _shrink(ground.centre[0]), 1.0)
    per_m = min((WIDTH - 2 * EDGE) / wide, (MOST_HEIGHT - 2 * EDGE) / tall)
    return Frame(ground, max(LEAST_HEIGHT, math.ceil(tall * per_m + 2 * EDGE)), per_m)


def grounds(register: Register, at: int) -> tuple[Ground, ...]:
    """The places that the register's zones make, those with most zones first."""
    return _grounds(register, register.period(at))


@lru_cache(maxsize=8)
def _grounds(register: Register, at: int) -> tuple[Ground, ...]:
    found: list[Ground] = []
    for ident, body in register.all("zones", at).items():
        each = _alone(ident, body) if isinstance(body, Zone) else None
        while each is not None and (near := [other for other in found if other.gap_m(each) <= NEAR_M]):
            found = [other for other in found if other not in near]
            for other in near:
                each = each.joined(other)
        found += [each] if each is not None else []
    found = [Ground(each.low, each.high, tuple(sorted(each.outlines, key=_order))) for each in found]
    return tuple(sorted(found, key=lambda each: (-len(each.outlines), min(one.id for one in each.outlines))))


def _alone(ident: str, zone: Zone) -> Ground | None:
    corners = _round(zone.circle) if zone.circle is not None else [(lat, lon) for lat, lon in zone.polygon or ()]
    return around(corners, Outline(ident, zone.name, tuple(corners))) if corners else None


def around(points: Sequence[Point], *outlines: Outline) -> Ground:
    """The least place with these points."""
    lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
    return Ground((min(lats), min(lons)), (max(lats), max(lons)), outlines)


def _round(circle: Circle) -> list[Point]:
    turns = [2 * math.pi * k / CORNERS for k in range(CORNERS)]
    tall = circle.radius_m / DEGREE_M
    wide = tall / _shrink(circle.lat)
    return [(circle.lat + tall * math.cos(turn), circle.lon + wide * math.sin(turn)) for turn in turns]


def _order(outline: Outline) -> tuple[float, str]:
    """The largest first, and always in the same order."""
    ground = around(outline.corners)
    return round(-(ground.high[0] - ground.low[0]) * (ground.high[1] - ground.low[1]), 12), outline.id


def _shrink(lat: float) -> float:
    """How long a degree of longitude is, in degrees of latitude; never 0, for the poles."""
    return max(math.cos(math.radians(lat)), 0.01)


def is_at(ground: Ground, point: Point) -> bool:
    """Whether a position belongs to a place."""
    return ground.gap_m(Ground(point, point)) <= NEAR_M


def busiest(places: Sequence[Ground], points: Iterable[Point]) -> Ground | None:
    """The place with most of these positions, reaching to all that belong to it; None without zones and positions."""
    spots = [*points]
    if not places:
        if not spots:
            return None
        middle = sorted(spots)[len(spots) // 2]
        own = Ground(middle, middle).widened(ALONE_M)
        return around([own.low, own.high, *(spot for spot in spots if is_at(own, spot))])
    inside = [[spot for spot in spots if is_at(ground, spot)] for ground in places]
    best = max(range(len(places)), key=lambda k: len(inside[k]))
    ground = places[best]
    return around([ground.low, ground.high, *inside[best]], *ground.outlines)


def way(begin: Point, end: Point) -> tuple[float, str]:
    """Kilometres and compass direction from one position to another, on a sphere.

    >>> way((51.06, 3.73), (51.1228818, 3.8586352))
    (11.4, 'NE')
    """
    lat1, lon1, lat2, lon2 = (math.radians(each) for each in (*begin, *end))
    across = lon2 - lon1
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(across / 2) ** 2
    km = 2 * 6371.0 * math.asin(min(1.0, math.sqrt(half)))
    bearing = math.degrees(
        math.atan2(
            math.sin(across) * math.cos(lat2),
            math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(across),
        )
    )
    return round(km, 1), COMPASS[round(bearing / 45) % 8]
