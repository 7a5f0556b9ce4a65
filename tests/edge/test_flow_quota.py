"""A device that brings too much waits or is thinned, and says so; the others do not notice."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest

from edge import flow as module
from edge import intake
from edge.config import parse
from edge.driver import Health, Put
from edge.drivers.tracker_keeping import Keeping
from edge.flow import Flow
from edge.gateway import _flows
from edge.intake import Intake
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Input, Reading, Scan, Tag

AT = datetime(2026, 11, 23, tzinfo=UTC)


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Stop(Event):
    """Waiting for it makes the time pass."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0.0
        return self.is_set()


class Kept:
    """An outbox that keeps at once."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        self.readings += readings
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def told(self) -> list[str]:
        return [each.detail or "" for each in self.readings if isinstance(each, DeviceEvent)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def tags(count: int) -> list[Reading]:
    return [Tag("door-1", AT, f"{number:024x}", 1) for number in range(count)]


def test_what_can_wait_comes_whole_and_no_faster_than_it_may(clock: Clock) -> None:
    kept = Kept()
    flow = Flow("s", kept.put, 10, Stop(clock), waits=True)
    begin = clock.now
    for number in range(500):
        flow.put([Scan("s", AT, str(number)), Scan("s", AT, str(number))])
    assert len(kept.readings) == 1000
    assert clock.now - begin == pytest.approx((1000 - 20) / 10, abs=0.3)
    assert kept.told() == []


def test_what_cannot_wait_is_thinned_evenly_counted_and_told(clock: Clock) -> None:
    kept = Kept()
    stop = Stop(clock)
    flow = Flow("door-1", kept.put, 10, stop, waits=False)
    for _ in range(1200):
        flow.put([*tags(100), Input("door-1", AT, "photo_eye", on=True)])
        clock.now += 0.1
    flow.tell(at_once=True)
    told = kept.told()
    kinds = Counter(type(each).__name__ for each in kept.readings)
    assert kinds["Input"] == 1200, "only sightings are left out"
    left_out = sum(int(text.partition(" ")[0]) for text in told)
    assert kinds["Tag"] + left_out == 120_000
    assert kinds["Tag"] + 1200 == pytest.approx(10 * 120 + 20, abs=101)
    assert 2 <= len(told) <= 4
    first = Kept()
    Flow("door-1", first.put, 10, stop, waits=False).put(tags(100))
    assert [int(each.epc, 16) for each in first.readings if isinstance(each, Tag)] == [5 * n for n in range(20)]


def test_a_device_within_its_rate_is_left_alone(clock: Clock) -> None:
    kept = Kept()
    for waits in (True, False):
        flow = Flow("door-1", kept.put, 100, Stop(clock), waits=waits)
        for _ in range(1000):
            flow.put(tags(10))
            clock.now += 0.1
    assert len(kept.readings) == 20_000
    assert clock.now == pytest.approx(1200)


def test_one_that_floods_fills_its_share_of_the_intake_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_OF_ONE", 5)
    waiting: list[tuple[int, Future[None]]] = []

    def slow(readings: Sequence[Reading]) -> "Future[None]":
        future: Future[None] = Future()
        waiting.append((len(readings), future))
        return future

    all_of_them = Intake(slow)
    flood, other = all_of_them.share(), all_of_them.share()
    thread = Thread(target=lambda: [flood(tags(1)) for _ in range(100)], daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert sum(count for count, _ in waiting) == 5
    other(tags(3))
    assert sum(count for count, _ in waiting) == 8
    waiting[0][1].set_result(None)
    deadline = time.monotonic() + 5
    while sum(count for count, _ in waiting) < 9:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert all_of_them.close(0) == 8
    thread.join(5)
    assert not thread.is_alive(), "closing ends all waiting"


def test_a_tracker_that_sends_too_much_waits_and_another_at_the_same_port_does_not() -> None:
    kept = Kept()

    async def talk() -> tuple[float, float]:
        keeping = Keeping(kept.put, Nobody(), 1000.0)
        for _ in range(12):
            await keeping.keep("imei:1", tags(1000))
        await keeping.keep("imei:2", tags(1000))
        waits = keeping.wait_s("imei:1"), keeping.wait_s("imei:2")
        begin = time.monotonic()
        await keeping.turn_of("imei:2")
        assert time.monotonic() - begin < waits[0] / 2
        keeping.close()
        return waits

    flooding, other = asyncio.run(talk())
    assert 1 < flooding <= 2, "less what the test itself took"
    assert other == 0


class Nobody:
    """A health that nobody hears of."""

    def reading(self) -> None:
        pass

    def bad_frame(self, why: str) -> None:
        pass


class Flood:
    """A reader that puts as fast as it can, until it has put all."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.done = Event()

    def run(self, put: Put, health: Health, stop: Event) -> None:
        health.reading()
        for _ in range(self.count):
            put(tags(10))
        self.done.set()
        stop.wait()

    def reply(self, _reply: Any) -> None:
        pass

    def probe(self) -> str:
        return ""


def test_the_configuration_says_how_much_and_of_what_is_left_out_somebody_is_told() -> None:
    config = parse(
        '[gateway]\nname = "a"\n[[device]]\nname = "door-1"\ndriver = "llrp"\naddress = "192.0.2.1"\n'
        "max_readings_per_s = 5\n"
    )
    kept, driver = Kept(), Flood(100)
    intake_of_all = Intake(kept.put)
    supervisor = Supervisor({"door-1": driver}, intake_of_all.put, _flows(config, intake_of_all))
    supervisor.start(lambda: None)
    assert driver.done.wait(10)
    assert supervisor.stop(5) == []
    intake_of_all.close(5)
    found = sum(isinstance(each, Tag) for each in kept.readings)
    left_out = sum(int(text.partition(" ")[0]) for text in kept.told())
    assert 10 <= found <= 20
    assert found + left_out == 1000


def test_the_status_does_not_wait_for_the_disk_to_tell_what_was_left_out() -> None:
    """The thread that sends the status sends the readings too, and says that the process is alive."""
    taken = Event()

    class Disk(Kept):
        def put(self, readings: Sequence[Reading]) -> "Future[None]":
            if any(isinstance(each, DeviceEvent) and each.name == "thinned" for each in readings):
                taken.wait()
            return super().put(readings)

    disk = Disk()
    stop = Event()
    flow = Flow("door-1", disk.put, 10, stop, waits=False)
    flow._told_at = time.monotonic()
    flow.put(tags(100))
    flow._told_at = float("-inf")
    supervisor = Supervisor({"door-1": Flood(0)}, disk.put, lambda _name, _stop: flow)
    threads = [Thread(target=supervisor.devices, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join(5)
    waited = [thread.is_alive() for thread in threads]
    taken.set()
    assert not any(waited)
    deadline = time.monotonic() + 5
    while not disk.told():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert disk.told() == ["80 sightings left out: more than 10 readings/s"]
