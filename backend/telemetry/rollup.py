"""Rollups of a series, from all of its values: the same for any order of arrival, in every store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain, compress
from math import fsum
from sys import float_info
from typing import NamedTuple

from backend.telemetry.columns import Column, Columns
from backend.telemetry.rows import HOUR, MOVING_MPS, Rollup, Sample

SPEED = ("speed_mps", "m/s")
NOT_ROLLED = frozenset({("lat", "deg"), ("lon", "deg"), ("course_deg", "deg")})
"""Their means say nothing: directions and degrees go around."""


class _Seen(NamedTuple):
    """A series in the samples of a bucket that have the same columns."""

    values: Sequence[float]
    driven: Sequence[float]
    last: tuple[int, int, float]
    """(at, content, value)"""


def rolled(device: str, begin: int, samples: Iterable[Sample]) -> list[Rollup]:
    """One row for each series that the samples of a bucket have values of, by name and unit."""
    alike: defaultdict[Columns, list[Sample]] = defaultdict(list)
    for each in samples:
        alike[each.columns].append(each)
    moving = {at for columns, same in alike.items() for at in _moving(columns, same)}
    series: defaultdict[Column, list[_Seen]] = defaultdict(list)
    for columns, same in alike.items():
        drives = [each.at in moving for each in same] if moving else ()
        _, at, content, last, _ = max(same)  # all have one `columns`, which has no order
        for of, values, newest in zip(
            columns.series, zip(*[each.values for each in same], strict=True), last, strict=True
        ):
            if of not in NOT_ROLLED:
                series[of].append(_Seen(values, [*compress(values, drives)], (at, content, newest)))
    return [_row((device, *of, begin), seen) for of, seen in sorted(series.items())]


def _moving(columns: Columns, same: Sequence[Sample]) -> Iterable[int]:
    if SPEED not in columns.series:
        return ()
    speed = columns.series.index(SPEED)
    return [each.at for each in same if each.values[speed] > MOVING_MPS]


def _row(of: tuple[str, str, str, int], seen: Sequence[_Seen]) -> Rollup:
    one = seen[0] if len(seen) == 1 else _together(seen)
    last_at, _, last = one.last
    return Rollup(
        *of,
        len(one.values),
        total(one.values),
        min(one.values),
        max(one.values),
        one.values.count(0.0),
        len(one.driven),
        total(one.driven) if one.driven else 0.0,
        last,
        last_at,
    )


def _together(seen: Iterable[_Seen]) -> _Seen:
    values, driven, last = zip(*seen, strict=True)
    return _Seen([*chain.from_iterable(values)], [*chain.from_iterable(driven)], max(last))


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
