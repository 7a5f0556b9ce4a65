"""Days of a truck and a crane, a fix each 5 s or 10 degrees of turn, folded and compared with what is true of them.

Whole months are measured by tests/bench/test_motion_month.py.
"""

from functools import cache
from hashlib import sha256

import pytest

from models.motion.travel import Travel
from simulators.machines import Kind
from simulators.month_truth import carried, driven_m, ran_ms, stops
from simulators.record import ENGINE_S, ODOMETER_M
from tests.motion import months, scores
from tests.motion.months import Told, travelled
from tests.motion.scores import found, matches, plain, visits

DAYS = 5
SEEDS = (1, 2, 3)
told = cache(months.told)
BOTH: tuple[Kind, ...] = ("truck", "crane")
MOST_OFF = 0.01
NEAR_M = 9.0
"""Three sigma of the receiver: a machine that stands so near a fence may for a while seem to be inside."""
PLAIN = 0.98
"""Trips that are clear cases are found, and nearly all as they were."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", BOTH)
def test_days_against_truth(kind: Kind, seed: int) -> None:
    given = told(kind, seed, DAYS)
    rows = travelled(given)
    seen = visits(given.good_ms, scores.stays(given), found(rows, "visit"))
    assert seen.owed >= 10
    assert not seen.missed
    assert len(seen.false) <= 1
    assert all(scores.depth_m(given, row) > -NEAR_M for row in seen.false), "a visit by chance is near the border"
    assert_carried(given, rows)
    assert_trips(given, rows)


def assert_carried(given: Told, rows: list[Travel]) -> None:
    """Each time on a trailer is found, with where it began and ended, and nothing else is."""
    times = found(rows, "transported")
    assert [row.metres > 1000 for row in times] == [True] * len(carried(given.month))
    for (begin_ms, end_ms), row in zip(carried(given.month), times, strict=True):
        assert abs(row.begin_ms - begin_ms) < 700_000
        assert abs(row.end_ms - end_ms) < 700_000


def assert_trips(given: Told, rows: list[Travel]) -> None:
    matched = matches(scores.trips(given), found(rows, "trip"))
    clear = plain(given, matched)
    assert len(clear.pairs) >= 8
    assert clear.recall >= PLAIN
    assert clear.precision >= PLAIN
    total, worst = scores.road_error(matched)
    assert abs(total) <= MOST_OFF
    assert abs(worst) <= 2 * MOST_OFF


def test_the_month_means_something() -> None:
    """What is compared is there: stays at several depths, fences that it never enters, long waits, trailers."""
    truck, crane = told("truck", 1, DAYS), told("crane", 1, DAYS)
    deep = sorted({round(stay.most_m) for stay in scores.stays(truck)})
    assert deep[0] < 10
    assert {11, 12, 15} & {*deep}
    assert deep[-1] > 100
    entered = {stay.zone for stay in scores.stays(truck)}
    assert "canal-road" in entered
    assert {"field"} <= {fence.zone for fence in truck.fences} - entered
    assert len(carried(crane.month)) == 2
    assert not carried(truck.month)
    assert any(not report.good for report in truck.reports)
    assert any(trip.plain for trip in scores.trips(crane))
    assert sum(each.end_ms - each.begin_ms for each in stops(truck.month, scores.trips(truck))) > ran_ms(truck.month)
    assert driven_m(truck.month) > 50_000
    assert driven_m(crane.month) < 10_000


def test_one_seed_gives_one_month_byte_for_byte() -> None:
    def digest(seed: int) -> str:
        return sha256(repr(months.told("crane", seed, 2)).encode()).hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_counters_end_where_the_truth_does() -> None:
    given = told("truck", 2, 2)
    last = dict(given.reports[-1].record.io)
    first = dict(given.reports[0].record.io)
    assert last[ENGINE_S] - first[ENGINE_S] == pytest.approx(ran_ms(given.month) / 1000, abs=2)
    assert last[ODOMETER_M] - first[ODOMETER_M] == pytest.approx(driven_m(given.month), abs=2)
