"""Thousands of fences: how many positions a second are asked, beside asking each; and fixes with all their effects."""

import math
import random
from time import perf_counter
from typing import Any

import pytest
from msgspec.structs import replace

from models.declared import Zone
from models.motion import track
from models.motion.fences import Fences
from models.motion.fix import Heard
from models.motion.geofence import Shape, contains
from models.motion.tracking import Track
from tests.models.motion.drives import TRUCK, at, degrees, engine, shape

FENCES, POINTS, LEAST_POINTS, LEAST_FIXES = 5_000, 400_000, 500_000, 20_000


def twelve_gons(chance: random.Random, towns: int = 0) -> list[Shape]:
    """Zones of 30 to 600 m about their middles in a country of 100 by 100 km; the first are ten times as large."""
    made: list[Shape] = []
    for k in range(FENCES):
        x, y = chance.uniform(-50_000, 50_000), chance.uniform(-50_000, 50_000)
        size = chance.uniform(30, 600) * (10 if k < towns else 1)
        ring = [(x + size * math.cos(a * math.tau / 12), y + size * math.sin(a * math.tau / 12)) for a in range(12)]
        made.append(shape(str(k), Zone(str(k), polygon=[degrees(*corner) for corner in ring])))
    return made


@pytest.mark.parametrize(("towns", "bound"), [(0, LEAST_POINTS), (500, 0)])
def test_fence_lookup(towns: int, bound: int, measure: Any) -> None:
    """With 500 towns every position lies in two zones: no bound was set for that."""
    chance = random.Random(1)
    shapes = twelve_gons(chance, towns)
    fences = Fences.of(shapes)
    points = [degrees(chance.uniform(-50_000, 50_000), chance.uniform(-50_000, 50_000)) for _ in range(POINTS)]
    best, hits = 0.0, 0
    for _ in range(5):
        begin = perf_counter()
        hits = sum(len(fences.at(lat, lon)) for lat, lon in points)
        best = max(best, POINTS / (perf_counter() - begin))
    few = points[:200]
    begin = perf_counter()
    each = sum(contains(one, lat, lon) for lat, lon in few for one in shapes)
    peer = len(few) / (perf_counter() - begin)
    assert each == sum(len(fences.at(lat, lon)) for lat, lon in few)
    check = f"fence lookup, 5,000 fences of 12 corners, {hits / POINTS:.2f} of them at a position"
    row = {"group": "motion", "check": check, "unit": "points/s", "value": best}
    facts = {"peer": "asking every fence", "peer_value": peer, "bound": f">= {bound}" if bound else None}
    measure(row | facts, ok=best >= bound)


def days(chance: random.Random) -> list[Heard]:
    """A truck: driving with a fix each 5 s, standing about in between, its engine on and off."""
    facts: list[Heard] = []
    t, x, y = 0.0, 0.0, 0.0
    while len(facts) < 60_000:
        course, speed = chance.uniform(0, math.tau), chance.uniform(4, 22)
        facts.append(engine(t, on=True))
        for _ in range(chance.randint(50, 300)):
            t += 5
            course += chance.gauss(0, 0.05)
            x, y = x + 5 * speed * math.cos(course), y + 5 * speed * math.sin(course)
            if max(abs(x), abs(y)) > 49_000:
                course += math.pi
            facts.append(at(t, x + chance.gauss(0, 3), y + chance.gauss(0, 3), speed, hdop=0.9))
        for _ in range(chance.randint(20, 100)):
            t += 5
            facts.append(at(t, x + chance.gauss(0, 3), y + chance.gauss(0, 3), 0.0, hdop=0.9))
        facts.append(engine(t + 1, on=False))
        t += chance.uniform(100, 4000)
    return facts


def test_fixes_with_all_their_effects(measure: Any) -> None:
    chance = random.Random(2)
    params = replace(TRUCK, fences=Fences.of(twelve_gons(chance)))
    facts = days(chance)
    best, rows = 0.0, []
    for _ in range(3):
        begin = perf_counter()
        state: Track | None = None
        rows = []
        for low in range(0, len(facts), 50):
            state, emitted = track.fold(params, state, facts[low : low + 50])
            rows += emitted
        best = max(best, len(facts) / (perf_counter() - begin))
    kinds = {row.what for row in rows}
    assert kinds == {"trip", "stop", "visit", "distance"}
    row = {"group": "motion", "check": "fix -> quality, trips, stops, distance, visits; 5,000 fences, 50 at a time"}
    facts_of = {"unit": "fixes/s", "value": best, "bound": f">= {LEAST_FIXES}"}
    measure(row | facts_of, ok=best >= LEAST_FIXES)
