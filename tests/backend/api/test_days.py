"""Days of an asset: nothing is off that nobody heard of, no edit changes what was, and hours fill the day as told."""

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from backend.api.queries.days import days
from backend.book import register
from backend.book.db import read
from models.reading import Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.journeys import TRUCK, mount, switch
from tests.backend.stories import MIDNIGHT, Change, declare

NOW = MIDNIGHT + 6 * DAY


@pytest.fixture
def yard(template: Path, tmp_path: Path) -> Iterator[Yard]:
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yield yard
    yard.book.dispose()


def hours(yard: Yard, span: tuple[int, int] = (0, 6), tz: str = "UTC", asset: str = "TRUCK-1") -> list[dict[str, str]]:
    """What is more than nothing of each day, counted from MIDNIGHT."""
    whole = (MIDNIGHT + span[0] * DAY, MIDNIGHT + span[1] * DAY)
    with read(yard.book) as tx:
        found = days(tx, register.load(tx), asset, whole, (tz, NOW))
    return [{what: text for what, text in day.hours.items() if text != "0"} for day in found]


def off(day: int, count: int) -> list[Reading]:
    return [switch(day * 86_400 + k * 1800, on=False) for k in range(count)]


def test_before_anything_was_heard_of_the_engine_nothing_was_observed(yard: Yard) -> None:
    counted = [Meter(TRUCK, from_micros(MIDNIGHT + k * 3600 * SECOND), "odometer", 100.0, "km") for k in range(4 * 24)]
    yard.send(counted)
    yard.send(off(4, 97))
    yard.settle(0)
    assert hours(yard) == [{"unobserved": "24"}] * 4 + [{"off": "24"}] * 2


RAN = [switch(3600, on=True), switch(3900, on=True), switch(4200, on=False)]
FASTER = mount(TRUCK, "TRUCK-1", MIDNIGHT + 2 * DAY, max_speed_mps=40.0)
ELSEWHERE = mount(TRUCK, "TRUCK-2", MIDNIGHT + 5 * DAY)
BACK = mount(TRUCK, "TRUCK-1", MIDNIGHT + 5 * DAY + 3600 * SECOND)
EDITS: dict[str, tuple[list[Reading], list[Change]]] = {
    "its entry": ([*RAN, *off(1, 190)], [FASTER]),
    "its entry, and it never ran": (off(0, 238), [FASTER]),
    "it goes to another": ([*RAN, *off(1, 190)], [ELSEWHERE]),
    "it goes to another, and it never ran": (off(0, 238), [FASTER, ELSEWHERE]),
    "away, and back": (off(0, 238), [ELSEWHERE, BACK]),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_its_tracker_changes_nothing_of_the_days_before(name: str, yard: Yard) -> None:
    told, edits = EDITS[name]
    yard.send(told)
    yard.settle(0)
    before = hours(yard)[:4]
    assert sum("off" in day for day in before) >= 3
    for each in edits:
        declare(yard, [each])
        yard.settle(0)
        assert hours(yard)[:4] == before
    yard.send([switch(5 * 86_400 + 10, on=False), switch(5 * 86_400 + 3700, on=False)])
    yard.settle(0)
    assert hours(yard)[:4] == before, "and is heard there"


def to_the_hour(day: int) -> Decimal:
    """25 in Brussels when summer time ends."""
    return Decimal(25 if day == 23 else 24)


@pytest.mark.parametrize(("tz", "length"), [("UTC", lambda _day: Decimal(24)), ("Europe/Brussels", to_the_hour)])
def test_hours_fill_the_day_as_they_are_told(tz: str, length: Callable[[int], Decimal], yard: Yard) -> None:
    chance = random.Random(5)
    times = sorted(chance.sample(range(-86_400_000, 25 * 86_400_000), 1000))
    named = [chance.choice(("ignition", "ignition", "pto")) for _ in times]
    yard.clock.now = MIDNIGHT + 30 * DAY
    for low in range(0, 1000, 100):
        piece = zip(times[low : low + 100], named[low : low + 100], strict=True)
        yard.send([switch(at / 1000, name=name, on=chance.random() < 0.5) for at, name in piece])
    whole = (MIDNIGHT + SECOND, MIDNIGHT + 25 * DAY)
    with read(yard.book) as tx:
        found = days(tx, register.load(tx), "TRUCK-1", whole, (tz, yard.clock.now))
    assert len(found) >= 25
    assert [sum(map(Decimal, day.hours.values())) for day in found] == [length(k) for k in range(len(found))]
