"""The odometer says what was driven, and each machine is where it was last seen, in the zone that is there."""

from collections.abc import Sequence
from decimal import Decimal
from math import cos, hypot, radians

from models.reading import from_micros, micros
from simulators.answers import System
from simulators.answers_fleet import AssetNow, MeterUse
from simulators.answers_fleet import Place as Shown
from simulators.checks.found import Found
from simulators.checks.machine import FASTEST_MPS, Machine
from simulators.truth import Place, Truth
from simulators.yard import LAT, LON, METRES_A_DEGREE, zone

COUNTED_M = 1
"""An odometer counts whole metres, so a difference of two of its values is a metre off at most."""
ROUNDED_M = 0.001
NEAR_M = 30.0
ERROR_M = 12.0
"""A GPS position near a zone's edge may lie on the other side of it: beyond this it does not."""


def odometer(system: System, machines: Sequence[Machine], truth: Truth) -> Found:
    """Compare what the odometer counted from the first to the last record with all that was driven."""
    found = Found("odometer = what was driven")
    total_m = worst_m = 0.0
    for one in machines:
        if one.window is None:
            continue
        meters = system.meters(one.asset, one.window)
        driven_m = sum(day.driven_m for day in truth.machine_days if day.asset == one.asset)
        said = next((each for each in meters if each.meter == "odometer"), None)
        if said is None:
            found.differences.append(f"{one.asset}: no odometer, {driven_m} m driven")
            continue
        total_m += driven_m
        worst_m = max(worst_m, _off_m(one, said, driven_m))
        if _off_m(one, said, driven_m) > COUNTED_M + ROUNDED_M:
            found.differences.append(f"{one.asset}: {said.least} to {said.most} km, {driven_m} m driven")
    found.figures = {"km": round(total_m / 1000, 3), "worst m": round(worst_m, 3)}
    return found


def _off_m(one: Machine, said: MeterUse, driven_m: float) -> float:
    """How far the answer is from the truth, which has what was driven before the first record and after the last."""
    assert one.window is not None  # noqa: S101 - only machines with records are asked about
    outside_us = sum(end - begin for begin, end in one.runs) - one.ran_us(one.window)
    furthest_m = outside_us / 1_000_000 * FASTEST_MPS
    answers = [float(Decimal(text) * 1000) for text in (said.least, said.most)]
    return max(max(driven_m - furthest_m - answer, answer - driven_m, 0.0) for answer in answers)


def places(fleet: Sequence[AssetNow], machines: Sequence[Machine], truth: Truth) -> Found:
    """Compare each machine's place with the true one at its last record."""
    found = Found("place = where it was last seen")
    shown = {one.id: one.place for one in fleet}
    distances: list[float] = []
    for one in machines:
        place = truth.places.get(one.asset)
        if place is None or not one.heard:
            continue
        there = shown.get(one.asset)
        if there is None:
            found.differences.append(f"{one.asset}: no place, {_text(place)} expected")
            continue
        distances.append(_distance_m(place, there))
        _judge(found, one, place, there)
    found.figures = {"machines": len(distances), "farthest m": round(max(distances, default=0.0), 1)}
    return found


def _judge(found: Found, one: Machine, place: Place, there: Shown) -> None:
    """One machine. It may have driven on since its last good position."""
    driven_m = one.ran_us((micros(there.at), micros(place.at))) / 1_000_000 * FASTEST_MPS
    distance_m = _distance_m(place, there)
    inner = there.zones[0] if there.zones else None
    answer = f"{one.asset}: {distance_m:.1f} m from the truth at {from_micros(micros(there.at)):%m-%d %H:%M:%S}"
    if distance_m > NEAR_M + driven_m:
        found.differences.append(f"{answer}: {there.lat}, {there.lon}, {_text(place)} expected")
    elif inner == place.zone:
        found.listed.append(f"{answer}, in {inner or 'no zone'}")
    elif inner in _zones_near(place, ERROR_M + driven_m):
        found.listed.append(f"{answer}, in {inner or 'no zone'}; the truth is in {place.zone or 'none'}, near its edge")
    else:
        found.differences.append(f"{answer}: in {inner or 'no zone'}, {place.zone or 'none'} expected")


def _zones_near(place: Place, reach_m: float) -> set[str | None]:
    """The zones, by the world's own map, that something so near may be in."""
    x, y = _metres(place.lat, place.lon)
    steps = (-1.0, -0.5, 0.0, 0.5, 1.0)
    return {zone((x + east * reach_m, y + north * reach_m)) for east in steps for north in steps}


def _distance_m(place: Place, there: Shown) -> float:
    """As the world measures: metres on the plain of its yard."""
    (x1, y1), (x2, y2) = _metres(place.lat, place.lon), _metres(there.lat, there.lon)
    return hypot(x2 - x1, y2 - y1)


def _metres(lat: float, lon: float) -> tuple[float, float]:
    return (lon - LON) * METRES_A_DEGREE * cos(radians(LAT)), (lat - LAT) * METRES_A_DEGREE


def _text(place: Place) -> str:
    return f"{place.lat}, {place.lon} in {place.zone or 'no zone'}"
