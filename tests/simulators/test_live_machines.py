"""Machines live: visible moves, every record accounted for, and the truth of what the trackers were told."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from math import cos, hypot, radians
from threading import Event, Timer
from typing import Any

import msgspec
import pytest

from simulators import agenda, live, live_machines, live_trackers
from simulators.live_machines import LiveMachines
from simulators.record import ENGINE_S, HOIST, IGNITION, ODOMETER_M, VIBRATION_UM_S, Record
from simulators.world import SECOND, World
from tests.simulators.avl_server import honest, serving
from tests.simulators.machine_lines import demo, lines, pasts, told

START = datetime(2026, 11, 23, 9, 30, 20, tzinfo=UTC)
BEGIN_US = int(START.timestamp()) * SECOND


class FakeTracker:
    """Acknowledges all but the records of its outages."""

    connected = True

    def __init__(self, note: Callable[[Record], None]) -> None:
        self.note = note
        self.records: list[Record] = []
        self.outages: list[float] = []
        self.back = self.lost = False

    def offer(self, record: Record) -> None:
        self.records.append(record)
        if not self.lost:
            self.note(record)

    def outage(self, seconds: float) -> None:
        self.outages.append(seconds)
        self.lost = True

    def offline(self, lost: bool) -> None:  # noqa: FBT001 - as the device's
        self.back = not lost
        self.lost = lost

    def stop(self, timeout_s: float) -> int:
        return int(timeout_s > 60)


def live_for(seconds: int) -> tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines]:
    truth = io.StringIO()
    world = World(7, START, truth)
    machines = LiveMachines(world, pasts())
    fakes = [FakeTracker(machines.note(past.machine.imei)) for past in pasts()]
    machines.trackers.update({past.machine.imei: fake for past, fake in zip(pasts(), fakes, strict=True)})
    machines.begin(BEGIN_US)
    for tick in range(seconds * 20):
        machines.tick(BEGIN_US + tick * 50_000)
    end_us = BEGIN_US + seconds * SECOND
    machines.halt(end_us)
    for tick in range(1, 120):
        machines.tick(end_us + tick * 50_000)
    machines.finish(end_us + 6 * SECOND)
    machines.close()
    return lines(truth), fakes, machines


@pytest.fixture(scope="module")
def minutes() -> tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines]:
    return live_for(400)


def metres(one: Record, other: Record) -> float:
    return hypot((one.lat - other.lat) * 111_320, (one.lon - other.lon) * 111_320 * cos(radians(51.06)))


def test_a_record_every_two_seconds_and_at_every_change(
    minutes: tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines],
) -> None:
    for fake in minutes[1]:
        times = [record.at_us for record in fake.records]
        assert times == sorted(set(times))
        assert max(later - one for one, later in pairwise(times)) <= 2 * SECOND
        for before, record in pairwise(fake.records):
            one, other = dict(before.io), dict(record.io)
            changed = {ident for ident in (IGNITION, HOIST) if one.get(ident) != other.get(ident)}
            assert record.event_id in changed or not changed
            running = {6, 9, 72, 114} <= other.keys()
            assert running == bool(other[IGNITION])


def test_the_truck_drives_and_the_crane_hoists(
    minutes: tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines],
) -> None:
    truck, crane = minutes[1]
    good = [record for record in truck.records if record.satellites > 4]
    moved = sum(metres(one, later) for one, later in pairwise(good))
    assert 700 < dict(truck.records[-1].io)[ODOMETER_M] - dict(truck.records[0].io)[ODOMETER_M] < 1800
    assert 600 < moved < 2500
    assert 12 < max(record.speed_kmh for record in truck.records) < 25
    hoists = sum(record.event_id == HOIST and dict(record.io)[HOIST] for record in crane.records)
    assert 10 < hoists < 25
    for fake in minutes[1]:
        offs = sum(record.event_id == IGNITION and not dict(record.io)[IGNITION] for record in fake.records)
        assert 3 <= offs <= 8


def test_they_go_on_from_the_end_of_their_history(
    minutes: tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines],
) -> None:
    for fake, before in zip(minutes[1], told(), strict=True):
        first, last = fake.records[0], before[-1]
        assert metres(first, last) < 25
        assert dict(first.io)[ENGINE_S] == dict(last.io)[ENGINE_S]
        assert dict(first.io)[ODOMETER_M] == dict(last.io)[ODOMETER_M]
        assert (dict(first.io)[IGNITION], dict(last.io)[IGNITION]) == (0, 0)
    idle = [
        [dict(record.io)[VIBRATION_UM_S] for record in records if dict(record.io).get(114, 99) < 30]
        for records in (minutes[1][1].records, [one for one in told()[1] if one.at_us < BEGIN_US - 6 * 86_400 * SECOND])
    ]
    worn, sound = (sum(each) / len(each) for each in idle)
    assert worn > sound + 400


def test_the_truth_is_what_the_trackers_were_told(
    minutes: tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines],
) -> None:
    truth, fakes, _ = minutes
    end = max(record.at_us for record in fakes[0].records)
    assert end == BEGIN_US + 406 * SECOND
    for past, fake in zip(pasts(), fakes, strict=True):
        mine = [line for line in truth if line.get("asset") == past.machine.asset]
        runs = [line for line in mine if line["what"] == "run"]
        changes = [record.at_us for record in fake.records if record.event_id == IGNITION]
        told_runs = [(us(line["begin"]), us(line["end"])) for line in runs]
        edges = [edge for run in told_runs for edge in run]
        assert edges in (changes, [*changes, end])
        (day,) = (line for line in mine if line["what"] == "machine_day")
        assert day["run_ms"] * 1000 == sum(stop - begin for begin, stop in told_runs)
        ran_s = dict(fake.records[-1].io)[ENGINE_S] - dict(fake.records[0].io)[ENGINE_S]
        assert abs(day["run_ms"] / 1000 - ran_s) <= 1
        assert day["driven_m"] == dict(fake.records[-1].io)[ODOMETER_M] - dict(fake.records[0].io)[ODOMETER_M]
        (place,) = (line for line in mine if line["what"] == "place")
        assert us(place["at"]) == fake.records[-1].at_us
        last = fake.records[-1]
        assert hypot((last.lat - place["lat"]) * 111_320, (last.lon - place["lon"]) * 70_000) < 20


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * SECOND)


def test_every_record_is_acked_or_said_not_to_be(
    minutes: tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines],
) -> None:
    truth, fakes, _ = minutes
    for past, fake in zip(pasts(), fakes, strict=True):
        mine = [line for line in truth if line["what"] == "record" and line["imei"] == past.machine.imei]
        assert sorted(us(line["at"]) for line in mine) == [record.at_us for record in fake.records]
        assert fake.outages
        assert fake.back
        lost = [line for line in mine if not line["acked"]]
        assert 0 < len(lost) < len(mine)


def test_a_machine_that_stands_stays_where_it_is(
    minutes: tuple[list[dict[str, Any]], list[FakeTracker], LiveMachines],
) -> None:
    for fake in minutes[1]:
        late = [record for record in fake.records if record.at_us > BEGIN_US + 400 * SECOND]
        assert len(late) >= 3
        assert {record.speed_kmh for record in late} == {0}
        assert len({dict(record.io)[ODOMETER_M] for record in late}) == 1
        assert len({dict(record.io)[IGNITION] for record in late}) == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_run_with_trackers_ends_within_seconds(monkeypatch: pytest.MonkeyPatch, *, there: bool) -> None:
    monkeypatch.setattr(live, "FLUSH_S", 0.0)
    monkeypatch.setattr(live_machines, "SETTLED_MS", 300)
    monkeypatch.setattr(live_trackers, "FLUSH_S", 5.0 if there else 0.2)
    monkeypatch.setattr(live_trackers, "LEAST_FLUSH_S", 0.1)
    monkeypatch.setattr(live, "go_live", lambda site, _stage, truth, *_: setattr(site.world, "truth", truth))
    with serving(honest) as server:
        host = "{}:{}".format(*server.address) if there else "127.0.0.1:1"
        named = [msgspec.structs.replace(one, server=host) for one in demo(1).machine]
        site = agenda.build(World(7, START), ())
        machines = live_trackers.start(msgspec.structs.replace(demo(1), machine=named), site.world)
        truth, stop = io.StringIO(), Event()
        stage = live.LiveStage(live.Doors(site.world, {}), live.DeskPlayer(site.world, "none", Silent()))
        Timer(1.5, stop.set).start()
        live.play(site, stage, truth, stop, machines)
        live_trackers.flush(machines)
        written = lines(truth)
        taken = {record.at_us for record in server.records()}
    whats = [line["what"] for line in written]
    assert (whats.count("place"), whats.count("run")) == (2, 2)
    records = {us(line["at"]): line["acked"] for line in written if line["what"] == "record"}
    assert whats.count("record") >= 6
    assert set(records.values()) == {there}
    assert taken == (set(records) if there else set())


class Silent:
    connected = False

    def scan(self, *_: object) -> bool:
        return False
