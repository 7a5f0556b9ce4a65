"""Where an asset is by its sightings: a table of what counts, and that no order of arrival changes it."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.assets.place import DAY_US, Place, inherited, relocations, stays, where
from models.assets.sighting import SOURCES, WHATS, Sighting, Source, Stay, What, of_stays

HALL, SHELF, YARD = "location:hall", "location:shelf", "zone:yard"
LATER = 100


def seen(at: int, source: Source, place: str | None, what: What = "seen") -> Sighting:
    return Sighting(at, source, f"{source}:{at}", what, place, (f"e{at}",))


@pytest.mark.parametrize(
    ("sightings", "place", "since", "seen_at"),
    [
        ([seen(1, "dock", HALL)], HALL, 1, 1),
        ([seen(1, "dock", HALL), seen(5, "scan", SHELF)], SHELF, 5, 5),
        ([seen(1, "dock", HALL), seen(5, "dock", HALL)], HALL, 1, 5),
        ([seen(1, "dock", HALL), seen(5, "dock", None)], None, 5, 5),
        ([seen(1, "presence", SHELF), seen(5, "presence", SHELF, "left")], None, 5, 1),
        ([seen(1, "dock", HALL), seen(5, "presence", SHELF, "left")], HALL, 1, 1),
        ([seen(1, "gps", YARD), seen(3, "dock", HALL), seen(5, "gps", YARD, "still")], HALL, 3, 3),
        ([seen(1, "gps", YARD), seen(3, "dock", None), seen(5, "gps", YARD, "still")], YARD, 5, 5),
        ([seen(1, "dock", HALL), seen(5, "gps", None, "heard")], HALL, 1, 5),
        ([seen(1, "gps", None, "heard")], None, 1, 1),
        ([seen(1, "presence", SHELF, "left")], "never", 0, 0),
        ([seen(1, "custody", SHELF), seen(1, "scan", HALL)], HALL, 1, 1),
        ([seen(LATER + 1, "scan", HALL)], "never", 0, 0),
    ],
)
def test_what_counts(sightings: list[Sighting], place: str | None, since: int, seen_at: int) -> None:
    found = where(sightings[::-1], LATER)
    got = ("never", 0, 0) if found is None else (found.place, found.since, found.seen_at)
    assert got == (place, since, seen_at)


@pytest.mark.parametrize(
    ("sighting", "days", "confidence", "reason"),
    [
        (seen(0, "scan", HALL), 0, "high", "its label was scanned there"),
        (seen(0, "presence", HALL), 0, "medium", "a reader heard its tag best there"),
        (seen(0, "dock", HALL), 31, "medium", "it went through the door, 31 days ago"),
        (seen(0, "dock", HALL), 91, "low", "it went through the door, 91 days ago"),
        (seen(0, "dock", None), 0, "high", "it went out of the door"),
        (Sighting(0, "dock", "c", place=HALL, sure=False), 0, "medium", "it went through the door, which was not sure"),
        (
            Sighting(0, "scan", "s", place=HALL, via="CRANE"),
            0,
            "medium",
            "it is a component of CRANE: its label was scanned there",
        ),
    ],
)
def test_how_sure_it_is_and_why(sighting: Sighting, days: int, confidence: str, reason: str) -> None:
    found = where([sighting], days * DAY_US)
    assert found is not None
    assert (found.confidence, found.reason) == (confidence, reason)


def test_what_a_person_no_longer_hears_is_low() -> None:
    found = where([seen(0, "presence", SHELF), seen(5, "presence", SHELF, "left")], 6)
    assert isinstance(found, Place)
    assert (found.confidence, found.reason) == ("low", "its reader does not hear it any more")


def test_zones_in_zones_and_out_of_all() -> None:
    big, small = Stay("yard", 10, 90, 95, "v1", ("a",), 900.0), Stay("dock", 20, 40, 45, "v2", ("b",), 90.0)
    moved = relocations("X", of_stays([small, big]), LATER)
    assert [(each.at, each.was, each.place) for each in moved] == [
        (10, None, YARD),
        (20, YARD, "zone:dock"),
        (45, "zone:dock", YARD),
        (95, YARD, None),
    ]
    assert [(each.place, each.begin_at, each.end_at) for each in stays(moved, (15, 100))] == [
        (YARD, 15, 20),
        ("zone:dock", 20, 45),
        (YARD, 45, 95),
        (None, 95, 100),
    ]
    assert sum(each.end_at - each.begin_at for each in stays(moved, (0, 1000))) == 1000, "nothing is lost"


def test_a_component_follows_its_parent_until_it_is_seen_itself() -> None:
    parent = [seen(1, "dock", HALL), seen(30, "gps", YARD), seen(60, "scan", SHELF)]
    own = [seen(2, "scan", SHELF), seen(40, "scan", HALL)]
    known = own + inherited("CRANE", parent, (10, 50))
    assert [(at, (found := where(known, at)) and found.place, found and found.via) for at in (5, 10, 35, 45, 70)] == [
        (5, SHELF, None),
        (10, HALL, "CRANE"),
        (35, YARD, "CRANE"),
        (45, HALL, None),
        (70, HALL, None),
    ]


def test_who_left_at_the_moment_it_still_was_there_is_not_there() -> None:
    known = of_stays([Stay("yard", 1, 5, 5, "v1", ())])
    assert [(each.at, each.place) for each in relocations("X", known, LATER)] == [(1, YARD), (5, None)]


def one(at: int, source: Source, ident: str, what: What, place: str | None) -> Sighting:
    return Sighting(at, source, f"{source}:{ident}", what, place)


WHERE = st.sampled_from([HALL, SHELF, YARD, None])
SIGHTINGS = st.lists(
    st.builds(one, st.integers(0, 12), st.sampled_from(SOURCES), st.sampled_from("abc"), st.sampled_from(WHATS), WHERE),
    max_size=12,
    unique_by=lambda each: (each.at, each.id),
)


@settings(max_examples=50)
@given(SIGHTINGS, st.randoms(use_true_random=False))
def test_any_order_of_late_sightings_gives_the_same_places(sightings: list[Sighting], chance: random.Random) -> None:
    shuffled = sightings[:]
    chance.shuffle(shuffled)
    assert where(shuffled + shuffled[:3], 12) == where(sightings, 12)
    moved = relocations("X", shuffled, 12)
    assert moved == relocations("X", sightings, 12)
    assert len({each.id for each in moved}) == len(moved)
    assert all(one.place == two.was for one, two in pairwise(moved))
    for at in range(13):
        now = where(sightings, at)
        assert [None, *(each.place for each in moved if each.at <= at)][-1] == (now and now.place)
