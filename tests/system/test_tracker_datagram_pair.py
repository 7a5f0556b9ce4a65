"""Simulated trackers by UDP against the real driver and outbox, over a network that loses and doubles.

What a tracker was told is safe is in the outbox, and in the end everything is.
"""

import random
import socket
import time
from collections.abc import Callable
from functools import partial
from select import select
from threading import Event, Thread

from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.record import Record, readings
from tests.system.tracker_pair import Gateway, fixture_of

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


def driver(address: str) -> TeltonikaDriver:
    return TeltonikaDriver("trackers", TeltonikaSettings(address, transport="udp", imeis=tuple(IMEIS)))


pair = fixture_of(partial(Gateway, driver=driver, readings=readings))


def test_what_trackers_were_told_is_safe_is_and_in_the_end_everything(
    pair: Callable[[], Gateway[Record, TeltonikaTracker]],
) -> None:
    gateway, chance = pair(), random.Random(6)
    gateway.until(lambda: gateway.supervisor.devices()[0].state == "reading", 10)
    network = BadNetwork(gateway.address)
    for imei in IMEIS:
        gateway.add(imei, TeltonikaTracker(network.address, imei, partial(gateway.note, imei), habits=HABITS))
    trackers = gateway.devices
    offered: list[tuple[str, Record]] = []
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
                told = gateway.acked.copy()
                assert gateway.said(told) <= {*gateway.texts()}
        gateway.until(lambda: not any(tracker.buffered for tracker in trackers.values()), 30)
    finally:
        for tracker in trackers.values():
            tracker.stop(5)
        network.close()
    assert sorted(gateway.acked, key=str) == sorted(offered, key=str)
    assert {*gateway.texts()} == gateway.said(offered)
    assert gateway.supervisor.devices()[0].bad_frames == 0
