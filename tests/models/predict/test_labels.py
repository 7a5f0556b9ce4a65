"""What a row is learnt as: a failure within seven days, none, or no answer."""

import numpy as np

from models.predict.features import Raw
from models.predict.history import DAY_US, HOUR_US
from models.predict.labels import NO, OPEN, YES, Machine, down, grid, labels

END = 40


def machine(failures: list[float], repairs: list[float]) -> Machine:
    times = np.arange(0, END * DAY_US, DAY_US, dtype=np.int64)
    nothing = np.empty((len(times), 0))
    raw = Raw(times, np.zeros(len(times), np.int64), np.zeros(len(times), np.int64), nothing, nothing)
    failed, repaired = (np.array([round(day * DAY_US) for day in days], np.int64) for days in (failures, repairs))
    return Machine("m", raw, failed, repaired, (0, END * DAY_US), "")


def days(machine: Machine, label: int) -> list[int]:
    return np.flatnonzero(labels(machine) == label).tolist()


def test_the_week_before_a_failure_is_yes_and_the_time_it_was_down_has_no_answer() -> None:
    found = machine([20.5], [22.5])
    assert days(found, YES) == [*range(14, 21)]
    assert days(found, OPEN) == [21, 22, *range(34, 40)]
    assert np.flatnonzero(down(found)).tolist() == [21, 22]


def test_what_a_planned_repair_prevented_is_not_known() -> None:
    found = machine([], [20.5])
    assert days(found, YES) == []
    assert days(found, OPEN) == [*range(14, 21), *range(34, 40)]
    assert days(found, NO) == [*range(14), *range(21, 34)]


def test_a_failure_before_a_repair_is_what_happened() -> None:
    assert days(machine([20.5], [20.6]), YES) == [*range(14, 21)]


def test_a_failure_at_the_end_is_an_answer_though_the_rest_is_not_known() -> None:
    found = machine([39.5], [])
    assert days(found, YES) == [*range(33, 40)]
    assert days(found, OPEN) == []


def test_the_grid_is_the_same_for_all() -> None:
    assert grid((1, 5 * HOUR_US), 2 * HOUR_US).tolist() == [2 * HOUR_US, 4 * HOUR_US]
    assert grid((0, 0), HOUR_US).tolist() == [0]
