"""Simulated trackers by UDP against the real driver and outbox, over a network that loses and doubles.

What a tracker was told is safe is in the outbox, and in the end everything is.
"""

import random
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from select import select
from threading import Event, Thread

import pytest

from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from edge.intake import Intake
from edge.outbox import Outbox
from models.wire import encode
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.record import Record, readings
from tests.edge.delivery_site import free_port, wait_for

IMEIS = [f"35630704244{number:04}" for number in range(4)]
HABITS = Habits(
    reply_timeout_s=0.2,
    first_backoff_s=0.02,
    most_backoff_s=0.1,
    resend_share=0.1,
    drop_ack_share=0.1,
    burst_share=0.3,
    disorder_share=0.2,
    udp=True,
)
RECORDS = 150


class BadNetwork:
    """Between trackers and gateway: loses a tenth and doubles a tenth, each way."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.chance, self.server, self.over = random.Random(5), server, Event()
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.front.getsockname()
        self.backs: dict[tuple[str, int], socket.socket] = {}
        self.thread = Thread(target=self._carry, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.over.set()
        self.thread.join()
        for each in (self.front, *self.backs.values()):
            each.close()

    def _carry(self) -> None:
        while not self.over.is_set():
            whence = {back: client for client, back in self.backs.items()}
            for ready in select([self.front, *whence], [], [], 0.05)[0]:
                if ready is self.front:
                    data, client = self.front.recvfrom(65_536)
                    if client not in self.backs:
                        self.backs[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    for each in self._fate(data):
                        self.backs[client].sendto(each, self.server)
                else:
                    for each in self._fate(ready.recv(65_536)):
                        self.front.sendto(each, whence[ready])

    def _fate(self, data: bytes) -> list[bytes]:
        kind = self.chance.randrange(10)
        return [] if kind == 0 else [data, data] if kind == 1 else [data]


class Gateway:
    """The driver with its outbox, and what its health was told."""

    def __init__(self, path: Path) -> None:
        self.outbox = Outbox(path)
        self.intake = Intake(self.outbox.put)
        self.bad: list[str] = []
        self.listening, self.stop = Event(), Event()
        port = free_port()
        self.address = ("127.0.0.1", port)
        settings = TeltonikaSettings(f"127.0.0.1:{port}", transport="udp", imeis=tuple(IMEIS))
        self.driver = TeltonikaDriver("trackers", settings)
        self.thread = Thread(target=self.driver.run, args=(self.intake.put, self, self.stop), daemon=True)
        self.thread.start()
        assert self.listening.wait(10)

    def reading(self) -> None:
        self.listening.set()

    def bad_frame(self, why: str) -> None:
        self.bad.append(why)

    def texts(self) -> set[bytes]:
        found: set[bytes] = set()
        for line in self.outbox.lines():
            seq = 1
            while rows := self.outbox.rows(line.epoch, seq, 500):
                found.update(text for _, text in rows)
                seq = rows[-1][0] + 1
        return found

    def close(self) -> None:
        self.stop.set()
        self.thread.join(5)
        self.intake.close(5)
        self.outbox.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path / "outbox.db")
    yield gateway
    gateway.close()


def test_what_trackers_were_told_is_safe_is_and_in_the_end_everything(gateway: Gateway) -> None:
    network, chance = BadNetwork(gateway.address), random.Random(6)
    acked: list[tuple[str, Record]] = []

    def note(imei: str, record: Record) -> None:
        acked.append((imei, record))

    trackers = {imei: TeltonikaTracker(network.address, imei, partial(note, imei), habits=HABITS) for imei in IMEIS}
    offered: list[tuple[str, Record]] = []
    for tracker in trackers.values():
        tracker.start()
    try:
        for number in range(RECORDS):
            for imei, tracker in trackers.items():
                at_us = 1_795_426_200_000_000 + number * 1_000_000
                record = Record(at_us, 51.06, 3.73, 8, 90, 11, 36, ((16, number), (87, number), (239, number % 2)))
                offered.append((imei, record))
                tracker.offer(record)
                if chance.random() < 0.02:
                    chance.choice((tracker.outage, tracker.reboot))(chance.uniform(0, 0.2))
            time.sleep(0.01)
            if number % 30 == 0:
                told = acked.copy()
                assert texts(told) <= gateway.texts()
        wait_for(lambda: not any(tracker.buffered for tracker in trackers.values()), 30)
    finally:
        for tracker in trackers.values():
            tracker.stop(5)
        network.close()
    assert sorted(acked, key=str) == sorted(offered, key=str)
    assert gateway.texts() == texts(offered)
    assert gateway.bad == []


def texts(records: list[tuple[str, Record]]) -> set[bytes]:
    return {encode(each) for imei, record in records for each in readings(imei, record)}
