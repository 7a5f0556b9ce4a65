"""A machine's normal: the load taken out, centres and spreads that single readings do not move."""

import numpy as np
import pytest

from models.predict.history import BIN_US, SENSORS, SIGNALS
from models.predict.normal import learn


def window(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    load = chance.normal(50, 15, count)
    columns = [70 + 0.4 * load, 2 + 0.01 * load, 4 - 0.005 * load]
    noisy = [column + chance.normal(0, 0.02 * column.mean(), count) for column in columns]
    return np.arange(count, dtype=np.int64) * 3 * BIN_US, np.stack([*noisy, load], axis=1)


def test_the_line_through_the_load_is_found() -> None:
    normal = learn(*window())
    assert normal.per_load == pytest.approx([0.4, 0.01, -0.005], rel=0.3, abs=0.002)
    assert normal.spread == pytest.approx([0.02 * 90, 0.02 * 2.5, 0.02 * 3.75], rel=0.2)
    assert (normal.day_spread < normal.spread).all()
    assert normal.days == 25


def test_single_readings_do_not_count() -> None:
    bins, values = window()
    wild = values.copy()
    wild[::40, :3] = 1000
    assert learn(bins, wild).centre[0] == pytest.approx(learn(bins, values).centre[0], rel=0.05)


def test_at_the_normal_load_there_is_nothing_but_noise() -> None:
    bins, values = window()
    off = learn(bins, values).at_load(values)
    assert np.abs(np.median(off, axis=0)).max() < 1e-9
    assert np.corrcoef(off[:, 0], values[:, 3])[0, 1] == pytest.approx(0, abs=1e-9)


def test_one_load_says_nothing_about_others_and_no_load_nothing_at_all() -> None:
    bins, values = window()
    values[:, 3] = 50.0
    assert learn(bins, values).per_load.tolist() == [0.0, 0.0, 0.0]
    values[:, 3] = np.nan
    assert learn(bins, values).per_load.tolist() == [0.0, 0.0, 0.0]


def test_a_sensor_without_readings_is_unknown() -> None:
    bins, values = window()
    values[:, 1] = np.nan
    normal = learn(bins, values)
    assert np.isnan(normal.centre).tolist() == [False, True, False]
    empty = learn(bins[:0], values[:0])
    assert empty.days == 0
    assert np.isnan(empty.centre).all()
    assert (*SENSORS, "engine_load") == SIGNALS
