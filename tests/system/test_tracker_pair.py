"""The edge's tracker driver, its outbox on a disk, and simulated trackers, over a wire that is cut again and again."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from simulators.devices.driving import Machine
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.record import HOIST, Record, readings
from tests.system.tracker_pair import Gateway, Wire, fixture_of

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


class Pair(Gateway[Record, TeltonikaTracker]):
    def __init__(self, path: Path, *imeis: str, slow: bool = False) -> None:
        def driver(address: str) -> TeltonikaDriver:
            return TeltonikaDriver("trackers", TeltonikaSettings(address, imeis=imeis, io=IO))

        super().__init__(path, driver, readings, slow=slow)
        self.wire = Wire(self.address)

    def tracker(self, imei: str, habits: Habits = QUICK, records_per_frame: int = 10) -> TeltonikaTracker:
        note = partial(self.note, imei)
        made = TeltonikaTracker(self.wire.address, imei, note, records_per_frame=records_per_frame, habits=habits)
        return self.add(imei, made)

    def close(self) -> None:
        self.wire.close()
        super().close()


Make = Callable[..., Pair]
pair = fixture_of(Pair)


def day(imei: str, number: int) -> list[Record]:
    """Records of a machine that drives, and hoists now and then."""
    chance = random.Random(imei)
    machine = Machine(chance, START_US)
    made = [machine.record(START_US + (each + 1) * 5_000_000) for each in range(number)]
    return [replace(one, io=((HOIST, chance.randint(0, 1)), *one.io)) for one in made]


def test_every_record_arrives_with_its_values_and_once(pair: Make) -> None:
    both = pair(*IMEIS)
    offered = [(imei, record) for imei in IMEIS for record in day(imei, 100)]
    for imei in IMEIS:
        both.tracker(imei)
    for imei, record in offered:
        both.devices[imei].offer(record)
    assert [tracker.stop(20) for tracker in both.devices.values()] == [0, 0, 0]
    assert sorted(both.acked, key=repr) == sorted(offered, key=repr)
    assert both.told() == Counter(both.said(offered))
    assert both.too_early == []
    assert [(state.state, state.bad_frames) for state in both.supervisor.devices()] == [("reading", 0)]


def test_whatever_is_cut_nothing_acknowledged_is_missing_and_nothing_is_made_up(pair: Make) -> None:
    both, chance = pair(slow=True), random.Random(8)
    for number, imei in enumerate(IMEIS):
        both.tracker(imei, MISCHIEF, records_per_frame=1 + 4 * number)
    offered: list[tuple[str, Record]] = []
    for step, some in enumerate(zip(*(day(imei, 120) for imei in IMEIS), strict=True)):
        for imei, record in zip(IMEIS, some, strict=True):
            both.devices[imei].offer(record)
            offered.append((imei, record))
            if chance.random() < 0.02:
                both.devices[imei].outage(chance.uniform(0, 0.3))
        if chance.random() < 0.06:
            both.wire.cut()
        if step in {40, 80}:
            both.switch_off()
            time.sleep(0.2)
            both.switch_on()
        time.sleep(0.015)
    both.slow = False
    assert [tracker.stop(30) for tracker in both.devices.values()] == [0, 0, 0]
    assert Counter(both.acked) == Counter(offered), "each was noted once"
    told = both.told()
    assert told.keys() == both.said(offered)
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
    assert both.told() == Counter(both.said(both.acked))


def test_a_tracker_that_is_not_known_is_refused(pair: Make) -> None:
    both = pair(IMEIS[0])
    tracker = both.tracker(IMEIS[1])
    tracker.offer(day(IMEIS[1], 1)[0])
    both.until(lambda: tracker.refusals >= 2)
    assert tracker.stop(0) == 1
    assert both.told() == Counter()
