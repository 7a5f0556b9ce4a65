"""Rollups of a series, from all of its values: the same for any order of arrival, in every store."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import fsum
from sys import float_info
from typing import NamedTuple

from backend.telemetry.rows import HOUR, MOVING_MPS, Rollup, Sample

SPEED = ("speed_mps", "m/s")
NOT_ROLLED = frozenset({("lat", "deg"), ("lon", "deg"), ("course_deg", "deg")})
"""Their means say nothing: directions and degrees go around."""


class _Seen(NamedTuple):
    at: int
    content: int
    value: float


def rolled(device: str, begin: int, samples: Iterable[Sample]) -> list[Rollup]:
    """One row for each series that the samples of a bucket have values of, by name and unit."""
    series: dict[tuple[str, str], list[_Seen]] = {}
    moving: set[int] = set()
    for sample in samples:
        for name, unit, value in sample.values:
            series.setdefault((name, unit), []).append(_Seen(sample.at, sample.content, value))
    for at, _, value in series.get(SPEED, ()):
        if value > MOVING_MPS:
            moving.add(at)
    return [_row((device, *of, begin), series[of], moving) for of in sorted(series) if of not in NOT_ROLLED]


def _row(of: tuple[str, str, str, int], seen: Sequence[_Seen], moving: set[int]) -> Rollup:
    values = [each.value for each in seen]
    last = max(seen)
    driven = [each.value for each in seen if each.at in moving] if moving else []
    return Rollup(
        *of,
        count=len(values),
        total=total(values),
        low=min(values),
        high=max(values),
        zeros=values.count(0.0),
        moving=len(driven),
        moving_total=total(driven),
        last=last.value,
        last_at=last.at,
    )


def combined(tens: Iterable[Rollup]) -> list[Rollup]:
    """Hours of their ten minutes."""
    hours: dict[tuple[str, str, str, int], list[Rollup]] = {}
    for each in tens:
        hours.setdefault((each.device, each.name, each.unit, each.begin // HOUR * HOUR), []).append(each)
    return [_hour(of, rows) for of, rows in sorted(hours.items())]


def _hour(of: tuple[str, str, str, int], rows: Sequence[Rollup]) -> Rollup:
    last = max(rows, key=lambda each: each.last_at)
    return Rollup(
        *of,
        count=sum(each.count for each in rows),
        total=total([each.total for each in rows]),
        low=min(each.low for each in rows),
        high=max(each.high for each in rows),
        zeros=sum(each.zeros for each in rows),
        moving=sum(each.moving for each in rows),
        moving_total=total([each.moving_total for each in rows]),
        last=last.last,
        last_at=last.last_at,
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
