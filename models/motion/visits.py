"""Visits of zones: an asset is in a zone when two fixes in a row say so clearly, and out when two do.

Clearly out is farther from the border than the zone's margin and than the fix is sure of: parked two metres inside a
fence, a receiver crosses it a thousand times a day. Clearly in is deeper than twice what the fix is sure of, and less
the longer it lasts: who drives past a fence is not in it.
"""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

from msgspec.structs import replace

from models.motion.fences import Fences, Passage, passage
from models.motion.fix import Spot, distance_mm
from models.motion.geofence import Shape, border_m
from models.motion.travel import Span, Travel, row

TWICE = 2
CLEARLY_M = 4.0
"""For a fix that does not say how sure it is."""
ENTER_SIGMAS, ENTER_US = 2, 60_000_000
"""So deep is in at first; after this time and three times it half as deep, as the middle of independent errors is.

A receiver's error lasts for minutes: of what stands just outside a fence, two fixes in a row say the same.
"""
SPARSE_US = 60_000_000
"""Where fixes are farther apart, a single one that is clearly in is a visit."""
LEAST_WAY_US = 15_000_000
"""Fixes that are closer than this in time see a zone themselves; between others the way does."""
STANDS_SIGMAS = 3
BEND = 0.25
"""A road leaves the straight way between two fixes by so large a share of its length, at a corner."""


class Visit(Span, omit_defaults=True):
    """A zone that an asset is in, since its first fix inside; until it is `entered` only by chance.

    It lasts to the last fix before those that are clearly outside. `version` is that of the zone when it began.
    """

    version: int = 0
    entered: bool = False
    entered_at: int = 0
    """The fix that showed it."""
    depth_m: float = 0.0
    """How far from the border the newest fix is."""
    outside: int = 0


class Seen(NamedTuple):
    """A position that zones are judged on: a fix, or while it stands the middle of its fixes."""

    here: Spot
    stands: bool


def see(fences: Fences, visits: dict[str, Visit], seen: Seen, of: tuple[str, int]) -> list[Travel]:
    """Take in one position; `of` is whose, and when it became known. Gives the visits that are over."""
    rows: list[Travel] = []
    here, asset, closed_at = seen.here, *of
    inside = {shape.zone: shape for shape in fences.at(here.lat, here.lon)}
    for zone, visit in [*visits.items()] if visits else ():
        shape = inside.pop(zone, None)
        if shape is not None:
            _stay(visit, here)
            if not visit.entered:
                _enter(shape, visit, here)
            continue
        shape = fences.shapes[zone]
        if not visit.entered:
            del visits[zone]
            alone = here.at - visit.end_at >= SPARSE_US and not shape.dwell_us
            if alone and visit.depth_m >= _clearly_m(shape, here, visit.end_at - visit.begin_at):
                rows.append(_row(asset, zone, visit, closed_at))
        elif border_m(shape, here.lat, here.lon) >= -_margin_m(shape, seen):
            _stay(visit, here)
        elif visit.outside + 1 < TWICE:
            visit.outside += 1
        else:
            rows.append(_row(asset, zone, visits.pop(zone), closed_at))
    for zone, shape in inside.items():
        depth_m = border_m(shape, here.lat, here.lon)
        visits[zone] = Visit(here.at, here.at, here.content, here.content, version=shape.version, depth_m=depth_m)
    return rows


def pass_through(
    fences: Fences, visits: Mapping[str, Visit], way: tuple[Spot, Spot], of: tuple[str, int]
) -> list[Travel]:
    """Visits of zones that lie on the straight way between two fixes, and that neither of them is in."""
    begin, end = way
    if end.at - begin.at < LEAST_WAY_US or abs(end.lon - begin.lon) > 180:  # noqa: PLR2004 - a half turn
        return []
    asset, closed_at = of
    ends = (begin.lat, begin.lon), (end.lat, end.lon)
    least_m = max(begin.accuracy_m, end.accuracy_m, BEND * distance_mm(*ends[0], *ends[1]) / 1000)
    rows: list[Travel] = []
    for shape in fences.near_way(*ends):
        if shape.zone in visits or shape.dwell_us or any(border_m(shape, *each) >= 0 for each in ends):
            continue
        found = passage(shape, *ends)
        if found is not None and found.deepest_m >= max(least_m, shape.margin_m):
            rows.append(_passed(asset, shape, way, found, closed_at))
    return rows


def drive(visits: Mapping[str, Visit], mm: int) -> None:
    """Add a leg's length to the zones that it ended in."""
    for visit in visits.values():
        if not visit.outside:
            visit.mm += mm


def close(asset: str, visits: Mapping[str, Visit], closed_at: int | None) -> list[Travel]:
    """The rows of visits, by zone."""
    return [_row(asset, zone, visit, closed_at) for zone, visit in sorted(visits.items()) if visit.entered]


def _enter(shape: Shape, visit: Visit, here: Spot) -> None:
    """Another fix in a zone that is not entered yet: it is when this one and the one before are clearly in."""
    before_m, visit.depth_m = visit.depth_m, border_m(shape, here.lat, here.lon)
    lasted = here.at - visit.begin_at
    visit.entered = lasted >= shape.dwell_us and min(before_m, visit.depth_m) >= _clearly_m(shape, here, lasted)
    visit.entered_at = here.at if visit.entered else 0


def _stay(visit: Visit, here: Spot) -> None:
    visit.end_at, visit.last, visit.outside = here.at, here.content, 0
    visit.fixes += 1


def _clearly_m(shape: Shape, here: Spot, lasted: int) -> float:
    """How far in is in, for what has been there for `lasted` microseconds."""
    sure_m = ENTER_SIGMAS * (here.accuracy_m or CLEARLY_M) * sqrt(ENTER_US / (ENTER_US + lasted))
    return min(shape.margin_m, sure_m)


def _margin_m(shape: Shape, seen: Seen) -> float:
    """How far out is out. What has not moved leaves no zone, unless the middle of its fixes is far from it."""
    return max(shape.margin_m, seen.here.accuracy_m * (STANDS_SIGMAS if seen.stands else 1))


def _row(asset: str, zone: str, visit: Visit, closed_at: int | None) -> Travel:
    return replace(row((asset, visit.version), "visit", visit, closed_at, zone), method="fix")


def _passed(asset: str, shape: Shape, way: tuple[Spot, Spot], found: Passage, closed_at: int) -> Travel:
    begin, end = way
    took = end.at - begin.at
    span = Span(begin.at + round(took * found.begin), begin.at + round(took * found.end), begin.content, end.content)
    span.fixes = TWICE
    return replace(row((asset, shape.version), "visit", span, closed_at, shape.zone), method="segment")
