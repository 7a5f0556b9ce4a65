"""The serial scanner driver on a real pty."""

import os
import pty
import random
import socket
import time
import tty
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from edge.driver import DeviceLost
from edge.drivers.scan_frame import MAX_BYTES
from edge.drivers.serial_scanner import ScannerSettings, SerialScanner
from models.wire import Reply

Start = Callable[[SerialScanner], Any]


class Port:
    """A pty: the test holds the scanner's end, the driver opens `name`."""

    def __init__(self) -> None:
        self.end, self._other = pty.openpty()
        tty.setraw(self._other)
        self.name = os.ttyname(self._other)

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.end, data[:512]) :]

    def unplug(self) -> None:
        for end in (self._other, self.end):
            if end >= 0:
                os.close(end)
        self._other = self.end = -1


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.unplug()


def scanner(port: Port, **settings: Any) -> SerialScanner:
    return SerialScanner("scanner-1", ScannerSettings(port=port.name, **{"gap_s": 0.05, **settings}))


def open_and_ready(run: Any) -> None:
    run.until(lambda: run.answers == 1)


def test_scans_with_their_symbology(port: Port, running: Start) -> None:
    run = running(scanner(port))
    open_and_ready(run)
    port.send(b"]C10109506000134352\x1d10LOT7\rSY:RECEIVE\r\n")
    run.until(lambda: len(run.readings) == 2)
    assert [(scan.device, scan.data, scan.symbology) for scan in run.readings] == [
        ("scanner-1", "0109506000134352\x1d10LOT7", "]C1"),
        ("scanner-1", "SY:RECEIVE", None),
    ]
    assert abs((datetime.now(UTC) - run.readings[0].at).total_seconds()) < 5


def test_a_scan_without_terminator_ends_with_the_pause(port: Port, running: Start) -> None:
    run = running(scanner(port))
    open_and_ready(run)
    port.send(b"ABC")
    run.until(lambda: len(run.readings) == 1)
    assert run.readings[0].data == "ABC"


def test_debounce_leaves_out_the_same_code_only(port: Port, running: Start) -> None:
    run = running(scanner(port, debounce_s=30))
    open_and_ready(run)
    port.send(b"A\rA\rB\rA\r")
    run.until(lambda: len(run.readings) == 3)
    assert [scan.data for scan in run.readings] == ["A", "B", "A"]


def test_feedback_is_written_to_the_port(port: Port, running: Start) -> None:
    run = running(scanner(port, feedback_ok="\x07", feedback_bad="NO\r"))
    open_and_ready(run)
    for ok in (True, False):
        run.driver.reply(Reply("scanner-1", datetime.now(UTC), ok, "text"))
    heard = b""
    until = time.monotonic() + 5
    while heard != b"\x07NO\r" and time.monotonic() < until:
        heard += os.read(port.end, 16)
    assert heard == b"\x07NO\r"


def test_a_second_opener_and_a_missing_port_are_losses(port: Port, running: Start) -> None:
    run = running(scanner(port))
    open_and_ready(run)
    with pytest.raises(DeviceLost):
        scanner(port).probe()
    with pytest.raises(DeviceLost, match="no-such-port"):
        SerialScanner("s", ScannerSettings(port="/dev/no-such-port")).probe()


def test_an_unplugged_port_is_a_loss(port: Port, running: Start) -> None:
    run = running(scanner(port))
    open_and_ready(run)
    port.unplug()
    assert isinstance(run.ended(), DeviceLost)


def test_a_socket_url_is_a_port_too(running: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        run = running(SerialScanner("scanner-1", ScannerSettings(port=url)))
        client, _ = server.accept()
        with client:
            open_and_ready(run)
            client.sendall(b"]E04006381333931\r")
            run.until(lambda: len(run.readings) == 1)
        assert isinstance(run.ended(), DeviceLost)


def test_a_thousand_pieces_of_garbage_cost_no_scan(port: Port, running: Start) -> None:
    chance = random.Random(9)
    run = running(scanner(port, gap_s=0.3))
    open_and_ready(run)
    overruns = 0
    for number in range(1000):
        long = number % 100 == 0
        overruns += long
        garbage = bytes(chance.randrange(14, 256) for _ in range(MAX_BYTES + 5 if long else chance.randrange(30)))
        port.send(garbage + b"\r" + f"]C1GOOD{number}\r".encode())
    run.until(lambda: any(scan.data == "GOOD999" for scan in run.readings), 20)
    assert [scan.data for scan in run.readings if scan.symbology == "]C1"] == [f"GOOD{n}" for n in range(1000)]
    assert len(run.bad) == overruns
