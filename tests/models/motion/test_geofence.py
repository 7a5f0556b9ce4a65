"""Zones: what is in, how far the border is, and which zones are refused."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.declared import Circle, Zone
from models.motion.geofence import METRES_A_DEGREE, border_m, contains, problems, shape_of
from tests.models.motion.drives import YARD, circle, degrees, rectangle, shape

DOCK = rectangle("dock", 110, 190, 90, 150)
L_SHAPE = shape(
    "l", Zone("l", polygon=[degrees(*p) for p in [(0, 0), (100, 0), (100, 40), (40, 40), (40, 100), (0, 100)]])
)
ROUND = circle("round", 0, 0, 150)
POINTS = [
    (DOCK, 150, 120, 30),
    (DOCK, 112, 120, 2),
    (DOCK, 107, 120, -3),
    (DOCK, 193, 154, -5),
    (DOCK, 1190, 120, -1000),
    (L_SHAPE, 20, 20, 20),
    (L_SHAPE, 70, 70, -30),
    (L_SHAPE, 43, 44, -3),
    (L_SHAPE, 30, 90, 10),
    (ROUND, 0, 0, 150),
    (ROUND, 90, 120, 0.01),
    (ROUND, 120, 100, -6.205),
]


@pytest.mark.parametrize(("zone", "x", "y", "expected"), POINTS)
def test_distance_to_the_border(zone: object, x: float, y: float, expected: float) -> None:
    here = degrees(x, y)
    assert border_m(zone, *here) == pytest.approx(expected, rel=1e-3, abs=0.02)  # type: ignore[arg-type]
    assert contains(zone, *here) == (expected > 0)  # type: ignore[arg-type]


def test_areas_say_which_zone_is_the_innermost() -> None:
    yard, dock, site = YARD
    assert (yard.area_m2, dock.area_m2) == (pytest.approx(430 * 310, rel=1e-4), pytest.approx(80 * 60, rel=1e-4))
    assert site.area_m2 == pytest.approx(math.pi * 150**2)
    assert all(contains(zone, *degrees(150, 120)) for zone in (yard, dock))


def test_a_ring_that_says_its_first_corner_again_is_the_same_zone() -> None:
    corners = [degrees(0, 0), degrees(50, 0), degrees(50, 50)]
    ring = shape("a", Zone("a", polygon=[*corners, corners[0]]))
    assert ring.corners == shape("a", Zone("a", polygon=corners)).corners
    assert not list(problems(Zone("a", polygon=[*corners, corners[0], corners[0]])))


@given(st.floats(-20, 420), st.floats(-20, 300), st.randoms(use_true_random=False))
def test_the_sign_of_the_distance_is_whether_it_is_in(x: float, y: float, chance: random.Random) -> None:
    corners = [
        (200 + r * math.cos(k * 0.7), 140 + r * math.sin(k * 0.7)) for k in range(9) for r in [chance.uniform(20, 150)]
    ]
    zone = shape("star", Zone("star", polygon=[degrees(*corner) for corner in corners]))
    here = degrees(x, y)
    assert contains(zone, *here) == (border_m(zone, *here) > 0)
    step = abs(border_m(zone, *here)) * 0.99
    aside = [degrees(x + step * math.cos(k), y + step * math.sin(k)) for k in range(6)]
    assert {contains(zone, *each) for each in aside} == {contains(zone, *here)}


def test_zones_across_the_antimeridian_and_at_the_poles() -> None:
    fiji = shape("fiji", Zone("fiji", polygon=[(-17, 179.9), (-17, -179.9), (-16.9, -179.9), (-16.9, 179.9)]))
    assert [contains(fiji, -16.95, lon) for lon in (179.95, -179.95, 180, -180, 179.8, 0)] == [True] * 4 + [False] * 2
    assert border_m(fiji, -16.95, -179.8) == pytest.approx(
        -0.1 * METRES_A_DEGREE * math.cos(math.radians(16.95)), rel=0.01
    )
    ring = shape("ring", Zone("ring", circle=Circle(0, 180, 5000)))
    assert [contains(ring, 0, lon) for lon in (-179.99, 179.99, -179)] == [True, True, False]
    for lat in (90, -90, 89.99):
        pole = shape("pole", Zone("pole", circle=Circle(lat, 10, 5000)))
        assert contains(pole, lat, -170)
        assert not contains(pole, lat * 0.99, 10)
        assert border_m(pole, 0, 0) < -1e6
    top = shape("top", Zone("top", polygon=[(89, 0), (89, 120), (90, 0), (89, -120)]))
    assert not contains(top, 0, 0)
    assert border_m(top, 0, 0) < 0


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=0, max_size=8),
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
)
def test_no_polygon_makes_it_fail(polygon: list[tuple[float, float]], here: tuple[float, float]) -> None:
    zone = Zone("any", polygon=polygon)
    found, made = list(problems(zone)), shape_of("any", zone)
    assert found or made is not None
    if made is not None:
        assert isinstance(contains(made, *here), bool)
        assert math.isfinite(border_m(made, *here))


CORNERS = [degrees(0, 0), degrees(50, 0), degrees(50, 50), degrees(0, 50)]
CROSSED = [CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3]]
TWICE = [CORNERS[0], CORNERS[1], CORNERS[1], CORNERS[0]]
WRONG = [
    (Zone("a"), "polygon, circle, corridor: one of them expected, got none"),
    (Zone("a", polygon=CORNERS, circle=Circle(51, 3, 10)), "polygon, circle, corridor: one of them"),
    (Zone("a", polygon=[]), "polygon: at least 3 corners expected, got 0"),
    (Zone("a", polygon=CORNERS[:2]), "polygon: at least 3 corners expected, got 2"),
    (Zone("a", polygon=TWICE), "polygon: at least 3 corners expected, got 2"),
    (Zone("a", polygon=[*CORNERS, (91.0, 3.0)]), "polygon[4]: latitude -90 ... 90, longitude -180 ... 180 expected"),
    (Zone("a", polygon=[*CORNERS, (1e308, 1e308)]), "polygon[4]: latitude"),
    (Zone("a", polygon=CROSSED), "polygon: its edges may not cross, those that begin at"),
    (Zone("a", polygon=[degrees(0, 0), degrees(50, 0), degrees(20, 0)]), "polygon: an area of 1 square metre or more"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "expected"), WRONG)
def test_zones_that_are_refused(zone: Zone, expected: str) -> None:
    assert [text.startswith(expected) for text in problems(zone)] == [True]


def test_what_is_no_zone_has_no_shape() -> None:
    assert [shape_of("a", zone) for zone, text in WRONG if "cross" not in text and "area" not in text] == [None] * 7
    assert shape_of("a", Zone("a", polygon=[*CORNERS, (1e308, 1e308), (1e308, 3.0)])) is None


def test_zones_of_the_example_are_right() -> None:
    assert not [text for corners in ([*CORNERS], CORNERS[::-1]) for text in problems(Zone("a", polygon=corners))]
    assert not list(problems(Zone("a", circle=Circle(51, 3, 10))))
    round_about = [degrees(200 * math.cos(k / 80), 200 * math.sin(k / 80)) for k in range(500)]
    assert not list(problems(Zone("many corners", polygon=round_about)))
