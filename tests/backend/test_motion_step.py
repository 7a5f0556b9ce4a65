"""Motion in event time: fixes late, twice, in any order, around changes of trackers and zones, end in the orderly book.

`STOCKYARD_STORIES=1000 python -m pytest tests/backend/test_motion_step.py` tells 1,000 random stories; without it 40.
"""

import gc
import os
import random
import weakref
from pathlib import Path
from typing import Any

import pytest

from backend.book.schema import dirty, fold_state, quarantine, travel
from backend.motion_step import MOTION, fences_at, tracking
from backend.step import Key
from backend.verify import verify
from models.declared import Asset, AssetClass, Circle, Device, Site, TagBinding, Tracker, Zone
from models.reading import Reading
from models.register import Entry, Register
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.journeys import (
    DOCK,
    GATE,
    HOUR,
    PAD,
    STRANGER,
    TRUCK,
    corridor,
    drive,
    fix,
    make,
    mount,
    switch,
    zone,
)
from tests.backend.stories import MIDNIGHT, Change, declare, tell_in_disorder, tell_in_order
from tests.models.motion.drives import degrees

STORIES = int(os.environ.get("STOCKYARD_STORIES", "40"))
PIECES = 4


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
    ("a road", [corridor("new", 30, MIDNIGHT - DAY, (120.0, 120.0), DOCK)], {("TRUCK-1", "dock"), ("TRUCK-1", "new")}),
    ("a dwell", [Change("zones", "dock", Zone("d", circle=Circle(*degrees(*DOCK), 30), dwell_s=100), MIDNIGHT - DAY)],
     {("TRUCK-1", "dock")}),
    ("another class", [Change("classes", "truck", AssetClass(30.0, 1000.0), MIDNIGHT - DAY)], {("TRUCK-1", "dock")}),
    ("another category", [Change("assets", "TRUCK-1", Asset("T", "1", "crane"), MIDNIGHT - DAY)],
     {("TRUCK-1", "dock")}),
    ("runs by another input", [mount(TRUCK, "TRUCK-1", MIDNIGHT - DAY, hours_from="pto")], {("TRUCK-1", "dock")}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "expected"), CHANGES)
def test_a_change_of_the_register_from_a_past_date_is_followed(
    name: str, changes: list[Change], expected: set[tuple[str, str]], template: Path, tmp_path: Path
) -> None:
    before, later = (Yard.copy(template, tmp_path / f"{k}.db", MIDNIGHT + DAY) for k in "ab")
    declare(before, changes)
    for yard in (before, later):
        yard.send([*IN_AND_OUT, switch(-700, on=True), switch(-700, name="pto", on=False)])
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


def test_a_name_or_an_alert_of_a_zone_changes_no_visit(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + DAY
    declare(yard, [zone("new", *DOCK, 30, MIDNIGHT - DAY)])
    yard.send(IN_AND_OUT)
    before = facts(yard.book)
    for at in (MIDNIGHT - 2 * SECOND, MIDNIGHT + HOUR):
        declare(yard, [Change("zones", "new", Zone(f"at {at}", circle=Circle(*degrees(*DOCK), 30), alert="both"), at)])
    assert not yard.rows(dirty)
    yard.settle()
    assert facts(yard.book) == before
    assert {row["version"] for row in yard.rows(travel) if row["zone"] == "new"} == {MIDNIGHT - DAY}
    assert broken(yard) == []


def test_what_moves_with_its_engine_off_is_carried_until_it_goes_on(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + DAY
    carried = [(900.0 * k, 0.0) for k in range(6)]
    own = [(4500.0, 900.0 * k) for k in range(6)]
    yard.send([switch(-400, on=False), *drive(-300, *[GATE] * 4), *drive(0, *carried, every=90)])
    yard.send([switch(700, on=True), *drive(760, *own, every=90), *drive(1400, *[own[-1]] * 8), fix(7200, own[-1])])
    rows = [(row["what"], row["distance_mm"] // 1_000_000, row["asset"]) for row in yard.rows(travel)]
    assert ("transported", 4, "TRUCK-1") in rows
    assert ("trip", 4, "TRUCK-1") in rows
    driven = sum(row["distance_mm"] for row in yard.rows(travel) if row["what"] == "distance")
    assert driven // 1_000_000 == 4, "what was carried is no distance"
    assert broken(yard) == []


def test_other_inputs_change_nothing_but_when_it_was_heard(yard: Yard, template: Path, tmp_path: Path) -> None:
    plain = Yard.copy(template, tmp_path / "plain.db", MIDNIGHT + DAY)
    yard.clock.now = MIDNIGHT + DAY
    plain.send(IN_AND_OUT)
    yard.send([*IN_AND_OUT, *(switch(at, name="door", on=at % 2 > 0) for at in range(-600, 3300, 33))])
    rows, others = ([{**row, "n": 0, "device_id": 0} for row in each.rows(travel)] for each in (plain, yard))
    assert sorted(map(str, rows)) == sorted(map(str, others))
    assert broken(yard) == []
    plain.book.dispose()


def test_a_device_that_is_no_tracker_yet_is_folded_with_all_it_ever_said(template: Path, tmp_path: Path) -> None:
    before, later = (Yard.copy(template, tmp_path / f"{k}.db", MIDNIGHT + DAY) for k in "ab")
    told: list[Reading] = [fix(at, place, STRANGER) for at in (-90_000, 0) for place in (GATE,)]
    told += [fix(600 + 60 * k, place, STRANGER) for k, place in enumerate((GATE, DOCK, DOCK, GATE, GATE))]
    told += [switch(at, STRANGER, on=True) for at in (-90_000, 500)]
    plain = Change("devices", STRANGER, Device(STRANGER), MIDNIGHT - DAY)
    mounted = mount(STRANGER, "FORKLIFT-1", MIDNIGHT + 300 * SECOND)
    declare(before, [plain, mounted])
    declare(later, [plain])
    later.send([*told[:4], *told[-2:]])
    assert {row["step"] for row in later.rows(fold_state)} <= {"hours"}
    declare(later, [mounted])
    for yard, piece in ((before, told), (later, told[4:-2])):
        yard.send(piece)
        yard.settle()
    assert facts(later.book) == facts(before.book)
    assert {row["zone"] for row in later.rows(travel) if row["what"] == "visit"} >= {"dock"}
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


@pytest.mark.parametrize("pace", [(180.0, 0.0), (1e-7, 200.0), (1e-7, 0.0)])
@pytest.mark.parametrize("cut", [0, 8], ids=["declared before", "declared later"])
def test_a_class_of_no_distance_or_no_time_is_no_fault(cut: int, pace: tuple[float, float], yard: Yard) -> None:
    told = [fix(60 * k, (250.0 * k, 0.0), speed_mps=None) for k in range(9)]
    yard.clock.now = MIDNIGHT + DAY
    yard.send(told[:cut])
    declare(yard, [Change("classes", "truck", AssetClass(*pace), MIDNIGHT - DAY)])
    yard.settle()
    yard.send(told[cut:])
    yard.settle()
    assert (yard.rows(dirty), yard.rows(quarantine)) == ([], [])
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
    assert [*first.fences.shapes] == ["a"]
    assert (tracking(register, TRUCK, 5), tracking(register, "imei:1", 100)) == (None, None)


class Watched(Register):
    """One that a test can ask whether it is still there."""


def version(k: int, **zone: Any) -> Watched:
    """A register to which somebody wrote `k` times."""
    circle = Circle(51, 3, 10)
    entries = [
        Entry("devices", TRUCK, 10, 1, Device(TRUCK, tracker=Tracker("T"))),
        Entry("zones", "a", 0, 2, Zone("a", **{"circle": circle} | zone)),
        *(Entry("tags", f"{tag:024x}", 20, 3 + tag, TagBinding("none")) for tag in range(k)),
    ]
    register = Watched.of(entries)
    assert isinstance(register, Watched)
    return register


def test_what_is_worked_out_of_a_register_does_not_keep_it_for_ever() -> None:
    held: list[weakref.ref[Register]] = []
    for k in range(50):
        register = version(k)
        held.append(weakref.ref(register))
        assert tracking(register, TRUCK, 100) is not None
        assert MOTION.serves(register, TRUCK)
        assert MOTION.depends_on(register, Key(1, TRUCK, "")) == (0, 10)
        assert fences_at(register, 100).shapes
    del register
    gc.collect()
    assert sum(each() is not None for each in held) <= 8


def test_the_index_of_zones_is_made_anew_only_when_an_outline_changes() -> None:
    first = fences_at(version(1), 100)
    assert fences_at(version(2), 100) is first, "a tag"
    assert fences_at(version(1, alert="both"), 100) is first, "whom it alerts"
    assert fences_at(version(1, circle=Circle(51, 3, 11)), 100) is not first
