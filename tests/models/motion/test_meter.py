"""Running hours: each rule as a row, then any split into batches gives the same."""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.motion import meter
from models.motion.meter import Bounds, Heard, Metered, Metering, Usage

S, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
TRUCK = Metering("TRUCK-1", "ignition", 600 * S, 7200 * S)
T0 = 20_000 * 24 * HOUR


def on(at: int, name: str = "ignition") -> Heard:
    return Heard(T0 + at, name, f"{at:032x}{1:032x}", on=True)


def off(at: int, name: str = "ignition") -> Heard:
    return Heard(T0 + at, name, f"{at:032x}{0:032x}", on=False)


def counter(at: int, hours: float, name: str = "engine_hours", unit: str = "h") -> Heard:
    return Heard(T0 + at, name, f"{at:064x}", value=meter.counted(name, hours, unit))


def total(rows: list[Usage], state: Metered | None, name: str, now: int | None = None) -> tuple[float, float]:
    """(least, most) of a meter, in hours."""
    tail = [] if state is None else (meter.close(state, None) if now is None else meter.open_usage(TRUCK, state, now))
    mine = [row for row in (*rows, *tail) if row.meter == name]
    return sum(row.least for row in mine) / 3_600_000, sum(row.most for row in mine) / 3_600_000


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


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("engine_hours", 1.5, "h", 5_400_000),
        ("engine_hours", 90.0, "min", 5_400_000),
        ("odometer", 12.345, "km", 12_345_000),
        ("odometer", 7.0, "m", 7000),
        ("engine_hours", 1.0, "km", None),
        ("engine_hours", -1.0, "h", None),
        ("odometer", 1e300, "km", None),
        ("cycles", 3.0, "1", None),
    ],
)
def test_what_a_counter_says_in_whole_units(name: str, value: float, unit: str, expected: int | None) -> None:
    assert meter.counted(name, value, unit) == expected


def test_a_value_that_is_not_counted_changes_nothing() -> None:
    state, rows = meter.fold(TRUCK, None, [counter(0, 5.0), counter(HOUR, 1e300), counter(2 * HOUR, 6.0)])
    assert total(rows, state, "engine_hours") == (1, 1)


def test_what_a_counter_gains_after_it_stood_is_not_spread_over_the_time_it_stood() -> None:
    facts = [*(counter(hour * HOUR, 100.0) for hour in range(30)), counter(30 * HOUR, 100.5), counter(32 * HOUR, 101.0)]
    state, rows = meter.fold(TRUCK, None, facts)
    assert state is not None
    assert [row.begin_at for row in (*rows, *meter.close(state, None))] == [T0 + 29 * HOUR, T0 + 30 * HOUR]


def test_another_asset_begins_anew() -> None:
    state, first = meter.fold(TRUCK, None, [on(0), on(6 * MINUTE)])
    crane = Metering("CRANE-1", "ignition", 600 * S, 7200 * S)
    state, rows = meter.fold(crane, state, [on(9 * MINUTE), off(12 * MINUTE)])
    assert [(row.asset, row.least) for row in (*first, *rows)] == [("TRUCK-1", 360_000), ("CRANE-1", 180_000)]
    assert rows[0].closed_at == T0 + 9 * MINUTE


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
            facts.append(Heard(T0 + at, "ignition", mark, on=chance.random() < 0.5))
        else:
            value = chance.choice((time * 100_000, time * 100_000, 5, 10**12))
            facts.append(Heard(T0 + at, chance.choice(("engine_hours", "odometer")), mark, value=value))
    return facts


@given(stories(), st.integers(0, 2**32))
def test_any_split_gives_the_same(facts: list[Heard], seed: int) -> None:
    chance = random.Random(seed)
    whole_state, whole = meter.fold(TRUCK, None, facts)
    state: Metered | None = None
    rows: list[Usage] = []
    at = 0
    while at < len(facts):
        piece = facts[at : at + chance.randint(1, 5)]
        at += len(piece)
        state, more = meter.fold(
            TRUCK, msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Metered | None), piece
        )
        rows += more
    assert rows == whole
    assert state == whole_state
    assert len({row.id for row in rows}) == len(rows)


@given(stories())
def test_rows_of_a_meter_never_overlap_and_bounds_hold(facts: list[Heard]) -> None:
    state, rows = meter.fold(TRUCK, None, facts)
    rows += meter.close(state, None) if state else []
    for name in ("runtime", "engine_hours", "odometer"):
        mine = sorted((row for row in rows if row.meter == name), key=lambda row: row.begin_at)
        assert all(a.end_at <= b.begin_at for a, b in pairwise(mine))
        assert all(0 <= row.least <= row.most and row.begin_at <= row.end_at for row in mine)
        assert all(row.closed_at is None or row.closed_at >= row.end_at for row in mine)
    engine = [row for row in rows if row.meter == "runtime"]
    assert all(row.most <= (row.end_at - row.begin_at) // 1000 for row in engine)
