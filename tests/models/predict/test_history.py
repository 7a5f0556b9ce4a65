"""Histories: the first reading of each twenty minutes of running, whatever the order and however often it is told."""

import numpy as np

from models.predict.history import BIN_US, HOUR_US, UNITS, collect, digest, rows_before, rows_over
from tests.models.predict import fleet


def signals(times: list[int], loads: list[float]) -> dict[str, tuple[list[int], list[float]]]:
    return dict.fromkeys(UNITS, (times, loads))


def test_of_each_twenty_minutes_the_first_reading_counts() -> None:
    history = collect(signals([5, BIN_US - 1, BIN_US, 3 * BIN_US + 7], [40.0, 50.0, 60.0, 70.0]))
    assert history.bins.tolist() == [0, BIN_US, 3 * BIN_US]
    assert history.values[:, 0].tolist() == [40.0, 60.0, 70.0]


def test_order_and_repeats_change_nothing() -> None:
    made = fleet.machine(1, 30)
    chance = np.random.default_rng(3)
    shuffled = {}
    for name, (times, values) in made.readings.items():
        picked = chance.integers(0, len(times), 400)
        order = chance.permutation(len(times) + len(picked))
        shuffled[name] = (np.append(times, times[picked])[order], np.append(values, values[picked])[order])
    failures = np.array(made.failures, np.int64)
    assert digest("m", collect(shuffled, made.repairs), failures) == digest("m", made.history, failures)


def test_a_denser_tracker_makes_the_same_history() -> None:
    made = fleet.machine(2, 10)
    dense = {
        name: (np.concatenate([times, times + 60_000_000]), np.concatenate([values, values + 1]))
        for name, (times, values) in made.readings.items()
    }
    assert digest("m", collect(dense), np.empty(0, np.int64)) == digest(
        "m", collect(made.readings), np.empty(0, np.int64)
    )


def test_without_load_it_does_not_run_and_without_a_load_sensor_it_does() -> None:
    times = [0, BIN_US, 2 * BIN_US]
    with_load = collect({"engine_load": (times, [0.0, 12.0, 0.0]), "oil_pressure": (times, [1.0, 2.0, 3.0])})
    assert with_load.bins.tolist() == [BIN_US]
    without = collect({"oil_pressure": (times, [1.0, 2.0, 3.0])})
    assert without.bins.tolist() == times
    assert np.isnan(without.values[:, -1]).all()


def test_twenty_minutes_are_known_once_they_are_over() -> None:
    bins = np.array([0, BIN_US], np.int64)
    assert [rows_over(bins, at) for at in (0, BIN_US - 1, BIN_US, 2 * BIN_US)] == [0, 0, 1, 2]
    assert [rows_before(bins, at) for at in (0, 1, BIN_US, 2 * BIN_US)] == [0, 1, 1, 2]


def test_the_last_repair_before_a_time() -> None:
    history = collect({}, [3 * HOUR_US, HOUR_US])
    assert [history.overhauled(at) for at in (0, HOUR_US, 2 * HOUR_US, 4 * HOUR_US)] == [
        None,
        HOUR_US,
        HOUR_US,
        3 * HOUR_US,
    ]
