"""Visits of zones: an asset is in a zone when two fixes in a row are, and out when two are clearly outside.

Clearly is farther from the border than 10 m and than the fix is sure of: parked two metres inside a fence, a receiver
crosses it a thousand times a day.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from models.ids import derived_id
from models.motion.fix import Spot
from models.motion.geofence import Shape, border_m, contains

RULE = "motion-1"
MARGIN_M = 10.0
TWICE = 2


class Visit(Struct, omit_defaults=True):
    """A zone that an asset is in, since its first fix inside; until a second one it is only `entered` by chance.

    It lasts to the last fix before those that are clearly outside.
    """

    begin_at: int
    end_at: int
    first: bytes
    last: bytes
    entered: bool = False
    outside: int = 0
    mm: int = 0


class Travel(Struct, frozen=True):
    """A visit of a zone, or distance driven, between two moments.

    `closed_at` is when it was known to be over: None if nothing of this asset came after it. A visit's distance are
    the legs that ended in the zone.
    """

    id: str
    asset: str
    what: Literal["visit", "distance"]
    zone: str | None
    begin_at: int
    end_at: int
    closed_at: int | None
    distance_mm: int
    evidence: list[str]


def see(zones: Iterable[Shape], visits: dict[str, Visit], here: Spot, of: tuple[str, int]) -> list[Travel]:
    """Take in one position; `of` is whose, and when it became known. Gives the visits that are over."""
    rows: list[Travel] = []
    lat, lon = here.lat, here.lon
    for shape in zones:
        visit = visits.get(shape.zone)
        if visit is None:
            if shape.south <= lat <= shape.north and contains(shape, lat, lon):
                visits[shape.zone] = Visit(here.at, here.at, here.content, here.content)
        elif contains(shape, lat, lon):
            visit.entered = True
            _stay(visit, here)
        elif not visit.entered:
            del visits[shape.zone]
        elif border_m(shape, lat, lon) >= -max(MARGIN_M, here.accuracy_m):
            _stay(visit, here)
        elif visit.outside + 1 < TWICE:
            visit.outside += 1
        else:
            asset, closed_at = of
            rows += close(asset, {shape.zone: visits.pop(shape.zone)}, closed_at)
    return rows


def drive(visits: Mapping[str, Visit], mm: int) -> None:
    """Add a leg's length to the zones that it ended in."""
    for visit in visits.values():
        if not visit.outside:
            visit.mm += mm


def close(asset: str, visits: Mapping[str, Visit], closed_at: int | None) -> list[Travel]:
    """The rows of visits, by zone."""
    return [_row(asset, zone, visit, closed_at) for zone, visit in sorted(visits.items()) if visit.entered]


def _stay(visit: Visit, here: Spot) -> None:
    visit.end_at, visit.last, visit.outside = here.at, here.content, 0


def _row(asset: str, zone: str, visit: Visit, closed_at: int | None) -> Travel:
    """Its id rests on its begin only: a visit that is found to have lasted longer is the same visit."""
    ident = derived_id(RULE, asset, "visit", zone, str(visit.begin_at), visit.first.hex())
    evidence = list(dict.fromkeys((visit.first.hex(), visit.last.hex())))
    return Travel(ident, asset, "visit", zone, visit.begin_at, visit.end_at, closed_at, visit.mm, evidence)
