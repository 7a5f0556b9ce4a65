"""Why a risk is what it is: what sets this machine apart from its own normal, in the sensors' units.

A reason weighs as much as the risk falls when what it is about is set to normal. What a sensor showed and what is
normal for this machine at the load it ran at stand beside it, and since when it has been away from it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import floor, log10

import numpy as np
from msgspec import Struct

from models.predict.alarm import Reason
from models.predict.features import NAMES, PARTS, SHORT, Normals, Raw, Spreads, last, raw, typical
from models.predict.history import (
    DAY_US,
    LOAD,
    LOAD_UNIT,
    METER_UNIT,
    SENSORS,
    Floats,
    History,
    rows_before,
    rows_over,
)
from models.predict.registry import Model
from models.reading import from_micros

MOST = 3
LEFT = 3.0
"""Spreads from its normal: a sensor has left it."""
SINCE_US = 14 * DAY_US
HOURS = "hours_since_overhaul"
GROUPS = {
    **{sensor: tuple(f"{sensor}_{part}" for part in PARTS) for sensor in SENSORS},
    LOAD: ("load_72h",),
    HOURS: (HOURS,),
}
"""What may be a reason, and the features that it stands behind."""
WORDS = {
    "gearbox_temperature": ("gearbox temperature", "°C", 1),
    "gearbox_vibration": ("gearbox vibration", "mm/s", 1),
    "oil_pressure": ("oil pressure", "bar", 1),
    LOAD: ("engine load", "%", 0),
}


class Scored(Struct, frozen=True):
    """What is said of one machine at one time."""

    risk: float
    reasons: list[Reason]


def score(model: Model, history: History, at: int) -> Scored | Raw:
    """The risk as of a time with its top reasons; or what is known, where that is not enough (`features.missing`)."""
    found = raw(history, [at])
    if not found.is_enough[0]:
        return found
    row = model.features(found)[0]
    risk, falls = _falls(model, row)
    top = sorted(falls, key=lambda group: (-falls[group], -_distance(row, group)))[:MOST]
    told = _Told(model, history, at, found)
    return Scored(risk, [told.reason(group, falls[group]) for group in top])


def _falls(model: Model, row: Floats) -> tuple[float, dict[str, float]]:
    """The risk, and how much of it is gone when one of GROUPS that has readings is normal: between 0 and 1."""
    rows = np.tile(row, (1 + len(GROUPS), 1))
    for k, names in enumerate(GROUPS.values(), 1):
        for name in names:
            place = NAMES.index(name)
            if not np.isnan(row[place]):
                rows[k, place] = _normal(model, name)
    risk, *others = model.risks(rows).tolist()
    fallen = [min(max((risk - other) / max(risk, 1e-12), 0.0), 1.0) for other in others]
    there = {group: not np.isnan(row[NAMES.index(names[0])]) for group, names in GROUPS.items()}
    return risk, {group: fall for group, fall in zip(GROUPS, fallen, strict=True) if there[group]}


def _normal(model: Model, name: str) -> float:
    """A sensor's features are 0 when it is at its normal; for the others what is usual stands."""
    return 0.0 if any(name in GROUPS[sensor] for sensor in SENSORS) else model.card.usual[NAMES.index(name)]


def _distance(row: Floats, group: str) -> float:
    return float(np.nan_to_num(np.abs(row[NAMES.index(f"{group}_z24")]))) if group in SENSORS else 0.0


class _Told:
    """Figures and words for the reasons of one machine at one time."""

    def __init__(self, model: Model, history: History, at: int, found: Raw) -> None:
        self._history, self._at, self._found = history, at, found
        self._normal = Normals(history).at(at)
        self._spread = typical(found.days, found.day_spread, Spreads(model.card.spreads))[0]
        since = max(history.overhauled(at) or 0, at - SINCE_US)
        self._begin, self._end = rows_before(history.bins, since), rows_over(history.bins, at)

    def reason(self, group: str, share: float) -> Reason:
        share = round(share, 3)
        if group == HOURS:
            hours = round(float(self._found.figures[0, -2]), 1)
            since = "the last overhaul" if self._history.overhauled(self._at) is not None else "the first reading"
            text = f"{hours:,.0f} engine hours since {since}"
            return Reason(HOURS, hours, None, None, METER_UNIT, None, share, text)
        name, unit, digits = WORDS[group]
        if group == LOAD:
            value, normal = float(self._found.figures[0, -3]), self._normal.load
            text = f"{name} {value:.0f} {unit} over the last 72 h, this machine's normal is {normal:.0f} {unit}"
            return Reason(LOAD, round(value, 1), round(normal, 1), None, LOAD_UNIT, None, share, text)
        k = [*SENSORS].index(group)
        value, normal, spread = self._sensor(k)
        left = self._left(k)
        digits = max(digits, min(3, -floor(log10(max(spread, 1e-6)))))
        text = f"{name} {value:.{digits}f} {unit} over the last 24 h, this machine's normal is "
        text += f"{normal:.{digits}f} ± {spread:.{digits}f}"
        when = None if left is None else from_micros(left)
        if when is not None:
            text += f", since {_moment(when, from_micros(self._at))}"
        return Reason(group, round(value, 3), round(normal, 3), round(spread, 3), SENSORS[group], when, share, text)

    def _sensor(self, k: int) -> tuple[float, float, float]:
        """The mean of the last 24 hours, what is normal at their load, and the spread."""
        rows = self._history.values[: self._end]
        rows = rows[last(self._history.bins[: self._end], SHORT) :]
        rows = rows[~np.isnan(rows[:, k])]
        value = float(rows[:, k].mean())
        return value, value - float(self._normal.at_load(rows)[:, k].mean()), float(self._spread[k])

    def _left(self, k: int) -> int | None:
        """The first of the latest times without a break at which the mean of 24 hours had left the normal."""
        left = None
        for begin, off in self._back(k):
            if abs(off) <= LEFT * self._spread[k]:
                break
            left = begin
        return left

    def _back(self, k: int) -> Iterator[tuple[int, float]]:
        """The mean of the 24 hours up to each reading, from the last one back."""
        bins = self._history.bins[self._begin : self._end]
        off = self._normal.at_load(self._history.values[self._begin : self._end])[:, k]
        for end in range(len(bins), 0, -1):
            recent = off[last(bins[:end], SHORT) : end]
            if not np.isnan(recent).all():
                yield int(bins[end - 1]), float(np.nanmean(recent))


def _moment(when: datetime, now: datetime) -> str:
    day = f"{when:%a}" if now - when < timedelta(days=6) else f"{when.day} {when:%b}"
    return f"{day} {when:%H:%M} UTC"
