"""Drives are possible: never faster than allowed, never a jump, slow in bends, and roads are the same both ways."""

import random
from itertools import pairwise
from math import dist

import pytest

from simulators.kinematics import ENGINES, SLOWEST_MPS, drive, real_way, winding
from simulators.yard import NODES, SITE_2, route, way


def lots() -> list[tuple[float, float]]:
    chance = random.Random(7)
    return [(chance.uniform(-300, 300), chance.uniform(-300, 300)) for _ in range(chance.randint(2, 7))]


@pytest.mark.parametrize("kind", ["truck", "crane"])
@pytest.mark.parametrize(
    "points", [lots(), [(0, 0), (3, 1)], [(0, 0), (50, 0), (0, 0)], way((220, 220), SITE_2).points]
)
def test_a_drive_is_possible(points: list[tuple[float, float]], kind: str) -> None:
    engine, cruise_mps = ENGINES[kind], 12.0 if kind == "truck" else 1.5
    it = drive(real_way(points), cruise_mps, engine)
    seen = [it.at(ms) for ms in range(0, it.length_ms + 1000, 100)]
    assert seen[0] == (0.0, 0.0)
    assert seen[-1] == (it.route.length_m, 0.0)
    for (metres, speed), (further, later) in pairwise(seen):
        assert -1e-9 <= further - metres <= cruise_mps * 0.1 + 1e-6
        assert -engine.brake * 0.1 - 1e-6 <= later - speed <= engine.pull * 0.1 + 1e-6
        assert 0 <= speed <= cruise_mps + 1e-9


def test_it_slows_down_for_a_corner_and_turns_back_at_a_walk() -> None:
    def slowest(*points: tuple[float, float]) -> float:
        it = drive(real_way(points), 12.0, ENGINES["truck"])
        ends = 100
        return min(speed for metres, speed in map(it.at, range(0, it.length_ms, 50)) if ends < metres < 300)

    assert slowest((0, 0), (200, 0), (400, 0)) == pytest.approx(12.0)
    assert 2 < slowest((0, 0), (200, 0), (200, 200)) < 6
    assert slowest((0, 0), (200, 0), (0, 0)) == pytest.approx(SLOWEST_MPS, abs=0.1)


def test_a_long_road_winds_and_is_the_same_both_ways() -> None:
    village, canal = NODES["village"], NODES["canal"]
    road = winding(village, canal)
    assert road == winding(canal, village)[::-1]
    assert 1.01 < route(tuple(road)).length_m / dist(village, canal) < 1.1
    assert winding((0, 0), (100, 0)) == [(0, 0), (100, 0)]
