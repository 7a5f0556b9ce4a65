"""The live run tells devices what happens when it happens, and says what was told."""

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event, Timer
from typing import Any

import pytest

from simulators import agenda, live
from simulators.desk import Scan, Workflow
from simulators.devices.llrp import RawRead
from simulators.warehouse import Passing
from simulators.world import SECOND, World

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class FakeReader:
    """Takes all reads, none, or only those of one antenna."""

    reading = True

    def __init__(self, *antennas: int) -> None:
        self.antennas = antennas
        self.taken: list[RawRead] = []

    def offer(self, reads: Sequence[RawRead], note: Callable[[Sequence[RawRead]], None] | None = None) -> int:
        taken = [read for read in reads if read.antenna in self.antennas]
        if note and taken:
            note(taken)
        self.taken += taken
        return len(taken)


class FakeScanner:
    def __init__(self) -> None:
        self.connected = True
        self.said: list[str] = []

    def scan(self, data: bytes, aim: str | None, note: Callable[[], object] | None = None) -> bool:
        if self.connected and note:
            note()
            self.said.append(f"{aim}{data.decode()}")
        return self.connected


class Seen:
    def __init__(self) -> None:
        self.passings: list[Passing] = []
        self.workflows: list[Workflow] = []

    def passing(self, passing: Passing) -> None:
        self.passings.append(passing)

    def scanning(self, workflow: Workflow) -> None:
        self.workflows.append(workflow)


@pytest.fixture(scope="module")
def arrival() -> Passing:
    seen = Seen()
    site = agenda.build(World(1, START), ("door-1",), seen)
    site.warehouse.arrive("door-1")
    return seen.passings[0]


def lines(file: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.getvalue().splitlines()]


def play(passing: Passing, reader: FakeReader, step_s: float = 0.5) -> list[dict[str, Any]]:
    """Play one pass; after the first tick everything of the truth but what was told is already written."""
    truth = io.StringIO()
    doors = live.Doors(World(1, START, truth), {"door-1": reader})
    doors.passing(passing)
    assert [line["what"] for line in lines(truth)] == ["pass"] * len(passing.tags)
    for number in range(int(passing.motion.seconds / step_s) + 2):
        doors.tick(passing.begin_us + int(number * step_s * SECOND))
        assert all(read.at_us <= passing.begin_us + number * step_s * SECOND for read in reader.taken)
    assert doors.idle
    return lines(truth)


def test_a_pass_is_told_read_by_read(arrival: Passing) -> None:
    reader = FakeReader(1, 2, 3, 4)
    written = play(arrival, reader)
    reads = Counter(read.epc for read in reader.taken)
    passes, told = ([line for line in written if line["what"] == what] for what in ("pass", "told"))
    for one, line in zip(passes, told, strict=True):
        assert (one["kind"], one["direction"], one["door"], line["pass"]) == ("in", "in", "door-1", one["id"])
        assert line["reads"] == line["of"] == reads[one["epc"]]
        assert line["last_seen"] == one["last_seen"]
    assert sum(reads.values()) > 50
    assert [read.at_us for read in reader.taken] == sorted(read.at_us for read in reader.taken)
    phases = {read.phase_rad for read in reader.taken}
    assert len(phases) > 50
    assert all(phase is not None and 0 <= phase <= 6.2832 for phase in phases)
    assert {read.doppler_hz is None for read in reader.taken} == {False}


def test_what_nobody_listens_to_is_not_told(arrival: Passing) -> None:
    told = [line for line in play(arrival, FakeReader()) if line["what"] == "told"]
    assert all(line["reads"] == 0 and line["last_seen"] is None for line in told)
    assert sum(line["of"] for line in told) > 50


def test_what_is_told_in_part_is_counted_in_part(arrival: Passing) -> None:
    reader = FakeReader(3)
    told = [line for line in play(arrival, reader) if line["what"] == "told"]
    assert 0 < sum(line["reads"] for line in told) == len(reader.taken) < sum(line["of"] for line in told)


def workflow(*data: str) -> Workflow:
    return Workflow("w1", 0, tuple(Scan(f"s{number}", 1.0, text, "]C0") for number, text in enumerate(data)))


def test_the_desk_waits_for_its_scanner_and_gives_up_in_the_end() -> None:
    truth, scanner = io.StringIO(), FakeScanner()
    world = World(1, START, truth)
    desk, begin = live.DeskPlayer(world, "scanner-1", scanner), world.now_us
    desk.scanning(workflow("a", "b", "c"))
    desk.tick(begin)
    scanner.connected = False
    desk.tick(begin + 2 * SECOND)
    assert [line["data"] for line in lines(truth)] == ["a"]
    scanner.connected = True
    desk.tick(begin + 3 * SECOND)
    scanner.connected = False
    for second in range(4, 40):
        desk.tick(begin + second * SECOND)
    assert scanner.said == ["]C0a", "]C0b"]
    assert [line["what"] for line in lines(truth)] == ["scan", "scan", "broken"]
    assert not desk.busy


def test_a_run_ends_within_seconds_and_finishes_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FLUSH_S", 0.0)
    monkeypatch.setattr(live, "LAST_US", SECOND)
    site = agenda.build(World(3, START), ("door-1", "door-2"))
    agenda.play_history(site, 1)
    readers = {door: FakeReader(1, 2, 3, 4) for door in site.warehouse.doors}
    scanner, truth, stop = FakeScanner(), io.StringIO(), Event()
    stage = live.LiveStage(live.Doors(site.world, dict(readers)), live.DeskPlayer(site.world, "scanner-1", scanner))
    Timer(4.0, stop.set).start()
    live.play(site, stage, truth, stop)
    written = lines(truth)
    assert {line["what"] for line in written} >= {"pass", "scan"}
    assert scanner.said
    assert sum(len(reader.taken) for reader in readers.values()) > 0
