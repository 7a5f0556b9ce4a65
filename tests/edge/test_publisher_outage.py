"""The publisher while no broker answers: commits are heard all the time, and a long outage ends in a new epoch."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge import publisher as module
from edge.connection import Mqtt
from edge.outbox import Outbox
from edge.publisher import Publisher
from models import delivery
from tests.edge.delivery_site import STATE, Iotcore, Site, free_port, signals, wait_for


@contextmanager
def publishing(outbox: Outbox) -> Iterator[Publisher]:
    """A publisher whose broker's port refuses."""
    refused = Mqtt(f"mqtt://127.0.0.1:{free_port()}")
    publisher = Publisher("dock-a", refused, outbox, lambda: [STATE], lambda _reply: None)
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    try:
        yield publisher
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def test_commits_do_not_pile_up_while_the_broker_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MIN_RETRY_S", 20.0)
    monkeypatch.setattr(module, "FIRST_RETRY_S", 20.0)
    outbox = Outbox(tmp_path / "outbox.db")
    with publishing(outbox) as publisher:
        for number in range(10):
            outbox.put(signals(number, 1)).result(5)
        (line,) = outbox.lines()
        wait_for(publisher._heard.empty, 3)
        assert publisher._sender.line(line.epoch).next_seq == 11
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 3, "a wait for the broker ends with stop"
    outbox.close()


def test_commits_do_not_pile_up_while_the_outbox_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    monkeypatch.setattr(outbox, "lines", lambda: 1 / 0)
    with publishing(outbox) as publisher:
        for number in range(10):
            outbox.put(signals(number, 1)).result(5)
        wait_for(publisher._heard.empty, 1)
    outbox.close()


def test_the_first_receipt_after_an_outage_of_the_broker_opens_a_new_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "OUTAGE_S", 1.0)
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.1)
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        with publishing(site.outbox) as publisher:
            site.outbox.put(signals(0, 1)).result(5)
            time.sleep(1.2)
            site.outbox.put(signals(1, 1)).result(5)
            assert len(site.outbox.lines()) == 1
            publisher._mqtt = Mqtt(f"mqtt://127.0.0.1:{site.broker.port}")
            wait_for(lambda: [line.mark for line in site.outbox.lines()] == [2])
            site.outbox.put(signals(2, 1)).result(5)
            wait_for(lambda: sorted(site.backend.marks.values()) == [1, 2])
            assert site.backend.values() == [0.0, 1.0, 2.0]
    finally:
        site.close()
