"""The yard plan and the charts as geometry, without a page."""

import math
import random
from itertools import combinations
from typing import Any

import pytest

from backend.api.queries.yard import Seen
from backend.book.places import Place
from backend.web.charts import SIZE, bars, ceiling, line
from backend.web.plan_view import EDGE, LEAST_HEIGHT, MOST_HEIGHT, WIDTH, Ground, busiest, frame, grounds, is_at, way
from backend.web.standing import Standing, standing
from backend.web.yard_plan import CHAR, LINE, MOST_MARKS, SMALL_CHAR, Mark, draw
from models.declared import Asset, Circle, Tracker, Zone
from models.motion.meter import Engine
from models.register import Entry, Register
from tests.asset_book import position

HOUR = 3_600_000_000
NOW = 1_795_424_400_000_000


def square(x: float, y: float, size: float = 40) -> Zone:
    return Zone(
        "Zone", polygon=[position(x, y), position(x + size, y), position(x + size, y + size), position(x, y + size)]
    )


def register_of(**zones: Zone) -> Register:
    return Register.of(Entry("zones", ident, 0, n, zone) for n, (ident, zone) in enumerate(zones.items()))


def seen_at(ident: str, x: float, y: float, zones: tuple[str, ...] = ()) -> tuple[Seen, Standing]:
    lat, lon = position(x, y)
    place = Place("d", lat, lon, NOW, NOW, 0, 4.0, 90.0, 0.9, zones, (), {})
    engine = Engine(on=True, since=NOW - HOUR, last_at=NOW, first="", last="")
    seen = Seen(ident, Asset("A", "s"), Tracker(ident), engine, NOW, place)
    return seen, standing(seen, NOW)


def test_zones_far_apart_are_two_places_and_the_one_with_most_assets_is_drawn() -> None:
    places = grounds(register_of(a=square(0, 0), b=square(200, 0), far=square(9000, 7000)), NOW)
    assert [[one.id for one in each.outlines] for each in places] == [["a", "b"], ["far"]]
    at_far = [position(9000, 7000), position(9010, 7010), position(10, 10)]
    assert [one.id for one in (busiest(places, at_far) or places[0]).outlines] == ["far"]
    assert [one.id for one in (busiest(places, []) or places[1]).outlines] == ["a", "b"]


def test_zones_that_only_a_third_brings_together_are_one_place() -> None:
    zones = {"a": square(0, 0), "b": square(500, 0), "c": square(250, 0)}
    assert len(grounds(register_of(**zones), NOW)) == 1
    assert len(grounds(register_of(a=zones["a"], b=zones["b"]), NOW)) == 2


def test_without_zones_the_assets_that_are_near_each_other_make_the_place() -> None:
    ground = busiest((), [position(0, 0), position(50, 0), position(9000, 0)])
    assert ground is not None
    assert is_at(ground, position(0, 0))
    assert not is_at(ground, position(9000, 0))
    assert busiest((), []) is None


@pytest.mark.parametrize("size", [0.0, 30.0, 400.0, 90_000.0])
@pytest.mark.parametrize("wide", [0.1, 1.0, 10.0])
def test_everything_of_a_place_is_within_the_drawing(size: float, wide: float) -> None:
    low, high = position(0, 0), position(size * wide, size)
    drawing = frame(Ground(low, high))
    assert LEAST_HEIGHT <= drawing.height <= MOST_HEIGHT
    for corner in (low, high, (low[0], high[1])):
        x, y = drawing.xy(corner)
        assert EDGE - 1 <= x <= WIDTH - EDGE + 1
        assert EDGE - 1 <= y <= drawing.height - EDGE + 1
    metres, units = drawing.scale
    assert metres >= 1
    assert math.isclose(units, metres * drawing.per_m, abs_tol=0.1)


def test_north_is_up_and_east_is_right() -> None:
    drawing = frame(grounds(register_of(a=square(0, 0, size=100)), NOW)[0])
    south_west, north_east = drawing.xy(position(0, 0)), drawing.xy(position(100, 100))
    assert north_east[0] > south_west[0]
    assert north_east[1] < south_west[1]


@pytest.mark.parametrize(
    ("x", "y", "towards"), [(0, 5000, "N"), (5000, 0, "E"), (-5000, -5000, "SW"), (-5000, 10, "W")]
)
def test_which_way_another_place_lies(x: float, y: float, towards: str) -> None:
    km, compass = way(position(0, 0), position(x, y))
    assert compass == towards
    assert km == pytest.approx(math.hypot(x, y) / 1000, abs=0.06)


def box(mark: Mark) -> tuple[float, float, float, float]:
    wide = max(len(mark.name) * CHAR, len(mark.words or "") * SMALL_CHAR)
    left = mark.label[0] - {"start": 0, "middle": wide / 2, "end": wide}[mark.anchor]
    return left, mark.label[1] - LINE * 0.8, left + wide, mark.label[1] + LINE


def test_labels_cover_neither_each_other_nor_marks() -> None:
    chance = random.Random(3)
    ground = grounds(register_of(a=square(0, 0, size=400)), NOW)[0]
    assets = [seen_at(f"TRUCK-{k}", chance.uniform(20, 380), chance.uniform(20, 380)) for k in range(7)]
    plan = draw(frame(ground), assets, {})
    assert len(plan.marks) == 7
    for one, other in combinations(map(box, plan.marks), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_a_long_name_is_cut_on_the_plan() -> None:
    ground = grounds(register_of(a=square(0, 0)), NOW)[0]
    (mark,) = draw(frame(ground), [seen_at("X" * 64, 10, 10)], {}).marks
    assert mark.name == "X" * 17 + "…"
    assert mark.turn == 90


def test_many_assets_are_counted_by_zone() -> None:
    ground = grounds(register_of(a=square(0, 0), b=square(100, 0)), NOW)[0]
    assets = [seen_at(f"M-{k}", 10 if k % 3 else 110, 10, ("a",) if k % 3 else ("b",)) for k in range(MOST_MARKS + 1)]
    assets += [seen_at("M-far", 9000, 0), seen_at("M-free", 70, 10)]
    plan = draw(frame(ground), assets, {"a": "Zone A"})
    assert plan.marks == []
    assert {(crowd.name, crowd.count) for crowd in plan.crowds} == {("Zone A", 20), ("b", 11), ("outside the zones", 1)}
    assert [each.seen.id for each in plan.elsewhere] == ["M-far"]


def test_a_round_zone_is_drawn_round() -> None:
    lat, lon = position(0, 0)
    (ground,) = grounds(register_of(a=Zone("Round", circle=Circle(lat, lon, 150))), NOW)
    drawing = frame(ground)
    centre = drawing.xy((lat, lon))
    radii = [math.dist(centre, drawing.xy(corner)) for corner in ground.outlines[0].corners]
    assert max(radii) - min(radii) < 1
    assert draw(drawing, [], {}).areas[0].anchor == "middle"


def engine(*, on: bool) -> Engine:
    return Engine(on=on, since=NOW - HOUR, last_at=NOW, first="", last="")


@pytest.mark.parametrize(
    ("heard_ago_s", "on", "speed", "kind"),
    [
        (1, True, 5.0, "moving"),
        (1, True, 0.3, "idle"),
        (1, False, 0.0, "off"),
        (1, False, 5.0, "off"),
        (1, None, 5.0, "moving"),
        (1, None, 0.0, "off"),
        (599, True, 5.0, "moving"),
        (601, True, 5.0, "silent"),
        (3899, False, 0.0, "off"),
        (3901, False, 0.0, "silent"),
    ],
)
def test_what_an_asset_does(heard_ago_s: int, on: Any, speed: float, kind: str) -> None:
    place = Place("d", 51.0, 3.0, NOW, NOW, 0, speed, None, None, (), (), {})
    known = None if on is None else engine(on=on)
    seen = Seen("A", Asset("A", "s"), Tracker("A"), known, NOW - heard_ago_s * 1_000_000, place)
    assert standing(seen, NOW).kind == kind


def test_a_line_breaks_where_nothing_was_measured() -> None:
    points = [(0, 1.0), (HOUR, 2.0), (9 * HOUR, 3.0), (20 * HOUR, 4.0), (21 * HOUR, 5.0)]
    drawn = line(points, (0, 24 * HOUR), 2 * HOUR, (2.0, 6.0))
    assert drawn is not None
    assert len(drawn.lines) == 2
    assert len(drawn.dots) == 1
    assert drawn.low < 1.0
    assert drawn.high > 6.0
    assert drawn.band is not None
    assert 0 < drawn.band[0] < drawn.band[0] + drawn.band[1] < SIZE
    assert line([], (0, HOUR), HOUR, None) is None


def test_a_level_line_has_a_scale_too() -> None:
    for value in (0.0, 5.0, -3.0):
        drawn = line([(0, value), (HOUR, value)], (0, HOUR), HOUR, None)
        assert drawn is not None
        assert drawn.low < value < drawn.high


def test_bars_stand_on_the_ground_and_the_possible_part_on_the_sure_one() -> None:
    assert ceiling(0) == 1
    (first, second, third) = bars([(2.0, 4.0), (0.0, 0.0), (9.0, 30.0)], 10.0)
    assert (first.sure_y, first.sure, first.open_y, first.open) == (80.0, 20.0, 60.0, 20.0)
    assert (second.sure, second.open) == (0.0, 0.0)
    assert (third.open_y, third.open) == (0.0, 10.0)
    assert first.x + first.width < second.x
    assert bars([], 1.0) == []
