"""Features as of a time: nothing after it has any influence, nor what came long before; a repair begins anew."""

from collections.abc import Callable

import numpy as np
import pytest

from models.predict import features as f
from models.predict.features import NAMES, Raw, Spreads, features, raw
from models.predict.history import BIN_US, DAY_US, HOUR_US, LOAD, SENSORS, Readings, collect
from models.predict.learners import signs
from tests.models.predict import fleet

SPREADS = Spreads([0.5, 0.05, 0.03])


def at_days(*days: float) -> list[int]:
    return [fleet.START + round(day * DAY_US) for day in days]


def same(one: Raw, other: Raw) -> bool:
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("times", "days", "recent", "figures", "day_spread")
    )


def only(readings: Readings, keep: Callable[[np.ndarray], np.ndarray]) -> Readings:
    return {name: (times[keep(times)], values[keep(times)]) for name, (times, values) in readings.items()}


@pytest.mark.parametrize("seed", range(4))
def test_what_comes_after_a_time_has_no_influence(seed: int) -> None:
    made = fleet.machine(seed, 100, 40.0)
    chance = np.random.default_rng(seed)
    for at in chance.integers(at_days(8)[0], at_days(100)[0], 12).tolist():
        cut = collect(
            only(made.readings, lambda times, at=at: times < at), [each for each in made.repairs if each < at]
        )
        assert same(raw(cut, [at]), raw(made.history, [at]))


@pytest.mark.parametrize("seed", range(4))
def test_what_was_before_the_windows_has_no_influence(seed: int) -> None:
    made = fleet.machine(seed, 100, 40.0)
    for at in at_days(50.3, 71.9, 99.2):
        since = max([0, *(each for each in made.repairs if each <= at)]) // BIN_US * BIN_US
        recent = dict(only(made.readings, lambda times, at=at: times >= at - f.BACK_US))
        recent["engine_hours"] = only(made.readings, lambda times, since=since: times >= since)["engine_hours"]
        assert same(raw(collect(recent, made.repairs), [at]), raw(made.history, [at]))


def test_asked_together_or_each_alone_is_the_same() -> None:
    made = fleet.machine(5, 60, 40.0)
    times = list(range(at_days(20)[0], at_days(60)[0], 5 * HOUR_US))
    together = raw(made.history, times)
    for k, at in enumerate(times):
        assert raw(made.history, [at]).figures[0].tobytes() == together.figures[k].tobytes()


def test_a_drift_shows_in_spreads_of_its_own_normal_and_nothing_before_does() -> None:
    made = fleet.machine(7, 100, 200.0)
    failure = at_days(80)[0]
    vibration = made.readings["gearbox_vibration"]
    drift = np.clip(1 - (failure - vibration[0]) / (6 * DAY_US), 0, 1)
    made.readings["gearbox_vibration"] = (vibration[0], vibration[1] + drift)
    before, after = features(raw(made.history, [failure - 7 * DAY_US, failure]), SPREADS)
    column = [NAMES.index(f"gearbox_vibration_{part}") for part in f.PARTS]
    assert np.abs(before[column[:3]]).max() < 3
    assert after[column[0]] > 5
    assert after[column[3]] > 0.9


def test_load_alone_moves_nothing() -> None:
    made = fleet.machine(8, 60, 200.0)
    times, loads = made.readings[LOAD]
    more = np.where(times > at_days(50)[0], 20.0, 0.0)
    slopes = {"gearbox_temperature": 0.3, "gearbox_vibration": 0.006, "oil_pressure": 0.0}
    heavy = {name: (times, made.readings[name][1] + slopes[name] * more) for name in SENSORS}
    history = collect({**made.readings, **heavy, LOAD: (times, loads + more)})
    row = features(raw(history, at_days(59)), SPREADS)[0]
    z = [row[NAMES.index(f"{sensor}_z72")] for sensor in SENSORS]
    assert np.abs(z).max() < 4
    assert row[NAMES.index("load_72h")] > 60


def test_a_repair_begins_another_life() -> None:
    made = fleet.machine(9, 60, 200.0)
    repair = at_days(40)[0]
    history = collect(made.readings, [repair])
    found = raw(history, [repair - 1, repair, repair + 8 * DAY_US, repair + 13 * DAY_US])
    assert found.is_enough.tolist() == [True, False, False, True]
    hours = features(found, SPREADS)[:, NAMES.index("hours_since_overhaul")]
    assert hours[0] == pytest.approx(40 * 8 * 5 / 7, rel=0.2)
    assert hours[3] == pytest.approx(13 * 8 * 5 / 7, rel=0.3)
    assert f.missing(int(found.days[1]), int(found.recent[1])).startswith("normal not known: 0 of 5 days")


def test_a_machine_that_rests_has_nothing_to_measure() -> None:
    made = fleet.machine(10, 60, 200.0)
    stopped = collect(only(made.readings, lambda times: times < at_days(40)[0]))
    found = raw(stopped, at_days(41, 44))
    assert found.is_enough.tolist() == [True, False]
    assert np.isnan(features(found, SPREADS)[1]).all()
    assert f.missing(int(found.days[1]), int(found.recent[1])).startswith("0.0 of 2 hours of running")


def test_a_counter_that_is_set_back_or_jumps_adds_nothing() -> None:
    made = fleet.machine(11, 40, 200.0)
    times, hours = made.readings["engine_hours"]
    set_back = np.where(times > at_days(20)[0], hours - 900, np.where(times > at_days(10)[0], hours + 5000, hours))
    history = collect({**made.readings, "engine_hours": (times, set_back)})
    place = NAMES.index("hours_since_overhaul")
    told, true = (features(raw(each, at_days(39)), SPREADS)[0, place] for each in (history, made.history))
    assert true - 1 < told <= true


def test_a_sensor_that_is_not_there_is_unknown_and_the_others_are_as_they_were() -> None:
    made = fleet.machine(12, 60, 200.0)
    without = {name: made.readings[name] for name in made.readings if name != "oil_pressure"}
    row, whole = (features(raw(collect(each), at_days(50)), SPREADS)[0] for each in (without, made.readings))
    absent = np.array([name.startswith("oil_pressure") for name in NAMES])
    assert np.isnan(row[absent]).all()
    assert row[~absent].tobytes() == whole[~absent].tobytes()


def test_spreads_are_drawn_towards_the_class_by_days() -> None:
    own = np.array([[1.0, 1.0, 1.0]])
    few, many = (f.typical(np.array([days]), own, Spreads([3.0, 1.0, 1.0]))[0] for days in (5, 20))
    assert few[1:].tolist() == [1.0, 1.0]
    assert 1 < many[0] < few[0] < 3


def test_every_feature_has_a_sign() -> None:
    assert dict(zip(NAMES, signs(), strict=True))["oil_pressure_z24"] == -1
    assert len(signs()) == len(NAMES) == 15
