"""Quality of one fix, and the distance between two: which positions are good enough to say where an asset was.

A bad fix is counted by its reason and never moves anything. Fixes from the future never come this far: the wire
contract refuses what is more than a day ahead of its receipt.
"""

from math import asin, cos, radians, sin, sqrt

from msgspec import Struct

from models.reading import Fix

EARTH_MM = 6_371_008_800
"""Mean radius R1 = (2a + b) / 3 of GRS 80, whose axes WGS 84 has too (Moritz, Geodetic Reference System 1980)."""
MOST_HDOP = 10.0
MOST_ACCURACY_M = 200.0
FASTEST_MPS = 200.0
"""A speed beyond it is not believed; the register allows no tracker more."""
RANGE_ERROR_M = 4.0
"""Metres of error for one unit of HDOP: half of the 7.8 m (95 %) that the GPS Standard Positioning Service Performance
Standard (4th edition 2008, 3.4.1) allows the signal; for fixes that say only their HDOP."""
LEAST_RADIUS_M = 20.0
SIGMAS = 6
"""A receiver that stands for a day wanders farther than three."""
DRIVES_MPS = 1.5
OUTLIER = "outlier"


class Heard(Struct, frozen=True):
    """One fact and its content hash: a fix, or whether the engine runs; any other only says that time has passed."""

    at: int
    content: bytes
    fix: Fix | None = None
    on: bool | None = None


class Spot(Struct, frozen=True, omit_defaults=True):
    """A good fix: where an asset was at a time, and how sure that is."""

    at: int
    lat: float
    lon: float
    content: bytes
    accuracy_m: float = 0.0
    """One sigma, as stated or from the HDOP; 0: not told."""
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None

    @property
    def radius_m(self) -> float:
        """How far from where it stands a fix like this may be."""
        return max(LEAST_RADIUS_M, SIGMAS * self.accuracy_m)

    @property
    def drives(self) -> bool:
        """Whether its speed says that it drives."""
        return self.speed_mps is not None and self.speed_mps > DRIVES_MPS

    @property
    def stands(self) -> bool:
        """Whether its speed says that it stands; a fix without a speed says neither."""
        return self.speed_mps is not None and self.speed_mps <= DRIVES_MPS


def flaw(fix: Fix) -> str | None:
    """Why a fix by itself is no good, or None."""
    why = None
    if fix.lat is None or fix.lon is None:
        why = "no_position"
    elif fix.valid is False:
        why = "not_valid"
    elif fix.satellites == 0:
        why = "no_satellites"
    elif fix.lat == 0 and fix.lon == 0:
        why = "null_island"
    elif fix.hdop is not None and fix.hdop > MOST_HDOP:
        why = "hdop"
    elif fix.accuracy_m is not None and fix.accuracy_m > MOST_ACCURACY_M:
        why = "accuracy"
    return why


def spot(heard: Heard) -> Spot:
    """A fix without a flaw. Speeds and courses that cannot be are left out."""
    fix = heard.fix
    assert fix is not None  # noqa: S101 - the caller has looked
    assert fix.lat is not None  # noqa: S101 - a fix without a flaw
    assert fix.lon is not None  # noqa: S101 - a fix without a flaw
    accuracy_m = fix.accuracy_m
    if accuracy_m is None or accuracy_m <= 0:
        accuracy_m = 0.0 if fix.hdop is None else max(0.0, fix.hdop) * RANGE_ERROR_M
    speed, course = fix.speed_mps, fix.course_deg
    return Spot(
        heard.at,
        fix.lat,
        fix.lon,
        heard.content,
        accuracy_m,
        speed if speed is not None and 0 <= speed <= FASTEST_MPS else None,
        course if course is not None and 0 <= course <= 360 else None,  # noqa: PLR2004 - a circle
        fix.hdop,
    )


def distance_mm(lat: float, lon: float, to_lat: float, to_lon: float) -> int:
    """Great-circle distance in whole millimetres, on a sphere: 0.6 % off at most (haversine; Sinnott 1984).

    >>> distance_mm(51.0, 3.0, 52.0, 3.0)
    111195080
    """
    phi, to_phi = radians(lat), radians(to_lat)
    across = sin((to_phi - phi) / 2) ** 2 + cos(phi) * cos(to_phi) * sin(radians(to_lon - lon) / 2) ** 2
    return round(2 * EARTH_MM * asin(sqrt(min(1.0, across))))


def follows(before: Spot, after: Spot, max_speed_mps: float) -> bool:
    """Whether an asset can have come from one to the other in the time between, but for noise."""
    gone_mm = distance_mm(before.lat, before.lon, after.lat, after.lon)
    reach_m = max_speed_mps * (after.at - before.at) / 1_000_000 + after.radius_m
    return gone_mm <= reach_m * 1000
