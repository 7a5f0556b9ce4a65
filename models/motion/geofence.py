"""Zones as shapes: which of them a position is in, and how far from the border it is.

A polygon or a corridor is measured in metres east and north of its first corner, on a plane: right to a thousandth
over tens of kilometres. Longitudes are differences to that corner, so a zone may lie across the antimeridian.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import asin, cos, degrees, hypot, inf, pi, radians, sin

from msgspec import Struct
from msgspec.structs import replace

from models.declared import Circle, Corridor, Zone
from models.motion.fix import EARTH_MM, distance_mm

METRES_A_DEGREE = EARTH_MM / 1000 * pi / 180
Point = tuple[float, float]
"""Metres east, metres north."""
Edge = tuple[float, float, float]
"""One end, and metres east for each metre north."""


class Shape(Struct, frozen=True):
    """A zone's border, and the box around it in degrees; outside of that nothing is in the zone."""

    zone: str
    south: float
    west: float
    north: float
    east: float
    lat: float
    lon: float
    """Where metres are counted from: the first corner, or the centre."""
    metres_east: float
    """In one degree of longitude."""
    radius_m: float | None
    corners: tuple[Point, ...]
    area_m2: float
    slabs: tuple[tuple[float, ...], tuple[tuple[Edge, ...], ...]] = ((), ())
    """Of a polygon, from south to north: the heights of its corners, and the edges between each two of them."""
    half_m: float | None = None
    """Of a corridor, whose `corners` are its line: half its width."""
    margin_m: float = 10.0
    dwell_us: int = 0
    version: int = 0
    """From when this shape of the zone holds: the `valid_from` of its entry."""


def shape_of(ident: str, zone: Zone, version: int = 0) -> Shape | None:
    """The shape of a zone; None for one without an area, which nothing can be in."""
    given = [each for each in (zone.polygon, zone.circle, zone.corridor) if each is not None]
    if len(given) != 1:
        return None
    made = _bare(ident, zone)
    own = {"margin_m": zone.margin_m, "dwell_us": round(zone.dwell_s * 1_000_000), "version": version}
    return None if made is None else replace(made, **own)


def _bare(ident: str, zone: Zone) -> Shape | None:
    if zone.circle is not None:
        return _round(ident, zone.circle)
    return _polygon(ident, zone.polygon or ()) if zone.corridor is None else _along(ident, zone.corridor)


def _polygon(ident: str, polygon: Sequence[Point]) -> Shape | None:
    corners = _corners(polygon)
    if len(corners) < 3 or not all(map(_on_earth, corners)):  # noqa: PLR2004 - a triangle
        return None
    plane = _plane(ident, corners, 0.0)
    return replace(plane, area_m2=abs(_area_m2(plane.corners)), slabs=_slabs(plane.corners))


def _slabs(points: Sequence[Point]) -> tuple[tuple[float, ...], tuple[tuple[Edge, ...], ...]]:
    """What a line to the east from any height may cross, found by that height."""
    heights = sorted({y for _, y in points})
    found: list[list[Edge]] = [[] for _ in heights]
    for (x1, y1), (x2, y2) in pairwise((points[-1], *points)):
        low, high = bisect_left(heights, min(y1, y2)), bisect_left(heights, max(y1, y2))
        for slab in found[low:high]:
            slab.append((x1, y1, (x2 - x1) / (y2 - y1)))
    return tuple(heights), tuple(map(tuple, found))


def _along(ident: str, corridor: Corridor) -> Shape | None:
    line = [(float(a[0]), float(a[1])) for a, b in pairwise((*corridor.line, None)) if a is not None and a != b]
    if len(line) < 2 or not all(map(_on_earth, line)):  # noqa: PLR2004 - a line
        return None
    half_m = corridor.width_m / 2
    plane = _plane(ident, line, half_m)
    length_m = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(plane.corners))
    return replace(plane, half_m=half_m, area_m2=length_m * corridor.width_m + pi * half_m**2)


def _plane(ident: str, corners: Sequence[Point], around_m: float) -> Shape:
    """Corners in metres from the first, and the box around them with so many metres more."""
    lat, lon = corners[0]
    south, north = min(lat for lat, _ in corners), max(lat for lat, _ in corners)
    metres_east = METRES_A_DEGREE * cos(radians((south + north) / 2))
    turns = [turn(y - lon) for _, y in corners]
    points = tuple(
        (turn * metres_east, (x - lat) * METRES_A_DEGREE) for turn, (x, _) in zip(turns, corners, strict=True)
    )
    up, aside = around_m / METRES_A_DEGREE, around_m / metres_east if metres_east > around_m else 180.0
    west, east = lon + min(turns) - aside, lon + max(turns) + aside
    if west < -180 or east > 180:  # noqa: PLR2004 - a half turn
        west, east = -180.0, 180.0
    return Shape(ident, south - up, west, north + up, east, lat, lon, metres_east, None, points, 0.0)


def _round(ident: str, circle: Circle) -> Shape:
    reach = circle.radius_m / METRES_A_DEGREE
    south, north = max(-90.0, circle.lat - reach), min(90.0, circle.lat + reach)
    west, east = -180.0, 180.0
    if south > -90 and north < 90:  # noqa: PLR2004 - the poles
        aside = degrees(asin(min(1.0, sin(radians(reach)) / cos(radians(circle.lat)))))
        if circle.lon - aside >= -180 and circle.lon + aside <= 180:  # noqa: PLR2004 - a half turn
            west, east = circle.lon - aside, circle.lon + aside
    metres_east = METRES_A_DEGREE * cos(radians(circle.lat))
    area_m2 = pi * circle.radius_m**2
    box = (south, west, north, east)
    return Shape(ident, *box, circle.lat, circle.lon, metres_east, circle.radius_m, (), area_m2)


def contains(shape: Shape, lat: float, lon: float) -> bool:
    """Whether a position is in the zone (even-odd rule; a border belongs to one of its two sides)."""
    if not (shape.south <= lat <= shape.north and shape.west <= lon <= shape.east):
        return False
    if shape.radius_m is not None:
        return distance_mm(shape.lat, shape.lon, lat, lon) <= shape.radius_m * 1000
    if shape.half_m is not None:
        return border_m(shape, lat, lon) >= 0
    x, y = turn(lon - shape.lon) * shape.metres_east, (lat - shape.lat) * METRES_A_DEGREE
    heights, slabs = shape.slabs
    inside = False
    for east, north, slope in slabs[bisect_right(heights, y) - 1]:
        if x < east + slope * (y - north):
            inside = not inside
    return inside


def border_m(shape: Shape, lat: float, lon: float) -> float:
    """Metres to the border: positive inside, negative outside."""
    if shape.radius_m is not None:
        return shape.radius_m - distance_mm(shape.lat, shape.lon, lat, lon) / 1000
    x, y = turn(lon - shape.lon) * shape.metres_east, (lat - shape.lat) * METRES_A_DEGREE
    nearest = inf
    for a, b in pairwise(shape.corners):
        nearest = min(nearest, _to_edge_m(a, b, (x, y)))
    if shape.half_m is not None:
        return shape.half_m - nearest
    nearest = min(nearest, _to_edge_m(shape.corners[-1], shape.corners[0], (x, y)))
    return nearest if contains(shape, lat, lon) else -nearest


def problems(zone: Zone) -> Iterator[str]:
    """What is wrong with a zone, naming the field."""
    given = [name for name in ("polygon", "circle", "corridor") if getattr(zone, name) is not None]
    if len(given) != 1:
        yield f"polygon, circle, corridor: one of them expected, got {' and '.join(given) or 'none'}"
    if zone.corridor is not None:
        yield from _line_problems(zone.corridor)
    if zone.polygon is None:
        return
    for i, corner in enumerate(zone.polygon):
        if not _on_earth(corner):
            yield f"polygon[{i}]: latitude -90 ... 90, longitude -180 ... 180 expected, got {[*corner]}"
            return
    shape = shape_of("", Zone("", polygon=zone.polygon))
    if shape is None:
        yield f"polygon: at least 3 corners expected, got {len(_corners(zone.polygon))}"
        return
    crossing = _crossing(shape.corners)
    if crossing is not None:
        first, second = ([*_corners(zone.polygon)[i]] for i in crossing)
        yield f"polygon: its edges may not cross, those that begin at {first} and {second} do"
    elif shape.area_m2 < 1:
        yield "polygon: an area of 1 square metre or more expected"


def _line_problems(corridor: Corridor) -> Iterator[str]:
    for i, point in enumerate(corridor.line):
        if not _on_earth(point):
            yield f"corridor.line[{i}]: latitude -90 ... 90, longitude -180 ... 180 expected, got {[*point]}"
            return
    if shape_of("", Zone("", corridor=corridor)) is None:
        yield "corridor.line: two different points or more expected"


def _corners(polygon: Sequence[Point]) -> list[Point]:
    """Each corner once: some close the ring by saying the first again."""
    once = [(float(a[0]), float(a[1])) for a, b in pairwise((*polygon, None)) if a is not None and a != b]
    return once[:-1] if once[1:] and once[0] == once[-1] else once


def _on_earth(corner: Point) -> bool:
    return -90 <= corner[0] <= 90 and -180 <= corner[1] <= 180  # noqa: PLR2004 - degrees


def turn(degrees_east: float) -> float:
    """A difference of longitudes, the shorter way around."""
    if degrees_east > 180:  # noqa: PLR2004 - a half turn
        return degrees_east - 360
    return degrees_east + 360 if degrees_east < -180 else degrees_east  # noqa: PLR2004 - a half turn


def _area_m2(points: Sequence[Point]) -> float:
    """Shoelace formula; its sign is the direction around."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((*points, points[0]))) / 2


def _to_edge_m(a: Point, b: Point, p: Point) -> float:
    along = (b[0] - a[0], b[1] - a[1])
    length2 = along[0] ** 2 + along[1] ** 2
    share = ((p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]) / length2 if length2 else 0.0
    share = min(1.0, max(0.0, share))
    return hypot(p[0] - a[0] - share * along[0], p[1] - a[1] - share * along[1])


def _crossing(points: Sequence[Point]) -> tuple[int, int] | None:
    """Two edges that cross, by the corners that they begin at. Edges are swept from west to east."""
    edges = [(i, a, b) for i, (a, b) in enumerate(pairwise((*points, points[0])))]
    edges.sort(key=lambda edge: min(edge[1][0], edge[2][0]))
    for k, (i, a, b) in enumerate(edges):
        for j, c, d in edges[k + 1 :]:
            if min(c[0], d[0]) > max(a[0], b[0]):
                break
            if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
                return min(i, j), max(i, j)
    return None


def _side(a: Point, b: Point, p: Point) -> float:
    """Positive if p is left of the line from a to b."""
    turn = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    return (turn > 0) - (turn < 0)
