"""The index of zones: the same answer as asking each zone, for positions and for ways."""

import math
import random

import pytest

from models.declared import Circle, Corridor, Zone
from models.motion.fences import Fences, passage
from models.motion.geofence import Shape, border_m, contains, problems, shape_of
from tests.models.motion.drives import circle, degrees, rectangle

ROAD = Corridor([degrees(0, 0), degrees(1000, 0), degrees(1000, 500)], 20.0)


def some_shapes(chance: random.Random, count: int, around: tuple[float, float] = (51.0, 3.7)) -> list[Shape]:
    """Zones of every kind and size about a place."""
    made: list[Shape | None] = []
    for k in range(count):
        lat, lon = around[0] + chance.gauss(0, 0.3), (around[1] + chance.gauss(0, 0.5) + 180) % 360 - 180
        size = 10 ** chance.uniform(-4, 0)
        match k % 3:
            case 0:
                ring = [
                    (lat + size * math.sin(a) * r, (lon + size * math.cos(a) * r + 180) % 360 - 180)
                    for a in (j * math.tau / 12 for j in range(12))
                    for r in [chance.uniform(0.4, 1)]
                ]
                made.append(shape_of(str(k), Zone(str(k), polygon=ring)))
            case 1:
                made.append(shape_of(str(k), Zone(str(k), circle=Circle(lat, lon, min(1e5, 2e4 * size + 5)))))
            case _:
                line = [(lat, lon), (lat + size, lon), (lat + size / 2, min(180, lon + size))]
                made.append(shape_of(str(k), Zone(str(k), corridor=Corridor(line, chance.uniform(1, 500)))))
    return [shape for shape in made if shape is not None]


@pytest.mark.parametrize("around", [(51.0, 3.7), (-16.9, 179.9), (0.0, 0.0), (89.5, 10.0)])
def test_the_index_finds_what_asking_every_zone_finds(around: tuple[float, float]) -> None:
    chance = random.Random(1)
    shapes = some_shapes(chance, 150, around)
    fences = Fences.of(shapes)
    hits = 0
    for _ in range(800):
        lat = min(90.0, around[0] + chance.gauss(0, 0.3))
        lon = (around[1] + chance.gauss(0, 0.5) + 180) % 360 - 180
        found = sorted(shape.zone for shape in fences.at(lat, lon))
        assert found == sorted(shape.zone for shape in shapes if contains(shape, lat, lon))
        hits += len(found)
    assert hits > 300


def test_a_way_finds_every_zone_that_it_goes_through() -> None:
    chance = random.Random(2)
    shapes = some_shapes(chance, 150)
    fences = Fences.of(shapes)
    crossed = 0
    for _ in range(60):
        begin = (51.0 + chance.gauss(0, 0.3), 3.7 + chance.gauss(0, 0.5))
        end = (begin[0] + chance.gauss(0, 0.02), begin[1] + chance.gauss(0, 0.03))
        near = {shape.zone for shape in fences.near_way(begin, end)}
        steps = [tuple(a + (b - a) * k / 200 for a, b in zip(begin, end, strict=True)) for k in range(201)]
        for shape in shapes:
            deepest = max(border_m(shape, lat, lon) for lat, lon in steps)  # type: ignore[misc]
            if deepest > 5:
                crossed += 1
                assert shape.zone in near
                found = passage(shape, begin, end)
                assert found is not None
                assert found.deepest_m == pytest.approx(deepest, abs=25)
    assert crossed > 60


def test_where_a_way_is_in_a_zone() -> None:
    dock = rectangle("dock", 110, 190, 90, 150)
    found = passage(dock, degrees(-150, 120), degrees(450, 120))
    assert found is not None
    assert (found.begin * 600, found.end * 600, found.deepest_m) == pytest.approx((260, 340, 30), abs=3.1)
    assert passage(dock, degrees(-150, 160), degrees(450, 160)) is None
    assert passage(circle("c", 0, 0, 50), degrees(-200, 0), degrees(-100, 0)) is None
    assert passage(dock, degrees(1, 1), degrees(1, 1)) is None


CORRIDOR = [(500, 0, 10), (500, 9, 1), (500, 11, -1), (-8, 0, 2), (-12, 0, -2), (1000, 250, 10), (1009, -1, 0.94)]


@pytest.mark.parametrize(("x", "y", "expected"), CORRIDOR)
def test_a_corridor(x: float, y: float, expected: float) -> None:
    road = shape_of("road", Zone("road", corridor=ROAD))
    assert road is not None
    assert border_m(road, *degrees(x, y)) == pytest.approx(expected, abs=0.05)
    assert contains(road, *degrees(x, y)) == (expected > 0)
    assert road.area_m2 == pytest.approx(30_000, rel=0.02)


def test_corridors_that_are_refused() -> None:
    same = Corridor([degrees(0, 0), degrees(0, 0)], 5.0)
    assert list(problems(Zone("a", corridor=same))) == ["corridor.line: two different points or more expected"]
    off = Corridor([degrees(0, 0), (91.0, 0.0)], 5.0)
    assert [text[:16] for text in problems(Zone("a", corridor=off))] == ["corridor.line[1]"]
    assert not list(problems(Zone("a", corridor=ROAD)))
    both = Zone("a", corridor=ROAD, circle=Circle(51, 3, 10))
    assert next(iter(problems(both))).endswith("got circle and corridor")
