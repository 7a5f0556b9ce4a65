"""Fixes for tests: metres east and north of a yard, seconds after a morning; and a yard with zones."""

import math
import random
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from models.declared import Circle, Zone
from models.motion import track
from models.motion.classes import pace
from models.motion.fences import Fences
from models.motion.fix import Heard
from models.motion.geofence import METRES_A_DEGREE, Shape, shape_of
from models.motion.tracking import Track, Tracking
from models.motion.travel import Travel
from models.reading import Fix, from_micros

S, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
T0 = 20_000 * DAY + 6 * HOUR
LAT, LON = 51.06, 3.73
DEVICE = "imei:356307042441013"


def degrees(x: float, y: float) -> tuple[float, float]:
    """(lat, lon) of a point, metres east and north."""
    return LAT + y / METRES_A_DEGREE, LON + x / METRES_A_DEGREE / math.cos(math.radians(LAT))


def at(t: float, x: float | None, y: float = 0.0, speed: float | None = None, **fields: Any) -> Heard:
    """A fix `t` seconds after T0; without x one without a position."""
    lat, lon = (None, None) if x is None else degrees(x, y)
    when = T0 + round(t * S)
    given = {"lat": lat, "lon": lon, "speed_mps": speed, "satellites": 9, "valid": True} | fields
    fix = Fix(DEVICE, from_micros(when), **given)
    return Heard(when, sha256(repr((t, fix)).encode()).digest(), fix)


def engine(t: float, *, on: bool) -> Heard:
    """The engine's state `t` seconds after T0."""
    return Heard(T0 + round(t * S), sha256(repr((t, on)).encode()).digest(), on=on)


def rectangle(ident: str, x1: float, x2: float, y1: float, y2: float) -> Shape:
    return shape(ident, Zone(ident, polygon=[degrees(x1, y1), degrees(x2, y1), degrees(x2, y2), degrees(x1, y2)]))


def shape(ident: str, zone: Zone) -> Shape:
    made = shape_of(ident, zone)
    assert made is not None
    return made


def circle(ident: str, x: float, y: float, radius_m: float) -> Shape:
    return shape(ident, Zone(ident, circle=Circle(*degrees(x, y), radius_m)))


YARD = (
    rectangle("yard", -30, 400, -30, 280),
    rectangle("dock", 110, 190, 90, 150),
    circle("site-2", 9000, 7000, 150),
)
TRUCK = Tracking("TRUCK-1", 50.0, 600 * S, 7200 * S, Fences.of(YARD), "ignition", pace("truck", None), 7)


def whole(facts: Sequence[Heard], params: Tracking = TRUCK) -> tuple[Track, list[Travel]]:
    """The state after them, and every row with what is open."""
    state, rows = track.fold(params, None, facts)
    assert state is not None
    return state, rows + track.close(state, None)


def metres(rows: Sequence[Travel]) -> float:
    return sum(row.distance_mm for row in rows if row.what == "distance") / 1000


def told(rows: Sequence[Travel], what: str) -> list[tuple[float, float]]:
    """(begin, end) of the stretches of a kind, in seconds after T0, in order."""
    return sorted(((row.begin_at - T0) / S, (row.end_at - T0) / S) for row in rows if row.what == what)


def stays(rows: Sequence[Travel], zone: str) -> list[tuple[float, float]]:
    """(begin, end) of the visits of a zone, in seconds after T0."""
    return [((row.begin_at - T0) / S, (row.end_at - T0) / S) for row in rows if row.zone == zone]


def parked(chance: random.Random, correlated_s: float, every_s: float = 10.0, x: float = 0.0) -> list[Heard]:
    """A day of a receiver that stands at (x, 0): 3 m sigma per axis, white or with a correlation time."""
    kept = math.exp(-every_s / correlated_s) if correlated_s else 0.0
    fresh = 3 * math.sqrt(1 - kept * kept)
    dx, dy = chance.gauss(0, 3), chance.gauss(0, 3)
    facts: list[Heard] = []
    for k in range(round(86_400 / every_s)):
        facts.append(at(k * every_s, x + dx, dy, speed=abs(chance.gauss(0, 0.3))))
        dx, dy = kept * dx + chance.gauss(0, fresh), kept * dy + chance.gauss(0, fresh)
    return facts
