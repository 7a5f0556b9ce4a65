"""A day of a receiver that stands 2 m inside a fence: what of it is taken for motion."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from random import Random

from models.declared import Zone
from models.motion import track
from models.motion.classes import pace
from models.motion.fences import Fences
from models.motion.fix import Heard
from models.motion.geofence import shape_of
from models.motion.tracking import Tracking
from models.motion.travel import Travel
from models.reading import Fix, from_micros
from simulators.reporting import degrees_of
from tests.motion.months import BEGIN_MS, S

EVERY_S, DAY_S = 10, 86_400
INSIDE_M = 2.0
SIGMAS_M = (3.0, 10.0)
CORRELATED_S = (0.0, 30.0, 120.0, 300.0, 600.0)
IGNITION = ("off", "unknown")
FENCE = tuple(degrees_of(point) for point in ((-INSIDE_M, -100.0), (-INSIDE_M, 100.0), (200.0, 100.0), (200.0, -100.0)))
DEVICE = "imei:356307042441013"


@dataclass(frozen=True)
class Parked:
    """What was made of a day, and what was not to be."""

    metres: float
    trips: int
    transitions: int
    """Of the fence: entered and left."""
    others: int
    """Transported, or a second stop."""


def fixes(seed: int, sigma_m: float, correlated_s: float) -> list[Fix]:
    """The day's fixes; half of the seeds state their accuracy, the others an HDOP, and half of them no speed."""
    chance = Random(f"{seed}/{sigma_m}/{correlated_s}")
    kept = exp(-EVERY_S / correlated_s) if correlated_s else 0.0
    fresh = sigma_m * sqrt(1 - kept * kept)
    x, y = chance.gauss(0, sigma_m), chance.gauss(0, sigma_m)
    made: list[Fix] = []
    for k in range(DAY_S // EVERY_S):
        lat, lon = degrees_of((x, y))
        stated = {"accuracy_m": sigma_m} if seed % 2 else {"hdop": round(sigma_m / 4, 2)}
        speed = None if seed % 4 < 2 else abs(chance.gauss(0, 0.3))
        at = from_micros((BEGIN_MS // 1000 + k * EVERY_S) * S)
        made.append(Fix(DEVICE, at, lat, lon, speed_mps=speed, satellites=9, valid=True, **stated))
        x, y = kept * x + chance.gauss(0, fresh), kept * y + chance.gauss(0, fresh)
    return made


def facts(said: Sequence[Fix], ignition: str) -> list[Heard]:
    """As the fold takes them; an engine that is off is told again and again, as trackers do."""
    made: list[Heard] = []
    for k, fix in enumerate(said):
        at = (BEGIN_MS // 1000 + k * EVERY_S) * S
        if ignition == "off" and k % 30 == 0:
            made.append(Heard(at, k.to_bytes(4, "big"), on=False))
        made.append(Heard(at, (k + (1 << 31)).to_bytes(4, "big"), fix=fix))
    return made


def outcome(heard: Sequence[Heard], category: str = "truck") -> Parked:
    """The day, folded."""
    shape = shape_of("fence", Zone("fence", polygon=[*FENCE]))
    assert shape is not None
    params = Tracking("A-1", 50.0, 600 * S, 7200 * S, Fences.of([shape]), "ignition", pace(category, None), 0)
    state, rows = track.fold(params, None, heard)
    assert state is not None
    return _of(rows + track.close(state, None), heard[-1].at)


def _of(rows: Sequence[Travel], end_at: int) -> Parked:
    visits = [row for row in rows if row.what == "visit"]
    left = sum(row.end_at < end_at for row in visits)
    return Parked(
        sum(row.distance_mm for row in rows if row.what == "distance") / 1000,
        sum(row.what == "trip" for row in rows),
        len(visits) + left,
        sum(row.what == "transported" for row in rows) + max(0, sum(row.what == "stop" for row in rows) - 1),
    )
