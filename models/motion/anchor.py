"""Where an asset stands: the middle of all fixes since it does, which is surer than any of them."""

from msgspec import Struct

from models.motion.fix import Spot
from models.motion.geofence import turn

SCALE = 1_000_000_000
"""Sums are whole numbers of 1e-9 degree."""
SETTLED_US = 60_000_000
"""What crawls is not so long within the radius of a fix."""


class Rest(Struct):
    """Fixes around an anchor: the first of them, and how far all are from it in sum."""

    begin_at: int
    lat: float
    lon: float
    n: int = 1
    north: int = 0
    east: int = 0
    settled: bool = False


def settle(rest: Rest | None, here: Spot) -> Rest:
    """One more fix of the same place."""
    if rest is None:
        return Rest(here.at, here.lat, here.lon)
    rest.n += 1
    rest.settled = rest.settled or here.at - rest.begin_at >= SETTLED_US
    rest.north += round((here.lat - rest.lat) * SCALE)
    rest.east += round(turn(here.lon - rest.lon) * SCALE)
    return rest


def middle(rest: Rest) -> tuple[float, float]:
    """(lat, lon) of the middle.

    >>> middle(settle(settle(None, Spot(0, 51.0, 180.0, b"")), Spot(1, 51.0, -179.998, b"")))
    (51.0, -179.999)
    """
    lon = rest.lon + rest.east / rest.n / SCALE
    return rest.lat + rest.north / rest.n / SCALE, round(turn(lon), 9)
