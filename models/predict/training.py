"""Training: which learner, which threshold, and how good it is on machines that were kept out of everything else.

A third of the machines is held back. The others are judged by models that have not seen them: so the learner and the
threshold are chosen. The chosen learner learns from all of them, and then, once, the machines held back tell how good
it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from models.predict import stored
from models.predict.card import MODEL, MOST_MODEL_BYTES, Card, Costs, Data, Point, stamped
from models.predict.features import NAMES, class_spreads
from models.predict.folds import Half, Tell, attempt, fit, one_thread
from models.predict.history import HOUR_US, Floats, Ints
from models.predict.labels import HORIZON_US, Machine
from models.predict.learners import LEARNERS
from models.predict.policy import Outcome
from models.predict.registry import libraries, risks
from models.reading import from_micros

COMPONENT = "gearbox"
HELD_BACK = 1 / 3
LEAST_MACHINES, LEAST_FAILURES, LEAST_IN_A_HALF = 10, 20, 3


class NotEnoughData(Exception):
    """There is too little to learn from; the message says "n of m"."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train."""

    seed: int = 0
    costs: Costs = field(default_factory=Costs)
    learners: Sequence[str] = (*LEARNERS,)


def split(names: Sequence[str], seed: int) -> set[str]:
    """The machines to hold back: a third of the names, by chance."""
    shuffled = np.random.default_rng(seed).permutation(np.array(sorted(names)))
    return {str(name) for name in shuffled[: round(len(names) * HELD_BACK)]}


def train(machines: Sequence[Machine], settings: Settings, tell: Tell) -> tuple[bytes, Card]:
    """A model's file and its card. Raises NotEnoughData."""
    with one_thread():
        return _train(machines, settings, tell)


def _train(machines: Sequence[Machine], settings: Settings, tell: Tell) -> tuple[bytes, Card]:
    ordered = sorted(machines, key=lambda machine: machine.name)
    held = split([machine.name for machine in ordered], settings.seed)
    learning = [machine for machine in ordered if machine.name not in held]
    judging = [machine for machine in ordered if machine.name in held]
    _check(learning, judging)
    seed, costs, spreads = settings.seed, settings.costs, class_spreads([machine.raw for machine in learning])
    half, kept = Half.of(learning, spreads), Half.of(judging, spreads)
    attempts = [attempt(half, name, seed, costs, tell) for name in settings.learners]
    fitting = [each for each in attempts if each.tried.bytes <= MOST_MODEL_BYTES] or attempts
    best = min(fitting, key=lambda each: (each.tried.cost, -(each.tried.pr_auc or 0.0)))
    tell("judge on the machines held back", 0, 1)
    rows, answers = half.table()
    estimator = fit(rows, answers, best.tried.learner, seed)
    file = stored.encode(estimator)
    threshold = best.tried.threshold
    card = Card(
        model=MODEL,
        version="",
        component=COMPONENT,
        horizon_h=HORIZON_US // HOUR_US,
        learner=best.tried.learner,
        seed=seed,
        features=[*NAMES],
        spreads=spreads.day,
        usual=_usual(rows, answers),
        libraries=libraries(),
        types=stored.types_in(file),
        sha256=sha256(file).hexdigest(),
        data=_data(ordered, answers),
        held_back=sorted(held),
        skill=kept.judged([risks(estimator, each) for each in kept.rows], threshold, seed),
        out_of_fold=half.judged(best.risks, threshold, seed),
        threshold=threshold,
        costs=costs,
        curve=[_point(tried, done, costs) for tried, done in best.curve],
        tried=[each.tried for each in attempts],
    )
    tell("judge on the machines held back", 1, 1)
    return file, stamped(card)


def _check(learning: Sequence[Machine], judging: Sequence[Machine]) -> None:
    count = len(learning) + len(judging)
    if count < LEAST_MACHINES:
        raise NotEnoughData(f"not enough data: {count} machines of {LEAST_MACHINES} needed")
    failures = [sum(len(machine.failures) for machine in half) for half in (learning, judging)]
    if sum(failures) < LEAST_FAILURES:
        raise NotEnoughData(f"not enough data: {sum(failures)} failures of {LEAST_FAILURES} needed")
    if min(failures) < LEAST_IN_A_HALF:
        raise NotEnoughData(
            f"not enough data: {failures[1]} failures of {LEAST_IN_A_HALF} needed on the machines held back; "
            "another seed holds back others"
        )


def _usual(rows: Floats, answers: Ints) -> list[float]:
    """The middle of each feature where no failure followed; 0, which is normal, for a sensor that no machine has."""
    middle = np.nanmedian(np.vstack([rows[answers == 0], np.zeros(rows.shape[1])]), axis=0)
    return [round(float(value), 6) for value in middle]


def _data(machines: Sequence[Machine], answers: Ints) -> Data:
    return Data(
        digest=sha256("".join(sorted(machine.digest for machine in machines)).encode()).hexdigest(),
        machines=len(machines),
        months=round(sum(machine.months for machine in machines), 1),
        failures=sum(len(machine.failures) for machine in machines),
        rows=len(answers),
        yes=int(answers.sum()),
        first=f"{from_micros(min(machine.span[0] for machine in machines)):%Y-%m-%dT%H:%M:%SZ}",
        last=f"{from_micros(max(machine.span[1] for machine in machines)):%Y-%m-%dT%H:%M:%SZ}",
    )


def _point(threshold: float, done: Outcome, costs: Costs) -> Point:
    return Point(
        threshold=threshold,
        cost=round(done.cost(costs), 3),
        announced=done.announced,
        failures=done.failures,
        false_per_machine_month=round(done.false_per_month, 4),
    )
