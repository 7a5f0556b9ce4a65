"""Visits of zones: each rule as a row."""

import pytest
from msgspec.structs import replace

from models.motion import track
from models.motion.track import Track
from tests.models.motion.drives import T0, TRUCK, YARD, S, at, rectangle, stays, whole

IN, OUT, EDGE = (150, 120), (150, 70), (150, 84)
"""In the dock, clearly out of it, and outside within the margin."""
VISITS: dict[str, tuple[str, list[tuple[float, float]]]] = {
    "in and out": ("oiiioo", [(1, 3)]),
    "in once": ("oioo", []),
    "in once, then at the border": ("oieoo", []),
    "in, out, in, near, in: never two in a row": ("oioieioo", []),
    "out once": ("oiioiioo", [(1, 5)]),
    "near the border is not out": ("oiieeeeoo", [(1, 6)]),
    "near the border is not in": ("oeeeoo", []),
    "out, near, out": ("oiioeoeoo", [(1, 6)]),
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
    later = replace(TRUCK, zones=YARD[:1])
    state, rows = track.fold(later, state, [at(300, None), at(360, *IN, 0.0)])
    assert [(row.zone, row.end_at, row.closed_at) for row in rows] == [("dock", T0 + 120 * S, T0 + 300 * S)]
    assert state is not None
    assert list(state.visits) == ["yard"]


def test_a_zone_that_moves_away_is_left_as_if_it_had_been_driven_out_of() -> None:
    state, _ = track.fold(TRUCK, None, [at(60 * k, *IN, 0.0) for k in range(3)])
    moved = replace(TRUCK, zones=(rectangle("dock", 1110, 1190, 90, 150),))
    state, rows = track.fold(moved, state, [at(300 + 60 * k, *IN, 0.0) for k in range(3)])
    assert [(row.zone, row.closed_at) for row in rows] == [("yard", T0 + 300 * S), ("dock", T0 + 360 * S)]
