"""Visits of zones: each rule as a row."""

import pytest
from msgspec.structs import replace

from models.motion import track
from models.motion.fences import Fences
from models.motion.tracking import Track
from tests.models.motion.drives import T0, TRUCK, YARD, S, at, engine, rectangle, stays, whole

IN, OUT, EDGE = (150, 120), (150, 40), (150, 84)
"""In the dock, clearly out of it, and outside within the margin."""
VISITS: dict[str, tuple[str, list[tuple[float, float]]]] = {
    "in and out": ("oiiioo", [(1, 3)]),
    "in once": ("oioo", []),
    "in once, then at the border": ("oieoo", []),
    "in, out, in: never two in a row": ("oioioo", []),
    "in, one fix at the border, in": ("ooieioo", [(2, 4)]),
    "out once": ("oiioiioo", [(1, 5)]),
    "near the border is not out": ("oiieeeeoo", [(1, 6)]),
    "near the border is not in": ("oeeeoo", []),
    "out, near once, out": ("oiioeoeoo", [(1, 2)]),
    "out, near, out": ("oiioeeooo", [(1, 5)]),
    "in once, at the end": ("ooi", []),
    "still in": ("oii", [(1, 2)]),
    "still in, though one fix is outside": ("oiio", [(1, 2)]),
    "twice": ("oiiooiioo", [(1, 2), (5, 6)]),
    "a bad fix is neither": ("oiixoxo", [(1, 2)]),
}


@pytest.mark.parametrize("name", VISITS)
def test_visits(name: str) -> None:
    way, expected = VISITS[name]
    points = {"i": IN, "o": OUT, "e": EDGE, "x": OUT}
    facts = [at(k, *points[c], 0.0, valid=c != "x") for k, c in enumerate(way)]
    params = replace(TRUCK, max_speed_mps=200.0)
    assert stays(whole(facts, params)[1], "dock") == expected


def test_a_visit_names_its_first_and_last_fix_and_when_it_was_known_to_be_over() -> None:
    facts = [at(k * 60, *point, 0.0) for k, point in enumerate([OUT, IN, IN, IN, OUT, OUT, OUT])]
    _, rows = track.fold(TRUCK, None, facts)
    (visit,) = (row for row in rows if row.zone == "dock")
    assert visit.evidence == [facts[1].content.hex(), facts[3].content.hex()]
    assert (visit.closed_at, visit.what, visit.asset) == (facts[5].at, "visit", "TRUCK-1")
    open_ids = [row.id for row in track.close(track.fold(TRUCK, None, facts[:3])[0] or Track("", 0), None)]
    assert visit.id in open_ids, "a visit keeps its id while it lasts"


def test_a_visit_has_the_distance_of_the_legs_that_end_in_it() -> None:
    _, rows = whole([at(k * 60, x, 120, 3.0) for k, x in enumerate((0, 50, 120, 150, 180, 260, 300))])
    (dock,) = (row for row in rows if row.zone == "dock")
    assert dock.distance_mm == pytest.approx(130_000, abs=10)


def test_an_unsure_fix_is_not_outside_by_less_than_its_error() -> None:
    facts = [at(0, *IN), at(60, *IN), *(at(60 * k, *OUT, accuracy_m=25.0) for k in range(2, 6))]
    assert stays(whole(facts)[1], "dock") == [(0, 300)]


def test_a_zone_that_is_declared_no_more_ends_at_the_next_fact() -> None:
    state, rows = track.fold(TRUCK, None, [at(60 * k, *IN, 0.0) for k in range(3)])
    assert rows == []
    later = replace(TRUCK, fences=Fences.of(YARD[:1]))
    state, rows = track.fold(later, state, [at(300, None), at(360, *IN, 0.0)])
    assert [(row.zone, row.end_at, row.closed_at) for row in rows] == [("dock", T0 + 120 * S, T0 + 300 * S)]
    assert state is not None
    assert list(state.visits) == ["yard"]


def test_a_zone_that_moves_away_is_left_as_if_it_had_been_driven_out_of() -> None:
    state, _ = track.fold(TRUCK, None, [at(60 * k, *IN, 0.0) for k in range(3)])
    moved = replace(TRUCK, fences=Fences.of([rectangle("dock", 1110, 1190, 90, 150)]))
    state, rows = track.fold(moved, state, [at(300 + 60 * k, *IN, 0.0) for k in range(3)])
    assert [(row.zone, row.closed_at) for row in rows] == [("yard", T0 + 300 * S), ("dock", T0 + 360 * S)]


SPARSE: dict[str, tuple[list[tuple[float, float, float]], list[tuple[float, float]], str | None]] = {
    "one fix that is clearly in": ([(0, -800, 120), (120, 150, 120), (240, 1100, 120)], [(120, 120)], "fix"),
    "one fix at its border": ([(0, -800, 120), (120, 112, 120), (240, 1100, 120)], [], None),
    "the way goes through it": ([(0, 100, 120), (20, 200, 120)], [(2, 18)], "segment"),
    "the way is long, and the road may go around": ([(0, -800, 120), (120, 1100, 120)], [], None),
    "the way only touches it": ([(0, 100, 143), (20, 200, 143)], [], None),
    "the way goes past it": ([(0, 100, 20), (20, 200, 20)], [], None),
    "close in time": ([(0, -50, 120), (6, 100, 120), (12, 250, 120), (18, 400, 120)], [], None),
    "nobody watched": ([(0, -9000, 120), (700, 9000, 120)], [], None),
}


@pytest.mark.parametrize("name", SPARSE)
def test_visits_between_fixes_that_are_far_apart(name: str) -> None:
    way, expected, method = SPARSE[name]
    _, rows = whole([at(t, x, y, 15.0) for t, x, y in way])
    found = stays(rows, "dock")
    assert found == [pytest.approx(each, abs=1.0) for each in expected]
    assert [row.method for row in rows if row.zone == "dock"] == [method] * len(expected)


def test_who_drives_past_a_fence_is_not_in_it_however_its_receiver_errs() -> None:
    beside = [at(k * 5, 60 + 25 * k, 92 if k in {2, 3, 4} else 85, 5.0) for k in range(8)]
    assert stays(whole(beside)[1], "dock") == []
    within = [at(k * 5, 60 + 25 * k, 99 if k in {2, 3, 4} else 85, 5.0) for k in range(8)]
    assert stays(whole(within)[1], "dock") == [(10, 25)]


@pytest.mark.parametrize(
    ("depth_m", "after_s"), [(7.9, 60), (6.0, 60), (5.5, 120), (4.1, 180), (3.9, 240), (2.05, 900), (0.5, None)]
)
def test_the_shallower_the_longer_it_takes_to_be_in(depth_m: float, after_s: int | None) -> None:
    state = None
    for k in range(30):
        state, _ = track.fold(TRUCK, state, [at(60 * k, 150, 90 + depth_m, 0.0)])
        visit = state.visits["dock"] if state else None
        assert visit is not None
        assert visit.entered == (after_s is not None and 60 * k >= after_s)


def test_two_fixes_in_a_row_are_clearly_in() -> None:
    entered: list[bool] = []
    state = None
    for k, depth_m in enumerate((1.0, 30.0, 1.0, 30.0, 30.0)):
        state, _ = track.fold(TRUCK, state, [at(2 * k, 150, 90 + depth_m, 15.0)])
        assert state is not None
        entered.append(state.visits["dock"].entered)
    assert entered == [False, False, False, False, True]


def test_a_zone_with_a_dwell_has_no_short_visits() -> None:
    fences = Fences.of([replace(YARD[1], dwell_us=300 * S)])
    for minutes, expected in ((4, []), (5, [(60, 360)]), (9, [(60, 600)])):
        stay = [at(60 + 60 * k, *IN, 0.0) for k in range(minutes + 1)]
        gone = [at(120 + 60 * (minutes + k), *OUT, 9.0) for k in range(3)]
        facts = [at(0, *OUT, 9.0), *stay, *gone]
        assert stays(whole(facts, replace(TRUCK, fences=fences))[1], "dock") == expected


def test_a_visit_has_the_version_of_the_zone_in_which_it_began() -> None:
    first = replace(TRUCK, fences=Fences.of([replace(YARD[1], version=11)]))
    state, _ = track.fold(first, None, [at(60 * k, *IN, 0.0) for k in range(3)])
    second = replace(TRUCK, fences=Fences.of([replace(YARD[1], version=12)]))
    state, rows = track.fold(second, state, [at(300 + 60 * k, *OUT, 9.0) for k in range(3)])
    assert [(row.version, row.fixes) for row in rows if row.zone == "dock"] == [(11, 3)]


def test_a_way_on_a_trailer_visits_nothing_on_the_way() -> None:
    facts = [engine(0, on=False), *(at(60 + 20 * k, 0 + 300 * (k > 1), 120, 15.0) for k in range(4))]
    assert stays(whole(facts)[1], "dock") == []
