"""What a GPS receiver makes of a true position: an error that drifts, moments without a fix, and a rare wild jump.

Error of 3 m sigma per axis with a correlation time of five minutes, as parked receivers show it.
"""

from dataclasses import dataclass
from math import exp, sqrt

from simulators.machines import Segment
from simulators.world import SECOND, Chance
from simulators.yard import Point, lat_lon, zone

SIGMA_M = 3.0
CORRELATED_S = 300.0
NO_FIX_SHARE, ROOF_SHARE = 0.003, 0.15
"""How often there is no fix in the open, and under the workshop's roof."""
JUMP_SHARE = 0.0006
JUMP_M = (20_000, 60_000)
JUMPS_WITHIN_US = 150 * SECOND
"""A jump comes so soon after the record before that nothing on wheels could have driven it."""


@dataclass(frozen=True, slots=True)
class Position:
    """What the receiver says."""

    lat: float
    lon: float
    altitude_m: int
    course_deg: int
    satellites: int
    speed_kmh: int
    hdop_tenths: int


class Receiver:
    """One receiver, asked in order of time."""

    def __init__(self, chance: Chance, jump_share: float = JUMP_SHARE) -> None:
        self._chance = chance
        self._jump_share = jump_share
        self._error = (chance.gauss(0, SIGMA_M), chance.gauss(0, SIGMA_M))
        self._at_us: int | None = None
        self._last: Position | None = None
        self._course_deg = 0

    def position(self, segment: Segment, at_us: int, *, clean: bool = False) -> Position:
        """What it says at a moment of a segment; `clean`: with a fix and without a jump."""
        point, course = segment.place(at_us // 1000)
        speed_kmh = _speed_kmh(segment)
        if course is not None:
            self._course_deg = course
        may_jump = not clean and self._at_us is not None and at_us - self._at_us <= JUMPS_WITHIN_US
        self._drift(at_us)
        kind = self._chance.random()
        no_fix_share = ROOF_SHARE if zone(point) == "workshop" else NO_FIX_SHARE
        if not clean and kind < no_fix_share and self._last is not None:
            last = self._last
            return Position(last.lat, last.lon, last.altitude_m, last.course_deg, 0, 0, 999)
        jumps = may_jump and segment.engine and kind > 1 - self._jump_share
        self._last = self._fix(point, speed_kmh, jumps=jumps)
        return self._last

    def _fix(self, point: Point, speed_kmh: int, *, jumps: bool) -> Position:
        chance = self._chance
        away = (0.0, 0.0)
        if jumps:
            away = (chance.choice((-1, 1)) * chance.uniform(*JUMP_M), chance.choice((-1, 1)) * chance.uniform(*JUMP_M))
        lat, lon = lat_lon((point[0] + self._error[0] + away[0], point[1] + self._error[1] + away[1]))
        satellites, hdop = (4, chance.randint(60, 150)) if jumps else (chance.randint(8, 15), chance.randint(6, 14))
        return Position(lat, lon, 8 + round(chance.gauss(0, 2)), self._course_deg, satellites, speed_kmh, hdop)

    def _drift(self, at_us: int) -> None:
        kept = exp((self._at_us - at_us) / SECOND / CORRELATED_S) if self._at_us is not None else 1.0
        fresh = SIGMA_M * sqrt(1 - kept * kept)
        x, y = self._error
        self._error = (kept * x + self._chance.gauss(0, fresh), kept * y + self._chance.gauss(0, fresh))
        self._at_us = at_us


def _speed_kmh(segment: Segment) -> int:
    if segment.route is None:
        return 0
    return max(1, round(segment.route.length_m / (segment.end_ms - segment.begin_ms) * 3600))
