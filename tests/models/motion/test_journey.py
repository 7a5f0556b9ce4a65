"""Trips, stops and transports: each rule as a row; then that they follow each other for any fixes and engine."""

import random
from itertools import pairwise

import pytest
from msgspec.structs import replace

from models.declared import AssetClass
from models.motion import track
from models.motion.classes import CLASSES, OTHERS, Pace, pace
from models.motion.fix import Heard, distance_mm
from tests.models.motion.drives import T0, TRUCK, S, at, degrees, engine, metres, told, whole

KM = [0, 250, 500, 750, 1000]
CRANE = replace(TRUCK, pace=pace("crane", None))


def drive(begin: float, *xs: float, every: float = 30, speed: float | None = 10.0) -> list[Heard]:
    return [at(begin + k * every, x, speed=speed) for k, x in enumerate(xs)]


def stand(begin: float, x: float, count: int, every: float = 60) -> list[Heard]:
    return [at(begin + k * every, x + (k % 3), speed=0.0) for k in range(count)]


DAYS: dict[str, tuple[list[Heard], list[tuple[float, float]], list[tuple[float, float]]]] = {
    "parked": (stand(0, 0, 5), [], [(0, 240)]),
    "a trip": ([*stand(0, 0, 5), *drive(270, *KM[1:]), *stand(390, 1001, 5)], [(240, 360)], [(0, 240), (360, 630)]),
    "a short pause": (
        [*stand(0, 0, 5), *drive(270, *KM[1:]), *stand(390, 1000, 2), *drive(480, 1250, 1500), *stand(540, 1500, 5)],
        [(240, 510)],
        [(0, 240), (510, 780)],
    ),
    "a long pause": (
        [*stand(0, 0, 5), *drive(270, *KM[1:]), *stand(390, 1000, 4), *drive(600, 1250, 1500), *stand(660, 1500, 5)],
        [(240, 360), (570, 630)],
        [(0, 240), (360, 570), (630, 900)],
    ),
    "about the yard": (
        [*stand(0, 0, 5), *drive(270, 60, 120, 180, every=20), *stand(330, 180, 6), *drive(690, 120, 60, 0)],
        [],
        [(0, 750)],
    ),
    "about the yard, then away": (
        [*stand(0, 0, 5), *drive(270, 60, 120), *stand(330, 120, 6), *drive(660, 370, 620), *stand(720, 620, 5)],
        [(630, 690)],
        [(0, 630), (690, 960)],
    ),
    "under a roof without a fix": (
        [*stand(0, 0, 5), *drive(270, *KM[1:]), *drive(390, 1010, 1100, every=510, speed=9.0), *drive(930, 1350, 1600)],
        [(240, 360), (889, 960)],
        [(0, 240), (360, 889)],
    ),
    "still driving": ([*stand(0, 0, 5), *drive(270, *KM[1:])], [(240, 360)], [(0, 240)]),
    "it begins driving": ([*drive(0, *KM), *stand(150, 1000, 5)], [(0, 120)], [(120, 390)]),
    "silent on the way": (
        [*stand(0, 0, 5), *drive(270, *KM[1:]), *drive(2000, 9000, 9250, 9500, speed=None), *stand(2090, 9500, 5)],
        [(240, 360), (2000, 2060)],
        [(0, 240), (2060, 2330)],
    ),
    "silent and still there": ([*stand(0, 0, 5), *stand(40_000, 1, 5)], [], [(0, 40_240)]),
    "silent and elsewhere": ([*stand(0, 0, 5), *stand(40_000, 9000, 5)], [], [(0, 240), (40_000, 40_240)]),
    "one fix elsewhere": ([*stand(0, 0, 5), at(270, 700, speed=0.0), *stand(330, 0, 5)], [], [(0, 570)]),
}


@pytest.mark.parametrize("name", DAYS)
def test_trips_and_stops(name: str) -> None:
    facts, trips, stops = DAYS[name]
    _, rows = whole(facts)
    assert told(rows, "trip") == [pytest.approx(each, abs=0.5) for each in trips]
    assert told(rows, "stop") == [pytest.approx(each, abs=0.5) for each in stops]
    assert told(rows, "transported") == []


def test_a_trip_has_its_distance_and_the_fixes_behind_it_and_ends_where_it_stopped() -> None:
    facts, _, _ = DAYS["a trip"]
    _, rows = whole(facts)
    (trip,) = (row for row in rows if row.what == "trip")
    assert (trip.distance_mm, trip.fixes, trip.version) == (pytest.approx(1_000_000, abs=3000), 5, TRUCK.version)
    assert trip.evidence == [facts[4].content.hex(), facts[8].content.hex()]
    assert (trip.lat, trip.lon) == pytest.approx(degrees(1000, 0))
    first, second = sorted((row for row in rows if row.what == "stop"), key=lambda row: row.begin_at)
    assert (first.fixes, second.fixes, first.closed_at, second.closed_at) == (5, 6, facts[6].at, None)
    assert (first.lat, first.lon) == pytest.approx(degrees(1, 0), abs=1e-6)


def test_a_trip_is_over_once_it_has_stood_for_long_enough() -> None:
    facts, _, _ = DAYS["a trip"]
    assert [told(track.fold(TRUCK, None, facts[:k])[1], "trip") for k in (12, 13)] == [[], [(240, 360)]]
    assert facts[12].at - T0 == 570 * S


def test_what_was_carried_is_put_down_when_its_engine_goes_on() -> None:
    facts = sorted(TRAILER[:-4], key=lambda fact: fact.at)
    assert told(track.fold(TRUCK, None, facts)[1], "transported") == []
    on = engine((facts[-1].at - T0) / S + 1, on=True)
    _, rows = track.fold(TRUCK, None, [*facts, on])
    assert [(row.what, row.closed_at) for row in rows if row.what == "transported"] == [("transported", on.at)]


def test_a_trip_that_goes_on_keeps_its_id() -> None:
    facts, _, _ = DAYS["a short pause"]
    ids = {row.id for k in range(7, len(facts) + 1) for row in whole(facts[:k])[1] if row.what == "trip"}
    assert len(ids) == 1


def test_a_crane_makes_trips_about_the_yard() -> None:
    facts, _, _ = DAYS["about the yard, then away"]
    _, rows = whole(facts, CRANE)
    assert told(rows, "trip") == [(240, 300), (630, 690)]
    assert {*CLASSES} >= {"truck", "crane"}


def test_what_a_class_does_not_say_is_built_in() -> None:
    assert pace("crane", AssetClass(trip_m=50)) == replace(CLASSES["crane"], trip_mm=50_000)
    assert pace("tower", AssetClass(kind="crane")) == CLASSES["crane"]
    assert pace("tower", AssetClass()) == pace("tower", None) == pace(None, None) == OTHERS


OFF = engine(100, on=False)
TRAILER = [*stand(0, 0, 5), OFF, *drive(270, 150, 450, 900, 1500, 2100), *stand(450, 2100, 6)]
CARRIED: dict[str, tuple[list[Heard], list[tuple[float, float]], float]] = {
    "on a trailer": (TRAILER, [(270, 390)], 0),
    "nobody knows of the engine": ([fact for fact in TRAILER if fact is not OFF], [], 2100),
    "the engine runs": ([*stand(0, 0, 5), engine(100, on=True), *TRAILER[6:]], [], 2100),
    "parked under a roof": ([OFF, *(at(110 + 60 * k, 150 * (k % 2), speed=0.0) for k in range(9))], [], 0),
    "its fixes wander, then it starts": (
        [OFF, *stand(110, 0, 3), *stand(300, 120, 3), engine(430, on=True), *drive(450, 120, 370, 620)],
        [],
        500,
    ),
    "starts again where it was put down": (
        [*TRAILER, engine(800, on=True), *drive(810, 2350, 2600)],
        [(270, 390)],
        500,
    ),
    "it drives until the engine goes off": (
        [engine(0, on=True), *drive(1, 0, 250, 500, every=120), engine(300, on=False), *stand(361, 600, 3, every=3600)],
        [],
        600,
    ),
    "the engine goes off at the moment of its last fix": (
        [engine(0, on=True), *drive(1, 0, 250, 500, every=120), engine(361, on=False), *stand(361, 750, 3)],
        [],
        750,
    ),
    "what was heard of the engine is old": (
        [OFF, *stand(110, 0, 3), *stand(7400, 0, 2), *drive(7500, 300, 600, 900, 1200)],
        [],
        1200,
    ),
}


@pytest.mark.parametrize("name", CARRIED)
def test_what_moves_with_its_engine_off_is_transported(name: str) -> None:
    facts, carried, driven = CARRIED[name]
    facts = sorted(facts, key=lambda fact: (fact.at, fact.content))
    _, rows = whole(facts)
    assert told(rows, "transported") == carried
    assert metres(rows) == pytest.approx(driven, abs=3)
    assert [row.distance_mm for row in rows if row.what == "transported"] == [pytest.approx(2.1e6, abs=3000)] * len(
        carried
    )
    assert not carried or (270, 390) not in told(rows, "trip")


@pytest.mark.parametrize("first", [b"\x00", b"\xff"])
@pytest.mark.parametrize("later", [0, 5])
def test_a_tow_that_ends_with_the_engine_going_on_is_told_in_either_order_of_its_last_moment(
    first: bytes, later: float
) -> None:
    """Asleep on a trailer, 5 km: the record that wakes it has the place and the ignition, in the order of hashes."""
    wakes = [
        replace(at(3600, 5000, speed=0.0), content=first * 32),
        replace(engine(3600 + later, on=True), content=b"\x7f" * 32),
    ]
    facts = [engine(0, on=False), *stand(1, 0, 5), engine(300, on=False), *wakes, *stand(3660, 5000, 5)]
    _, rows = whole(sorted(facts, key=lambda fact: (fact.at, fact.content)))
    assert told(rows, "transported") == [(241, 3600)]
    assert told(rows, "stop") == [(1, 241), (3600, 3900)]
    assert metres(rows) == 0


def test_a_class_may_have_no_limits() -> None:
    """Its register allows a trip of no length and a pause that rounds to nothing."""
    for limits in (Pace(180 * S, 0, 200_000), Pace(0, 0, 0)):
        _, rows = whole([at(60 * k, 300 * k, speed=None) for k in range(5)], replace(TRUCK, pace=limits))
        assert metres(rows) == pytest.approx(1200, abs=1)


def test_no_stop_is_where_it_was_not() -> None:
    """Each stop names a place of one of its fixes, whatever happens to the engine."""
    for seed in range(30):
        chance = random.Random(seed)
        t, x, facts = 0.0, 0.0, list[Heard]()
        for _ in range(60):
            t += chance.choice((5, 60, 600, 1800))
            x += chance.choice((0, 0, 0, 40, 300, 5000)) * chance.choice((1, -1))
            facts.append(at(t, x, speed=chance.choice((None, 0.0, 0.0, 9.0))))
            if chance.random() < 0.4:
                facts.append(engine(t + chance.choice((0, 3)), on=chance.random() < 0.5))
        facts.sort(key=lambda fact: (fact.at, fact.content))
        for row in whole(facts)[1]:
            if row.what == "stop":
                within = [f.fix for f in facts if f.fix is not None and row.begin_at <= f.at <= row.end_at]
                nearest = min(distance_mm(row.lat, row.lon, fix.lat, fix.lon) for fix in within)  # type: ignore[arg-type]
                assert nearest < 40_000, (seed, row)


def test_an_engine_that_goes_on_and_off_where_it_stands_moves_nothing() -> None:
    chance = random.Random(5)
    facts: list[Heard] = []
    for k in range(2000):
        facts += [
            at(k * 60, chance.gauss(0, 3), chance.gauss(0, 3), 0.0),
            engine(k * 60 + 30, on=chance.random() < 0.5),
        ]
    _, rows = whole(facts)
    assert [row.what for row in rows] == ["stop", "visit"]


@pytest.mark.parametrize("seed", range(20))
def test_one_follows_the_other(seed: int) -> None:
    """Trips, stops and transports of an asset never overlap, and each begins where the one before ended or later."""
    chance = random.Random(seed)
    facts: list[Heard] = []
    t, x = 0.0, 0.0
    for _ in range(400):
        t += chance.choice((5, 30, 60, 200, 700, 8000))
        x += chance.choice((0, 0, 1, 30, 150, 400, 2000)) * chance.choice((1, -1))
        facts.append(at(t, x, speed=chance.choice((None, 0.0, 5.0))))
        if chance.random() < 0.2:
            facts.append(engine(t + 1, on=chance.random() < 0.5))
    _, rows = whole(facts)
    mine = sorted((r for r in rows if r.what in {"trip", "stop", "transported"}), key=lambda r: (r.begin_at, r.end_at))
    assert all(a.end_at <= b.begin_at for a, b in pairwise(mine))
    assert {row.what for row in mine} == {"trip", "stop", "transported"}
    assert sum(row.distance_mm for row in mine if row.what != "transported") == sum(
        row.distance_mm for row in rows if row.what == "distance"
    )
    state, closed = track.fold(TRUCK, None, facts)
    assert state is not None
    assert all(row.closed_at is not None and row.closed_at <= T0 + (t + 1) * S for row in closed)
