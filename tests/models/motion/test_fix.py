"""Quality of one fix, and the distance between two."""

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.motion.fix import EARTH_MM, Spot, distance_mm, flaw, follows, spot
from tests.models.motion.drives import S, at, degrees

FLAWS = [
    ({}, None),
    ({"lat": None}, "no_position"),
    ({"lon": None}, "no_position"),
    ({"valid": False}, "not_valid"),
    ({"valid": None, "satellites": None}, None),
    ({"satellites": 0}, "no_satellites"),
    ({"lat": 0.0, "lon": 0.0}, "null_island"),
    ({"lat": 0.0}, None),
    ({"hdop": 10.0}, None),
    ({"hdop": 10.1}, "hdop"),
    ({"hdop": 99.9, "satellites": 4}, "hdop"),
    ({"accuracy_m": 200.0}, None),
    ({"accuracy_m": 201.0}, "accuracy"),
    ({"altitude_m": 1e300, "speed_mps": -1e300, "course_deg": 1e300}, None),
    ({"lat": 90.0, "lon": -180.0}, None),
]


@pytest.mark.parametrize(("fields", "expected"), FLAWS)
def test_flaws(fields: dict[str, float | None], expected: str | None) -> None:
    assert flaw(at(0, 0, **fields).fix) == expected


@pytest.mark.parametrize(
    ("fields", "accuracy_m", "radius_m"),
    [
        ({}, 0, 20),
        ({"hdop": 0.9}, 3.6, 21.6),
        ({"hdop": 5.0}, 20, 120),
        ({"hdop": 5.0, "accuracy_m": 3.0}, 3, 20),
        ({"hdop": -4.0}, 0, 20),
        ({"accuracy_m": -1.0}, 0, 20),
        ({"accuracy_m": 200.0}, 200, 1200),
    ],
)
def test_how_sure_a_fix_is(fields: dict[str, float], accuracy_m: float, radius_m: float) -> None:
    here = spot(at(0, 0, **fields))
    assert (here.accuracy_m, here.radius_m) == pytest.approx((accuracy_m, radius_m))


@pytest.mark.parametrize(
    ("speed", "drives", "stands"),
    [(None, False, False), (0.0, False, True), (1.5, False, True), (1.6, True, False), (1e9, False, False)],
)
def test_what_a_speed_says(speed: float | None, drives: bool, stands: bool) -> None:  # noqa: FBT001 - a table
    here = spot(at(0, 0, speed=speed, course_deg=400.0))
    assert (here.drives, here.stands, here.course_deg) == (drives, stands, None)


PARIS, BRUSSELS = (48.8566, 2.3522), (50.8503, 4.3517)


def test_distances() -> None:
    assert distance_mm(0, 0, 0, 1) == round(EARTH_MM * pi / 180)
    assert distance_mm(0, 179.5, 0, -179.5) == round(EARTH_MM * pi / 180)
    assert distance_mm(90, 0, 90, 120) == 0
    assert distance_mm(90, 0, -90, 77) == round(EARTH_MM * pi)
    assert distance_mm(0, 0, 0, 180) == round(EARTH_MM * pi)
    assert distance_mm(*PARIS, *BRUSSELS) == pytest.approx(264e6, rel=0.002)
    assert distance_mm(*degrees(0, 0), *degrees(30, 40)) == pytest.approx(50_000, abs=2)


DEGREES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(DEGREES, DEGREES)
def test_any_distance_is_one_both_ways_and_no_more_than_half_around(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    there, back = distance_mm(*a, *b), distance_mm(*b, *a)
    assert abs(there - back) <= 1
    assert 0 <= there <= round(EARTH_MM * pi)
    assert distance_mm(*a, *a) == 0


@pytest.mark.parametrize(
    ("after_s", "away_m", "accuracy_m", "expected"),
    [
        (10, 500, None, True),
        (10, 519, None, True),
        (10, 525, None, False),
        (0, 19, None, True),
        (0, 21, None, False),
        (0, 90, 50.0, True),
        (3600, 100_000, None, True),
    ],
)
def test_what_can_be_reached(after_s: float, away_m: float, accuracy_m: float | None, expected: bool) -> None:  # noqa: FBT001 - a table
    here, there = spot(at(0, 0)), spot(at(after_s, away_m, accuracy_m=accuracy_m))
    assert follows(here, there, 50.0) == expected
    assert follows(Spot(here.at - 60 * S, here.lat, here.lon, b""), there, 50.0)
