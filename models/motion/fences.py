"""Many zones at once: which of thousands a position is in, and which a straight way passes through.

A grid of cells in degrees, in a few sizes: each zone lies in the size at which it touches few cells. A position asks
one cell of each size that is used, so it costs the same for ten zones and for ten thousand; a cell that lies in a zone
as a whole answers at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from models.motion.fix import distance_mm
from models.motion.geofence import METRES_A_DEGREE, Shape, border_m, contains

FINEST_DEG, COARSER, SIZES = 0.01, 16, 4
MOST_ACROSS = 16
"""Cells of a zone's size that it may touch, north as well as east."""
STRIDE = 1 << 17
LEAST_STEP_M, MOST_STEPS = 1.0, 200
Around = tuple[float, float, float, float]
"""South, west, north, east."""


class Cell(NamedTuple):
    """The zones that one cell lies in, and those that have a part of it, each with its box."""

    within: tuple[Shape, ...]
    parts: tuple[tuple[Around, Shape], ...]


Cells = dict[int, Cell]


class Passage(NamedTuple):
    """Where a straight way is in a zone: the shares of it where that begins and ends, and the depth in metres."""

    begin: float
    end: float
    deepest_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Fences:
    """An index of shapes; made once for each set of zones."""

    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    sizes: tuple[tuple[float, Cells], ...] = ()
    """(cells in a degree, the shapes in each cell), for the sizes that are used."""

    @classmethod
    def of(cls, shapes: Iterable[Shape]) -> "Fences":
        """The index of these shapes, each with an id of its own."""
        known = {shape.zone: shape for shape in shapes}
        sizes: dict[float, dict[int, tuple[list[Shape], list[Shape]]]] = {}
        for shape in known.values():
            in_degree, rows, columns = _place(shape)
            cells = sizes.setdefault(in_degree, {})
            for row in rows:
                for column in columns:
                    within, parts = cells.setdefault(row * STRIDE + column, ([], []))
                    (within if _is_within(shape, row, column, in_degree) else parts).append(shape)
        made = {size: {at: _cell(*each) for at, each in cells.items()} for size, cells in sizes.items()}
        return cls(known, tuple(sorted(made.items(), key=lambda each: each[0])))

    def at(self, lat: float, lon: float) -> list[Shape]:
        """The shapes that a position is in."""
        found: list[Shape] = []
        for in_degree, cells in self.sizes:
            cell = cells.get(int((lat + 90) * in_degree) * STRIDE + int((lon + 180) * in_degree))
            if cell is None:
                continue
            found += cell.within
            for (south, west, north, east), shape in cell.parts:
                if south <= lat <= north and west <= lon <= east and contains(shape, lat, lon):
                    found.append(shape)
        return found

    def near_way(self, begin: tuple[float, float], end: tuple[float, float]) -> Iterator[Shape]:
        """The shapes with a cell that the straight way between two (lat, lon) touches, each once."""
        seen: set[str] = set()
        for in_degree, cells in self.sizes:
            for cell in _cells((_scaled(begin, in_degree), _scaled(end, in_degree))):
                found = cells.get(cell)
                for shape in () if found is None else (*found.within, *(each for _, each in found.parts)):
                    if shape.zone not in seen:
                        seen.add(shape.zone)
                        yield shape


def passage(shape: Shape, begin: tuple[float, float], end: tuple[float, float]) -> Passage | None:
    """Where the straight way between two (lat, lon) is in a zone, from the first border to the last; None if nowhere.

    The border is never nearer than the depth, so each step may be as long: exact to a metre, or to 1/200 of the way.
    """
    (lat, lon), (to_lat, to_lon) = begin, end
    length_m = distance_mm(lat, lon, to_lat, to_lon) / 1000
    step_m = max(LEAST_STEP_M, length_m / MOST_STEPS)
    gone_m, first, last, deepest = 0.0, inf, 0.0, 0.0
    while gone_m < length_m:
        share = gone_m / length_m
        depth = border_m(shape, lat + share * (to_lat - lat), lon + share * (to_lon - lon))
        if depth >= 0:
            first, last, deepest = min(first, share), share, max(deepest, depth)
        gone_m += max(step_m, abs(depth) if depth < 0 else min(depth, step_m))
    return None if first is inf else Passage(first, last, deepest)


def _place(shape: Shape) -> tuple[float, range, range]:
    """The cells of a shape: how many in a degree, which rows and which columns."""
    for power in range(SIZES):
        in_degree = 1 / (FINEST_DEG * COARSER**power)
        rows = range(int((shape.south + 90) * in_degree), int((shape.north + 90) * in_degree) + 1)
        columns = range(int((shape.west + 180) * in_degree), int((shape.east + 180) * in_degree) + 1)
        if (len(rows) <= MOST_ACROSS and len(columns) <= MOST_ACROSS) or power == SIZES - 1:
            return in_degree, rows, columns
    raise AssertionError


def _is_within(shape: Shape, row: int, column: int, in_degree: float) -> bool:
    """Whether a zone has all of a cell: its middle is deeper than any corner is away."""
    if (shape.north - shape.south) * in_degree < 1 or (shape.east - shape.west) * in_degree < 1:
        return False
    lat, lon = (row + 0.5) / in_degree - 90, (column + 0.5) / in_degree - 180
    return border_m(shape, lat, lon) > METRES_A_DEGREE / in_degree


def _cell(within: list[Shape], parts: list[Shape]) -> Cell:
    return Cell(tuple(within), tuple(((each.south, each.west, each.north, each.east), each) for each in parts))


def _scaled(point: tuple[float, float], in_degree: float) -> tuple[float, float]:
    return (point[0] + 90) * in_degree, (point[1] + 180) * in_degree


def _cells(way: tuple[tuple[float, float], tuple[float, float]]) -> Iterator[int]:
    """The cells that a straight way touches, row after row."""
    (y1, x1), (y2, x2) = sorted(way)
    for row in range(int(y1), int(y2) + 1):
        low, high = (max(y1, row), min(y2, row + 1.0)) if y2 > y1 else (y1, y2)
        ends = [x1 + (x2 - x1) * (y - y1) / (y2 - y1) for y in (low, high)] if y2 > y1 else [x1, x2]
        for column in range(int(min(ends)), int(max(ends)) + 1):
            yield row * STRIDE + column
