import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import serial

from models import barcode
from simulators.devices import scanner as module
from simulators.devices.alone import scans
from simulators.devices.scanner import PtyScanner


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[PtyScanner]:
    device = PtyScanner(tmp_path / "scanner")
    device.start()
    yield device
    device.stop()


def wait(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.01)


def test_what_is_scanned_arrives_byte_for_byte(scanner: PtyScanner, tmp_path: Path) -> None:
    with serial.Serial(str(tmp_path / "scanner"), timeout=2, exclusive=True) as port:
        wait(lambda: scanner.connected)
        noted: list[int] = []
        data = b"0109521321500013" + b"3012\x1d10LOT\x03\x11\x137"
        assert scanner.scan(data, "]C1", lambda: noted.append(port.in_waiting))
        assert port.read_until(b"\r") == b"]C1" + data + b"\r"
        assert scanner.scan(b"SY:RECEIVE", None)
        assert port.read_until(b"\r") == b"SY:RECEIVE\r"
        assert noted == [0], "noted before the first byte"


def test_what_nobody_listens_for_is_lost(scanner: PtyScanner, tmp_path: Path) -> None:
    noted: list[int] = []
    assert (scanner.connected, scanner.scan(b"A", None, lambda: noted.append(1)), noted) == (False, False, [])
    with serial.Serial(str(tmp_path / "scanner"), timeout=2) as port:
        assert scanner.connected
        assert scanner.scan(b"B", None)
        assert port.read_until(b"\r") == b"B\r"
    assert (scanner.connected, scanner.scan(b"C", None)) == (False, False)
    with serial.Serial(str(tmp_path / "scanner"), timeout=2) as port:
        assert scanner.scan(b"D", None)
        assert port.read_until(b"\r") == b"D\r"


def test_pulled_out_and_plugged_in_again(scanner: PtyScanner, tmp_path: Path) -> None:
    link = tmp_path / "scanner"
    with serial.Serial(str(link), timeout=2) as port:
        scanner.stop()
        assert not link.exists()
        assert not scanner.scan(b"A", None)
        with pytest.raises((serial.SerialException, OSError)):
            port.read(1)
    scanner.start()
    with serial.Serial(str(link), timeout=2) as port:
        assert scanner.scan(b"B", None)
        assert port.read_until(b"\r") == b"B\r"


def test_a_stale_link_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    link = tmp_path / "scanner"
    link.symlink_to("/dev/pts/none-such")
    device = PtyScanner(link)
    device.start()
    assert os.path.realpath(link).startswith("/dev/pts/")
    assert link.exists()
    device.stop()
    link.write_text("mine")
    with pytest.raises(FileExistsError, match="expected nothing or a symbolic link"):
        device.start()
    assert link.read_text() == "mine"


def test_a_listener_that_writes_or_does_not_read_blocks_nothing_for_long(
    scanner: PtyScanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_TIMEOUT_S", 0.1)
    with serial.Serial(str(tmp_path / "scanner"), timeout=2, write_timeout=2) as port:
        for _ in range(20):
            port.write(bytes(1000))
            assert scanner.scan(b"A", None)
        assert port.read(40) == b"A\r" * 20
        with pytest.raises(BrokenPipeError, match="does not read"):
            scanner.scan(b"B" * 100_000, None)


def test_the_desk_that_stands_alone_scans_only_what_a_parser_reads() -> None:
    seen = list(islice(scans(5), 300))
    assert seen == list(islice(scans(5), 300)) != list(islice(scans(6), 300))
    parsed = [barcode.parse(data, aim) for aim, data in seen]
    assert {each.command for each in parsed if isinstance(each, barcode.OwnCode)} == {
        "RECEIVE",
        "ISSUE",
        "LOC",
        "QTY",
        "CONFIRM",
    }
    goods = [each for each in parsed if isinstance(each, barcode.Gs1)]
    assert len(goods) > 50
    assert all(each.gtin for each in goods)
    assert any(each.lot and each.count for each in goods)
