"""One seed gives one world; what happens in it is possible."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from epcpy import hex_to_tag_encodable

from simulators import agenda, epc
from simulators.clerk import Clerk
from simulators.desk import Workflow
from simulators.goods import CASED, LOOSE
from simulators.warehouse import Passing
from simulators.world import SECOND, World, stamp

START = datetime(2026, 10, 24, 9, 30, tzinfo=UTC)
DOORS = ("door-1", "door-2")


class Watcher:
    """A stage that remembers."""

    def __init__(self) -> None:
        self.passings: list[Passing] = []
        self.workflows: list[Workflow] = []

    def passing(self, passing: Passing) -> None:
        self.passings.append(passing)

    def scanning(self, workflow: Workflow) -> None:
        self.workflows.append(workflow)


@pytest.fixture(scope="module")
def month() -> tuple[agenda.Site, Watcher]:
    watcher = Watcher()
    site = agenda.build(World(7, START), DOORS, watcher)
    agenda.play_history(site, 30)
    return site, watcher


def test_the_agenda_keeps_time_and_order() -> None:
    world, done = World(1, START), []
    say: Callable[[str], Callable[[], None]] = lambda word: lambda: done.append((word, world.now_us - begin))  # noqa: E731
    begin = world.now_us
    world.at(begin + 2, say("c"))
    world.at(begin + 1, say("a"))
    world.at(begin + 1, say("b"))
    world.at(begin + 9, say("later"))
    world.run(begin + 9)
    assert done == [("a", 1), ("b", 1), ("c", 2)]
    assert world.now_us == begin + 9


def test_streams_of_chance_do_not_disturb_each_other() -> None:
    one, other = World(1, START), World(1, START)
    other.chance("else").random()
    assert one.chance("x").random() == other.chance("x").random() != World(2, START).chance("x").random()


def test_truth_is_a_json_line() -> None:
    file = io.StringIO()
    World(1, START, file).tell("pass", id="p1", begin=stamp(1))
    assert file.getvalue() == '{"what":"pass","id":"p1","begin":"1970-01-01T00:00:00.000001Z"}\n'


def test_one_seed_one_world(month: tuple[agenda.Site, Watcher]) -> None:
    again = Watcher()
    agenda.play_history(agenda.build(World(7, START), DOORS, again), 30)
    assert again.passings == month[1].passings
    assert again.workflows == month[1].workflows
    other = Watcher()
    agenda.play_history(agenda.build(World(8, START), DOORS, other), 3)
    assert other.passings[:20] != month[1].passings[:20]


def test_what_leaves_was_there(month: tuple[agenda.Site, Watcher]) -> None:
    site, watcher = month
    inside: dict[str, str] = {}
    for passing in watcher.passings:
        for tag in passing.tags:
            if passing.kind == "in":
                assert tag.epc not in inside
                inside[tag.epc] = tag.sku or ""
            elif passing.kind == "out":
                del inside[tag.epc]
    stored = [carton for pallet in site.warehouse.stored for carton in pallet.cartons]
    assert Counter(sku for sku in inside.values() if sku) == Counter(carton.goods.sku for carton in stored)
    assert all(4 <= len(pallet.cartons) <= 12 for pallet in site.warehouse.stored)


def test_what_is_issued_or_moved_was_there(month: tuple[agenda.Site, Watcher]) -> None:
    site, watcher = month
    held: Counter[tuple[str, str, str | None]] = Counter()
    for workflow in watcher.workflows:
        undone = {scan.of for scan in workflow.scans if scan.action == "undo"}
        for scan in workflow.scans:
            if scan.action not in {"receive", "issue", "return", "move", "count"} or scan.id in undone:
                continue
            assert scan.quantity
            here = (scan.place, str(scan.sku), scan.lot)
            if scan.action == "count":
                assert held[here] == scan.quantity
                continue
            held[here] += scan.quantity if scan.action in {"receive", "return"} else -scan.quantity
            assert held[here] >= 0
            if scan.target is not None:
                held[scan.target, str(scan.sku), scan.lot] += scan.quantity
    assert isinstance(site.desk, Clerk)
    there = {"desk": site.desk.shelf, "shelf-a": site.desk.away}
    assert +held == Counter({(place, *key): number for place, kept in there.items() for key, number in kept.items()})


def test_a_day_has_some_of_everything_that_scanners_are_for(month: tuple[agenda.Site, Watcher]) -> None:
    first = month[1].workflows[:60]
    found = {scan.action for workflow in first for scan in workflow.scans}
    assert {"receive", "issue", "match", "move", "return", "count", "undo", "pack", "assign"} <= found
    codes = [scan.data for workflow in month[1].workflows for scan in workflow.scans]
    assert not [code for code, following in pairwise(codes) if code == following], "a scanner keeps a repeat to itself"


def test_passes_of_one_tag_never_touch(month: tuple[agenda.Site, Watcher]) -> None:
    last: dict[tuple[str, str], int] = {}
    for passing in month[1].passings:
        assert passing.motion.seconds <= 11.5
        for tag in passing.tags:
            assert passing.begin_us > last.get((passing.door, tag.epc), 0) + 8 * SECOND
            last[passing.door, tag.epc] = passing.end_us


def test_levels_fall_below_their_minimum_now_and_then() -> None:
    low = set()
    for seed in range(4):
        site = agenda.build(World(seed, START), DOORS)
        for _ in agenda.history_days(site, 30):
            low |= {goods.sku for goods in CASED if site.warehouse.level(goods) < goods.target * 8 * goods.units / 3}
            low |= {goods.sku for goods in LOOSE if site.desk.level(goods) < goods.target / 4}
    assert len(low - {goods.sku for goods in LOOSE}) >= 2
    assert low & {goods.sku for goods in LOOSE}


def test_the_live_agenda_goes_on_where_the_history_ended() -> None:
    site, watcher = agenda.build(World(7, START), DOORS), Watcher()
    agenda.play_history(site, 2)
    known = {pallet.epc for pallet in site.warehouse.stored}
    begin = site.world.now_us + 90 * SECOND
    agenda.go_live(site, watcher, io.StringIO(), begin, lambda: False)
    site.world.run(begin + 120 * SECOND)
    moving = [one for one in watcher.passings if one.kind != "static"]
    assert [one.door for one in moving[:4]] == ["door-1", "door-2", "door-1", "door-2"]
    assert 12 <= len(moving) <= 15
    assert {"in", "out", "static"} <= {one.kind for one in watcher.passings}
    assert all(one.tags[0].epc in known for one in moving if one.kind == "out")
    assert 15 <= len(watcher.workflows) <= 36


def test_codes_are_what_an_independent_decoder_reads() -> None:
    carton = hex_to_tag_encodable(epc.sgtin96(1, "00010", 6789))
    assert carton.epc_uri == "urn:epc:id:sgtin:9521321.100010.6789"
    pallet = hex_to_tag_encodable(epc.sscc96(1, 42))
    assert pallet.epc_uri == "urn:epc:id:sscc:9521321.1000000042"
