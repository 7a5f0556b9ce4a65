"""Scanners on both lines: what they put around their data, and what can be done to them."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from simulators.devices import faults
from simulators.devices.scanner import Framing, PtyScanner, Scanner
from simulators.devices.scanner_tcp import TcpScanner


@pytest.fixture(params=["pty", "tcp"])
def scanner(request: Any, tmp_path: Path) -> Iterator[Scanner]:
    device = PtyScanner(tmp_path / "scanner") if request.param == "pty" else TcpScanner(("127.0.0.1", 0))
    device.start()
    yield device
    device.stop()


@pytest.fixture
def listen(scanner: Scanner) -> Iterator[Callable[[], serial.Serial]]:
    """Opens the port as a driver does, and waits until the scanner knows."""
    ports: list[serial.Serial] = []

    def opened() -> serial.Serial:
        where = "socket://{}:{}".format(*scanner.address) if isinstance(scanner, TcpScanner) else str(scanner._link)
        ports.append(serial.serial_for_url(where, timeout=2))
        wait(lambda: scanner.connected)
        return ports[-1]

    yield opened
    for port in ports:
        port.close()


def wait(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.005)


def test_what_is_scanned_arrives_and_what_nobody_listens_for_is_lost(
    scanner: Scanner, listen: Callable[[], serial.Serial]
) -> None:
    noted: list[int] = []
    assert (scanner.connected, scanner.scan(b"A", None, lambda: noted.append(1)), noted) == (False, False, [])
    port = listen()
    assert scanner.scan(b"010\x1dB", "]C1")
    assert port.read_until(b"\r") == b"]C1010\x1dB\r"
    port.write(b"\7" * 100)
    assert scanner.scan(b"C", None)
    assert port.read_until(b"\r") == b"C\r"
    port.close()
    wait(lambda: not scanner.connected)
    assert not scanner.scan(b"D", None)
    again = listen()
    assert scanner.scan(b"E", None)
    assert again.read_until(b"\r") == b"E\r"


@pytest.mark.parametrize(
    ("framing", "expected"),
    [
        (Framing(), b"]E0123\r"),
        (Framing(b"\2", b"\3"), b"\x02]E0123\x03"),
        (Framing(b"P1", b"\r\n", aim=False), b"P1123\r\n"),
    ],
)
def test_prefix_suffix_and_identifier_are_settings(tmp_path: Path, framing: Framing, expected: bytes) -> None:
    device = PtyScanner(tmp_path / "scanner", framing)
    device.start()
    with serial.Serial(str(tmp_path / "scanner"), timeout=2) as port:
        assert device.scan(b"123", "]E0")
        assert port.read(len(expected)) == expected
    device.stop()


def vanished(port: serial.Serial) -> bytes:
    """What still came, until the port said that it is gone."""
    data = b""
    try:
        while chunk := port.read(1):
            data += chunk
    except (serial.SerialException, OSError):
        return data
    raise AssertionError("the port is silent, not gone")


def test_unplugged_and_back_under_the_same_name(scanner: Scanner, listen: Callable[[], serial.Serial]) -> None:
    port = listen()
    scanner.unplug(0.3)
    assert vanished(port) == b""
    assert not scanner.scan(b"A", None)
    with pytest.raises((serial.SerialException, OSError)):
        listen()
    port.close()
    wait(lambda: scanner._replug is None)
    again = listen()
    assert scanner.scan(b"B", None)
    assert again.read_until(b"\r") == b"B\r"


def test_unplugged_in_the_middle_of_a_code(scanner: Scanner, listen: Callable[[], serial.Serial]) -> None:
    port = listen()
    scanner.half_frame(0.05)
    assert vanished(port) in {b"]C10000000", b"]C1000000", b""}, "a line that hangs up may drop what it held"
    wait(lambda: scanner._replug is None)
    assert listen()


def test_a_scanner_that_hangs_loses_scans_and_keeps_its_port(
    scanner: Scanner, listen: Callable[[], serial.Serial]
) -> None:
    port = listen()
    scanner.stall(0.1)
    assert (scanner.scan(b"A", None), scanner.connected) == (False, True)
    time.sleep(0.1)
    assert scanner.scan(b"B", None)
    assert port.read_until(b"\r") == b"B\r"


def test_garbage_ends_like_a_code(scanner: Scanner, listen: Callable[[], serial.Serial]) -> None:
    port = listen()
    scanner.garbage()
    assert len(port.read(41)) == 41
    assert scanner.scan(b"B", None)
    assert port.read_until(b"\r") == b"B\r"


def test_one_that_is_stopped_does_not_come_back(scanner: Scanner) -> None:
    scanner.unplug(0.05)
    scanner.stop()
    time.sleep(0.1)
    assert not scanner.connected
    if isinstance(scanner, TcpScanner):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(scanner.address, timeout=5)
    else:
        assert not scanner._link.exists()


def test_a_second_client_is_turned_away() -> None:
    scanner = TcpScanner(("127.0.0.1", 0))
    scanner.start()
    with socket.create_connection(scanner.address, timeout=5) as first:
        wait(lambda: scanner.connected)
        with socket.create_connection(scanner.address, timeout=5) as second:
            assert scanner.scan(b"A", None)
            assert second.recv(10) == b""
        assert first.recv(10) == b"A\r"
    scanner.stop()


def test_faults_by_name(scanner: Scanner) -> None:
    known = faults.of_scanner(scanner)
    assert faults.parse("unplug:0.5@3", known) == faults.Fault(3, "unplug", 0.5)
    with pytest.raises(ValueError, match="one of unplug, stall, half_frame, garbage"):
        faults.parse("reboot@3", known)
    for kind in known.values():
        kind.act(0)
