"""The serial scanner driver on a real pty."""

import random
import socket
import termios
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import serial

from edge.driver import DeviceLost
from edge.drivers.scan_frame import MAX_BYTES
from edge.drivers.serial_scanner import ScannerSettings, SerialScanner
from tests.edge.drivers.scanner_port import Port, open_and_ready, scanner

Start = Callable[[SerialScanner], Any]


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.unplug()


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


def test_a_shorter_pause_ends_nothing(port: Port, running: Start) -> None:
    run = running(scanner(port, gap_s=5))
    open_and_ready(run)
    port.send(b"AB")
    time.sleep(0.2)
    port.send(b"CD\r")
    run.until(lambda: len(run.readings) == 1)
    assert run.readings[0].data == "ABCD"


def test_debounce_leaves_out_the_same_code_only(port: Port, running: Start) -> None:
    run = running(scanner(port, debounce_s=30))
    open_and_ready(run)
    port.send(b"A\rA\rB\rA\r")
    run.until(lambda: len(run.readings) == 3)
    assert [scan.data for scan in run.readings] == ["A", "B", "A"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("prefix", "A\r", "prefix: expected without CR"),
        ("suffix", "\x03", "suffix: expected without CR"),
        ("feedback_ok", "\u0100", r"feedback_ok: characters up to U\+00FF"),
        ("feedback_text", "hello", r"feedback_text: \{text\} expected"),
        ("symbology", "E0", "symbology"),
        ("symbology", "]E0\n", "symbology"),
        ("gap_s", 0, "gap_s"),
        ("debounce_s", 61, "debounce_s"),
    ],
)
def test_settings_that_cannot_be_are_named(key: str, value: object, words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"port": "x", key: value}, ScannerSettings)


def test_the_configured_symbology_goes_with_a_scan_that_has_none(port: Port, running: Start) -> None:
    run = running(scanner(port, symbology="]E0", prefix="\x02"))
    open_and_ready(run)
    port.send(b"\x024006381333931\r\x02]C1A\r")
    run.until(lambda: len(run.readings) == 2)
    assert [(scan.data, scan.symbology) for scan in run.readings] == [("4006381333931", "]E0"), ("A", "]C1")]


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


def test_what_is_no_serial_port_is_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for name in (str(tmp_path / "file"), "socket://127.0.0.1:99999", "nonsense://x", "socket://127.0.0.1:1"):
        with pytest.raises(DeviceLost):
            SerialScanner("s", ScannerSettings(port=name)).probe()

    def vanishes(*_: object, **__: object) -> None:
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr(serial, "serial_for_url", vanishes)
    with pytest.raises(DeviceLost, match="Input/output error"):
        SerialScanner("s", ScannerSettings(port="/dev/ttyACM0")).probe()


class Vanishing:
    """A port that gives one byte and then raises a raw OSError from in_waiting, as after unplugging."""

    def __init__(self) -> None:
        self._left = [b"A", b"\r"]

    def read(self, _: int) -> bytes:
        if not self._left:
            raise OSError(5, "Input/output error")
        return self._left.pop(0)

    @property
    def in_waiting(self) -> int:
        raise OSError(5, "Input/output error")

    def close(self) -> None:
        """Nothing is open."""


def test_the_last_scan_before_the_loss_counts(monkeypatch: pytest.MonkeyPatch, running: Start) -> None:
    monkeypatch.setattr(serial, "serial_for_url", lambda *_, **__: Vanishing())
    run = running(SerialScanner("scanner-1", ScannerSettings(port="/dev/ttyACM0")))
    assert isinstance(run.ended(), DeviceLost)
    assert [scan.data for scan in run.readings] == ["A"]


def test_a_socket_url_is_a_port_too(running: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        run = running(SerialScanner("scanner-1", ScannerSettings(port=url, feedback_ok="\x07")))
        client, _ = server.accept()
        with client:
            client.settimeout(5)
            open_and_ready(run)
            client.sendall(b"]E04006381333931\r")
            run.until(lambda: len(run.readings) == 1)
            assert client.recv(16) == b"\x07"
            client.sendall(b"LAST\r")
        assert isinstance(run.ended(), DeviceLost)
        assert [scan.data for scan in run.readings] == ["4006381333931", "LAST"]


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


def test_a_device_server_that_lost_its_power_is_noticed(running: Callable[[Any], Any]) -> None:
    """It sends nothing more, not even an end: only the kernel's own probes tell it from a scanner that rests."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        run = running(SerialScanner("scanner-1", ScannerSettings(port="socket://{}:{}".format(*server.getsockname()))))
        client, _ = server.accept()
        with client:
            open_and_ready(run)
            connections = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()]
            [ours] = [each for each in connections if each[2].endswith(f":{server.getsockname()[1]:04X}")]
            assert ours[5].startswith("02:"), "a keepalive timer"
            run.close()
