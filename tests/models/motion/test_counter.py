"""Counters: what is believed and what a jump was, each rule as a row."""

import pytest

from models.motion import meter
from models.motion.meter import Metering
from tests.models.motion.said import HOUR, T0, TRUCK, S, counter, total

COUNTS = {
    "rises": ([(0, 100.0), (HOUR, 100.5), (2 * HOUR, 101.5)], (1.5, 1.5)),
    "stands": ([(0, 100.0), (HOUR, 100.0)], (0, 0)),
    "runs on while nothing is heard": ([(0, 100.0), (50 * HOUR, 120.0)], (20, 20)),
    "zero after a restart is odd, and forgotten": ([(0, 100.0), (HOUR, 0.0), (2 * HOUR, 101.0)], (1, 1)),
    "a jump that nothing confirms": ([(0, 1210.0), (HOUR, 9000.0), (16 * HOUR, 1226.0)], (16, 16)),
    "replaced: unknown between, then counted": (
        [(0, 1200.0), (10 * HOUR, 1210.0), (11 * HOUR, 3.0), (19 * HOUR, 11.0)],
        (18, 19),
    ),
    "a jump that is confirmed": ([(0, 10.0), (HOUR, 500.0), (2 * HOUR, 501.0)], (1, 2)),
    "two odd ones that do not agree": ([(0, 10.0), (HOUR, 500.0), (2 * HOUR, 3.0), (3 * HOUR, 12.0)], (2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_counter(name: str) -> None:
    facts, expected = COUNTS[name]
    state, rows = meter.fold(TRUCK, None, [counter(*fact) for fact in facts])
    assert total(rows, state, "engine_hours") == pytest.approx(expected)


ROLLS = {"engine_hours": 10_000 * 3_600_000}
SHORT = {"tracker_odometer": 65_536_000}
JUMPS = {
    "reset": ({}, [(0, 1210), (HOUR, 0.5), (2 * HOUR, 1)], [("reset", 0, 1)]),
    "reset in a silence": ({}, [(0, 1210), (9 * HOUR, 7), (10 * HOUR, 8)], [("reset", 0, 9)]),
    "replaced by a used one": ({}, [(0, 1210), (HOUR, 300), (2 * HOUR, 301)], [("replaced", 0, 1)]),
    "replaced by an older one": ({}, [(0, 10), (HOUR, 500), (2 * HOUR, 501)], [("replaced", 0, 1)]),
    "rolls over": (ROLLS, [(0, 9999.75), (HOUR, 0.5), (2 * HOUR, 1)], [("rollover", 0.75, 0.75)]),
    "rolls over in a silence": (ROLLS, [(0, 9990), (99 * HOUR, 60), (100 * HOUR, 61)], [("rollover", 70, 70)]),
    "a fall that is no rollover": (ROLLS, [(0, 5000), (HOUR, 0.5), (2 * HOUR, 1)], [("reset", 0, 1)]),
    "above what was declared": (ROLLS, [(0, 19_999.75), (HOUR, 0.5), (2 * HOUR, 1)], [("reset", 0, 1)]),
    "a rollover that nothing confirms": (ROLLS, [(0, 9999.5), (HOUR, 0), (2 * HOUR, 9999.75)], []),
    "some turns may be": (SHORT, [(0, 60), (HOUR / 2, 10), (HOUR * 0.6, 10.5)], [("rollover", 15.536, 81.072)]),
    "a turn that may be unseen": (SHORT, [(0, 10), (HOUR / 2, 30), (HOUR * 0.6, 30.5)], [("rollover", 20, 85.536)]),
}  # fmt: skip


@pytest.mark.parametrize("name", JUMPS)
def test_what_a_jump_was(name: str) -> None:
    wraps, values, expected = JUMPS[name]
    params = Metering("TRUCK-1", "ignition", 600 * S, 7200 * S, wraps)
    counts, unit = ("tracker_odometer", "km") if wraps is SHORT else ("engine_hours", "h")
    state, rows = meter.fold(params, None, [counter(int(at), value, counts, unit) for at, value in values])
    assert state is not None
    named = [row for row in (*rows, *meter.close(state, None)) if row.why is not None]
    assert [(row.why, row.least / meter.EACH[counts], row.most / meter.EACH[counts]) for row in named] == expected
    assert all(len(row.evidence) == 3 for row in named)


def test_a_jump_rests_on_the_values_around_it_and_on_what_confirmed_it() -> None:
    facts = [counter(0, 10), counter(HOUR // 60, 10.5), counter(HOUR, 500), counter(2 * HOUR, 501)]
    state, rows = meter.fold(TRUCK, None, facts)
    assert state is not None
    named = [fact.evidence for fact in facts]
    assert [row.evidence for row in (*rows, *meter.close(state, None))] == [named[:2], named[1:], named[2:]]


def test_odometers_are_kept_apart() -> None:
    facts = [counter(0, 100.0, "odometer", "km"), counter(1, 7.0, "tracker_odometer", "km")]
    facts += [counter(HOUR, 150.0, "odometer", "km"), counter(HOUR + 1, 58_000.0, "tracker_odometer", "m")]
    state, _ = meter.fold(TRUCK, None, facts)
    assert state is not None
    assert [(row.meter, row.least) for row in meter.close(state, None)] == [
        ("odometer", 50_000_000),
        ("tracker_odometer", 51_000_000),
    ]


def test_what_a_counter_gains_after_it_stood_is_not_spread_over_the_time_it_stood() -> None:
    facts = [*(counter(hour * HOUR, 100.0) for hour in range(30)), counter(30 * HOUR, 100.5), counter(32 * HOUR, 101.0)]
    state, rows = meter.fold(TRUCK, None, facts)
    assert state is not None
    assert [row.begin_at for row in (*rows, *meter.close(state, None))] == [T0 + 29 * HOUR, T0 + 30 * HOUR]
