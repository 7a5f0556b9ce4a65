"""Figures of skill: average precision as scikit-learn has it, and intervals over machines, not rows."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from models.predict.policy import Outcome
from models.predict.skill import Precision, Rows, judge


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_scikit_learn(seed: int) -> None:
    chance = np.random.default_rng(seed)
    yes = (chance.random(500) < 0.1).astype(np.int64)
    score = np.round(chance.random(500) + 0.3 * yes, 1)  # with many that are equal
    weight = chance.integers(0, 4, 500).astype(float)
    assert Precision(yes, score).average() == pytest.approx(average_precision_score(yes, score))
    weighted = average_precision_score(yes, score, sample_weight=weight)
    assert Precision(yes, score).average(weight) == pytest.approx(weighted)


def test_a_guess_has_the_base_rate_and_nothing_to_find_no_figure() -> None:
    yes = np.array([1, 0, 0, 0])
    assert Precision(yes, np.zeros(4)).average() == 0.25
    assert np.isnan(Precision(yes * 0, np.zeros(4)).average())


def test_figures_have_intervals_over_machines() -> None:
    outcomes = [Outcome(2, 2, 3, 0, 12.0, (HOUR, 3 * HOUR)), Outcome(2, 0, 1, 1, 12.0), Outcome(0, 0, 0, 0, 12.0)]
    chance = np.random.default_rng(1)
    machine = np.repeat(np.arange(3), 100)
    yes = ((machine < 2) & (chance.random(300) < 0.2)).astype(np.int64)
    skill = judge(outcomes, Rows(machine, yes, yes + chance.random(300), chance.random(300)), 0)
    assert (skill.machines, skill.machine_months, skill.failures, skill.alerts) == (3, 36.0, 4, 4)
    assert (skill.announced.value, skill.announced.low, skill.announced.high) == (0.5, 0.0, 1.0)
    assert skill.false_per_machine_month.value == pytest.approx(1 / 36, abs=1e-4)
    assert skill.notice_h == 2.0
    assert skill.pr_auc.value == 1.0
    assert skill.base_rate == pytest.approx(yes.mean(), abs=1e-4)
    assert 0 < (skill.pr_auc_hours_only.value or 0) < 0.5


def test_without_failures_there_is_no_share_of_them() -> None:
    none = np.zeros(10, np.int64)
    skill = judge([Outcome(months=1.0)], Rows(none, none, np.zeros(10), np.zeros(10)), 0)
    assert skill.announced.value is None
    assert skill.pr_auc.value is None
    assert skill.false_per_machine_month.value == 0.0


HOUR = 3_600_000_000
