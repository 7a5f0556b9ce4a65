"""Where assets are and were, read from the book: last places, visits with those that last, distance in a span."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.book import places, register
from backend.book.db import read
from backend.book.places import Place, Visit
from models.reading import Reading
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.journeys import CRANE, DOCK, FAR, GATE, PAD, TRUCK, drive, fix, mount, zone
from tests.backend.stories import MIDNIGHT, declare

NOW = MIDNIGHT + DAY
OUTSIDE = (-500.0, 0.0)


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Yard:
    return Yard.copy(template, tmp_path / "site.db", NOW)


def where(book: Engine, now: int = NOW) -> dict[str, Place]:
    with read(book) as tx:
        return places.last_places(tx, register.load(tx), now)


def stays(book: Engine, asset: str, since: float, until: float, now: int = NOW) -> list[Visit]:
    with read(book) as tx:
        span = (MIDNIGHT + round(since * SECOND), MIDNIGHT + round(until * SECOND))
        return places.visits(tx, register.load(tx), asset, span, now)


def metres(book: Engine, asset: str, since: float, until: float) -> float | None:
    with read(book) as tx:
        span = (MIDNIGHT + round(since * SECOND), MIDNIGHT + round(until * SECOND))
        found = places.driven(tx, register.load(tx), asset, span)
    return None if found is None else found / 1000


ZONES: list[tuple[str, list[Reading], tuple[str, ...], tuple[str, ...]]] = [
    ("in two", drive(0, GATE, DOCK, DOCK), ("dock", "yard"), ()),
    ("one fix in it", drive(0, GATE, GATE, DOCK), ("dock", "yard"), ()),
    ("far outside", drive(0, OUTSIDE, OUTSIDE), (), ()),
    ("one fix outside", drive(0, DOCK, DOCK, GATE), ("yard",), ()),
    ("one fix very far outside", [*drive(0, DOCK, DOCK), fix(3600, FAR)], ("site-2",), ()),
    ("newer ones are no good", [*drive(0, DOCK, DOCK), fix(90, DOCK, valid=False)], ("dock", "yard"), ("no_position",)),
    ("newer ones are too far", [*drive(0, DOCK, DOCK), fix(61, FAR)], ("dock", "yard"), ("suspect",)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told", "zones", "flags"), ZONES)
def test_zones_of_the_last_place_the_smallest_first(
    name: str, told: list[Reading], zones: tuple[str, ...], flags: tuple[str, ...], site: Yard
) -> None:
    site.send(told)
    place = where(site.book)["TRUCK-1"]
    assert (place.zones, place.flags) == (zones, flags), name


def test_the_innermost_zone_is_the_smallest_whatever_its_name(site: Yard) -> None:
    declare(site, [zone("zz", *DOCK, 20, MIDNIGHT - DAY), zone("aa", *DOCK, 5000, MIDNIGHT - DAY)])
    site.send(drive(0, DOCK, DOCK))
    assert where(site.book)["TRUCK-1"].zones == ("zz", "dock", "yard", "aa")


def test_the_last_place(site: Yard) -> None:
    site.send(
        [*drive(0, GATE, PAD), fix(100, DOCK, satellites=0), fix(110, PAD, CRANE, speed_mps=0.0, course_deg=90.0)]
    )
    found = where(site.book)
    assert sorted(found) == ["CRANE-1", "TRUCK-1"]
    truck, crane = found["TRUCK-1"], found["CRANE-1"]
    assert (truck.device, truck.at, truck.heard_at) == (TRUCK, MIDNIGHT + 60 * SECOND, MIDNIGHT + 100 * SECOND)
    assert (truck.age_us, truck.flaws) == (DAY - 60 * SECOND, {"no_satellites": 1})
    assert (crane.speed_mps, crane.course_deg, crane.hdop) == (0.0, 90.0, 0.9)
    assert (crane.lat, crane.lon) == (fix(0, PAD).lat, fix(0, PAD).lon)


def test_a_place_belongs_to_the_asset_that_the_tracker_is_on_now(site: Yard) -> None:
    site.send(drive(0, GATE, PAD))
    declare(site, [mount(TRUCK, "TRUCK-2", MIDNIGHT + 3600 * SECOND)])
    assert where(site.book) == {}
    site.send([fix(7200, DOCK)])
    assert where(site.book)["TRUCK-2"].zones == ("dock", "yard")
    assert where(site.book, MIDNIGHT) == {}
    site.send([fix(7300, DOCK, valid=False)])
    declare(site, [mount(TRUCK, None, MIDNIGHT + 7400 * SECOND)])
    assert where(site.book) == {}


def test_visits_of_a_span_with_the_one_that_lasts(site: Yard) -> None:
    site.send(drive(0, OUTSIDE, DOCK, DOCK, OUTSIDE, OUTSIDE, DOCK, DOCK))
    found = stays(site.book, "TRUCK-1", 0, 9e4)
    found = [each for each in found if each.method == "fix"]
    assert [(each.zone, each.begin_at - MIDNIGHT, each.end_at and each.end_at - MIDNIGHT) for each in found] == [
        ("dock", 60 * SECOND, 120 * SECOND),
        ("yard", 60 * SECOND, 120 * SECOND),
        ("dock", 300 * SECOND, None),
        ("yard", 300 * SECOND, None),
    ]
    assert [each.zone for each in stays(site.book, "TRUCK-1", 130, 290)] == []
    assert [each.zone for each in stays(site.book, "TRUCK-1", 100, 290)] == ["dock", "yard"]
    assert [each.end_at for each in stays(site.book, "TRUCK-1", 5000, 6000)] == [None, None]
    assert stays(site.book, "CRANE-1", 0, 9e4) == []
    lasting = stays(site.book, "TRUCK-1", 5000, 6000)[0]
    site.send(drive(420, OUTSIDE, OUTSIDE))
    ended = stays(site.book, "TRUCK-1", 300, 6000)[0]
    assert (ended.id, ended.end_at, ended.evidence) == (lasting.id, lasting.seen_at, lasting.evidence)


def test_a_visit_ends_when_the_tracker_is_known_to_be_elsewhere(site: Yard) -> None:
    site.send(drive(0, DOCK, DOCK))
    declare(site, [mount(TRUCK, "TRUCK-2", MIDNIGHT + 3600 * SECOND)])
    for until in (3000, 7200):
        ended = stays(site.book, "TRUCK-1", 0, until)
        assert [each.end_at for each in ended] == [MIDNIGHT + 60 * SECOND] * 2, "whatever span is asked for"
        before = stays(site.book, "TRUCK-1", 0, until, MIDNIGHT + 3599 * SECOND)
        assert [each.end_at for each in before] == [None] * 2, "it will be taken off"
    assert stays(site.book, "TRUCK-1", 100, 7200) == []


ROAD = [(250.0 * k, -200.0) for k in range(25)]


def test_distance_of_a_span(site: Yard) -> None:
    assert metres(site.book, "TRUCK-1", 0, 9e4) is None
    site.send([fix(2900, ROAD[0], valid=False)])
    assert metres(site.book, "TRUCK-1", 0, 9e4) is None
    site.send(drive(3000, *ROAD, every=60))
    assert metres(site.book, "TRUCK-1", 0, 9e4) == pytest.approx(6000, abs=1)
    assert metres(site.book, "TRUCK-1", 0, 3540) == pytest.approx(2250, abs=1)
    assert metres(site.book, "TRUCK-1", 3540, 9e4) == pytest.approx(3750, abs=1)
    assert metres(site.book, "TRUCK-1", 3240, 3840) == pytest.approx(2500, abs=1)
    assert metres(site.book, "TRUCK-1", 3840, 4080) == pytest.approx(1000, abs=1)
    assert metres(site.book, "TRUCK-1", 5000, 9e4) == 0
    assert metres(site.book, "CRANE-1", 0, 9e4) is None
    site.send([fix(30_000, ROAD[-1])])
    assert metres(site.book, "TRUCK-1", 0, 9e4) == pytest.approx(6000, abs=1)
    parts = [metres(site.book, "TRUCK-1", at, at + 60) or 0 for at in range(3000, 4440, 60)]
    assert sum(parts) == pytest.approx(6000, abs=1)


def test_distance_stays_with_the_asset_that_drove_it(site: Yard) -> None:
    declare(site, [mount(TRUCK, "TRUCK-2", MIDNIGHT + 3630 * SECOND)])
    site.send(drive(3000, *ROAD, every=60))
    both = [metres(site.book, asset, 0, 9e4) for asset in ("TRUCK-1", "TRUCK-2")]
    assert both == [pytest.approx(2500, abs=1), pytest.approx(3250, abs=1)]


def journeys(book: Engine, *what: str, until: float = 9e4) -> list[tuple[str, int, int | None]]:
    """(what, begin, end or None while it goes on), in seconds after midnight."""
    with read(book) as tx:
        span = (MIDNIGHT - DAY, MIDNIGHT + round(until * SECOND))
        found = places.journeys(tx, register.load(tx), "TRUCK-1", span, NOW, *what)
    times = [(each.begin_at - MIDNIGHT, each.end_at - MIDNIGHT, each.closed_at) for each in found]
    kinds = [each.what for each in found]
    return [
        (kind, begin // SECOND, None if closed is None else end // SECOND)
        for kind, (begin, end, closed) in zip(kinds, times, strict=True)
    ]


def test_a_short_pause_belongs_to_the_trip_that_it_may_yet_end(site: Yard) -> None:
    sorts = ("trip", "stop", "transported")
    site.send([*drive(0, *[ROAD[0]] * 10, every=60), *drive(600, *ROAD[1:9], every=20)])
    assert journeys(site.book, *sorts) == [("stop", 0, 540), ("trip", 540, None)]
    site.send(drive(760, ROAD[8], ROAD[8], every=60))
    assert journeys(site.book, *sorts) == [("stop", 0, 540), ("trip", 540, None)]
    site.send(drive(880, ROAD[8], ROAD[8], ROAD[8], every=60))
    assert [each for each in journeys(site.book, *sorts) if each[2] is None] == [("stop", 740, None)]
    assert journeys(site.book, "trip") == [("trip", 540, 740)]
    assert journeys(site.book, "stop", until=500) == [("stop", 0, 540)]
    declare(site, [mount(TRUCK, "TRUCK-2", MIDNIGHT + 3600 * SECOND)])
    assert journeys(site.book, *sorts)[-1] == ("stop", 740, 1000)
    assert journeys(site.book, *sorts, until=1200)[-1] == ("stop", 740, 1000), "whatever span is asked for"
