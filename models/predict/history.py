"""The history of one machine as arrays: what its signals were while it ran, how its hours rose, when it was repaired.

Of each twenty minutes the first reading counts, so that a tracker that tells every few seconds and a file that holds
a reading every twenty minutes make the same history. Twenty minutes count once they are over: what comes later in them
changes nothing, so that features as of a time do not depend on what is known of the time after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Readings = Mapping[str, tuple[Any, Any]]
"""Times and values by name of a signal or meter, in any order and with repeats."""

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
BIN_US = HOUR_US // 3

SENSORS = {"gearbox_temperature": "Cel", "gearbox_vibration": "mm/s", "oil_pressure": "bar"}
"""What shows the state of a gearbox, with its UCUM unit; readings in another unit are not used."""
LOAD, LOAD_UNIT = "engine_load", "%"
METER, METER_UNIT = "engine_hours", "h"
UNITS = {**SENSORS, LOAD: LOAD_UNIT, METER: METER_UNIT}
SIGNALS = (*SENSORS, LOAD)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One machine. Times are microseconds UTC, ascending."""

    bins: Ints
    """The beginning of each twenty minutes in which it ran."""
    values: Floats
    """One row for each of `bins`, one column for each of SIGNALS; NaN where there is no reading."""
    meter_bins: Ints
    meter: Floats
    """The engine hours that the counter showed in each of `meter_bins`."""
    repairs: Ints
    """When its gearbox was as good as new again."""

    def overhauled(self, at: int) -> int | None:
        """The last repair at or before a time."""
        known = int(np.searchsorted(self.repairs, at, side="right"))
        return int(self.repairs[known - 1]) if known else None


def rows_before(bins: Ints, at: int) -> int:
    """How many of these twenty minutes begin before a time."""
    return int(np.searchsorted(bins, at))


def rows_over(bins: Ints, at: int) -> int:
    """How many of these twenty minutes are over at a time."""
    return int(np.searchsorted(bins, at - BIN_US, side="right"))


def collect(readings: Readings, repairs: Any = ()) -> History:  # noqa: ANN401 - anything that makes an array
    """The history of these readings. Twenty minutes without load are not running and left out."""
    thinned = {name: _first(*readings[name]) for name in UNITS if name in readings}
    bins = np.unique(
        np.concatenate([np.empty(0, np.int64), *(thinned[name][0] for name in SIGNALS if name in thinned)])
    )
    values = np.full((len(bins), len(SIGNALS)), np.nan)
    for k, name in enumerate(SIGNALS):
        if name in thinned:
            begins, column = thinned[name]
            values[np.searchsorted(bins, begins), k] = column
    runs = ~(values[:, SIGNALS.index(LOAD)] <= 0)
    meter_bins, meter = thinned.get(METER, (np.empty(0, np.int64), np.empty(0)))
    return History(bins[runs], values[runs], meter_bins, meter, np.unique(np.asarray(repairs, np.int64)))


def _first(times: Any, values: Any) -> tuple[Ints, Floats]:  # noqa: ANN401 - likewise
    """The first reading of each twenty minutes; of two at one time the lesser, for nothing tells their order."""
    at, value = np.asarray(times, np.int64), np.asarray(values, np.float64)
    order = np.lexsort((value, at))
    begins, first = np.unique(at[order] // BIN_US * BIN_US, return_index=True)
    return begins, value[order][first]


def digest(name: str, history: History, failures: Ints) -> str:
    """SHA-256 of everything that is learnt from one machine, the same whatever it was read from."""
    total = sha256(name.encode())
    parts = (history.bins, history.values, history.meter_bins, history.meter, history.repairs, failures)
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(np.ascontiguousarray(part, part.dtype.newbyteorder("<")).tobytes())
    return total.hexdigest()
