"""A machine's own normal: what its gearbox's sensors show, for the load it runs at, while nothing is wrong.

Learnt from a window of its own past that ends days ago, so that what begins now is measured against what was before.
Temperature, vibration and oil pressure follow the load: what a straight line through the window explains by the load
is taken out first. Centres are medians and spreads are scaled median deviations, so that single readings do not count.
"""

from dataclasses import dataclass

import numpy as np

from models.predict.history import DAY_US, SENSORS, SIGNALS, Floats, Ints

SCALE = 1.4826
"""Times the median deviation: the standard deviation of what is normally distributed."""
LEAST_LOAD_SPREAD = 1.0
"""Percent; below it the window says nothing about other loads."""
_LOAD = len(SENSORS)
assert SIGNALS[:_LOAD] == tuple(SENSORS)  # noqa: S101 - the order that the columns below rely on


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """One value for each of SENSORS, in the sensor's unit; NaN for one that has no readings."""

    days: int
    """Days of the window on which it ran."""
    load: float
    """Percent: the load that `centre` is for."""
    per_load: Floats
    centre: Floats
    spread: Floats
    """Of single readings."""
    day_spread: Floats
    """Of the means of days."""

    def at_load(self, values: Floats) -> Floats:
        """What the sensors would have shown at the normal load, less `centre`: rows of SIGNALS to rows of SENSORS."""
        load = values[:, _LOAD]
        extra = np.where(np.isnan(load), 0.0, load - self.load)
        return values[:, :_LOAD] - np.outer(extra, self.per_load) - self.centre


def learn(bins: Ints, values: Floats) -> Normal:
    """The normal of a window."""
    days = bins // DAY_US
    load = values[:, _LOAD]
    known = load[~np.isnan(load)]
    middle = float(np.median(known)) if len(known) else 0.0
    extra = np.where(np.isnan(load), 0.0, load - middle)
    found = np.array([_sensor(days, extra, values[:, k]) for k in range(_LOAD)])
    per_load, centre, spread, day_spread = found.T
    return Normal(len(np.unique(days)), middle, per_load, centre, spread, day_spread)


def _sensor(days: Ints, extra: Floats, column: Floats) -> tuple[float, float, float, float]:
    there = ~np.isnan(column)
    days, extra, column = days[there], extra[there], column[there]
    if not len(column):
        return (np.nan, np.nan, np.nan, np.nan)
    off = extra - extra.mean()
    variance = float((off * off).mean())
    per_load = float((off * column).mean()) / variance if variance >= LEAST_LOAD_SPREAD**2 else 0.0
    level = column - per_load * extra
    centre, spread = _robust(level)
    _, first = np.unique(days, return_index=True)
    means = np.add.reduceat(level, first) / np.diff(np.append(first, len(level)))
    return per_load, centre, spread, _robust(means)[1]


def _robust(values: Floats) -> tuple[float, float]:
    centre = float(np.median(values))
    return centre, SCALE * float(np.median(np.abs(values - centre)))
