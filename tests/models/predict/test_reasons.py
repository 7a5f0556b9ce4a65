"""Reasons: what sets a machine apart from its own normal, in units, since when, and how much of the risk it is."""

import numpy as np
import pytest

from models.predict.features import Raw
from models.predict.history import DAY_US, HOUR_US, collect
from models.predict.learners import TREES
from models.predict.reasons import Scored, score
from models.reading import micros
from tests.models.predict import fleet

FAILURE = fleet.START + 81 * DAY_US + 12 * HOUR_US
"""A Monday noon in the fleet's weeks of five days."""


def drifting(signal: str, much: float) -> fleet.Made:
    """A machine without failures of its own in which one signal drifts for six days."""
    made = fleet.machine(101, 90, 300.0)
    times, values = made.readings[signal]
    left = (FAILURE - times) / DAY_US
    made.readings[signal] = (times, values + much * np.clip(1 - left / 6, 0, 1))
    return made


def scored(made: fleet.Made, at: int, learner: str = TREES) -> Scored:
    found = score(fleet.model(learner), made.history, at)
    assert isinstance(found, Scored)
    return found


def test_the_sensor_that_drifts_is_the_first_reason() -> None:
    found = scored(drifting("gearbox_vibration", 1.6), FAILURE)
    assert found.reasons[0].signal == "gearbox_vibration"
    assert found.reasons[0].share > 0.3 > found.reasons[1].share
    assert len(found.reasons) == 3
    assert found.risk > scored(drifting("gearbox_vibration", 0.0), FAILURE).risk + 0.3


def test_a_reason_says_what_was_and_what_is_normal() -> None:
    made = drifting("gearbox_vibration", 1.6)
    first = scored(made, FAILURE).reasons[0]
    times, values = made.readings["gearbox_vibration"]
    day = values[(times >= FAILURE - DAY_US) & (times < FAILURE - HOUR_US // 3)]
    usual = values[(times > FAILURE - 30 * DAY_US) & (times < FAILURE - 6 * DAY_US)]
    assert first.value == pytest.approx(day.mean(), abs=0.15)
    assert first.normal == pytest.approx(usual.mean(), abs=0.1)
    assert first.spread is not None
    assert 0.005 < first.spread < 0.2
    assert first.since is not None
    assert FAILURE - 6 * DAY_US < micros(first.since) < FAILURE - 3 * DAY_US
    start = (
        f"gearbox vibration {first.value:.2f} mm/s over the last 24 h, this machine's normal is {first.normal:.2f} ± "
    )
    assert first.text.startswith(start)
    assert first.text.endswith(f", since {first.since:%a %H:%M} UTC")
    assert first.unit == "mm/s"


def test_what_is_near_its_normal_has_not_left_it() -> None:
    reasons = scored(drifting("gearbox_vibration", 0.0), FAILURE).reasons
    assert all(reason.since is None for reason in reasons if reason.signal != "gearbox_temperature")


def test_hours_and_load_have_their_own_words() -> None:
    texts = [
        reason.text
        for at in range(FAILURE - 30 * DAY_US, FAILURE, 10 * DAY_US)
        for reason in scored(drifting("gearbox_vibration", 0.0), at).reasons
    ]
    assert any("engine hours since the first reading" in text for text in texts)
    assert any(text.startswith("engine load ") for text in texts)


def test_a_sensor_that_is_not_there_is_no_reason() -> None:
    made = drifting("gearbox_vibration", 1.6)
    del made.readings["oil_pressure"]
    found = scored(made, FAILURE)
    assert "oil_pressure" not in [reason.signal for reason in found.reasons]


def test_without_enough_data_there_is_no_risk() -> None:
    found = score(fleet.model(), collect({}), FAILURE)
    assert isinstance(found, Raw)
    assert (int(found.days[0]), int(found.recent[0])) == (0, 0)


def test_what_comes_later_changes_no_reason() -> None:
    made = drifting("gearbox_vibration", 1.6)
    cut = {name: (times[times < FAILURE], values[times < FAILURE]) for name, (times, values) in made.readings.items()}
    assert score(fleet.model(TREES), collect(cut), FAILURE) == scored(made, FAILURE)
