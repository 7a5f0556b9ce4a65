"""A tracker by UDP against servers of every mood: each record is noted once, and none is forgotten."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.devices.teltonika_codec import datagram
from simulators.record import Record
from tests.simulators.avl_server import wait
from tests.simulators.datagram_server import serving
from tests.simulators.test_teltonika_codec import IMEI

QUICK = Habits(reply_timeout_s=0.3, first_backoff_s=0.02, most_backoff_s=0.1, udp=True)
Make = Callable[..., "Device"]


def records(begin: int, end: int) -> list[Record]:
    start_us = 1_750_000_000_000_000
    return [
        Record(start_us + number * 1_000_000, 51.06, 3.73, 8, 90, 11, 36, ((16, number), (239, 1)))
        for number in range(begin, end)
    ]


class Device:
    """A tracker and what it noted."""

    def __init__(self, address: tuple[str, int], habits: Habits = QUICK, records_per_frame: int = 10) -> None:
        self.noted: list[Record] = []
        self.tracker = TeltonikaTracker(
            address, IMEI, self.noted.append, records_per_frame=records_per_frame, habits=habits
        )

    def offer(self, some: list[Record]) -> None:
        for each in some:
            self.tracker.offer(each)


@pytest.fixture
def make() -> Iterator[Make]:
    devices: list[Device] = []

    def one(*arguments: Any, **options: Any) -> Device:
        devices.append(Device(*arguments, **options))
        return devices[-1]

    yield one
    for each in devices:
        each.tracker.stop(0)


def test_a_datagram_is_that_of_the_wiki() -> None:
    io = ((1, 1), (11, 0x3544C87A), (14, 0x1DD7E06A), (16, 0x015E2C88), (17, 0x9D))
    record = Record(1_560_407_121_000_000, 0.0, 0.0, 0, 0, 0, 0, io, event_id=1, priority=1)
    assert datagram([record], "352093086403655", 0xCAFE, 7, {1: 1, 17: 2, 16: 4, 11: 8, 14: 8}).hex() == (
        "005fcafe0107000f3335323039333038363430333635358e010000016b4f831c680100000000000000000000000000000000010005000"
        "100010100010011009d00010010015e2c880002000b000000003544c87a000e000000001dd7e06a000001"
    )


def test_every_datagram_is_acknowledged_by_itself(make: Make) -> None:
    with serving() as server:
        device = make(server.address)
        device.offer(records(0, 25))
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert device.noted == server.records() == records(0, 25)
        assert [(packet_id, avl_id, len(some)) for _, packet_id, avl_id, some in server.packets] == [
            (1, 2, 10),
            (2, 3, 10),
            (3, 4, 5),
        ]
        assert server.imeis == {IMEI}


@pytest.mark.parametrize(
    "first",
    [
        [],
        [b"\0\x05\0\x01\x01\x09\x03"],
        [b"\0\x05\0\x09\x01\x02\x03"],
        [b"\0\x05\0\x01\x01\x02\x02"],
        [b"\0\x05\0\x01\x01\x02"],
        [b"garbage, and much of it"],
    ],
)
def test_another_answer_or_none_takes_nothing(make: Make, first: list[bytes]) -> None:
    with serving(lambda answer, before: first if not before else [answer]) as server:
        device = make(server.address)
        device.offer(records(0, 3))
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert [some for *_, some in server.packets] == [records(0, 3)] * 2
        assert device.noted == records(0, 3)


def test_a_burst_may_be_answered_in_any_order(make: Make) -> None:
    held: list[bytes] = []

    def backwards(answer: bytes, before: int) -> list[bytes]:
        held.append(answer)
        return held[::-1] if before == 2 else []

    with serving(backwards) as server:
        device = make(server.address, replace(QUICK, burst_share=1.0, reply_timeout_s=5), records_per_frame=1)
        device.offer(records(0, 3))
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert device.noted == server.records() == records(0, 3)


def test_an_outage_ends_the_wait_for_an_answer(make: Make) -> None:
    with serving(lambda answer, before: [answer] if before else []) as server:
        device = make(server.address, replace(QUICK, reply_timeout_s=30))
        device.offer(records(0, 3))
        device.tracker.start()
        wait(lambda: len(server.packets) == 1)
        began = time.monotonic()
        device.tracker.outage(0.2)
        device.offer(records(3, 5))
        wait(lambda: len(device.noted) == 5)
        assert time.monotonic() - began < 10
        assert [[each.io[0][1] for each in some] for *_, some in server.packets] == [[0, 1, 2], [4], [0, 1, 2, 3]]


def test_a_reboot_goes_on_where_it_was(make: Make) -> None:
    with serving(lambda answer, before: [answer] if before else []) as server:
        device = make(server.address, replace(QUICK, reply_timeout_s=30))
        device.offer(records(0, 3))
        device.tracker.start()
        wait(lambda: len(server.packets) == 1)
        device.tracker.reboot(0.2)
        device.offer(records(3, 5))
        wait(lambda: len(device.noted) == 5)
        assert [[each.io[0][1] for each in some] for *_, some in server.packets] == [[0, 1, 2], [0, 1, 2], [3, 4]]
        assert [packet_id for _, packet_id, _, _ in server.packets] == [1, 1, 2], "it counts anew"


def test_disorder_sends_any_that_wait_and_forgets_none(make: Make) -> None:
    with serving() as server:
        device = make(server.address, replace(QUICK, disorder_share=0.7), records_per_frame=3)
        device.offer(records(0, 60))
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert Counter(device.noted) == Counter(server.records()) == Counter(records(0, 60))
        assert server.records() != records(0, 60)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_every_record_is_noted_once(make: Make, seed: int) -> None:
    chance = random.Random(seed)

    def moody(answer: bytes, _before: int) -> list[bytes]:
        return chance.choice(([answer], [answer], [answer, answer], [], [answer[:-1] + b"\0"], [b"x"]))

    habits = replace(
        QUICK, reply_timeout_s=0.1, seed=seed, resend_share=0.2, drop_ack_share=0.2, burst_share=0.3, disorder_share=0.3
    )
    with serving(moody) as server:
        device = make(server.address, habits, records_per_frame=5)
        device.tracker.start()
        for each in records(0, 100):
            device.tracker.offer(each)
            if chance.random() < 0.03:
                device.tracker.outage(chance.uniform(0, 0.1))
            if chance.random() < 0.03:
                device.tracker.reboot(chance.uniform(0, 0.1))
            time.sleep(chance.uniform(0, 0.01))
        server.answer = lambda answer, _before: [answer]
        assert device.tracker.stop(20) == 0
        assert Counter(device.noted) == Counter(records(0, 100))
        assert {each.at_us for each in server.records()} == {each.at_us for each in records(0, 100)}
