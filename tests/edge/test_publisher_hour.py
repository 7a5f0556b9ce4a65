"""The broker is away for an hour, on a clock that the test moves: nothing is lost, and it is found again in time."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client

from edge import publisher as module
from edge.connection import new_client
from edge.publisher import MAX_RETRY_S
from tests.edge.delivery_site import Iotcore, Site, signals, wait_for

HOUR_S = 3600
EVERY_S = 2


class Clock:
    """The publisher's `time`: the real one, and what the test has skipped; and when a connection was tried."""

    def __init__(self) -> None:
        self.skipped_s = 0.0
        self.tries: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped_s

    def new_client(self, *arguments: Any) -> Client:
        self.tries.append(self.monotonic())
        return new_client(*arguments)

    def skip(self) -> None:
        self.skipped_s += EVERY_S


def test_an_hour_without_a_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "new_client", clock.new_client)
    caplog.set_level(logging.INFO, "edge.publisher")
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        publisher = site.publish()
        site.outbox.put(signals(0, 10)).result(5)
        wait_for(lambda: len(site.backend.journal) == 10)
        site.broker.kill()
        count = 10
        for _ in range(HOUR_S // EVERY_S):
            durable = site.outbox.put(signals(count, 3))
            count += 3
            clock.skipped_s += EVERY_S
            time.sleep(0.001)
        durable.result(5)
        site.backend.subscribed.clear()
        site.broker.start()
        assert site.backend.subscribed.wait(10)
        back_at = clock.monotonic()
        # with each beat of the publisher, as long as it looks: a stalled test skips nothing
        publisher.beat = lambda: None if len(_lines(caplog, "connected")) == 2 else clock.skip()
        wait_for(lambda: len(_lines(caplog, "connected")) == 2, 20)
        found_s = min([each for each in clock.tries if each >= back_at], default=back_at) - back_at
        site.outbox.put(signals(count, 1)).result(5)
        wait_for(lambda: len(site.backend.journal) == count + 1, 20)
        assert site.backend.values() == [float(number) for number in range(count + 1)]
        assert (site.backend.conflicts, site.backend.gaps) == (0, [])
        told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
        assert told == _lines(caplog, "lost"), "one line per loss, whatever a try ended with"
        assert len(told) == 1
        assert len(_lines(caplog, "connected")) == 2, "one line per recovery"
        assert found_s < MAX_RETRY_S + 5
        print(
            f"\n{count} readings in an hour without a broker: all there, found again after {found_s:.0f} s of the clock"
        )
    finally:
        site.close()


def _lines(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    return [
        record.message for record in caplog.records if word in record.message and record.message.startswith("broker")
    ]
