"""What ten minutes are rolled up from: figures of readings, and rows that are right whatever else was measured."""

from collections import defaultdict
from math import fsum, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.telemetry import influx_write
from backend.telemetry.columns import Columns
from backend.telemetry.influx_lines import NotFinite
from backend.telemetry.measured import measured
from backend.telemetry.rollup import NOT_ROLLED, SPEED, rolled
from backend.telemetry.rows import FIX, MOVING_MPS, Rollup, Sample
from tests.backend.telemetry.samples import sample, values

FIGURES = [*FIX.items(), ("load", "%"), ("load", "kg"), ("speed_mps", "mph")]


def by_hand(samples: list[Sample]) -> list[Rollup]:
    """Each series by itself, one value after the other."""
    series: defaultdict[tuple[str, str], list[tuple[int, int, float]]] = defaultdict(list)
    for each in samples:
        for name, unit, value in values(each):
            series[name, unit].append((each.at, each.content, value))
    moving = {at for at, _, value in series.get(SPEED, ()) if value > MOVING_MPS}
    rows: list[Rollup] = []
    for of, seen in sorted(series.items()):
        all_of_them = [value for *_, value in seen]
        driven = [value for at, _, value in seen if at in moving]
        least, most, zeros = min(all_of_them), max(all_of_them), all_of_them.count(0.0)
        last_at, _, last = max(seen)
        row = (fsum(all_of_them), least, most, zeros, len(driven), fsum(driven), last, last_at)
        rows += [Rollup("d", *of, 0, len(seen), *row)] if of not in NOT_ROLLED else []
    return rows


def told(draw: st.DrawFn) -> list[Sample]:
    names = st.lists(st.sampled_from(FIGURES), min_size=1, max_size=4, unique=True)
    figure = st.one_of(st.just(0.0), st.floats(-1e6, 1e6))
    found = [
        sample("d", draw(st.integers(0, 5)), content, *[(*of, draw(figure)) for of in draw(names)])
        for content in draw(st.lists(st.integers(-(2**62), 2**62), max_size=12, unique=True))
    ]
    again = [Columns(each.columns.series) if draw(st.booleans()) else each.columns for each in found]
    return [each._replace(columns=columns) for each, columns in zip(found, again, strict=True)]


@given(st.composite(told)())
def test_a_row_is_of_all_values_of_its_series_with_whatever_they_came(samples: list[Sample]) -> None:
    assert rolled("d", 0, samples) == by_hand(samples)


@pytest.mark.parametrize(
    ("body", "figures"),
    [
        ('"fix","lat":5,"lon":-0.0,"hdop":null', [("lat", "deg", 5.0), ("lon", "deg", 0.0)]),
        ('"fix"', []),
        ('"input","name":"pto","on":false', [("pto", "1", 0.0)]),
        ('"meter","name":"engine","value":7,"unit":"h"', [("engine", "h", 7.0)]),
        ('"signal","name":"t","value":-0.0,"unit":"Cel"', [("t", "Cel", 0.0)]),
        ('"signal","name":"t","value":"warm","unit":"Cel"', []),
        ('"smell","name":"t"', []),
    ],
)
def test_what_a_reading_measured(body: str, figures: list[tuple[str, str, float]]) -> None:
    found = values(Sample("d", 0, 0, *measured(f'{{"kind":{body}}}'.encode())))
    assert repr(found) == repr(figures), "and no -0.0"


def test_of_a_sample_with_both_a_fix_is_one_line() -> None:
    both = sample("d", 1_000_000, 2**62, ("load", "%", 5.0), ("lat", "deg", 50.5), ("lon", "deg", 8.0))
    assert [*influx_write.samples([both], 0)] == [
        "fix,device=d lat=50.5,lon=8.0 1000000750",
        "value,device=d,name=load,unit=% value=5.0 1000000750",
    ]


def test_what_is_not_finite_is_refused_and_what_is_only_large_is_not() -> None:
    large = sample("d", 0, 0, ("lat", "deg", 1.7e308), ("lon", "deg", 1.7e308))
    assert [*influx_write.samples([large], 0)] == ["fix,device=d lat=1.7e+308,lon=1.7e+308 200"]
    for value in (inf, -inf, nan):
        with pytest.raises(NotFinite):
            [*influx_write.samples([sample("d", 0, 0, ("x", "1", value))], 0)]
