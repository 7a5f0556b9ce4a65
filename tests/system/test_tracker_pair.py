"""The edge's tracker driver, its outbox on a disk, and simulated trackers, over a wire that is cut again and again."""

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock, Thread

import pytest

from edge import intake as intake_module
from edge import supervisor as supervisor_module
from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from edge.intake import Intake
from edge.outbox import Outbox
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Reading
from models.wire import decode, encode
from simulators.devices.driving import Machine
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.record import HOIST, Record, readings

IMEIS = ("356307042441013", "356307042441021", "356307042441039")
START_US = 1_750_000_000_000_000
IO = {
    "1": {"input": "hoist"},
    "72": {"signal": "gearbox_temperature", "unit": "Cel", "divide_by": 10, "signed": True},
    "9": {"signal": "gearbox_vibration", "unit": "mm/s", "divide_by": 1000},
    "6": {"signal": "oil_pressure", "unit": "bar", "divide_by": 1000},
    "114": {"signal": "engine_load", "unit": "%"},
}
QUICK = Habits(reply_timeout_s=1.5, first_backoff_s=0.02, most_backoff_s=0.2, refused_wait_s=0.1)
MISCHIEF = Habits(1.5, 0.02, 0.2, 0.1, resend_share=0.1, drop_ack_share=0.1, split_share=0.2, burst_share=0.3)


class Wire:
    """Between trackers and gateway: `cut` resets every connection, whatever is under way in either direction."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.server.getsockname()
        self.ends: list[socket.socket] = []
        self.threads = [Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.server.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.port))
                except OSError:
                    near.close()
                    continue
                self.ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    self.threads.append(Thread(target=self.pump, args=(source, sink), daemon=True))
                    self.threads[-1].start()

    @staticmethod
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        for each in self.ends:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.threads[0].join()
        self.server.close()
        self.cut()
        for thread in self.threads:
            thread.join()
        for each in self.ends:
            each.close()


class Pair:
    """A gateway, its disk, and trackers; `acked` is what they noted, `too_early` what was not on the disk by then."""

    def __init__(self, path: Path, imeis: Sequence[str] = (), *, slow: bool = False) -> None:
        self.chance = random.Random(5)
        self.slow = slow
        self.outbox = Outbox(path)
        self.intake = Intake(self.put)
        self.lock = Lock()
        self.durable: set[bytes] = set()
        self.acked: list[tuple[str, Record]] = []
        self.too_early: list[Record] = []
        self.bad_frames = 0
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.wire = Wire(free.getsockname()[1])
        self.settings = TeltonikaSettings(f"127.0.0.1:{self.wire.port}", imeis=tuple(imeis), io=IO)
        self.trackers: dict[str, TeltonikaTracker] = {}
        self.switch_on()

    def switch_on(self) -> None:
        self.supervisor = Supervisor({"trackers": TeltonikaDriver("trackers", self.settings)}, self.intake.put)
        self.supervisor.start(lambda: None)

    def switch_off(self) -> None:
        assert self.supervisor.stop(5) == []
        self.bad_frames += sum(device.bad_frames for device in self.supervisor.devices())

    def put(self, some: Sequence[Reading]) -> "Future[None]":
        """A disk that is slow and now and then fails."""
        if self.slow:
            time.sleep(self.chance.uniform(0, 0.03))
            if self.chance.random() < 0.1:
                failed: Future[None] = Future()
                failed.set_exception(OSError("the disk is full"))
                return failed
        done = self.outbox.put(some)
        done.add_done_callback(lambda _: self.keep(some))
        return done

    def keep(self, some: Sequence[Reading]) -> None:
        with self.lock:
            self.durable |= {encode(each) for each in some}

    def tracker(self, imei: str, habits: Habits = QUICK, records_per_frame: int = 10) -> TeltonikaTracker:
        made = TeltonikaTracker(
            self.wire.address, imei, partial(self.note, imei), records_per_frame=records_per_frame, habits=habits
        )
        self.trackers[imei] = made
        made.start()
        return made

    def note(self, imei: str, record: Record) -> None:
        with self.lock:
            self.acked.append((imei, record))
            if not {encode(each) for each in readings(imei, record)} <= self.durable:
                self.too_early.append(record)

    def told(self) -> Counter[bytes]:
        """Every reading of a tracker that is in the outbox."""
        found: Counter[bytes] = Counter()
        for line in self.outbox.lines():
            seq = 1
            while rows := self.outbox.rows(line.epoch, seq, 500):
                found.update(text for _, text in rows if not isinstance(decode(text), DeviceEvent))
                seq = rows[-1][0] + 1
        return found

    def until(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, (self.supervisor.devices(), len(self.acked))
            time.sleep(0.01)

    def close(self) -> None:
        for tracker in self.trackers.values():
            tracker.stop(0)
        self.wire.close()
        self.supervisor.stop(5)
        assert self.intake.close(5) == 0
        self.outbox.close()


Make = Callable[..., Pair]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(supervisor_module, "FIRST_BACKOFF_S", 0.1)
    monkeypatch.setattr(intake_module, "RETRY_S", 0.05)
    pairs: list[Pair] = []

    def make(*imeis: str, slow: bool = False) -> Pair:
        pairs.append(Pair(tmp_path / "outbox.db", imeis, slow=slow))
        return pairs[-1]

    yield make
    for each in pairs:
        each.close()


def day(imei: str, number: int) -> list[Record]:
    """Records of a machine that drives, and hoists now and then."""
    chance = random.Random(imei)
    machine = Machine(chance, START_US)
    made = [machine.record(START_US + (each + 1) * 5_000_000) for each in range(number)]
    return [replace(one, io=((HOIST, chance.randint(0, 1)), *one.io)) for one in made]


def said(records: Sequence[tuple[str, Record]]) -> set[bytes]:
    return {encode(each) for imei, record in records for each in readings(imei, record)}


def test_every_record_arrives_with_its_values_and_once(pair: Make) -> None:
    both = pair(*IMEIS)
    offered = [(imei, record) for imei in IMEIS for record in day(imei, 100)]
    for imei in IMEIS:
        both.tracker(imei)
    for imei, record in offered:
        both.trackers[imei].offer(record)
    assert [tracker.stop(20) for tracker in both.trackers.values()] == [0, 0, 0]
    assert sorted(both.acked, key=repr) == sorted(offered, key=repr)
    assert both.told() == Counter(said(offered))
    assert both.too_early == []
    assert [(state.state, state.bad_frames) for state in both.supervisor.devices()] == [("reading", 0)]


def test_whatever_is_cut_nothing_acknowledged_is_missing_and_nothing_is_made_up(pair: Make) -> None:
    both, chance = pair(slow=True), random.Random(8)
    for number, imei in enumerate(IMEIS):
        both.tracker(imei, MISCHIEF, records_per_frame=1 + 4 * number)
    offered: list[tuple[str, Record]] = []
    for step, some in enumerate(zip(*(day(imei, 120) for imei in IMEIS), strict=True)):
        for imei, record in zip(IMEIS, some, strict=True):
            both.trackers[imei].offer(record)
            offered.append((imei, record))
            if chance.random() < 0.02:
                both.trackers[imei].outage(chance.uniform(0, 0.3))
        if chance.random() < 0.06:
            both.wire.cut()
        if step in {40, 80}:
            both.switch_off()
            time.sleep(0.2)
            both.switch_on()
        time.sleep(0.015)
    both.slow = False
    assert [tracker.stop(30) for tracker in both.trackers.values()] == [0, 0, 0]
    assert Counter(both.acked) == Counter(offered), "each was noted once"
    told = both.told()
    assert told.keys() == said(offered)
    assert told.total() > len(told), "some came twice"
    assert both.too_early == []
    both.switch_off()
    assert both.bad_frames == 0


def test_an_outage_brings_the_newest_first_and_then_the_backlog(pair: Make) -> None:
    both, [imei, *_] = pair(), IMEIS
    records = day(imei, 60)
    tracker = both.tracker(imei)
    both.until(lambda: tracker.connected)
    tracker.offline(lost=True)
    for each in records:
        tracker.offer(each)
    time.sleep(0.1)
    assert both.supervisor.trackers() == {"connected": 1, "silent": 0}, "the gateway cannot know yet"
    tracker.offline(lost=False)
    both.until(lambda: len(both.acked) == 60)
    assert [record for _, record in both.acked] == [records[-1], *records[:-1]]
    assert both.told() == Counter(said(both.acked))


def test_a_tracker_that_is_not_known_is_refused(pair: Make) -> None:
    both = pair(IMEIS[0])
    tracker = both.tracker(IMEIS[1])
    tracker.offer(day(IMEIS[1], 1)[0])
    both.until(lambda: tracker.refusals >= 2)
    assert tracker.stop(0) == 1
    assert both.told() == Counter()
