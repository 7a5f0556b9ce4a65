"""The edge's LLRP driver and the simulated reader, over TCP: what the reader told is what arrives."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from edge import supervisor as supervisor_module
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Reading, Tag, micros
from simulators.devices.llrp import LlrpReader, RawRead

Key = tuple[str, int]


class Pair:
    """A simulated reader, the edge's supervisor on it, and what each of them says."""

    def __init__(self, clock_offset_us: int = 0) -> None:
        self.reader = LlrpReader(("127.0.0.1", 0), clock_offset_us=clock_offset_us)
        self.reader.start()
        self.told: list[RawRead] = []
        self.readings: list[Any] = []
        settings = LlrpSettings(
            address="{}:{}".format(*self.reader.address), antennas=(1, 2, 3, 4), window_s=0.1, keepalive_s=0.5
        )
        self.supervisor = Supervisor({"door-1": LlrpDriver("door-1", settings)}, self.put)
        self.supervisor.start(lambda: None)
        self.until(lambda: self.reader.reading)

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        self.readings += readings
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def offer(self, reads: int, chance: random.Random, seconds: float) -> None:
        """So many reads of twenty tags at four antennas, spread over the time."""
        for _ in range(100):
            at_us = time.time_ns() // 1000
            some = [
                RawRead(
                    at_us,
                    f"30{chance.randrange(20):022x}",
                    chance.randint(1, 4),
                    float(chance.randint(-80, -40)),
                    chance.randint(1, 50),
                )
                for _ in range(reads // 100)
            ]
            assert self.reader.offer(some, self.told.extend) == len(some)
            time.sleep(seconds / 100)

    def tags(self) -> list[Tag]:
        return [reading for reading in self.readings if isinstance(reading, Tag)]

    def events(self) -> list[str]:
        return [reading.name for reading in self.readings if isinstance(reading, DeviceEvent)]

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, (self.supervisor.devices(), self.readings[-3:])
            time.sleep(0.01)

    def close(self) -> None:
        self.supervisor.stop(5)
        self.reader.stop()


@pytest.fixture
def pair() -> Iterator[Callable[..., Pair]]:
    pairs: list[Pair] = []

    def make(**options: int) -> Pair:
        pairs.append(Pair(**options))
        return pairs[-1]

    yield make
    for each in pairs:
        each.close()


def seen(reads: Sequence[RawRead]) -> dict[Key, tuple[int, float, int, int]]:
    """Per tag and antenna: reads, strongest, first, last."""
    grouped: dict[Key, list[RawRead]] = defaultdict(list)
    for read in reads:
        grouped[read.epc, read.antenna].append(read)
    return {
        key: (len(all_), max(r.rssi_dbm for r in all_), min(r.at_us for r in all_), max(r.at_us for r in all_))
        for key, all_ in grouped.items()
    }


def heard(tags: Sequence[Tag]) -> dict[Key, tuple[int, float, int, int]]:
    grouped: dict[Key, list[Tag]] = defaultdict(list)
    for tag in tags:
        grouped[tag.epc, tag.antenna].append(tag)
    return {
        key: (
            sum(tag.count or 0 for tag in all_),
            max(tag.rssi_dbm or -200.0 for tag in all_),
            min(micros(tag.first_at or tag.at) for tag in all_),
            max(micros(tag.at) for tag in all_),
        )
        for key, all_ in grouped.items()
    }


def test_everything_told_arrives_with_its_values(pair: Callable[..., Pair]) -> None:
    both = pair()
    both.offer(6000, random.Random(1), 1.2)
    both.until(lambda: sum(tag.count or 0 for tag in both.tags()) >= len(both.told))
    assert heard(both.tags()) == seen(both.told)
    [state] = both.supervisor.devices()
    assert (state.state, state.bad_frames, both.events()) == ("reading", 0, [])


def test_a_reader_clock_90_seconds_off_is_corrected(pair: Callable[..., Pair]) -> None:
    both = pair(clock_offset_us=-90_000_000)
    both.offer(2000, random.Random(2), 0.8)
    both.until(lambda: sum(tag.count or 0 for tag in both.tags()) >= len(both.told))
    assert both.events() == ["clock_offset"]
    for key, (count, strongest, first, last) in heard(both.tags()).items():
        told = seen(both.told)[key]
        assert (count, strongest) == told[:2]
        assert 0 <= first - told[2] < 200_000
        assert 0 <= last - told[3] < 200_000
    own = {micros(tag.device_at) for tag in both.tags() if tag.device_at}
    assert own <= {read.at_us - 90_000_000 for read in both.told}


def test_a_reader_that_restarts_is_read_again(pair: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_BACKOFF_S", 0.1)
    both = pair()
    both.offer(500, random.Random(3), 0.5)
    both.reader.stop()
    both.until(lambda: both.supervisor.devices()[0].state == "lost")
    before = len(both.tags())
    both.reader.start()
    both.until(lambda: both.supervisor.devices()[0].state == "reading" and both.reader.reading)
    both.offer(500, random.Random(4), 0.5)
    both.until(lambda: len(both.tags()) > before + 50)
    assert both.events() == ["lost", "restored"]
