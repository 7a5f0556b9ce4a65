"""Motion in event time: fixes late, twice, in any order, around changes of trackers and zones, end in the orderly book.

`STOCKYARD_STORIES=1000 python -m pytest tests/backend/test_motion_step.py` tells 1,000 random stories; without it 40.
"""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from backend.book.schema import travel
from backend.motion_step import tracking
from backend.verify import verify
from models.declared import Circle, Device, Site, Tracker, Zone
from models.reading import Fix, Reading, from_micros, micros
from models.register import Entry, Register
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import MIDNIGHT, Change, Story, declare, tell_in_disorder, tell_in_order
from tests.models.motion.drives import degrees

STORIES = int(os.environ.get("STOCKYARD_STORIES", "40"))
PIECES = 4
TRUCK, CRANE = "imei:356307042441013", "imei:356307042441021"
ASSETS = {TRUCK: ("TRUCK-1", "TRUCK-2"), CRANE: ("CRANE-1", "CRANE-2")}
DOCK, GATE, PAD, FAR = (150.0, 120.0), (0.0, 0.0), (300.0, 60.0), (9000.0, 7000.0)
PLACES = [DOCK, DOCK, GATE, PAD, (150.0, 84.0), (185.0, 120.0), FAR, (40_000.0, 0.0)]
HOUR = 3600 * SECOND


def fix(at: float, place: tuple[float, float], device: str = TRUCK, **fields: Any) -> Fix:
    """A fix `at` seconds after midnight at a place, metres east and north of the gate."""
    lat, lon = degrees(*place)
    given = {"lat": lat, "lon": lon, "speed_mps": 3.0, "hdop": 0.9, "satellites": 9, "valid": True} | fields
    return Fix(device, from_micros(MIDNIGHT + round(at * SECOND)), **given)


def drive(begin: float, *places: tuple[float, float], every: float = 60.0) -> list[Reading]:
    return [fix(begin + k * every, place) for k, place in enumerate(places)]


def mount(device: str, asset: str | None, at: int, **fields: Any) -> Change:
    tracker = None if asset is None else Tracker(asset, **fields)
    return Change("devices", device, Device(device, tracker=tracker), at)


def zone(ident: str, x: float, y: float, radius_m: float, at: int) -> Change:
    return Change("zones", ident, Zone(ident, circle=Circle(*degrees(x, y), radius_m)), at)


def _time(chance: random.Random) -> int:
    """A moment around midnight and full hours of three days, on a grid on which things fall together."""
    step = chance.choice((1, 20, 60, 60, 600, 1800))
    at = MIDNIGHT + chance.choice((0, 0, 0, 1, 2)) * DAY + chance.randint(-10, 20) * step * SECOND
    return at + chance.choice((0, 0, 0, -1, 1))


def _fix(chance: random.Random) -> tuple[str, Reading]:
    at = _time(chance)
    x, y = chance.choice(PLACES)
    place = (x + chance.gauss(0, 3), y + chance.gauss(0, 3)) if chance.random() < 0.8 else (x, y)
    fields: dict[str, Any] = {"speed_mps": chance.choice((None, 0.0, 3.0, 20.0))}
    match chance.randrange(12):
        case 0:
            fields |= {"lat": None, "lon": None}
        case 1:
            fields |= {"satellites": 0}
        case 2:
            fields |= {"hdop": chance.choice((4.0, 20.0))}
        case 3:
            fields |= {
                "lat": chance.choice((90.0, -90.0, 0.0)),
                "lon": chance.choice((180.0, 0.0)),
                "altitude_m": 1e300,
            }
        case 4:
            fields |= {"device_at": from_micros(at)}
        case _:
            pass
    device = chance.choice((TRUCK, TRUCK, TRUCK, CRANE))
    return chance.choice(("dock-a", "dock-a", "dock-b")), fix((at - MIDNIGHT) / SECOND, place, device, **fields)


def _route(chance: random.Random) -> list[tuple[str, Reading]]:
    """A way through the yard that makes visits and distance."""
    begin = (_time(chance) - MIDNIGHT) / SECOND
    every = chance.choice((1.0, 60.0, 60.0, 900.0))
    places = [place for place in chance.choices(PLACES[:6], k=5) for _ in range(chance.randint(1, 3))]
    return [("dock-a", each) for each in drive(begin, *places, every=every)]


def _again(chance: random.Random, told: tuple[str, Reading]) -> tuple[str, Reading]:
    gateway, reading = told
    if reading.device_at is None:
        return told
    fields: dict[str, Any] = {name: getattr(reading, name) for name in reading.__struct_fields__}
    shift = chance.choice((-DAY, -60 * SECOND, SECOND, 60 * SECOND, DAY))
    return gateway, Fix(**fields | {"at": from_micros(micros(reading.at) + shift)})


def _change(chance: random.Random) -> Change:
    at = _time(chance)
    if chance.random() < 0.5:
        device = chance.choice((TRUCK, TRUCK, CRANE))
        return mount(device, chance.choice((*ASSETS[device], None)), at, max_speed_mps=chance.choice((50.0, 10.0)))
    x, y = chance.choice((DOCK, DOCK, PAD, GATE))
    return zone(chance.choice(("dock", "dock", "new")), x, y, chance.choice((30.0, 60.0, 5000.0)), at)


def make(seed: int) -> Story:
    chance = random.Random(seed)
    told = [_fix(chance) for _ in range(chance.randint(1, 25))]
    for _ in range(chance.randint(0, 3)):
        told += _route(chance)
    told += [_again(chance, chance.choice(told)) for _ in range(chance.randint(0, 5))]
    return Story(told, [_change(chance) for _ in range(chance.randint(0, 4))])


def broken(yard: Yard) -> list[str]:
    return [f"{finding.name}: {finding.detail}" for finding in verify(yard.book) if not finding.ok]


def compare(seed: int, template: Path, folder: Path) -> int:
    """One story, told twice; how many rows it came to."""
    story, chance = make(seed), random.Random(-seed)
    orderly = Yard.copy(template, folder / f"{seed} orderly.db", MIDNIGHT - DAY)
    tell_in_order(orderly, story)
    orderly.settle(4 * DAY)
    start = chance.choice((MIDNIGHT - DAY, MIDNIGHT, MIDNIGHT + 3 * DAY))
    disorder = Yard.copy(template, folder / f"{seed} disorder.db", start)
    tell_in_disorder(disorder, story, chance)
    disorder.settle(MIDNIGHT + 5 * DAY - disorder.clock.now)
    wrong = broken(chance.choice((orderly, disorder)))
    books = facts(orderly.book), facts(disorder.book)
    for yard in (orderly, disorder):
        yard.book.dispose()
    for name in books[0]:
        assert books[0][name] == books[1][name], f"seed {seed}: {name}"
    assert not wrong, f"seed {seed}"
    return len(books[0]["travel"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("piece", range(PIECES))
def test_every_story_ends_in_the_orderly_book(piece: int, template: Path, tmp_path: Path) -> None:
    assert sum(compare(seed, template, tmp_path) for seed in range(piece, STORIES, PIECES)) > STORIES // PIECES


IN_AND_OUT = [*drive(-600, GATE, DOCK, DOCK, DOCK, GATE, GATE), *drive(3000, GATE, PAD, DOCK, DOCK, GATE, GATE)]
BOTH = {("TRUCK-1", "dock"), ("TRUCK-2", "dock")}
IN_THE_DOCK = MIDNIGHT - 450 * SECOND
CHANGES: list[tuple[str, list[Change], set[tuple[str, str]]]] = [
    ("another truck", [mount(TRUCK, "TRUCK-2", MIDNIGHT)], BOTH),
    ("another truck all along", [mount(TRUCK, "TRUCK-2", MIDNIGHT - DAY)], {("TRUCK-2", "dock")}),
    ("in the dock", [mount(TRUCK, "TRUCK-2", IN_THE_DOCK)], BOTH),
    ("taken off", [mount(TRUCK, None, MIDNIGHT)], {("TRUCK-1", "dock")}),
    ("taken off in the dock", [mount(TRUCK, None, IN_THE_DOCK)], {("TRUCK-1", "dock")}),
    ("away, and back", [mount(TRUCK, None, IN_THE_DOCK), mount(TRUCK, "TRUCK-1", MIDNIGHT)], {("TRUCK-1", "dock")}),
    ("a slower truck", [mount(TRUCK, "TRUCK-1", MIDNIGHT - DAY, max_speed_mps=0.5)], {("TRUCK-1", "dock")}),
    ("the dock moves", [zone("dock", 5000, 0, 50, MIDNIGHT)], {("TRUCK-1", "dock")}),
    ("the dock is larger", [zone("dock", 0, 0, 5000, MIDNIGHT)], {("TRUCK-1", "dock")}),
    ("a new zone", [zone("new", *DOCK, 20, MIDNIGHT - DAY)], {("TRUCK-1", "dock"), ("TRUCK-1", "new")}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "expected"), CHANGES)
def test_a_change_of_the_register_from_a_past_date_is_followed(
    name: str, changes: list[Change], expected: set[tuple[str, str]], template: Path, tmp_path: Path
) -> None:
    before, later = (Yard.copy(template, tmp_path / f"{k}.db", MIDNIGHT + DAY) for k in "ab")
    declare(before, changes)
    for yard in (before, later):
        yard.send(IN_AND_OUT)
        yard.settle()
    unchanged = facts(later.book)
    declare(later, changes)
    later.settle()
    assert facts(later.book) == facts(before.book)
    assert facts(later.book) != unchanged, name
    visited = {(row["asset"], row["zone"]) for row in later.rows(travel) if row["zone"] in {"dock", "new"}}
    assert visited == expected
    for yard in (before, later):
        assert broken(yard) == []
        yard.book.dispose()


def dwell(yard: Yard, what: str = "dock") -> list[tuple[int, int, int]]:
    """(begin, end, closed) of the visits of a zone, in seconds after midnight."""
    rows = [row for row in yard.rows(travel) if row["zone"] == what]
    names = ("begin_at", "end_at", "closed_at")
    return sorted(tuple((row[name] - MIDNIGHT) // SECOND for name in names) for row in rows)  # type: ignore[misc]


def test_a_visit_over_midnight_and_one_late_fix_that_makes_it_two(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + DAY
    yard.send(drive(-120, DOCK, DOCK, DOCK, DOCK, DOCK, GATE, GATE))
    assert dwell(yard) == [(-120, 120, 240)]
    yard.send([fix(-30, GATE), fix(-20, GATE)])
    yard.settle()
    assert dwell(yard) == [(-120, -60, -20), (0, 120, 240)]
    assert broken(yard) == []


def test_what_is_open_goes_on_when_something_else_changes(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + DAY
    slower = mount(TRUCK, "TRUCK-1", MIDNIGHT + 90 * SECOND, max_speed_mps=20.0)
    declare(yard, [zone("new", 5000, 0, 50, MIDNIGHT + 30 * SECOND), slower])
    yard.send(drive(-120, GATE, DOCK, DOCK, DOCK, DOCK, GATE, GATE))
    assert dwell(yard) == [(-60, 120, 240)]


def test_the_rows_of_a_tracker_that_is_mounted_nowhere_end_with_the_fact_that_shows_it(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + DAY
    declare(yard, [mount(TRUCK, None, MIDNIGHT)])
    yard.send(drive(-300, GATE, DOCK, DOCK))
    assert dwell(yard) == []
    yard.send([fix(7200, GATE)])
    assert dwell(yard) == [(-240, -180, 7200)]
    driven = [row for row in yard.rows(travel) if row["what"] == "distance"]
    assert [(row["asset"], row["day"], row["closed_at"] - MIDNIGHT) for row in driven] == [
        ("TRUCK-1", MIDNIGHT // DAY, 7200 * SECOND)
    ]


def test_parameters_are_built_once_for_a_span_without_a_change() -> None:
    register = Register.of(
        [
            Entry("devices", TRUCK, 10, 1, Device(TRUCK, tracker=Tracker("T"))),
            Entry("zones", "a", 0, 2, Zone("a", circle=Circle(51, 3, 10))),
            Entry("zones", "without an area", 0, 3, Zone("b", polygon=[(51.0, 3.0)])),
            Entry("zones", "c", 200, 4, Zone("c", circle=Circle(51, 3, 10))),
            Entry("sites", "other", 120, 5, Site("Another kind")),
        ]
    )
    first = tracking(register, TRUCK, 100)
    assert first is not None
    assert tracking(register, TRUCK, 150) is first
    assert tracking(register, TRUCK, 200) is not first
    assert [shape.zone for shape in first.zones] == ["a"]
    assert (tracking(register, TRUCK, 5), tracking(register, "imei:1", 100)) == (None, None)
