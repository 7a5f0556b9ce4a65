"""The edge's driver for phones, its outbox on a disk, and simulated phones, whatever goes wrong between them."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from edge.drivers.osmand import OsmandDriver, OsmandSettings
from models.reading import Fix, micros
from models.wire import decode
from simulators.devices.driving import Machine, Sending
from simulators.devices.osmand import OsmandPhone
from simulators.devices.osmand_codec import Form, readings
from simulators.devices.teltonika import Habits
from simulators.devices.upsets import FUTURE_US, WEEK_ROLLOVER_US
from simulators.record import Record
from tests.system.tracker_pair import Gateway, fixture_of

PHONES: dict[str, Form] = {"356307042441013": "query", "phone 2": "form", "ä&=7": "json"}
START_US = 1_750_000_000_000_000
# On a busy machine a disk takes seconds: what must come once is waited for longer than that by phone and driver.
QUICK = Habits(reply_timeout_s=60, first_backoff_s=0.02, most_backoff_s=0.2, refused_wait_s=0.1)
HASTY = replace(QUICK, reply_timeout_s=1.5)
MISCHIEF = replace(HASTY, resend_share=0.1, drop_ack_share=0.1, split_share=0.2, burst_share=0.3, disorder_share=0.2)


class Pair(Gateway[Record, OsmandPhone]):
    def __init__(self, path: Path, *ids: str, answer_s: float = 30) -> None:
        def driver(address: str) -> OsmandDriver:
            return OsmandDriver("trackers", OsmandSettings(address, ids=ids, answer_s=answer_s))

        super().__init__(path, driver, lambda number, record: readings(number, record, PHONES[number]))

    def pause_s(self) -> float:
        return self.chance.choice((0, 0, 0.01, 0.02))

    def phone(self, number: str, habits: Habits = QUICK, most: int = 5) -> OsmandPhone:
        note = partial(self.note, number)
        return self.add(number, OsmandPhone(self.address, number, note, PHONES[number], Sending(most, habits)))


Make = Callable[..., Pair]
pair = fixture_of(Pair)


def day(number: str, records: int) -> list[Record]:
    """Records of a machine that drives."""
    machine = Machine(random.Random(number), START_US)
    return [machine.record(START_US + (each + 1) * 5_000_000) for each in range(records)]


def test_every_record_arrives_with_its_values_and_once(pair: Make) -> None:
    both = pair(*PHONES)
    offered = [(number, record) for number in PHONES for record in day(number, 60)]
    for number in PHONES:
        both.phone(number)
    for number, record in offered:
        both.devices[number].offer(record)
    assert [phone.stop(20) for phone in both.devices.values()] == [0, 0, 0]
    assert sorted(both.acked, key=repr) == sorted(offered, key=repr)
    assert both.told() == Counter(both.said(offered))
    assert both.too_early == []
    assert [(state.state, state.bad_frames) for state in both.supervisor.devices()] == [("reading", 0)]


def test_whatever_goes_wrong_nothing_acknowledged_is_missing_and_nothing_is_made_up(pair: Make) -> None:
    both, chance = pair(answer_s=0.5), random.Random(8)
    both.slow = True
    for number in PHONES:
        both.phone(number, MISCHIEF)
    offered: list[tuple[str, Record]] = []
    for step, some in enumerate(zip(*(day(number, 60) for number in PHONES), strict=True)):
        for number, record in zip(PHONES, some, strict=True):
            both.devices[number].offer(record)
            offered.append((number, record))
            if chance.random() < 0.04:
                chance.choice((both.devices[number].outage, both.devices[number].reboot))(chance.uniform(0, 0.3))
        if step in {20, 40}:
            both.switch_off()
            time.sleep(0.2)
            both.switch_on()
        time.sleep(0.01)
    both.slow = False
    assert [phone.stop(30) for phone in both.devices.values()] == [0, 0, 0]
    assert Counter(both.acked) == Counter(offered), "each was noted once"
    told = both.told()
    assert told.keys() == both.said(offered)
    assert told.total() > len(told), "some came twice"
    assert both.too_early == []
    both.switch_off()
    assert both.bad_frames == 0


def test_an_outage_brings_the_newest_first_and_then_the_backlog(pair: Make) -> None:
    both, number = pair(), "ä&=7"
    records = day(number, 60)
    phone = both.phone(number)
    both.until(lambda: phone.connected)
    phone.offline(lost=True)
    for each in records:
        phone.offer(each)
    time.sleep(0.1)
    phone.offline(lost=False)
    both.until(lambda: len(both.acked) == 60)
    assert [record for _, record in both.acked] == [records[-1], *records[:-1]]
    assert both.told() == Counter(both.said(both.acked))


def test_a_clock_that_lost_1024_weeks_is_put_right_and_one_ahead_is_left(pair: Make) -> None:
    both, number = pair(), "phone 2"
    now_us = time.time_ns() // 1_000_000 * 1000
    right, lost, ahead = (Machine(random.Random(1), now_us).record(now_us + each * 1000) for each in (1, 2, 3))
    phone = both.phone(number)
    for each in (right, replace(lost, at_us=lost.at_us - WEEK_ROLLOVER_US)):
        phone.offer(each)
    phone.offer(replace(ahead, at_us=ahead.at_us + FUTURE_US))
    assert phone.stop(10) == 0
    fixes = [each for text in both.told() if isinstance(each := decode(text), Fix)]
    told = {micros(each.at): each.device_at and micros(each.device_at) for each in fixes}
    assert told == {
        right.at_us: None,
        lost.at_us: lost.at_us - WEEK_ROLLOVER_US,
        ahead.at_us + FUTURE_US: None,
    }


def test_a_phone_that_is_not_known_is_refused(pair: Make) -> None:
    both = pair("another")
    phone = both.phone("phone 2")
    phone.offer(day("phone 2", 1)[0])
    both.until(lambda: phone.refusals >= 2)
    assert phone.stop(0) == 1
    assert both.told() == Counter()
