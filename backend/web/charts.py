"""Charts as shapes of a drawing of 100 by 100, which is stretched to its place; every label is text beside it.

Pure: numbers in, shapes out. Absent is absent: a line breaks where nothing was measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SIZE = 100.0
BAR_SHARE = 0.72
"""Of a day's width that its bar takes."""
STEPS = (1, 2, 2.5, 5, 10)
Point = tuple[int, float]
"""(time, value)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its sure part stands on the ground, the possible part on that."""

    x: float
    width: float
    sure_y: float
    sure: float
    open_y: float
    open: float


@dataclass(frozen=True, slots=True)
class Line:
    """A measured quantity over time: lines where it was measured throughout, and the band that is normal."""

    lines: list[str]
    dots: list[tuple[float, float]]
    means: list[str]
    """The mean of the time before each point, where that was asked for."""
    band: tuple[float, float] | None
    """Top and height."""
    low: float
    high: float


def ceiling(most: float) -> float:
    """A round number that is not below the greatest value; 1 at least.

    >>> ceiling(7.2), ceiling(0.2), ceiling(13.0), ceiling(24)
    (10.0, 1.0, 20.0, 25.0)
    """
    if most <= 1:
        return 1.0
    ten = 10.0 ** math.floor(math.log10(most))
    return next(step * ten for step in STEPS if step * ten >= most - 1e-9)


def bars(bounds: Sequence[tuple[float, float]], top: float) -> list[Bar]:
    """A bar for each (least, most), on a scale from 0 to `top`."""
    each = SIZE / max(len(bounds), 1)
    found: list[Bar] = []
    for number, (least, most) in enumerate(bounds):
        sure, whole = (min(value / top, 1.0) * SIZE for value in (least, most))
        x = each * (number + (1 - BAR_SHARE) / 2)
        parts = (SIZE - sure, sure, SIZE - whole, whole - sure)
        found.append(Bar(round(x, 2), round(each * BAR_SHARE, 2), *(round(part, 2) for part in parts)))
    return found


def line(
    points: Sequence[Point], span: tuple[int, int], apart: int, band: tuple[float, float] | None, smooth: int = 0
) -> Line | None:
    """Points (time, value) by time within a span; further `apart` than this they are not joined. None without any.

    With `smooth` there is a second line, of the means of so much time before each point.
    """
    if not points:
        return None
    values = [value for _, value in points] + [*(band or ())]
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    low, high = low - room, high + room

    def spot(point: Point) -> tuple[float, float]:
        x = (point[0] - span[0]) / (span[1] - span[0]) * SIZE
        return round(x, 2), round((high - point[1]) / (high - low) * SIZE, 2)

    def drawn(run: Sequence[Point]) -> str:
        return " ".join(f"{x},{y}" for x, y in map(spot, run))

    runs = _runs(points, apart)
    dots = [spot(run[0]) for run in runs if len(run) == 1]
    smoothed = _runs(means(points, smooth), apart) if smooth else []
    shade = None
    if band is not None:
        top, bottom = ((high - edge) / (high - low) * SIZE for edge in (band[1], band[0]))
        shade = round(top, 2), round(bottom - top, 2)
    lines, bold = ([drawn(run) for run in each if len(run) > 1] for each in (runs, smoothed))
    return Line(lines, dots, bold, shade, low, high)


def means(points: Sequence[Point], back: int) -> list[Point]:
    """At each point the mean of the points so long before it, itself included.

    >>> means([(0, 1.0), (10, 3.0), (30, 5.0)], 20)
    [(0, 1.0), (10, 2.0), (30, 4.0)]
    """
    found: list[Point] = []
    first, total = 0, 0.0
    for number, (at, value) in enumerate(points):
        total += value
        while points[first][0] < at - back:
            total -= points[first][1]
            first += 1
        found.append((at, total / (number - first + 1)))
    return found


def _runs(points: Sequence[Point], apart: int) -> list[list[Point]]:
    runs: list[list[Point]] = []
    for point in points:
        if runs and point[0] - runs[-1][-1][0] <= apart:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs
