"""Readings that a store with nanoseconds has one place for: none is lost, whatever came first."""

from collections.abc import Callable
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.book.journal import short
from backend.telemetry import slots
from backend.telemetry.rows import Sample, Span
from models import wire
from models.reading import Fix, Reading, Signal, from_micros
from tests.backend.telemetry.followed_site import NOW, T0, Site
from tests.backend.telemetry.samples import Value, sample

A, B = "A" * 12, "B" * 12
CRANE, TRACKER = "dock-a/crane-2", "imei:356307042441013"


def of_one_place(made: Callable[[int], Reading]) -> tuple[Reading, Reading]:
    """The first two readings of T0 that have the same place."""
    known: dict[int, Reading] = {}
    for k in range(2000):
        each = made(k)
        place = slots.slot(T0, short(wire.content_hash(each)))
        if place in known:
            return known[place], each
        known[place] = each
    raise AssertionError


def pressure(k: int) -> Reading:
    return Signal("crane-2", from_micros(T0), "oil_pressure", k / 8, "bar")


def fix(k: int) -> Reading:
    """Only every second one says a speed."""
    return Fix(TRACKER, from_micros(T0), lat=50.0 + k / 1e5, lon=4.0, speed_mps=3.0 if k % 2 else None)


@pytest.mark.parametrize("made", [pressure, fix])
def test_both_are_kept_in_every_order(make: Callable[[], Site], made: Callable[[int], Reading]) -> None:
    told = of_one_place(made)
    said: set[str] = set()
    for order in permutations(told):
        site = make()
        for epoch, each in zip((A, B), order, strict=True):
            site.journal(epoch, [each])
            site.projector.catch_up()
        said.add(site.digest())
        site.projector.rebuild()
        said.add(site.store.digest())
        values = [point.value for point in site.store.points(["oil_pressure"], [CRANE], 0, NOW)]
        assert sorted(values) == sorted(each.value for each in told if isinstance(each, Signal))
        spots = {(spot.lat, spot.speed_mps) for spot in site.store.track(Span(TRACKER, 0, NOW), 9)}
        assert spots == {(each.lat, each.speed_mps) for each in told if isinstance(each, Fix)}
    assert len(said) == 1


contents = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=300, unique=True)


@given(contents, st.integers(0, 2**50))
def test_places_are_in_order_and_apart(some: list[int], at: int) -> None:
    found = slots.slots(at, sorted(some))
    assert all(first < second for first, second in pairwise(found))
    assert all(at * 1000 <= each < at * 1000 + 1000 for each in found)


def test_more_than_there_are_places_for_stay_within_their_time() -> None:
    found = slots.slots(5, range(1200))
    assert (found[0], found[-1], found == sorted(found)) == (5000, 5999, True)


def test_only_the_same_series_at_the_same_place_is_crowded() -> None:
    def of(content: int, *values: Value) -> Sample:
        return sample("d", T0, content, *values)

    x, y = ("x", "1", 1.0), ("x", "m", 1.0)
    lat, lon = ("lat", "deg", 1.0), ("lon", "deg", 1.0)
    assert slots.crowded([of(2**62, x), of(2**62 + 1, x)])
    assert not slots.crowded([of(2**62, x), of(2**62 + 1, y)])
    assert not slots.crowded([of(2**62, x), of(0, x)])
    assert slots.crowded([of(2**62, lat, lon), of(2**62 + 1, lon)])
    assert not slots.crowded([of(2**62, lat, lon)])
