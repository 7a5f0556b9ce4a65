"""A disk that refuses delays readings and slows devices; it loses none."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Thread

import pytest

from edge import intake as module
from edge.intake import Intake
from models.reading import DeviceEvent, Reading, Scan


class Disk:
    """An outbox that can refuse, or leave all waiting."""

    def __init__(self) -> None:
        self.kept: list[Reading] = []
        self.refuse = False
        self.pending: list[tuple[Sequence[Reading], Future[None]]] | None = None

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        future: Future[None] = Future()
        if self.pending is not None:
            self.pending.append((readings, future))
        elif self.refuse:
            future.set_exception(OSError("disk full"))
        else:
            self.kept += readings
            future.set_result(None)
        return future


def scans(*data: str) -> list[Reading]:
    return [Scan("s", datetime.now(UTC), text) for text in data]


def test_what_the_disk_refused_is_put_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    caplog.set_level(logging.WARNING)
    disk = Disk()
    intake = Intake(disk.put)
    disk.refuse = True
    futures = [intake.put(scans("A", "B")), intake.put(scans("C"))]
    time.sleep(0.1)
    assert not any(future.done() for future in futures)
    disk.refuse = False
    for future in futures:
        future.result(5)
    deadline = time.monotonic() + 5
    while len(disk.kept) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert intake.close(1) == 0
    (told,) = (each for each in disk.kept if isinstance(each, DeviceEvent))
    assert (told.name, told.detail) == ("outbox_refused", "none taken for 0 s: disk full")
    assert [scan.data for scan in disk.kept if isinstance(scan, Scan)] == ["A", "B", "C"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_slow_disk_makes_devices_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    disk = Disk()
    disk.pending = []
    intake = Intake(disk.put)
    intake.put(scans("A", "B", "C"))
    device = Thread(target=intake.put, args=(scans("D"),), daemon=True)
    device.start()
    device.join(0.1)
    assert device.is_alive()
    disk.pending.pop()[1].set_result(None)
    device.join(5)
    assert not device.is_alive()


def test_closing_says_what_was_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    disk = Disk()
    disk.refuse = True
    intake = Intake(disk.put)
    intake.put(scans("A", "B"))
    assert intake.close(0.1) == 2
    assert intake.put(scans("C")).cancelled()
