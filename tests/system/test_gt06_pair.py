"""The edge's GT06 driver, its outbox on a disk, and simulated trackers, over a wire that is cut again and again."""

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock

import pytest

from edge import intake as intake_module
from edge import supervisor as supervisor_module
from edge.drivers.gt06 import Gt06Driver, Gt06Settings
from edge.intake import Intake
from edge.outbox import Outbox
from edge.supervisor import Supervisor
from models.reading import Reading
from models.wire import decode, encode
from simulators.devices.gt06 import Gt06Habits, Gt06Tracker
from simulators.devices.gt06_codec import Report, readings
from simulators.devices.gt06_driving import Reporter, Trouble
from tests.system.test_tracker_pair import Wire

IMEIS = ("353413532150362", "353413532150370", "353413532150388")
START_US, SECOND_US = 1_750_000_000_000_000, 1_000_000
LATER = datetime(2026, 1, 1, tzinfo=UTC)
"""Reports are of before; heartbeats, which have no time, of after."""
QUICK = Gt06Habits(reply_timeout_s=1.5, first_backoff_s=0.02, most_backoff_s=0.2, heartbeat_s=0.3)
MISCHIEF = Gt06Habits(
    reply_timeout_s=1.5,
    first_backoff_s=0.02,
    most_backoff_s=0.2,
    heartbeat_s=0.3,
    resend_share=0.1,
    drop_answer_share=0.05,
    split_share=0.1,
    burst_share=0.3,
    disorder_share=0.3,
)
CLOCKS = Trouble(week_share=0.02, future_share=0.02)


class Pair:
    """A gateway, its disk, and trackers; `acked` is what they noted, `too_early` what was not on the disk by then."""

    def __init__(self, path: Path, *, slow: bool = False) -> None:
        self.chance = random.Random(5)
        self.slow = slow
        self.outbox = Outbox(path)
        self.intake = Intake(self.put)
        self.lock = Lock()
        self.durable: set[bytes] = set()
        self.acked: list[tuple[str, Report]] = []
        self.too_early: list[Report] = []
        self.bad_frames = 0
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.wire = Wire(free.getsockname()[1])
        self.settings = Gt06Settings(f"127.0.0.1:{self.wire.port}", imeis=IMEIS)
        self.trackers: dict[str, Gt06Tracker] = {}
        self.switch_on()

    def switch_on(self) -> None:
        self.supervisor = Supervisor({"trackers": Gt06Driver("trackers", self.settings)}, self.intake.put)
        self.supervisor.start(lambda: None)

    def switch_off(self) -> None:
        assert self.supervisor.stop(5) == []
        self.bad_frames += sum(device.bad_frames for device in self.supervisor.devices())

    def put(self, some: Sequence[Reading]) -> "Future[None]":
        """A disk that is slow and now and then fails."""
        if self.slow:
            time.sleep(self.chance.uniform(0, 0.02))
            if self.chance.random() < 0.05:
                failed: Future[None] = Future()
                failed.set_exception(OSError("the disk is full"))
                return failed
        done = self.outbox.put(some)
        done.add_done_callback(lambda _: self.keep(some))
        return done

    def keep(self, some: Sequence[Reading]) -> None:
        with self.lock:
            self.durable |= {encode(each) for each in some}

    def tracker(self, imei: str, habits: Gt06Habits) -> Gt06Tracker:
        self.trackers[imei] = Gt06Tracker(self.wire.address, imei, partial(self.note, imei), habits)
        self.trackers[imei].start()
        return self.trackers[imei]

    def note(self, imei: str, report: Report) -> None:
        with self.lock:
            self.acked.append((imei, report))
            if not {encode(each) for each in readings(imei, report)} <= self.durable:
                self.too_early.append(report)

    def told(self) -> tuple[Counter[bytes], list[Reading]]:
        """Every reading of a tracker's reports that is in the outbox, and those of heartbeats."""
        reports: Counter[bytes] = Counter()
        beats: list[Reading] = []
        for line in self.outbox.lines():
            seq = 1
            while rows := self.outbox.rows(line.epoch, seq, 500):
                for _, text in rows:
                    reading = decode(text)
                    if not reading.device.startswith("imei:"):
                        continue
                    if reading.at < LATER:
                        reports[text] += 1
                    else:
                        beats.append(reading)  # type: ignore[arg-type]
                seq = rows[-1][0] + 1
        return reports, beats

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

    def make(*, slow: bool = False) -> Pair:
        pairs.append(Pair(tmp_path / "outbox.db", slow=slow))
        return pairs[-1]

    yield make
    for each in pairs:
        each.close()


def day(imei: str, number: int, trouble: Trouble = CLOCKS) -> list[Report]:
    """Of a machine that drives; of the last of the trackers, the ignition is in heartbeats only."""
    reporter = Reporter(random.Random(imei), START_US, trouble, acc=imei != IMEIS[-1])
    return [reporter.report(START_US + (each + 1) * 10 * SECOND_US) for each in range(number)]


def said(reports: Sequence[tuple[str, Report]]) -> set[bytes]:
    return {encode(each) for imei, report in reports for each in readings(imei, report)}


def test_every_report_arrives_with_its_values_and_once(pair: Make) -> None:
    both = pair()
    offered = [(imei, report) for imei in IMEIS for report in day(imei, 40)]
    for imei in IMEIS:
        both.tracker(imei, QUICK)
    for imei, report in offered:
        both.trackers[imei].offer(report, on=True)
    assert [tracker.stop(20) for tracker in both.trackers.values()] == [0, 0, 0]
    assert sorted(both.acked, key=repr) == sorted(offered, key=repr)
    assert both.told()[0] == Counter(said(offered))
    assert both.too_early == []
    assert [(state.state, state.bad_frames) for state in both.supervisor.devices()] == [("reading", 0)]


def test_whatever_is_cut_nothing_acknowledged_is_missing_and_nothing_is_made_up(pair: Make) -> None:
    both, chance = pair(slow=True), random.Random(8)
    for imei in IMEIS:
        both.tracker(imei, MISCHIEF)
    offered: list[tuple[str, Report]] = []
    for step, some in enumerate(zip(*(day(imei, 80) for imei in IMEIS), strict=True)):
        for imei, report in zip(IMEIS, some, strict=True):
            both.trackers[imei].offer(report, on=bool(step % 2))
            offered.append((imei, report))
            if chance.random() < 0.02:
                both.trackers[imei].outage(chance.uniform(0, 0.3))
            elif chance.random() < 0.02:
                both.trackers[imei].reset(chance.uniform(0, 0.2))
        if chance.random() < 0.06:
            both.wire.cut()
        if step in {25, 55}:
            both.switch_off()
            time.sleep(0.2)
            both.switch_on()
        time.sleep(0.015)
    both.slow = False
    assert [tracker.stop(30) for tracker in both.trackers.values()] == [0, 0, 0]
    assert Counter(both.acked) == Counter(offered), "each was noted once"
    told, beats = both.told()
    assert told.keys() == said(offered)
    assert told.total() > len(told), "some came twice"
    assert both.too_early == []
    assert {each.name for each in beats} >= {"ignition", "battery_level"}  # type: ignore[union-attr]
    both.switch_off()
    assert both.bad_frames == 0


def test_the_truth_holds_what_it_should_hold() -> None:
    """Clocks that went wrong, alarms, places without a fix, and reports that do not say the ignition."""
    every = [report for imei in IMEIS for report in day(imei, 300)]
    assert {each.told_us < each.at_us for each in every} == {True, False}
    assert any(each.told_us > each.at_us for each in every)
    assert {each.satellites > 0 for each in every} == {True, False}
    assert {bool(each.alarm) for each in every} == {True, False}
    assert {each.ignition for each in every} == {True, False, None}
