"""Place and distance: each rule as a row; then any split into batches gives the same, visits too, for any fixes."""

import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.motion import track
from models.motion.fences import Fences
from models.motion.fix import Heard
from models.motion.tracking import Track, Tracking
from models.motion.travel import Travel
from tests.models.motion.drives import (
    DAY,
    HOUR,
    T0,
    TRUCK,
    YARD,
    S,
    at,
    degrees,
    engine,
    metres,
    parked,
    rectangle,
    stays,
    whole,
)

IN, OUT, EDGE = (150, 120), (150, 70), (150, 84)
"""In the dock, clearly out of it, and outside within the margin."""
FAR = 50_000


def road(begin: float, *xs: float, every: float = 60, speed: float | None = 10.0) -> list[Heard]:
    """One fix after the other along y = 0."""
    return [at(begin + k * every, x, speed=speed) for k, x in enumerate(xs)]


KM = [0, 250, 500, 750, 1000]
DISTANCES: dict[str, tuple[list[Heard], float]] = {
    "a straight road": (road(0, *KM), 1000),
    "its speed is not told": (road(0, *KM, speed=None), 1000),
    "it stops at each fix": (road(0, *KM, speed=0.0), 750),
    "it stops at each fix, and then stays": (road(0, *KM, 1003, 1001, speed=0.0), 1000),
    "round a corner": ([*road(0, 0, 250), at(120, 250, 300, 10.0)], 550),
    "within the radius": (road(0, 0, 15, -4, 19, 0, speed=0.0), 0),
    "one fix away, and back": (road(0, 0, 200, 0, 3, 200, 2, speed=0.0), 0),
    "one fix away, and back, its speed not told": (road(0, 0, 200, 0, 3, 200, 2, speed=None), 0),
    "away with an error that large": ([at(0, 0), at(60, 90, accuracy_m=50.0), at(120, 90, accuracy_m=50.0)], 0),
    "pushed aside": (road(0, 0, 30, 31, 29, speed=0.2), 30),
    "creeps": (road(0, *range(0, 101, 5), every=1, speed=2.0), 100),
    "the last part before a stop counts": ([*road(0, *KM), at(300, 1015, speed=0.0)], 1015),
    "the last part before a stop is noise": ([*road(0, *KM), at(300, 1004, speed=0.0)], 1000),
    "one fast fix is no drive": ([at(0, 0, speed=0.0), at(60, 60, speed=9.0), at(120, 0, speed=0.0)], 0),
    "one fix away after it has stopped": ([*road(0, *KM), *road(300, 1000, 1200, 1000, speed=0.0)], 1000),
    "a bad fix between": ([*road(0, 0, 250), at(90, 9e4, valid=False), at(91, None), *road(120, 500, 750)], 750),
    "silent for ten minutes": (road(0, 0, 250, 500, 6500, every=600, speed=0.0)[:3], 250),
    "silent for longer": ([*road(0, 0, 250), *road(1000, 9000, 9250)], 9250),
    "silent for longer, standing before": ([at(0, 0, speed=0.0), *road(1000, 9000, 9250)], 250),
    "silent for longer, standing after": ([*road(0, 0, 250), *road(1000, 9000, 9000, speed=0.0)], 250),
    "silent for longer than parked": ([*road(0, 0, 250), *road(8000, 90_000, 90_250)], 500),
    "carried away while parked": ([at(0, 0, speed=0.0), *road(30_000, 40_000, 40_003, 40_001, speed=0.0)], 0),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distance(name: str) -> None:
    facts, expected = DISTANCES[name]
    state, rows = whole(facts)
    assert metres(rows) == pytest.approx(expected, abs=0.1)
    good = [fact for fact in facts if fact.fix and fact.fix.valid and fact.fix.lat is not None]
    assert state.place is not None
    assert state.place.at == good[-1].at


def spans(facts: list[Heard]) -> list[tuple[int, int, int]]:
    """(begin, end, metres) of the stretches of distance, in seconds after T0."""
    rows = [row for row in whole(facts)[1] if row.what == "distance"]
    return [((row.begin_at - T0) // S, (row.end_at - T0) // S, round(row.distance_mm / 1000)) for row in rows]


def test_distance_is_cut_at_the_hours_in_which_its_legs_end() -> None:
    facts = road(3000, *range(0, 20_000, 500), every=100)
    assert spans(facts) == [(3000, 3500, 2500), (3500, 6900, 17_000)]
    _, rows = track.fold(TRUCK, None, facts)
    first = next(row for row in rows if row.what == "distance")
    assert (first.closed_at, first.evidence) == (T0 + 3600 * S, [facts[0].content.hex(), facts[5].content.hex()])


def test_distance_is_cut_where_it_was_not_observed() -> None:
    assert spans([*road(0, 0, 250), *road(1000, 9000, 9250)]) == [(0, 1060, 9250)]
    assert spans([*road(0, 0, 250), *road(1000, 9000, 9250, 9500, speed=None)]) == [(0, 60, 250), (1000, 1120, 500)]


def test_distance_is_cut_where_it_was_carried() -> None:
    assert spans([*road(0, 0, 250), *road(90, FAR, FAR, FAR + 250, every=30)]) == [(0, 60, 250), (120, 150, 250)]


def test_a_leg_that_is_confirmed_after_the_hour_is_of_the_hour_before() -> None:
    facts = [at(3400, 0, speed=0.0), at(3500, 100, speed=0.0), at(3700, 200, speed=2.0), at(3800, 300, speed=2.0)]
    assert spans(facts) == [(3400, 3500, 100), (3500, 3800, 200)]
    assert spans(road(3400, 0, 100, 200, every=150, speed=None)) == [(3400, 3550, 100), (3550, 3700, 100)]


def test_a_real_move_forgets_what_the_old_place_had_begun() -> None:
    away = [at(0, 0, speed=0.0), at(60, 0, speed=0.0), at(120, 100, speed=0.0)]
    assert spans([*away, *road(130, FAR, FAR + 30, FAR + 60, every=9, speed=0.0)]) == [(130, 139, 30)]
    assert spans([*road(0, 0, 250), *road(70, FAR, FAR + 30, FAR, FAR, every=9, speed=0.0)]) == [(0, 60, 250)]


@pytest.mark.parametrize("last", [at(7300, 9e4, valid=False), at(7300, 1e6), at(7300, 1000)])
def test_any_later_fact_shows_that_an_hour_is_over(last: Heard) -> None:
    _, rows = track.fold(replace(TRUCK, fences=Fences()), None, [*road(0, *KM), last])
    assert [row.closed_at for row in rows if row.what == "distance"] == [T0 + 7300 * S]


JUMPS: dict[str, tuple[list[Heard], float, dict[str, int], int]] = {
    "one": ([*road(0, 0, 250), at(90, FAR), *road(120, 500, 750)], 750, {"outlier": 1}, 0),
    "two that agree": ([*road(0, 0, 250), at(90, FAR), at(95, FAR), *road(120, 500)], 500, {"outlier": 2}, 0),
    "two, and nothing after": ([*road(0, 0, 250), at(90, FAR), at(95, FAR)], 250, {}, 2),
    "three that do not agree": ([*road(0, 0, 250), *road(90, FAR, -FAR, FAR, every=1)], 250, {"outlier": 2}, 1),
    "back between them": ([*road(0, 0, 250), *road(90, FAR, 250, FAR, 250, FAR, every=1)], 250, {"outlier": 2}, 1),
    "three that agree: towed": ([*road(0, 0, 250), *road(90, FAR, FAR + 9, FAR + 250, every=9)], FAR + 250, {}, 0),
    "the first of all is wrong": ([at(0, FAR), *road(60, 0, 250, 500, 750)], 750, {}, 0),
    "of one moment": ([*road(0, 0, 250), at(60, FAR), at(60, 3), *road(120, 500)], 500, {"outlier": 2}, 0),
}


@pytest.mark.parametrize("name", JUMPS)
def test_jumps(name: str) -> None:
    facts, x, flaws, suspects = JUMPS[name]
    state, rows = whole(facts)
    assert state.place is not None
    assert (state.place.lat, state.place.lon) == pytest.approx(degrees(x, 0))
    assert (state.flaws, len(state.suspects)) == (flaws, suspects)
    assert metres(rows) < 1000


def test_after_a_real_move_it_begins_at_the_first_position_that_agreed() -> None:
    facts = [*road(0, 120, 125, 130, speed=0.0), *(at(200 + k * 60, 9000, 7000 + 30 * k, 2.0) for k in range(4))]
    facts[:3] = [at(k * 60, 150, 120, 0.0) for k in range(3)]
    state, rows = whole(facts)
    assert stays(rows, "dock") == [(0, 120)]
    assert stays(rows, "site-2") == [(200, 380)]
    assert metres(rows) == pytest.approx(90, abs=0.1)
    assert [row.closed_at for row in rows if row.zone == "dock"] == [T0 + 320 * S]
    assert state.anchor == pytest.approx(degrees(9000, 7090))


@pytest.mark.parametrize("correlated_s", [0, 30, 120, 600])
@pytest.mark.parametrize("seed", range(3))
def test_a_parked_machine_drives_nowhere_and_stays_in_its_zone(seed: int, correlated_s: float) -> None:
    """24 h, 3 m sigma, two metres inside a fence: its legs sum to tens of kilometres, it crosses a thousand times."""
    facts = parked(random.Random(seed), correlated_s)
    fence = replace(TRUCK, fences=Fences.of([rectangle("fence", -50, 2, -50, 50)]))
    state, left = track.fold(fence, None, facts)
    assert state is not None
    still = track.close(state, None)
    assert metres([*left, *still]) == 0
    assert len(left) <= 1
    assert stays(still, "fence")[0][1] == 86_390
    assert len(msgspec.msgpack.encode(state)) < 600


def test_another_asset_begins_anew_and_the_first_has_what_was_its() -> None:
    state, rows = track.fold(TRUCK, None, [*road(0, 0, 100, 200, 300, 300, speed=2.0)])
    assert rows == []
    crane = replace(TRUCK, asset="CRANE-1")
    state, rows = track.fold(crane, state, road(400, *KM))
    assert state is not None
    rows += track.close(state, None)
    assert [(row.asset, row.what, row.distance_mm // 1000) for row in rows if row.what == "distance"] == [
        ("TRUCK-1", "distance", 300),
        ("CRANE-1", "distance", 1000),
    ]
    assert [(row.asset, row.zone) for row in rows if row.zone] == [("TRUCK-1", "yard"), ("CRANE-1", "yard")]
    assert all((row.closed_at == T0 + 400 * S) == (row.asset == "TRUCK-1") for row in rows if not row.zone)


def test_silence_ends_nothing_and_what_is_no_good_is_counted_for_its_day() -> None:
    state, rows = track.fold(TRUCK, None, [at(0, *IN), at(1, *IN), at(2, None), at(3, 0, satellites=0)])
    assert track.due(TRUCK, state) is None
    assert state is not None
    assert (rows, state.flaws) == ([], {"no_position": 1, "no_satellites": 1})
    state, rows = track.fold(TRUCK, state, [at(10 * DAY // S, *IN, hdop=11.0)])
    assert state is not None
    assert (rows, state.flaws, list(state.visits)) == ([], {"hdop": 1}, ["yard", "dock"])
    assert track.fold(TRUCK, None, []) == (None, [])


COORDINATES = st.one_of(
    st.tuples(st.integers(-3, 12), st.integers(-3, 12)).map(lambda p: degrees(p[0] * 25.0, p[1] * 25.0)),
    st.sampled_from([degrees(*IN), degrees(*OUT), degrees(*EDGE), degrees(FAR, 0), degrees(9000, 7000)]),
    st.tuples(st.sampled_from([-90.0, 0.0, 51.06, 90.0, None]), st.sampled_from([-180.0, 0.0, 3.73, 180.0, None])),
)
FIXES = st.builds(
    lambda t, place, speed, fields: at(t, 0, speed=speed, **dict(zip(("lat", "lon"), place, strict=True)), **fields),
    st.integers(0, 60).flatmap(lambda k: st.sampled_from([0, 1, 10, 60, 900, 4000]).map(lambda every: k * every)),
    COORDINATES,
    st.sampled_from([None, 0.0, 1.0, 5.0, 30.0, -1.0, 1e308]),
    st.fixed_dictionaries(
        {},
        optional={
            "valid": st.sampled_from([None, True, False]),
            "hdop": st.sampled_from([0.0, 0.9, 6.0, 12.0, -1e308]),
            "accuracy_m": st.sampled_from([0.0, 3.0, 60.0, 200.0, 500.0]),
            "altitude_m": st.sampled_from([-1e300, 1e300]),
            "course_deg": st.sampled_from([0.0, 720.0]),
        },
    ),
)
ENGINES = st.builds(lambda t, on: engine(t, on=on), st.integers(0, 240_000), st.booleans())
FACTS = st.lists(st.one_of(FIXES, FIXES, FIXES, ENGINES), max_size=40, unique_by=lambda fact: fact.content).map(
    lambda facts: sorted(facts, key=lambda fact: (fact.at, fact.content))
)
PARAMS = [
    TRUCK,
    replace(TRUCK, fences=Fences.of(YARD[:1])),
    replace(TRUCK, asset="CRANE-1"),
    replace(TRUCK, max_speed_mps=5.0),
]


def told(facts: Sequence[Heard], under: Sequence[int], cuts: Sequence[bool]) -> tuple[bytes, list[Travel]]:
    """The state's bytes and every row, the state stored at each cut; parameters change in the middle."""
    state: Track | None = None
    rows: list[Travel] = []
    piece: list[Heard] = []
    for k, fact in enumerate(facts):
        params = _params(under, k)
        piece.append(fact)
        if k + 1 == len(facts) or cuts[k % len(cuts)] or _params(under, k + 1) is not params:
            state, emitted = track.fold(params, state, piece)
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Track | None)
            rows += emitted
            piece = []
    return msgspec.msgpack.encode(state, order="deterministic"), rows


def _params(under: Sequence[int], k: int) -> Tracking:
    return PARAMS[under[min(k // 8, len(under) - 1)]]


@settings(max_examples=150, deadline=None)
@given(FACTS, st.lists(st.integers(0, 3), min_size=1, max_size=4), st.lists(st.booleans(), min_size=1, max_size=7))
def test_any_split_gives_the_same(facts: list[Heard], under: list[int], cuts: list[bool]) -> None:
    state, rows = told(facts, under, [False])
    assert told(facts, under, cuts) == (state, rows)
    assert told(facts, under, [True]) == (state, rows)


@settings(max_examples=150, deadline=None)
@given(FACTS, st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_every_row_can_be(facts: list[Heard], under: list[int]) -> None:
    encoded, rows = told(facts, under, [False])
    state = msgspec.msgpack.decode(encoded, type=Track | None)
    rows += [] if state is None else track.close(state, None)
    hashes = {fact.content.hex() for fact in facts}
    assert len({row.id for row in rows}) == len(rows)
    for row in rows:
        assert row.begin_at <= row.end_at <= (row.closed_at or row.end_at)
        assert row.distance_mm >= 0
        assert {*row.evidence} <= hashes
        assert (row.zone is None) == (row.what != "visit")
    ways = {row.id: "way" if row.what in {"trip", "stop", "transported"} else row.what for row in rows}
    for asset, what, zone in {(row.asset, ways[row.id], row.zone) for row in rows if row.method != "segment"}:
        mine = [row for row in rows if (row.asset, ways[row.id], row.zone) == (asset, what, zone)]
        mine = [row for row in mine if row.method != "segment"]
        mine.sort(key=lambda row: (row.begin_at, row.end_at))
        assert all(a.end_at <= b.begin_at for a, b in pairwise(mine))
    assert all(row.end_at - row.begin_at < 2 * HOUR + TRUCK.silent_off_us for row in rows if row.what == "distance")


def test_the_given_state_is_left_alone() -> None:
    facts = [*road(0, *KM), *[at(400 + 60 * k, *IN, 0.0) for k in range(3)], at(700, FAR)]
    state, _ = track.fold(TRUCK, None, facts)
    before = msgspec.msgpack.encode(state)
    track.fold(TRUCK, state, [at(760, *OUT, 0.0), at(800, *OUT, 0.0), at(8000, None)])
    track.fold(replace(TRUCK, fences=Fences()), state, [at(760, *IN, 9.0)])
    assert msgspec.msgpack.encode(state) == before


def test_the_state_is_small_however_long_it_runs() -> None:
    chance = random.Random(3)
    facts = [at(60 * k, chance.uniform(-30, 400), chance.uniform(-30, 280), 3.0, hdop=0.9) for k in range(5000)]
    state, rows = track.fold(TRUCK, None, facts)
    assert len(msgspec.msgpack.encode(state)) < 1000
    assert len(rows) > 80
