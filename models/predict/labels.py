"""What a model learns from: machines with their failures, and which of their hours led to one.

The question is whether the gearbox fails within the next seven days: long enough to order a part and find a free day,
short enough that what the sensors show has to do with it. Three sorts of hours answer nothing and are left out: those
in which the machine was down, those before a repair that no failure called for (what it prevented is not known), and
the last seven days of what is known, unless a failure came.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.predict.features import Raw
from models.predict.history import DAY_US, Bools, Ints

HORIZON_US = 7 * DAY_US
YES, NO, OPEN = 1, 0, -1


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """One machine as training sees it. Times are microseconds UTC, ascending."""

    name: str
    raw: Raw
    failures: Ints
    repairs: Ints
    span: tuple[int, int]
    """Of its readings."""
    digest: str
    """Of everything that is known of it."""

    @property
    def months(self) -> float:
        """Of thirty days, observed."""
        return (self.span[1] - self.span[0]) / (30 * DAY_US)


def grid(span: tuple[int, int], every_us: int) -> Ints:
    """Times that are whole multiples of `every_us`, within a span."""
    return np.arange(-(-span[0] // every_us) * every_us, span[1] + 1, every_us, dtype=np.int64)


def labels(machine: Machine, horizon_us: int = HORIZON_US) -> NDArray[Any]:
    """YES, NO or OPEN for each of its times."""
    times = machine.raw.times
    failed = within(machine.failures, times, horizon_us)
    repaired = within(machine.repairs, times, horizon_us)
    unknown = ~failed & (repaired | (times + horizon_us > machine.span[1]))
    return np.where(down(machine) | unknown, OPEN, np.where(failed, YES, NO))


def within(events: Ints, times: Ints, span_us: int) -> Bools:
    """Whether an event comes after a time, at most `span_us` later."""
    coming = np.searchsorted(events, times, side="right")
    ahead = np.append(events, np.iinfo(np.int64).max)[coming]
    return ahead <= times + span_us


def down(machine: Machine) -> Bools:
    """Whether it had failed and was not repaired yet."""
    times = machine.raw.times
    failed = np.append(-1, machine.failures)[np.searchsorted(machine.failures, times, side="right")]
    repaired = np.append(-1, machine.repairs)[np.searchsorted(machine.repairs, times, side="right")]
    return (failed >= 0) & (repaired < failed)
