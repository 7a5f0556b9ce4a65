"""Features of a machine as of a time: one function for training and for scoring.

Nothing after the time has any influence, and nothing before the windows that it names, so that a machine's last weeks
read from the store give bit for bit what its whole history gives. Every figure is measured against the machine's own
normal (models/predict/normal.py), in its spreads, drawn a little towards those of its class.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from models.predict.history import (
    BIN_US,
    DAY_US,
    HOUR_US,
    LOAD,
    SENSORS,
    SIGNALS,
    Bools,
    Floats,
    History,
    Ints,
    rows_before,
    rows_over,
)
from models.predict.normal import Normal, learn

WINDOW_US, GAP_US = 30 * DAY_US, 5 * DAY_US
"""The normal is that of the 25 days before the last five, from midnight to midnight, since the last repair."""
BACK_US = WINDOW_US + DAY_US
"""How far back signals are looked at."""
RECENT_US = 3 * DAY_US
SLOPE_US, LEAST_SLOPE_DAYS = 7 * DAY_US, 2.0
LEAST_DAYS = 5
"""Of running in the window."""
LEAST_RECENT = 6
"""Of twenty minutes run in the last three days: two hours."""
SHORT, LONG = (DAY_US, 12), (3 * DAY_US, 36)
"""A span before the last reading, and how many readings at least: after a weekend it reaches across it."""
BEYOND = 2.0
"""Spreads of single readings."""
CLASS_DAYS = 10
"""How many days the spread of the class counts for beside the machine's own."""

PARTS = ("z24", "z72", "slope", "beyond")
NAMES = (
    *(f"{sensor}_{part}" for sensor in SENSORS for part in PARTS),
    "load_72h",
    "hours_since_overhaul",
    "share_running",
)
_RAW = len(PARTS) * len(SENSORS) + 3
_LOAD = SIGNALS.index(LOAD)


class Spreads(Struct, frozen=True):
    """What is typical of the class: the spread of the means of days of each of SENSORS, in its unit."""

    day: list[float]


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """What is known of one machine at some times, before anything is known of its class; one row for each time."""

    times: Ints
    days: Ints
    """Of running, in the window of the normal."""
    recent: Ints
    """Twenty minutes run in the last three days."""
    figures: Floats
    """As the features, but in the sensors' units."""
    day_spread: Floats
    """The machine's own, for each of SENSORS."""

    @property
    def is_enough(self) -> Bools:
        """Whether there is a normal to measure against and something to measure."""
        return (self.days >= LEAST_DAYS) & (self.recent >= LEAST_RECENT)


def raw(history: History, times: Iterable[int]) -> Raw:
    """What `features` needs of a machine at ascending times (microseconds); keep it to try other spreads."""
    wanted = np.asarray([*times], np.int64)
    days, recent = np.zeros((2, len(wanted)), np.int64)
    figures, spread = np.full((len(wanted), _RAW), np.nan), np.full((len(wanted), len(SENSORS)), np.nan)
    hours = _Hours(history)
    normals = Normals(history)
    present: tuple[tuple[Normal | None, int], Floats] = ((None, 0), np.empty(0))
    for k, at in enumerate(wanted.tolist()):
        since = history.overhauled(at) or 0
        upto = rows_over(history.bins, at)
        normal = normals.at(at)
        days[k] = normal.days
        recent[k] = upto - _from(history, max(at - RECENT_US, since))
        if normal.days >= LEAST_DAYS and recent[k] >= LEAST_RECENT:
            if (normal, upto) != present[0]:  # the machine may have rested since the last of the times
                begin = _from(history, max(at // DAY_US * DAY_US - WINDOW_US, since))
                rows = (history.bins[begin:upto], history.values[begin:upto])
                present = ((normal, upto), _figures(*rows, normal))
            figures[k, :-2] = present[1]
            figures[k, -2] = hours.since(at)
            figures[k, -1] = (upto - _from(history, at - SLOPE_US)) * BIN_US / SLOPE_US
            spread[k] = normal.day_spread
    return Raw(wanted, days, recent, figures, spread)


def features(found: Raw, spreads: Spreads) -> Floats:
    """One row of NAMES for each time; what is not enough is NaN."""
    day = typical(found.days, found.day_spread, spreads)
    per_sensor = found.figures[:, :-3].reshape(len(found.times), len(SENSORS), len(PARTS)).copy()
    per_sensor[:, :, :3] /= day[:, :, None]
    return np.hstack([per_sensor.reshape(len(found.times), -1), found.figures[:, -3:]])


def typical(days: Ints, own: Floats, spreads: Spreads) -> Floats:
    """The spread of the means of days: the machine's own and that of its class, by how many days each counts for."""
    weight = days[:, None].astype(np.float64)
    of_class = np.asarray(spreads.day)
    squared: Floats = (weight * own**2 + CLASS_DAYS * of_class**2) / (weight + CLASS_DAYS)
    return np.sqrt(squared)


def class_spreads(machines: Sequence[Raw]) -> Spreads:
    """The median over machines of their own median; never 0, so that it can be divided by."""
    own = [np.median(found.day_spread[found.is_enough], axis=0) for found in machines if found.is_enough.any()]
    middle = np.median(np.array(own), axis=0) if own else np.ones(len(SENSORS))
    return Spreads([max(float(value), 1e-6) for value in np.nan_to_num(middle, nan=1.0)])


def missing(days: int, recent: int) -> str:
    """What is not enough, "n of m", for a person."""
    if days < LEAST_DAYS:
        return f"normal not known: {days} of {LEAST_DAYS} days of running, the last five days left out"
    ran, least = recent * BIN_US / HOUR_US, LEAST_RECENT * BIN_US / HOUR_US
    return f"{ran:.1f} of {least:.0f} hours of running in the last three days"


class Normals:
    """The normals of one machine, each made once: it is the same for all times of a day."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._last: tuple[tuple[int, int], Normal] | None = None

    def at(self, at: int) -> Normal:
        """The normal as of a time."""
        since = self._history.overhauled(at) or 0
        midnight = at // DAY_US * DAY_US
        if self._last is None or self._last[0] != (midnight, since):
            begin = _from(self._history, max(midnight - WINDOW_US, since))
            end = max(begin, _from(self._history, midnight - GAP_US))
            self._last = ((midnight, since), learn(self._history.bins[begin:end], self._history.values[begin:end]))
        return self._last[1]


class _Hours:
    """Engine hours since the last overhaul, or since the first reading."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._since: int | None = None
        self._begin = 0
        self._risen = np.empty(0)

    def since(self, at: int) -> float:
        meter_bins, meter = self._history.meter_bins, self._history.meter
        since = self._history.overhauled(at) or 0
        if since != self._since:
            self._since, self._begin = since, rows_before(meter_bins, since)
            rise = np.diff(meter[self._begin :])
            most = (np.diff(meter_bins[self._begin :]) + BIN_US) / HOUR_US  # no counter rises faster than time
            self._risen = np.cumsum(np.where((rise > 0) & (rise <= most), rise, 0.0))
        rises = rows_over(meter_bins, at) - self._begin - 1
        return float(self._risen[rises - 1]) if rises > 0 else 0.0


def _from(history: History, at: int) -> int:
    return rows_before(history.bins, at)


def _end(bins: Ints) -> int:
    return int(bins[-1]) + BIN_US


def last(bins: Ints, span: tuple[int, int]) -> int:
    """Where the last readings begin: those of a span before the last, and at least so many."""
    back, least = span
    return max(0, min(rows_before(bins, _end(bins) - back), len(bins) - least))


def _figures(bins: Ints, values: Floats, normal: Normal) -> Floats:
    """PARTS of each sensor in its unit, and the load; of readings up to the time, at least LEAST_RECENT."""
    short, long = last(bins, SHORT), last(bins, LONG)
    week = rows_before(bins, _end(bins) - SLOPE_US)
    begin = min(week, short, long)
    short, long, week = short - begin, long - begin, week - begin
    off = normal.at_load(values[begin:])
    there = ~np.isnan(off)
    off[~there] = 0.0
    beyond = np.sign(off[long:]) * (np.abs(off[long:]) > BEYOND * normal.spread)
    load = values[begin + long :, _LOAD]
    with np.errstate(invalid="ignore", divide="ignore"):  # a sensor without readings is NaN
        parts = (
            off[short:].sum(axis=0) / there[short:].sum(axis=0),
            off[long:].sum(axis=0) / there[long:].sum(axis=0),
            _slope(bins[begin + week :], off[week:], there[week:]),
            beyond.sum(axis=0) / there[long:].sum(axis=0),
        )
        return np.append(np.stack(parts, axis=1).ravel(), np.nansum(load) / (~np.isnan(load)).sum())


def _slope(bins: Ints, values: Floats, there: Bools) -> Floats:
    """Of a straight line through each column, per day; NaN if it would rest on less than two days."""
    day = (bins - bins[-1]) / DAY_US
    weight = there.astype(np.float64)
    count = weight.sum(axis=0)
    middle = (weight * day[:, None]).sum(axis=0) / count
    off = weight * (day[:, None] - middle)
    slope = (off * values).sum(axis=0) / (off * off).sum(axis=0)
    span = np.where(there, day[:, None], 0.0).min(axis=0, initial=0.0)
    return np.where(span <= -LEAST_SLOPE_DAYS, slope, np.nan)
