"""Machines with their rows, and learners tried on them: each machine is judged by a model that has not seen it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from models.predict import stored
from models.predict.card import Costs, Skill, Tried
from models.predict.features import NAMES, Spreads, features
from models.predict.history import HOUR_US, Bools, Floats, Ints
from models.predict.labels import OPEN, YES, Machine, labels
from models.predict.learners import LEARNERS, Estimator
from models.predict.policy import Outcome, choose, outcome
from models.predict.registry import risks
from models.predict.skill import Precision, Rows, judge

JUDGED_EVERY_US, LEARNT_EVERY_US = 2 * HOUR_US, 6 * HOUR_US
"""Alerts are judged at more times than rows are learnt from: neighbours tell nearly the same."""
FOLDS = 5
HOURS = NAMES.index("hours_since_overhaul")
Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much it is."""


@dataclass(slots=True, eq=False)
class Half:
    """Machines with their rows: one entry for each machine in every list."""

    machines: list[Machine]
    rows: list[Floats]
    answers: list[Ints]
    learnt: list[Bools]
    """Which of the rows have an answer and are learnt from."""

    @classmethod
    def of(cls, machines: list[Machine], spreads: Spreads) -> "Half":
        """Features and labels of machines."""
        answers = [labels(machine) for machine in machines]
        learnt = [
            (answer != OPEN) & machine.raw.is_enough & (machine.raw.times % LEARNT_EVERY_US == 0)
            for machine, answer in zip(machines, answers, strict=True)
        ]
        return cls(machines, [features(machine.raw, spreads) for machine in machines], answers, learnt)

    def table(self, chosen: Sequence[int] | None = None) -> tuple[Floats, Ints]:
        """The rows that some machines, or all, teach, and their answers: 1 for yes."""
        which = range(len(self.machines)) if chosen is None else chosen
        rows = np.concatenate([self.rows[k][self.learnt[k]] for k in which])
        return rows, np.concatenate([(self.answers[k][self.learnt[k]] == YES).astype(np.int64) for k in which])

    def pick(self, found: Sequence[Floats]) -> Floats:
        """Of one risk for each row of each machine, those of the rows of `table`."""
        return np.concatenate([each[learnt] for each, learnt in zip(found, self.learnt, strict=True)])

    def judged(self, found: Sequence[Floats], threshold: float, seed: int) -> Skill:
        """How good these risks are."""
        outcomes = [outcome(m, risk, threshold) for m, risk in zip(self.machines, found, strict=True)]
        rows, answers = self.table()
        number = np.concatenate([np.full(int(learnt.sum()), k) for k, learnt in enumerate(self.learnt)])
        return judge(outcomes, Rows(number, answers, self.pick(found), rows[:, HOURS]), seed)


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A learner, with the risks that its folds gave each machine."""

    tried: Tried
    risks: list[Floats]
    curve: list[tuple[float, Outcome]]


def attempt(half: Half, learner: str, seed: int, costs: Costs, tell: Tell) -> Attempt:
    """Try a learner. The threshold is the cheapest for alerts on machines that its model had not seen."""
    count = len(half.machines)
    order = np.random.default_rng(seed).permutation(count)
    found: list[Floats] = [np.empty(0)] * count
    for fold in range(FOLDS):
        tell(f"learn: {learner}", fold, FOLDS + 1)
        out: set[int] = set(order[fold::FOLDS].tolist())
        estimator = fit(*half.table([k for k in range(count) if k not in out]), learner, seed)
        for k in sorted(out):
            found[k] = risks(estimator, half.rows[k])
    threshold, curve = choose(half.machines, found, costs)
    cost = next(done for tried, done in curve if tried == threshold).cost(costs)
    area = Precision(half.table()[1], half.pick(found)).average()
    size = len(stored.encode(fit(*half.table(), learner, seed)))
    tell(f"learn: {learner}", FOLDS + 1, FOLDS + 1)
    return Attempt(Tried(learner, cost, round(area, 4), threshold, size), found, curve)


def fit(rows: Floats, answers: Ints, learner: str, seed: int) -> Estimator:
    """A fitted learner."""
    estimator = LEARNERS[learner](seed)
    estimator.fit(rows, answers)
    return estimator


def one_thread() -> AbstractContextManager[object]:
    """Numbers are worked on one thread: sums come out the same, and others have the machine too."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - the backend starts without it

    limited: Any = threadpool_limits(limits=1)
    return cast("AbstractContextManager[object]", limited)
