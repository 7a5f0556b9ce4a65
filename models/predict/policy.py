"""From risks to alerts, and the threshold that costs least.

An alert is in force from when the risk reaches the threshold, for three days at least, until the risk has fallen well
below it or the machine was repaired. What a threshold costs is counted over alerts and failures, never over rows: a
planner is called by alerts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.predict.alarm import AHEAD_US, CLOSED_BELOW, LASTS_US, NOTICE_US
from models.predict.card import Costs
from models.predict.history import Bools, Floats, Ints
from models.predict.labels import Machine

TRIED = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a threshold would have done to some machines."""

    failures: int = 0
    announced: int = 0
    alerts: int = 0
    false: int = 0
    months: float = 0.0
    notices: tuple[int, ...] = ()
    """How long before its failure each announced one was: microseconds."""

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.failures + other.failures,
            self.announced + other.announced,
            self.alerts + other.alerts,
            self.false + other.false,
            self.months + other.months,
            self.notices + other.notices,
        )

    @property
    def false_per_month(self) -> float:
        """False alerts per machine-month; none without machines."""
        return self.false / self.months if self.months else 0.0

    @property
    def share(self) -> float:
        """Of the failures, those that were announced."""
        return self.announced / self.failures if self.failures else float("nan")

    def cost(self, costs: Costs) -> float:
        """In the unit of the costs."""
        return costs.miss * (self.failures - self.announced) + costs.false * self.false + costs.planned * self.announced


def episodes(times: Ints, risks: Floats, repairs: Ints, threshold: float) -> list[tuple[int, int]]:
    """(raised, closed) of each alert; one that is in force at the end is closed after the last time.

    Without a risk (NaN) an alert stays as it is.
    """
    up, down = risks >= threshold, risks < CLOSED_BELOW * threshold
    found: list[tuple[int, int]] = []
    k, end = 0, len(times)
    while (k := _next(up, k)) < end:
        raised = int(times[k])
        over = _next(down, _place(times, raised + LASTS_US))
        repair = int(np.searchsorted(repairs, raised, side="right"))
        if repair < len(repairs):
            over = min(over, _place(times, int(repairs[repair])))
        found.append((raised, int(times[over]) if over < end else int(times[-1]) + 1))
        k = over
    return found


def _place(times: Ints, at: int) -> int:
    return int(np.searchsorted(times, at))


def _next(marks: Bools, k: int) -> int:
    """The first place from k on that is marked; the end if none is."""
    ahead = marks[k:]
    step = int(ahead.argmax()) if len(ahead) else 0
    return k + step if len(ahead) and ahead[step] else len(marks)


def outcome(machine: Machine, risks: Floats, threshold: float) -> Outcome:
    """What a threshold would have done to one machine. An alert is false if no failure came within `AHEAD_US`."""
    alerts = episodes(machine.raw.times, risks, machine.repairs, threshold)
    failures: list[int] = machine.failures.tolist()
    notices = [
        min(told)
        for failure in failures
        if (told := [failure - raised for raised, closed in alerts if _announces(raised, closed, failure)])
    ]
    false = sum(not any(raised <= failure <= raised + AHEAD_US for failure in failures) for raised, _ in alerts)
    return Outcome(len(failures), len(notices), len(alerts), false, machine.months, tuple(notices))


def _announces(raised: int, closed: int, failure: int) -> bool:
    return failure - AHEAD_US <= raised <= failure - NOTICE_US < closed


def choose(
    machines: Sequence[Machine], risks: Sequence[Floats], costs: Costs
) -> tuple[float, list[tuple[float, Outcome]]]:
    """The threshold that costs least within the budget, and all that were tried.

    The highest risk of all is always tried and never beaten by one that breaks the budget; give risks of machines that
    the model has not learnt from.
    """
    every = np.concatenate([each[~np.isnan(each)] for each in risks])
    tried = np.unique(np.quantile(every, 1 - np.geomspace(1e-4, 0.5, TRIED)))
    curve = [
        (float(t), sum((outcome(m, r, t) for m, r in zip(machines, risks, strict=True)), Outcome())) for t in tried
    ]
    allowed = [point for point in curve if point[1].false_per_month <= costs.budget] or curve[-1:]
    return min(allowed, key=lambda point: (point[1].cost(costs), -point[0]))[0], curve
