"""Odometers that drift apart over 500 km: told when it holds, closed when not, and not where GPS cut the corners."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.book import schema
from backend.book.alerts import open_subjects
from backend.book.db import read
from backend.plan.odometers import ODOMETER_DRIFT, STEADY_US, Drift
from backend.plan.rule import View
from backend.planner import Planner, Rest
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


def changed(yard: Yard, assets: list[str]) -> None:
    """These changed, and nothing else."""
    with yard.book.begin() as tx:
        tx.execute(schema.changed.delete())
        tx.execute(schema.changed.insert(), [{"subject": f"asset:{each}", "at": 1} for each in assets])


def test_many_are_looked_at_a_few_at_once_and_not_again_before_they_rested(trip: Drive) -> None:
    looks: list[tuple[str, ...]] = []

    def load(_view: View, assets: Sequence[str]) -> list[tuple[str, Drift]]:
        looks.append(tuple(assets))
        return []

    trip.planner = Planner(trip.yard.book, trip.yard.clock, [replace(ODOMETER_DRIFT, load=load, everything=None)])
    fleet = [f"A{k:03}" for k in range(50)]
    changed(trip.yard, fleet)
    assert [trip.planner.step() for _ in range(4)] == [50 + 20, 20, 10, 0]
    assert [each for look in looks for each in look] == fleet, "each once"
    changed(trip.yard, ["A007", "B"])
    assert trip.planner.step() == 2 + 1
    assert trip.planner.step() == 0
    assert looks[3:] == [("B",)], "A007 rests"
    trip.yard.clock.now += STEADY_US - 1
    assert trip.planner.step() == 0
    trip.yard.clock.now += 1
    assert trip.planner.step() == 1, "though nothing else changed"
    assert looks[4:] == [("A007",)]
    trip.yard.clock.now += STEADY_US
    assert trip.planner.step() == 0


def test_who_waits_longest_is_first_and_what_has_rested_is_forgotten() -> None:
    rest = Rest(100)
    rest.add(["z"])
    rest.add([f"a{k:02}" for k in range(30)])
    first = rest.ready(1000)
    assert (len(first), first[0]) == (20, "z")
    rest.looked(first, 1000)
    rest.add(["z"])
    assert "z" not in rest.ready(1099)
    assert rest.ready(1100)[-1] == "z"
    rest.looked(rest.ready(1100), 1100)
    assert set(rest._looked_at) == {*(f"a{k:02}" for k in range(19, 30)), "z"}
    rest.add(["z"])
    assert rest.ready(900) == ["z"], "the clock was set"


def test_a_look_that_fails_is_told_and_repeated(trip: Drive) -> None:
    def fail(*_told: object) -> None:
        raise ZeroDivisionError

    broken = replace(ODOMETER_DRIFT, load=fail, everything=None)
    planner = Planner(trip.yard.book, trip.yard.clock, [broken])
    changed(trip.yard, ["TRUCK-1"])
    planner.step()
    with read(trip.yard.book) as tx:
        assert open_subjects(tx, "not_judged") == ["odometer_drift:TRUCK-1"]
    mended = Planner(trip.yard.book, trip.yard.clock, [replace(broken, load=ODOMETER_DRIFT.load)])
    changed(trip.yard, ["TRUCK-1"])
    mended.step()
    with read(trip.yard.book) as tx:
        assert open_subjects(tx, "not_judged") == []


def test_what_waited_when_the_backend_was_stopped_is_looked_at_by_the_next(trip: Drive) -> None:
    looks: list[str] = []

    def load(_view: View, assets: Sequence[str]) -> list[tuple[str, Drift]]:
        looks.extend(assets)
        return []

    rule = replace(ODOMETER_DRIFT, load=load)
    planner = Planner(trip.yard.book, trip.yard.clock, [rule])
    while planner.step():
        pass
    changed(trip.yard, ["TRUCK-1"])
    assert planner.step() == 1, "the row is taken, and TRUCK-1 rests"
    with trip.yard.book.begin() as tx:
        tx.execute(schema.changed.delete())
    looks.clear()
    Planner(trip.yard.book, trip.yard.clock, [rule]).step()
    assert "TRUCK-1" in looks
