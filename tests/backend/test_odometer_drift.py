"""Odometers that drift apart over 500 km: told when it holds, closed when not, and not where GPS cut the corners."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.book import schema
from backend.book.db import read
from backend.plan.odometers import ODOMETER_DRIFT
from backend.planner import Planner
from models.reading import Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.journeys import TRUCK, fix, mount, switch
from tests.backend.stories import MIDNIGHT, declare

SPEED = 25.0
"""Metres in a second: 500 km in 20,000 s."""


def drive(span: tuple[float, float], every: float, counts: dict[str, float], x: float = 0.0) -> list[Reading]:
    """East and back, ten kilometres each way; `counts` are km of each counter for a km."""
    told: list[Reading] = []
    steps = round((span[1] - span[0]) / every)
    for k in range(steps + 1):
        at = span[0] + k * every
        km = x + k * every * SPEED / 1000
        away = km % 20.0
        told.append(fix(at, (1000 * min(away, 20.0 - away), 0.0), speed_mps=SPEED))
        if k % 2 == 0:
            told.append(switch(at, on=True))
            when = from_micros(MIDNIGHT + round(at * SECOND))
            told += [Meter(TRUCK, when, name, 1000 + km * each, "km") for name, each in counts.items()]
    return told


class Drive:
    """A book, and a planner that looks at it twice, twenty minutes apart."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.planner = Planner(yard.book, yard.clock, [ODOMETER_DRIFT])

    def send(self, readings: list[Reading]) -> None:
        for low in range(0, len(readings), 400):
            self.yard.send(readings[low : low + 400])

    def look(self) -> list[str]:
        """The titles of what stands, after it has been so for a while."""
        for _ in range(2):
            while self.planner.step():
                pass
            self.yard.clock.now += 1200 * SECOND
            with self.yard.book.begin() as tx:
                tx.execute(schema.changed.insert().values(subject="asset:TRUCK-1", at=self.yard.clock.now))
        while self.planner.step():
            pass
        with read(self.yard.book) as tx:
            return list(tx.scalars(select(schema.alert.c.title).where(schema.alert.c.state != "closed")))


@pytest.fixture
def trip(template: Path, tmp_path: Path) -> Iterator[Drive]:
    yard = Yard.copy(template, tmp_path / "yard.db", MIDNIGHT + DAY)
    yield Drive(yard)
    yard.book.dispose()


WAY = (100.0, 21_100.0)
CASES: list[tuple[str, float, dict[str, float], str | None]] = [
    ("alike", 15.0, {"odometer": 1.0, "tracker_odometer": 1.0}, None),
    ("within the limit", 15.0, {"odometer": 1.03}, None),
    ("the machine counts too much", 15.0, {"odometer": 1.2}, "its own odometer and GPS differ by 1[78]%"),
    ("fixes that cut the corners", 40.0, {"odometer": 1.2}, None),
    ("two counters, whatever the fixes", 40.0, {"odometer": 1.2, "tracker_odometer": 1.0}, "and its tracker's differ"),
    ("only GPS", 15.0, {}, None),
    ("only the tracker's", 15.0, {"tracker_odometer": 0.8}, "its tracker's and GPS differ by (19|20)%"),
]


@pytest.mark.parametrize(("name", "every", "counts", "said"), CASES)
def test_what_is_told(name: str, every: float, counts: dict[str, float], said: str | None, trip: Drive) -> None:
    trip.send(drive(WAY, every, counts))
    found = trip.look()
    assert len(found) == (said is not None), name
    assert said is None or re.search(said, found[0])


def test_not_before_500_km(trip: Drive) -> None:
    trip.send(drive((100.0, 14_000.0), 15.0, {"odometer": 1.2}))
    assert trip.look() == []


def test_a_way_that_gps_did_not_see_is_not_compared(trip: Drive) -> None:
    trip.send(drive((100.0, 12_100.0), 15.0, {"odometer": 1.0}))
    trip.send(drive((21_700.0, 32_500.0), 15.0, {"odometer": 1.0}, x=540.0))
    assert trip.look() == []


def test_it_closes_when_the_limit_is_another_or_the_tracker_is_gone(trip: Drive) -> None:
    trip.send(drive(WAY, 15.0, {"odometer": 1.2}))
    assert len(trip.look()) == 1
    declare(trip.yard, [mount(TRUCK, "TRUCK-1", MIDNIGHT - DAY, odometer_drift=0.2)])
    trip.yard.settle()
    assert len(trip.look()) == 1, "a little better is not enough"
    declare(trip.yard, [mount(TRUCK, "TRUCK-1", MIDNIGHT - DAY, odometer_drift=0.5)])
    trip.yard.settle()
    assert trip.look() == []
    declare(trip.yard, [mount(TRUCK, "TRUCK-1", MIDNIGHT - DAY)])
    trip.yard.settle()
    assert len(trip.look()) == 1
    declare(trip.yard, [mount(TRUCK, None, MIDNIGHT + DAY)])
    trip.yard.settle()
    assert trip.look() == []
