"""A scanner under a stable name, with the supervisor: pulled out, plugged in again, and read on."""

import logging
import os
import pty
import time
import tty
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from edge import supervisor as supervisor_module
from edge.drivers.serial_scanner import ScannerSettings, SerialScanner
from edge.supervisor import FIRST_BACKOFF_S, Supervisor
from models.reading import DeviceEvent, Reading, Scan


class Plug:
    """A pty behind a link, as udev keeps /dev/serial/by-id."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.plug_in()

    def plug_in(self) -> None:
        self.end, self._other = pty.openpty()
        tty.setraw(self._other)
        self.link.symlink_to(os.ttyname(self._other))

    def pull_out(self) -> None:
        self.link.unlink()
        os.close(self._other)
        os.close(self.end)


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_pulled_out_and_plugged_in_it_is_read_on_with_one_line_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "STEADY_S", 0.0)  # each outage is the first, or the pauses would grow
    caplog.set_level(logging.INFO)
    readings: list[Reading] = []

    def put(new: Sequence[Reading]) -> "Future[None]":
        readings.extend(new)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    plug = Plug(tmp_path / "usb-scanner")
    supervisor = Supervisor({"s": SerialScanner("s", ScannerSettings(port=str(plug.link)))}, put)
    supervisor.start(lambda: None)

    def state() -> str:
        return supervisor.devices()[0].state

    def more_than(number: int) -> bool:
        return len(readings) > number

    for number in range(3):
        until(lambda: state() == "reading", 2 * FIRST_BACKOFF_S + 1)
        seen = len(readings)
        os.write(plug.end, f"A{number}\r".encode())
        until(partial(more_than, seen), 5)
        os.write(plug.end, b"half")
        plug.pull_out()
        until(lambda: state() == "lost", 5)
        plug.plug_in()
    until(lambda: state() == "reading", 2 * FIRST_BACKOFF_S + 1)
    assert supervisor.stop(5) == []
    plug.pull_out()
    assert [each.data for each in readings if isinstance(each, Scan)] == ["A0", "A1", "A2"]
    assert [each.name for each in readings if isinstance(each, DeviceEvent)] == ["lost", "restored"] * 3
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(": ")[1].split(";")[0] for line in lines] == ["reading", *["lost", "reading again"] * 3]
