"""Running hours: each rule as a row, then any split into batches gives the same."""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.motion import meter
from models.motion.gain import Heard
from models.motion.meter import Bounds, Metered, Metering, Usage
from tests.models.motion.said import HOUR, MINUTE, T0, TRUCK, S, counter, off, on, total

RUNS = {
    "on for an hour": ([on(0), *(on(t * 5 * MINUTE) for t in range(1, 12)), off(HOUR)], (1, 1)),
    "off all the time": ([off(0), off(HOUR), off(2 * HOUR)], (0, 0)),
    "said again": ([on(0), on(MINUTE), on(2 * MINUTE), off(3 * MINUTE)], (0.05, 0.05)),
    "a silence while on counts for none or all": ([on(0), on(HOUR), off(HOUR + MINUTE)], (1 / 60, 61 / 60)),
    "a silence while on, then off": ([on(0), off(HOUR)], (0, 1)),
    "a long silence while off": ([off(0), off(3 * HOUR)], (0, 3)),
    "a parked tracker sleeps": ([off(0), on(2 * HOUR), off(2 * HOUR + 6 * MINUTE)], (0.1, 0.1)),
    "another input": ([on(0, "hoist"), off(5 * MINUTE, "hoist")], (0, 0)),
    "still on": ([on(0), on(6 * MINUTE)], (0.1, 0.1)),
    "on and off in one moment": ([on(0), off(0), off(6 * MINUTE)], (0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_runtime(name: str) -> None:
    facts, expected = RUNS[name]
    state, rows = meter.fold(TRUCK, None, facts)
    assert total(rows, state, "runtime") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("engine_hours", 1.5, "h", 5_400_000),
        ("engine_hours", 90.0, "min", 5_400_000),
        ("odometer", 12.345, "km", 12_345_000),
        ("odometer", 7.0, "m", 7000),
        ("tracker_odometer", 7.0, "km", 7_000_000),
        ("odometer", 7.0, "h", None),
        ("engine_hours", 1.0, "km", None),
        ("engine_hours", -1.0, "h", None),
        ("odometer", 1e300, "km", None),
        ("cycles", 3.0, "1", 3000),
        ("starts", 3.0, "h", None),
        ("idle_hours", 3.0, "h", None),
    ],
)
def test_what_a_counter_says_in_whole_units(name: str, value: float, unit: str, expected: int | None) -> None:
    assert meter.counted(name, value, unit) == expected


def test_a_value_that_is_not_counted_changes_nothing() -> None:
    state, rows = meter.fold(TRUCK, None, [counter(0, 5.0), counter(HOUR, 1e300), counter(2 * HOUR, 6.0)])
    assert total(rows, state, "engine_hours") == (1, 1)


def test_another_asset_begins_anew() -> None:
    state, first = meter.fold(TRUCK, None, [on(0), on(6 * MINUTE)])
    crane = Metering("CRANE-1", "ignition", 600 * S, 7200 * S)
    state, rows = meter.fold(crane, state, [on(9 * MINUTE), off(12 * MINUTE)])
    assert [(row.asset, row.least) for row in (*first, *rows)] == [("TRUCK-1", 360_000), ("CRANE-1", 180_000)]
    assert rows[0].closed_at == T0 + 9 * MINUTE


def test_what_is_open_ends_when_the_tracker_is_taken_off() -> None:
    state, rows = meter.fold(TRUCK, None, [on(0), on(6 * MINUTE)])
    gone = msgspec.structs.replace(TRUCK, until=T0 + HOUR)
    assert meter.expire(TRUCK, state, T0 + 2 * HOUR) == (state, [])
    assert meter.expire(gone, state, T0 + HOUR - 1) == (state, [])
    ended, rows = meter.expire(gone, state, T0 + 2 * HOUR)
    assert ended is None
    assert total(rows, None, "runtime") == pytest.approx((0.1, 1))
    assert {row.closed_at for row in rows} == {T0 + HOUR}
    assert meter.expire(gone, None, T0 + 2 * HOUR) == (None, [])


OPEN = {
    "running, heard just now": ([on(0), on(6 * MINUTE)], 6 * MINUTE, (0.1, 0.1)),
    "running, not heard since": ([on(0), on(6 * MINUTE)], 12 * MINUTE, (0.1, 0.2)),
    "parked": ([off(0)], 2 * HOUR, (0, 0)),
    "parked, and then not heard for too long": ([off(0)], 3 * HOUR, (0, 3)),
}


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open(name: str) -> None:
    facts, now, expected = OPEN[name]
    state, rows = meter.fold(TRUCK, None, facts)
    assert total(rows, state, "runtime", T0 + now) == pytest.approx(expected)


def test_a_window_cuts_what_it_must() -> None:
    ran = Usage("", "A", "runtime", T0, T0 + HOUR, None, 3_600_000, 3_600_000, [])
    unseen = Usage("", "A", "runtime", T0, T0 + HOUR, None, 0, 3_600_000, [])
    half = Usage("", "A", "engine_hours", T0, T0 + HOUR, None, 1_800_000, 1_800_000, [])
    window = (T0 + HOUR // 4, T0 + 2 * HOUR)
    assert meter.clipped(ran, *window) == Bounds(2_700_000, 2_700_000)
    assert meter.clipped(unseen, *window) == Bounds(0, 2_700_000)
    assert meter.clipped(half, *window) == Bounds(900_000, 1_800_000)
    assert meter.clipped(ran, T0 - HOUR, T0) == Bounds(0, 0)


@st.composite
def stories(draw: st.DrawFn) -> list[Heard]:
    """Facts on a coarse grid with repeats of one moment, long silences, odd counters."""
    times = sorted(draw(st.lists(st.integers(0, 400), min_size=1, max_size=40)))
    chance = random.Random(draw(st.integers(0, 2**32)))
    facts: list[Heard] = []
    for number, time in enumerate(times):
        at, mark = time * 7 * MINUTE, f"{number:064x}"
        if chance.random() < 0.6:
            name = chance.choice(("ignition", "ignition", "hoist", "pto"))
            facts.append(Heard(T0 + at, name, mark, on=chance.random() < 0.5))
        else:
            value = chance.choice((time * 100_000, time * 100_000, 5, 10**12))
            facts.append(Heard(T0 + at, chance.choice((*meter.COUNTERS,)), mark, value=value))
    return facts


@given(stories(), st.integers(0, 2**32))
def test_any_split_gives_the_same(facts: list[Heard], seed: int) -> None:
    chance = random.Random(seed)
    params = Metering("TRUCK-1", "ignition", 600 * S, 7200 * S, {"engine_hours": 10**10, "odometer": 10**8})
    whole_state, whole = meter.fold(params, None, facts)
    half_state, _ = meter.fold(params, None, facts[: len(facts) // 2])
    before = msgspec.msgpack.encode(half_state)
    meter.fold(params, half_state, facts[len(facts) // 2 :])
    assert msgspec.msgpack.encode(half_state) == before
    state: Metered | None = None
    rows: list[Usage] = []
    at = 0
    while at < len(facts):
        piece = facts[at : at + chance.randint(1, 5)]
        at += len(piece)
        state, more = meter.fold(
            params, msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Metered | None), piece
        )
        rows += more
    assert rows == whole
    assert state == whole_state
    assert len({row.id for row in rows}) == len(rows)


@given(stories())
def test_rows_of_a_meter_never_overlap_and_bounds_hold(facts: list[Heard]) -> None:
    params = msgspec.structs.replace(TRUCK, rolls_over_at={"engine_hours": 10**10, "odometer": 10**8})
    state, rows = meter.fold(params, None, facts)
    rows += meter.close(state, None) if state else []
    for name in ("runtime", "pto", "hoist", *meter.COUNTERS):
        mine = sorted((row for row in rows if row.meter == name), key=lambda row: row.begin_at)
        assert all(a.end_at <= b.begin_at for a, b in pairwise(mine))
        assert all(0 <= row.least <= row.most and row.begin_at <= row.end_at for row in mine)
        assert all(row.closed_at is None or row.closed_at >= row.end_at for row in mine)
        assert all(row.why is not None or row.least == row.most for row in mine)
    engine = [row for row in rows if row.meter in {"runtime", *meter.WORK}]
    assert all(row.most <= (row.end_at - row.begin_at) // 1000 for row in engine)


def test_a_counter_of_whole_hours_has_bounds_on_both_sides_of_midnight() -> None:
    """It gained an hour in twenty minutes: how much of that was before midnight, nobody knows."""
    midnight = 18 * HOUR
    facts = [counter(midnight - 10 * MINUTE, 100), counter(midnight + 10 * MINUTE, 101)]
    state, rows = meter.fold(TRUCK, None, [*facts, counter(midnight + 50 * MINUTE, 101)])
    assert state is not None
    found = [*rows, *meter.close(state, None)]
    assert [row.least for row in found] == [3_600_000]
    sides = [meter.clipped(found[0], *span) for span in ((T0, T0 + midnight), (T0 + midnight, T0 + 2 * midnight))]
    assert all(0 <= bounds.least <= bounds.most <= 3_600_000 for bounds in sides)
    assert sum(bounds.least for bounds in sides) <= 3_600_000 <= sum(bounds.most for bounds in sides)
