"""How good a model is on machines that it has not learnt from, each figure with an interval over machines.

Machines are drawn anew, never rows: the rows of one machine tell nearly the same thing again and again.
"""

from collections.abc import Callable, Sequence
from math import isnan

import numpy as np
from msgspec import Struct

from models.predict.card import Figure, Skill
from models.predict.history import HOUR_US, Floats, Ints
from models.predict.policy import Outcome

DRAWS = 400
INTERVAL = (0.05, 0.95)


class Rows(Struct, frozen=True):
    """Rows of several machines that have an answer."""

    machine: Ints
    """The number of the machine that each belongs to."""
    is_yes: Ints
    risk: Floats
    hours: Floats


class Precision:
    """Average precision of one order of rows, under any weights of them."""

    def __init__(self, is_yes: Ints, score: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        self._is_yes = is_yes[self._order]
        ordered = score[self._order]
        self._last = np.append(np.flatnonzero(np.diff(ordered)), len(score) - 1)

    def average(self, weight: Floats | None = None) -> float:
        """Mean precision over all that is to be found, in order of score; rows of one score count together."""
        each = np.ones(len(self._order)) if weight is None else weight[self._order]
        found, seen = np.cumsum(each * self._is_yes)[self._last], np.cumsum(each)[self._last]
        if not len(found) or found[-1] <= 0:
            return float("nan")
        precision = np.divide(found, seen, out=np.zeros(len(found)), where=seen > 0)
        return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])


def judge(outcomes: Sequence[Outcome], rows: Rows, seed: int) -> Skill:
    """Every figure, of one outcome for each machine and the rows of all."""
    total = sum(outcomes, Outcome())
    count = len(outcomes)
    draws: Floats = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS).astype(np.float64)
    table = np.array([(o.failures, o.announced, o.false, o.months) for o in outcomes])

    def ratio(above: int, below: int) -> Callable[[Floats], float]:
        return lambda weight: _ratio(float(weight @ table[:, above]), float(weight @ table[:, below]))

    def area(score: Floats) -> Callable[[Floats], float]:
        precision = Precision(rows.is_yes, score)
        return lambda weight: precision.average(weight[rows.machine])

    return Skill(
        machines=count,
        machine_months=round(total.months, 2),
        failures=total.failures,
        alerts=total.alerts,
        announced=_figure(ratio(1, 0), draws),
        false_per_machine_month=_figure(ratio(2, 3), draws),
        notice_h=_known(float(np.median(notices)) / HOUR_US if (notices := total.notices) else float("nan")),
        pr_auc=_figure(area(rows.risk), draws),
        base_rate=_known(float(rows.is_yes.mean()) if len(rows.is_yes) else float("nan")),
        pr_auc_hours_only=_figure(area(rows.hours), draws),
    )


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _figure(of: Callable[[Floats], float], draws: Floats) -> Figure:
    every = [of(draws[k]) for k in range(len(draws))]
    drawn = [value for value in every if not isnan(value)]
    value = of(np.ones(int(draws.shape[1])))
    if not drawn:
        return Figure(_known(value))
    low, high = (float(np.quantile(np.array(drawn), at)) for at in INTERVAL)
    return Figure(_known(value), _known(low), _known(high))


def _known(value: float) -> float | None:
    return None if isnan(value) else round(value, 4)
