"""The edge's LLRP driver and the simulated reader, over TCP: what the reader told is what arrives."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from math import tau
from pathlib import Path
from typing import Any

import pytest

from edge import supervisor as supervisor_module
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.llrp_settings import GpiTrigger
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Input, Reading, Tag, micros
from simulators.devices import llrp_replay
from simulators.devices.alone import TagStream
from simulators.devices.llrp import LlrpReader, RawRead

Key = tuple[str, int]


class Pair:
    """A simulated reader, the edge's supervisor on it with settings, and what each of them says."""

    def __init__(self, *, clock_offset_us: int = 0, is_impinj: bool = False, **settings: Any) -> None:
        self.reader = LlrpReader(("127.0.0.1", 0), is_impinj=is_impinj, clock_offset_us=clock_offset_us)
        self.reader.start()
        self.told: list[RawRead] = []
        self.readings: list[Any] = []
        used = {"antennas": (1, 2, 3, 4), "window_s": 0.1, "keepalive_s": 0.5} | settings
        driver = LlrpDriver("door-1", LlrpSettings(address="{}:{}".format(*self.reader.address), **used))
        self.supervisor = Supervisor({"door-1": driver}, self.put)
        self.supervisor.start(lambda: None)
        self.until(lambda: self.supervisor.devices()[0].state == "reading")

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

    def make(**options: Any) -> Pair:
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
    assert both.events() == ["connection_closed", "lost", "restored"]


def raw(tag: Tag) -> tuple[object, ...]:
    """EPC, antenna, RSSI in 0.01 dBm, time, channel, phase in 4096ths of a turn, Doppler in 16ths of a hertz."""
    assert tag.rssi_dbm is not None
    assert tag.phase_rad is not None
    assert tag.doppler_hz is not None
    steps = round(tag.phase_rad * 4096 / tau), round(tag.doppler_hz * 16)
    return tag.epc, tag.antenna, round(tag.rssi_dbm * 100), micros(tag.at), tag.channel, *steps


def test_every_single_read_arrives_as_it_was_with_phase_and_doppler(pair: Callable[..., Pair]) -> None:
    both = pair(is_impinj=True, window_s=0, report_every_n=1)
    stream = TagStream(4, 15, distinct=False, fine=True)
    for _ in range(40):
        both.reader.offer(stream.draw(time.time_ns() // 1000, 25), both.told.extend)
        time.sleep(0.01)
    both.until(lambda: len(both.tags()) >= len(both.told))
    assert len(both.told) == 1000
    expected = [
        (
            read.epc,
            read.antenna,
            round(read.rssi_dbm * 100),
            read.at_us,
            read.channel,
            round((read.phase_rad or 0) * 4096 / tau),
            round((read.doppler_hz or 0) * 16),
        )
        for read in both.told
    ]
    assert Counter(raw(tag) for tag in both.tags()) == Counter(expected)
    assert all(tag.count == 1 for tag in both.tags())


def test_a_photo_eye_starts_and_stops_the_radio_and_is_told(pair: Callable[..., Pair]) -> None:
    both = pair(gpi={"1": "photo_eye"}, start_on=GpiTrigger(1), stop_on=GpiTrigger(1, on=False))
    assert not both.reader.reading
    both.reader.gpi(1, on=True)
    assert both.reader.reading
    both.offer(500, random.Random(5), 0.3)
    both.reader.gpi(1, on=False)
    both.reader.gpi(2, on=True)
    both.until(lambda: sum(tag.count or 0 for tag in both.tags()) >= len(both.told))
    assert heard(both.tags()) == seen(both.told)
    both.until(lambda: sum(isinstance(each, Input) for each in both.readings) >= 2)
    inputs = [(each.name, each.on) for each in both.readings if isinstance(each, Input)]
    assert inputs[-2:] == [("photo_eye", True), ("photo_eye", False)]


def test_antennas_and_exceptions_of_the_reader_are_published(pair: Callable[..., Pair]) -> None:
    both = pair()
    both.reader.antenna(2, on=False)
    both.reader.antenna(2, on=True)
    both.reader.exception("too hot")
    both.until(lambda: len(both.events()) == 3)
    assert both.events() == ["antenna_down", "antenna_up", "reader_exception"]


def test_what_one_edge_captured_another_hears_from_the_replay(pair: Callable[..., Pair], tmp_path: Path) -> None:
    file = tmp_path / "door.llrp"
    first = pair(is_impinj=True, capture=str(file))
    first.offer(1000, random.Random(6), 0.5)
    first.until(lambda: sum(tag.count or 0 for tag in first.tags()) >= len(first.told))
    first.close()
    second = pair(is_impinj=True)
    due, told = llrp_replay.play(second.reader, file, 5.0, lambda seconds: bool(time.sleep(seconds)))
    assert due == told > 50
    second.until(lambda: sum(tag.count or 0 for tag in second.tags()) >= len(first.told))

    def without_times(tags: Sequence[Tag]) -> dict[Key, tuple[int, float]]:
        return {key: value[:2] for key, value in heard(tags).items()}

    assert without_times(second.tags()) == without_times(first.tags())
    assert min(tag.at for tag in second.tags()) > max(tag.at for tag in first.tags()), "moved to now"
