"""Training: the machines held back are used for nothing else, and the same data and seed give the same model."""

from dataclasses import replace as other

import numpy as np
import pytest

from models.predict.card import encode
from models.predict.labels import Machine
from models.predict.learners import LEARNERS, LOGISTIC
from models.predict.training import NotEnoughData, Settings, split, train
from tests.models.predict import fleet

QUICK = Settings(learners=(LOGISTIC,))


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody is told."""


def test_the_figures_of_the_card() -> None:
    file, card = fleet.trained()
    assert (card.data.machines, card.skill.machines, len(card.held_back)) == (10, 3, 3)
    assert card.data.failures == sum(len(machine.failures) for machine in fleet.machines())
    assert card.skill.failures == sum(len(m.failures) for m in fleet.machines() if m.name in card.held_back)
    assert card.out_of_fold.failures + card.skill.failures == card.data.failures
    assert (card.skill.announced.value or 0) >= 0.5
    assert (card.skill.pr_auc.value or 0) > max(card.skill.base_rate or 1, card.skill.pr_auc_hours_only.value or 1)
    assert 0 < card.threshold < 1
    assert card.costs.budget >= card.out_of_fold.false_per_machine_month.value or len(card.curve) == 1  # type: ignore[operator]
    assert len(file) + len(encode(card)) < 100_000


def test_the_same_again_is_the_same_to_the_byte() -> None:
    told: list[str] = []
    file, card = train(fleet.machines()[::-1], QUICK, lambda what, _done, _total: told.append(what))
    assert (file, encode(card)) == (fleet.trained()[0], encode(fleet.trained()[1]))
    assert set(told) == {"learn: logistic regression", "judge on the machines held back"}


def test_machines_held_back_change_neither_model_nor_threshold() -> None:
    _, card = fleet.trained()
    lazy = [machine if machine.name not in card.held_back else _empty(machine) for machine in fleet.machines()]
    with pytest.raises(NotEnoughData, match="on the machines held back"):
        train(lazy, QUICK, silent)
    worse = [machine if machine.name not in card.held_back else _shifted(machine) for machine in fleet.machines()]
    file, other_card = train(worse, QUICK, silent)
    assert file == fleet.trained()[0]
    assert (other_card.threshold, other_card.out_of_fold) == (card.threshold, card.out_of_fold)
    assert other_card.skill != card.skill


def _empty(machine: Machine) -> Machine:
    return other(machine, failures=np.empty(0, np.int64), repairs=np.empty(0, np.int64))


def _shifted(machine: Machine) -> Machine:
    return other(machine, failures=machine.failures - 20 * fleet.DAY_US)


def test_which_machines_are_held_back_is_chance_of_the_seed() -> None:
    names = [f"M-{k}" for k in range(60)]
    assert len(split(names, 0)) == 20
    assert split(names, 0) == split(names[::-1], 0) != split(names, 1)


def test_too_little_is_said_as_n_of_m() -> None:
    with pytest.raises(NotEnoughData, match="not enough data: 4 machines of 10 needed"):
        train(fleet.machines()[:4], QUICK, silent)
    with pytest.raises(NotEnoughData, match="not enough data: 0 failures of 20 needed"):
        train([_empty(machine) for machine in fleet.machines()], QUICK, silent)


def test_of_several_learners_the_cheapest_is_taken() -> None:
    _, card = train(fleet.machines(), Settings(learners=tuple(LEARNERS)), silent)
    assert {tried.learner for tried in card.tried} == {*LEARNERS}
    assert card.learner == min(card.tried, key=lambda tried: (tried.cost, -(tried.pr_auc or 0))).learner
