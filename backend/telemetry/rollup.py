"""Rollups of a series, from all of its values: the same for any order of arrival, in every store."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import fsum
from sys import float_info

from backend.telemetry.rows import HOUR, MOVING_MPS, Rollup, Sample

SPEED = ("speed_mps", "m/s")
NOT_ROLLED = frozenset({("lat", "deg"), ("lon", "deg"), ("course_deg", "deg")})
"""Their means say nothing: directions and degrees go around."""


_Seen = tuple[int, int, float]
"""(at, content, value)"""


def rolled(device: str, begin: int, samples: Iterable[Sample]) -> list[Rollup]:
    """One row for each series that the samples of a bucket have values of, by name and unit."""
    series: dict[tuple[str, str], list[_Seen]] = {}
    moving: set[int] = set()
    for _, at, content, values in samples:
        for name, unit, value in values:
            if (seen := series.get((name, unit))) is None:
                seen = series[name, unit] = []
            seen.append((at, content, value))
    for at, _, value in series.get(SPEED, ()):
        if value > MOVING_MPS:
            moving.add(at)
    return [_row((device, *of, begin), series[of], moving) for of in sorted(series) if of not in NOT_ROLLED]


def _row(of: tuple[str, str, str, int], seen: Sequence[_Seen], moving: set[int]) -> Rollup:
    values = [value for _, _, value in seen]
    last_at, _, last = max(seen)
    driven = [value for at, _, value in seen if at in moving] if moving else []
    return Rollup(
        *of,
        len(values),
        total(values),
        min(values),
        max(values),
        values.count(0.0),
        len(driven),
        total(driven) if driven else 0.0,
        last,
        last_at,
    )


def combined(tens: Iterable[Rollup]) -> list[Rollup]:
    """Hours of their ten minutes."""
    hours: dict[tuple[str, str, str, int], list[Rollup]] = {}
    for each in tens:
        hours.setdefault((each.device, each.name, each.unit, each.begin // HOUR * HOUR), []).append(each)
    return [_hour(of, rows) for of, rows in sorted(hours.items())]


def _hour(of: tuple[str, str, str, int], rows: Sequence[Rollup]) -> Rollup:
    if len(rows) == 1:
        return rows[0]._replace(begin=of[3])
    last = max(rows, key=lambda each: each.last_at)
    counts, totals, lows, highs, zeros, moving, moving_totals, *_ = zip(*[each[4:] for each in rows], strict=True)
    return Rollup(
        *of,
        sum(counts),
        total(totals),
        min(lows),
        max(highs),
        sum(zeros),
        sum(moving),
        total(moving_totals),
        last.last,
        last.last_at,
    )


def total(values: Sequence[float]) -> float:
    """The sum, correctly rounded; the largest number there is where it does not fit.

    >>> total([1e16, 1.0, 1.0, -1e16])
    2.0
    >>> total([1e308, 1e308])
    1.7976931348623157e+308
    """
    try:
        return fsum(values)
    except OverflowError:
        exact = sum(map(Fraction, values))
        most = Fraction(float_info.max)
        return float(max(-most, min(most, exact)))
