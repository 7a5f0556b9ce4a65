"""Inputs that say that a machine works: counted as the engine is, in the rhythm in which the tracker reports."""

import pytest

from models.motion import meter
from models.motion.gain import Heard
from models.motion.meter import Metering
from tests.models.motion.said import HOUR, MINUTE, T0, TRUCK, S, off, on, total


def said(at: int, inputs: str) -> list[Heard]:
    """A record of both inputs, on if their letter is there: e for the engine, h for the hoist."""
    return [(on if name[0] in inputs else off)(at, "ignition" if name == "engine" else name) for name in BOTH]


BOTH = ("engine", "hoist")
WORKS = {
    "the hoist is on for a part of a run": ([(0, "e"), (5, "eh"), (11, "e"), (20, "")], (0.1, 0.1)),
    "the hoist goes off with the engine": ([(0, "e"), (5, "eh"), (11, "")], (0.1, 0.1)),
    "a silence while only the engine is on": ([(0, "e"), (60, "e"), (61, "")], (0, 1)),
    "the engine goes off in the record that ends the silence": ([(0, "e"), (60, "")], (0, 1)),
    "the engine goes on after a silence that a parked tracker may keep": ([(0, ""), (60, "e"), (61, "")], (0, 0)),
    "a silence that a parked tracker may not keep": ([(0, ""), (180, "e"), (181, "")], (0, 3)),
}


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("order", [1, -1])
def test_work(name: str, order: int) -> None:
    """Whichever of the two inputs of a record comes first in fold order."""
    records, expected = WORKS[name]
    state, rows = meter.fold(TRUCK, None, [fact for at, on in records for fact in said(at * MINUTE, on)[::order]])
    assert total(rows, state, "hoist") == pytest.approx(expected)


ALONE = {
    "on": ([on(0, "hoist"), on(6 * MINUTE, "hoist"), off(HOUR, "hoist")], (0.1, 1)),
    "off": ([off(0, "hoist"), off(HOUR, "hoist")], (0, 0)),
    "the engine ran before": ([on(0), *said(MINUTE, ""), off(HOUR, "hoist")], (0, 0)),
}


@pytest.mark.parametrize("name", ALONE)
def test_work_while_the_engine_says_nothing(name: str) -> None:
    facts, expected = ALONE[name]
    state, rows = meter.fold(TRUCK, None, facts)
    assert total(rows, state, "hoist") == pytest.approx(expected)


def test_an_input_that_tells_hours_and_work_counts_for_both() -> None:
    crane = Metering("CRANE-1", "hoist", 600 * S, 7200 * S)
    state, rows = meter.fold(crane, None, [on(0, "hoist"), off(6 * MINUTE, "hoist"), on(7 * MINUTE, "pto")])
    assert [(row.meter, row.least) for row in rows] == [("hoist", 360_000), ("runtime", 360_000)]
    assert state is not None
    assert set(state.work) == {"hoist", "pto"}


def test_a_silence_says_why() -> None:
    state, rows = meter.fold(TRUCK, None, [*said(0, "eh"), *said(HOUR, "eh")])
    assert state is not None
    unseen = {("runtime", "unobserved", 0, 3_600_000), ("hoist", "unobserved", 0, 3_600_000)}
    assert {(row.meter, row.why, row.least, row.most) for row in rows} == unseen
    tail = meter.open_usage(TRUCK, state, T0 + 2 * HOUR)
    assert {(row.meter, row.why, row.least, row.most) for row in tail} == unseen
