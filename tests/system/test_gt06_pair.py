"""The edge's GT06 driver, its outbox on a disk, and simulated trackers, over a wire that is cut again and again."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from edge.drivers.gt06 import Gt06Driver, Gt06Settings
from models.reading import Reading, Unknown
from models.wire import decode
from simulators.devices.gt06 import Gt06Habits, Gt06Tracker
from simulators.devices.gt06_codec import Report, readings
from simulators.devices.gt06_driving import Reporter, Trouble
from tests.system.tracker_pair import Gateway, Wire, fixture_of

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


class Pair(Gateway[Report, Gt06Tracker]):
    fail_share = 0.05

    def __init__(self, path: Path, *, slow: bool = False) -> None:
        super().__init__(path, lambda at: Gt06Driver("trackers", Gt06Settings(at, imeis=IMEIS)), readings, slow=slow)
        self.wire = Wire(self.address)

    def pause_s(self) -> float:
        return self.chance.uniform(0, 0.02)

    def tracker(self, imei: str, habits: Gt06Habits) -> Gt06Tracker:
        return self.add(imei, Gt06Tracker(self.wire.address, imei, partial(self.note, imei), habits))

    def reports_and_beats(self) -> tuple[Counter[bytes], list[Reading | Unknown]]:
        """Every reading of a tracker's reports that is in the outbox, and those of heartbeats."""
        found = [(text, each) for text in self.texts() if (each := decode(text)).device.startswith("imei:")]
        return Counter(text for text, each in found if each.at < LATER), [each for _, each in found if each.at >= LATER]

    def close(self) -> None:
        self.wire.close()
        super().close()


Make = Callable[..., Pair]
pair = fixture_of(Pair)


def day(imei: str, number: int, trouble: Trouble = CLOCKS) -> list[Report]:
    """Of a machine that drives; of the last of the trackers, the ignition is in heartbeats only."""
    reporter = Reporter(random.Random(imei), START_US, trouble, acc=imei != IMEIS[-1])
    return [reporter.report(START_US + (each + 1) * 10 * SECOND_US) for each in range(number)]


def test_every_report_arrives_with_its_values_and_once(pair: Make) -> None:
    both = pair()
    offered = [(imei, report) for imei in IMEIS for report in day(imei, 40)]
    for imei in IMEIS:
        both.tracker(imei, QUICK)
    for imei, report in offered:
        both.devices[imei].offer(report, on=True)
    assert [tracker.stop(20) for tracker in both.devices.values()] == [0, 0, 0]
    assert sorted(both.acked, key=repr) == sorted(offered, key=repr)
    assert both.reports_and_beats()[0] == Counter(both.said(offered))
    assert both.too_early == []
    assert [(state.state, state.bad_frames) for state in both.supervisor.devices()] == [("reading", 0)]


def test_whatever_is_cut_nothing_acknowledged_is_missing_and_nothing_is_made_up(pair: Make) -> None:
    both, chance = pair(slow=True), random.Random(8)
    for imei in IMEIS:
        both.tracker(imei, MISCHIEF)
    offered: list[tuple[str, Report]] = []
    for step, some in enumerate(zip(*(day(imei, 80) for imei in IMEIS), strict=True)):
        for imei, report in zip(IMEIS, some, strict=True):
            both.devices[imei].offer(report, on=bool(step % 2))
            offered.append((imei, report))
            if chance.random() < 0.02:
                both.devices[imei].outage(chance.uniform(0, 0.3))
            elif chance.random() < 0.02:
                both.devices[imei].reset(chance.uniform(0, 0.2))
        if chance.random() < 0.06:
            both.wire.cut()
        if step in {25, 55}:
            both.switch_off()
            time.sleep(0.2)
            both.switch_on()
        time.sleep(0.015)
    both.slow = False
    assert [tracker.stop(30) for tracker in both.devices.values()] == [0, 0, 0]
    assert Counter(both.acked) == Counter(offered), "each was noted once"
    told, beats = both.reports_and_beats()
    assert told.keys() == both.said(offered)
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
