"""The simulated tracker against a small server: whatever that does, each record is noted once and none is forgotten."""

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from simulators.devices import tracker_link
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.devices.teltonika_link import Link
from simulators.devices.tracker_link import LinkLost
from simulators.record import Record
from tests.simulators.avl_server import AvlServer, Moody, honest, serving, wait

IMEI = "356307042441013"
QUICK = Habits(reply_timeout_s=5, first_backoff_s=0.02, most_backoff_s=0.1, refused_wait_s=0.1)
IMPATIENT = replace(QUICK, reply_timeout_s=0.5)
START_US = 1_750_000_000_000_000


def record(number: int) -> Record:
    return Record(START_US + number * 1_000_000, 51.06, 3.73, 8, 90, 11, 36, ((16, number), (239, 1)))


def records(begin: int, end: int) -> list[Record]:
    return [record(number) for number in range(begin, end)]


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


Make = Callable[..., Device]


@pytest.fixture
def make() -> Iterator[Make]:
    devices: list[Device] = []

    def one(*arguments: Any, **options: Any) -> Device:
        devices.append(Device(*arguments, **options))
        return devices[-1]

    yield one
    for each in devices:
        each.tracker.stop(0)


def started(device: Device) -> Device:
    device.tracker.start()
    wait(lambda: device.tracker.connected)
    return device


def sent(server: AvlServer) -> list[tuple[int, list[int]]]:
    """(connection, numbers of the records) of each packet."""
    return [(number, [each.io[0][1] for each in some]) for number, some in server.packets]


def test_logs_in_and_sends_each_record_as_it_comes(make: Make) -> None:
    with serving() as server:
        device = started(make(server.address))
        for each in records(0, 5):
            device.tracker.offer(each)
            wait(lambda each=each: each in device.noted)
        assert device.tracker.stop(5) == 0
        assert (server.imeis, sent(server)) == ([IMEI], [(1, [number]) for number in range(5)])
        assert device.noted == server.records() == records(0, 5)
        assert not device.tracker.connected


def test_several_records_travel_in_one_packet(make: Make) -> None:
    with serving() as server:
        device = make(server.address)
        device.offer(records(0, 25))
        assert (device.tracker.buffered, device.tracker.connected) == (25, False)
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert [len(numbers) for _, numbers in sent(server)] == [10, 10, 5]
        assert device.noted == server.records() == records(0, 25)


def test_a_wrong_count_takes_nothing(make: Make) -> None:
    with serving(Moody(bytes(4), b"\0\0\0\4", b"\0\0\0\2")) as server:
        device = make(server.address)
        device.offer(records(0, 3))
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert sent(server) == [(1, [0, 1, 2])] * 4
        assert device.noted == records(0, 3)


@pytest.mark.parametrize("answer", [b"", b"\0\0", None])
def test_an_answer_that_does_not_come_is_waited_for_and_then_a_new_connection_is_made(
    make: Make, answer: bytes | None
) -> None:
    with serving(Moody(answer)) as server:
        device = make(server.address, IMPATIENT)
        device.offer(records(0, 3))
        began = time.monotonic()
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert sent(server) == [(1, [0, 1, 2]), (2, [0, 1, 2])]
        assert answer is None or time.monotonic() - began >= IMPATIENT.reply_timeout_s
        assert device.noted == records(0, 3)


@pytest.mark.parametrize("answer", [b"\0", b"\7", b""])
def test_a_login_that_is_not_accepted_is_tried_again(make: Make, answer: bytes) -> None:
    with serving(logins=(answer, answer)) as server:
        device = make(server.address, IMPATIENT)
        device.offer(records(0, 3))
        began = time.monotonic()
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        refused = answer == b"\0"
        assert (server.imeis, device.tracker.refusals) == ([IMEI] * 3, 2 if refused else 0)
        assert not refused or time.monotonic() - began >= 2 * QUICK.refused_wait_s
        assert Counter(device.noted) == Counter(records(0, 3))


@pytest.mark.parametrize("live_first", [True, False])
def test_after_an_outage_the_newest_comes_first_and_then_the_backlog(make: Make, *, live_first: bool) -> None:
    with serving() as server:
        device = started(make(server.address, replace(QUICK, live_first=live_first)))
        device.offer(records(0, 3))
        wait(lambda: len(device.noted) == 3)
        before = len(server.packets)
        device.tracker.offline(lost=True)
        device.offer(records(3, 28))
        time.sleep(0.2)
        assert (device.tracker.buffered, device.tracker.connected, server.packets[before:]) == (25, False, [])
        device.tracker.offline(lost=False)
        wait(lambda: len(device.noted) == 28)
        whole = [[27], [*range(3, 13)], [*range(13, 23)], [*range(23, 27)]]
        if not live_first:
            whole = [[*range(3, 13)], [*range(13, 23)], [*range(23, 28)]]
        assert sent(server)[before:] == [(2, numbers) for numbers in whole]
        assert server.ended == set(), "the server of the lost connection was told nothing"
        assert device.tracker.stop(5) == 0
        wait(lambda: server.ended == {1, 2})


def test_a_packet_that_an_outage_left_unanswered_is_part_of_the_backlog(make: Make) -> None:
    with serving(Moody(b"")) as server:
        device = make(server.address)
        device.offer(records(0, 3))
        device.tracker.start()
        wait(lambda: len(server.packets) == 1)
        began = time.monotonic()
        device.tracker.outage(0.3)
        device.offer(records(3, 5))
        wait(lambda: len(device.noted) == 5)
        assert 0.2 < time.monotonic() - began < QUICK.reply_timeout_s
        assert sent(server) == [(1, [0, 1, 2]), (2, [4]), (2, [0, 1, 2, 3])]


def test_a_server_that_was_away_gets_the_newest_first(make: Make) -> None:
    with serving() as server:
        port = server.address[1]
    device = make(("127.0.0.1", port))
    device.tracker.start()
    device.offer(records(0, 4))
    time.sleep(0.2)
    assert (device.tracker.connected, device.tracker.buffered) == (False, 4)
    back = AvlServer(port=port)
    try:
        wait(lambda: len(device.noted) == 4)
        assert sent(back) == [(1, [3]), (1, [0, 1, 2])]
    finally:
        device.tracker.stop(5)
        back.close()


def test_what_was_acknowledged_may_come_once_more(make: Make) -> None:
    with serving() as server:
        device = make(server.address, replace(QUICK, resend_share=1.0), records_per_frame=2)
        device.offer(records(0, 6))
        device.tracker.start()
        wait(lambda: len(server.packets) == 6)
        assert device.tracker.stop(5) == 0
        assert sent(server) == [(1, numbers) for numbers in ([0, 1], [2, 3], [4, 5]) for _ in range(2)]
        assert device.noted == records(0, 6)


def test_an_acknowledgement_that_is_not_heard_is_no_acknowledgement(make: Make) -> None:
    with serving() as server:
        device = make(server.address, replace(QUICK, drop_ack_share=0.5, seed=3), records_per_frame=2)
        device.offer(records(0, 40))
        device.tracker.start()
        assert device.tracker.stop(20) == 0
        assert device.noted == records(0, 40)
        assert len(server.packets) > 25
        assert len(server.imeis) == 1 + len(server.packets) - 20
        for (first, some), (second, others) in pairwise(server.packets):
            assert (some == others) == (first != second)


def test_packets_in_pieces_and_several_in_one_write(make: Make) -> None:
    with serving() as server:
        device = make(server.address, replace(QUICK, split_share=0.5, burst_share=0.5), records_per_frame=2)
        device.offer(records(0, 60))
        device.tracker.start()
        assert device.tracker.stop(20) == 0
        assert device.noted == server.records() == records(0, 60)


def test_a_burst_is_acknowledged_packet_by_packet(make: Make) -> None:
    with serving(Moody(honest([record(0)]), bytes(4))) as server:
        device = make(server.address, replace(QUICK, burst_share=1.0), records_per_frame=1)
        device.offer(records(0, 4))
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert [numbers for _, [*numbers] in sent(server)] == [[0], [1], [2], [1], [3]]
        assert Counter(device.noted) == Counter(records(0, 4))


def test_a_full_buffer_loses_its_oldest(make: Make) -> None:
    with serving() as server:
        device = make(server.address, replace(QUICK, buffer_limit=10))
        device.offer(records(0, 14))
        assert (device.tracker.buffered, device.tracker.dropped) == (10, 4)
        device.tracker.start()
        assert device.tracker.stop(5) == 4, "what was lost was never acknowledged"
        assert device.noted == records(4, 14)


def test_stopping_waits_no_longer_than_it_may_and_says_what_is_left(make: Make) -> None:
    with serving(lambda _: b"") as server:
        device = make(server.address, replace(QUICK, reply_timeout_s=30))
        device.offer(records(0, 12))
        assert device.tracker.stop(5) == 12, "it was never on"
        device.tracker.start()
        wait(lambda: len(server.packets) == 1)
        began = time.monotonic()
        assert device.tracker.stop(0.3) == 12
        assert 0.3 <= time.monotonic() - began < 3
        server.answer = honest
        device.tracker.start()
        assert device.tracker.stop(5) == 0
        assert device.noted == records(0, 12)


def test_nobody_is_its_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_itself(*_: object) -> socket.socket:
        both = socket.socket()
        both.bind(("127.0.0.1", 0))
        both.connect(both.getsockname())
        return both

    monkeypatch.setattr(tracker_link.socket, "create_connection", to_itself)
    with pytest.raises(LinkLost, match="itself"):
        Link(("127.0.0.1", 1), 1)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_every_record_is_noted_once(make: Make, seed: int) -> None:
    chance = random.Random(seed)

    def moody(some: list[Record]) -> bytes | None:
        return chance.choice((honest(some), honest(some), honest(some), honest(some[1:]), b"", None, b"\0"))

    habits = replace(
        QUICK, reply_timeout_s=0.1, seed=seed, resend_share=0.2, drop_ack_share=0.2, split_share=0.2, burst_share=0.3
    )
    with serving(moody, logins=tuple(chance.choice((b"\0", b"\1", b"\7", b"\1")) for _ in range(8))) as server:
        device = make(server.address, habits, records_per_frame=5)
        device.tracker.start()
        for number in range(150):
            device.tracker.offer(record(number))
            if chance.random() < 0.03:
                device.tracker.outage(chance.uniform(0, 0.15))
            time.sleep(chance.uniform(0, 0.02))
        server.answer = honest
        assert device.tracker.stop(20) == 0
        assert Counter(device.noted) == Counter(records(0, 150))
        assert {each.at_us for each in server.records()} == {each.at_us for each in records(0, 150)}
        assert len(server.packets) > len({str(some) for _, some in server.packets}), "some came more than once"
