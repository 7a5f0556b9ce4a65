"""A reader or scanner fails while the edge reads it: back within the backoff bound, and nothing after that is lost.

The edge's supervisor and drivers run on real sockets and ptys. Keepalives and backoff are short, so that an outage
takes tenths of a second; the bound is computed from them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from edge import supervisor as supervisor_module
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.llrp_session import SILENT_INTERVALS, TICK_S
from edge.drivers.serial_scanner import ScannerSettings, SerialScanner
from edge.supervisor import Supervisor, backoff_s
from models.reading import DeviceEvent, Reading, Scan, Tag, micros
from simulators.devices.alone import TagStream
from simulators.devices.llrp import NOBODYS_EPC, LlrpReader, RawRead
from simulators.devices.scanner import PtyScanner, Scanner
from simulators.devices.scanner_tcp import TcpScanner

KEEPALIVE_S = 0.1
FIRST_BACKOFF_S, MAX_BACKOFF_S = 0.1, 0.4
SET_UP_S = 1.5
"""Connecting, greeting and eight requests, and the test's own threads, on a machine that is busy."""
DEVICE = "door-1"


def bound_s(outage_s: float) -> float:
    """From the fault to reading again: silence noticed, the outage, then the jitter that can still be left of it.

    Backoff is at most 0, 1, 2, 4 ... times the first, then MAX: whatever its number, one try is at most MAX away when
    the device answers again, and that try succeeds.
    """
    silence_s = SILENT_INTERVALS * KEEPALIVE_S + TICK_S
    return max(silence_s, outage_s) + backoff_s(99, 1.0) + SET_UP_S


class Edge:
    """The supervisor on one device, and all that it puts, says and logs."""

    def __init__(self, driver: Any, caplog: pytest.LogCaptureFixture) -> None:
        self.readings: list[Any] = []
        self._caplog = caplog
        self.supervisor = Supervisor({DEVICE: driver}, self._put)
        self.supervisor.start(lambda: None)
        self.until(lambda: self.state == "reading")

    def _put(self, readings: Sequence[Reading]) -> "Future[None]":
        self.readings += readings
        done: Future[None] = Future()
        done.set_result(None)
        return done

    @property
    def state(self) -> str:
        return self.supervisor.devices()[0].state

    def events(self) -> list[str]:
        return [each.name for each in self.readings if isinstance(each, DeviceEvent)]

    def epcs(self) -> set[str]:
        return {each.epc for each in self.readings if isinstance(each, Tag)}

    def scans(self) -> list[str]:
        return [each.data for each in self.readings if isinstance(each, Scan)]

    def lines(self) -> list[str]:
        """Since it first read: what the supervisor logged of losses and recoveries, and every warning of anybody."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.levelno >= logging.WARNING or record.name == "edge.supervisor"
        ]

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (self.state, self.events(), self.lines(), self.readings[-2:])
            time.sleep(0.005)


class Feeder:
    """Reads of ever new tags, offered as long as the test lasts; what the reader took is kept with its time."""

    def __init__(self, reader: LlrpReader) -> None:
        self.told: list[tuple[float, RawRead]] = []
        self._reader = reader
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        stream = TagStream(9, 0, distinct=True)
        while not self._stop.wait(0.01):
            self._reader.offer(stream.draw(time.time_ns() // 1000, 2), self._note)

    def _note(self, reads: Sequence[RawRead]) -> None:
        self.told += [(time.monotonic(), read) for read in reads]

    def since(self, begin: float) -> set[str]:
        return {read.epc for at, read in self.told if at >= begin}

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_BACKOFF_S", FIRST_BACKOFF_S)
    monkeypatch.setattr(supervisor_module, "MAX_BACKOFF_S", MAX_BACKOFF_S)
    caplog.set_level(logging.INFO)


@pytest.fixture
def reader() -> Iterator[LlrpReader]:
    device = LlrpReader(("127.0.0.1", 0))
    device.start()
    yield device
    device.stop()


@pytest.fixture
def edge(reader: LlrpReader, caplog: pytest.LogCaptureFixture) -> Iterator[Edge]:
    address = "{}:{}".format(*reader.address)
    settings = LlrpSettings(address=address, window_s=0.05, keepalive_s=KEEPALIVE_S, report_poll_s=0.1)
    running = Edge(LlrpDriver(DEVICE, settings), caplog)
    yield running
    running.supervisor.stop(5)


@pytest.fixture
def feeder(reader: LlrpReader, edge: Edge) -> Iterator[Feeder]:
    feeding = Feeder(reader)
    edge.until(lambda: len(edge.epcs()) > 20)
    yield feeding
    feeding.end()


FAULTS: dict[str, tuple[Callable[[LlrpReader], None], float]] = {
    "unplugged": (LlrpReader.drop, 0.0),
    "half a frame": (LlrpReader.half_frame, 0.0),
    "rebooted": (lambda reader: reader.reboot(0.4), 0.4),
    "half-open": (lambda reader: reader.reboot(0.2, half_open=True), 0.2),
    "stalled": (lambda reader: reader.stall(0.9), 0.9),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_reader_is_read_again_within_the_bound(edge: Edge, reader: LlrpReader, feeder: Feeder, name: str) -> None:
    act, outage_s = FAULTS[name]
    began = time.monotonic()
    act(reader)
    edge.until(lambda: edge.events() == ["lost", "restored"])
    again = time.monotonic()
    assert again - began <= bound_s(outage_s)
    edge.until(lambda: len(feeder.since(again)) > 30)
    feeder.end()
    edge.until(lambda: feeder.since(again) <= edge.epcs())
    assert edge.events() == ["lost", "restored"]
    lost, back = edge.lines()
    assert lost.startswith("door-1: lost: ")
    assert back == "door-1: reading again"
    assert NOBODYS_EPC.hex() not in edge.epcs()


def test_garbage_between_two_messages_is_skipped(edge: Edge, reader: LlrpReader, feeder: Feeder) -> None:
    """Whether it takes a new connection or not: soon there are tags again, and all that are told from then on."""
    for _ in range(3):
        before, began = len(edge.epcs()), time.monotonic()
        reader.garbage()
        edge.until(lambda mark=began: bool(feeder.since(mark) & edge.epcs()), bound_s(0))
        again = time.monotonic()
        edge.until(lambda mark=again: len(feeder.since(mark)) > 30)
        assert len(edge.epcs()) > before
    feeder.end()
    edge.until(lambda: feeder.since(again) <= edge.epcs())
    assert edge.supervisor.devices()[0].bad_frames > 0
    assert set(edge.events()) <= {"bad_frames", "lost", "restored"}
    assert edge.events().count("lost") == edge.events().count("restored")
    assert edge.epcs() <= feeder.since(0), "nothing was made of it"


def test_a_clock_that_steps_is_told_and_corrected_and_costs_nothing(
    edge: Edge, reader: LlrpReader, feeder: Feeder
) -> None:
    reader.clock_step(-90)
    edge.until(lambda: "clock_offset" in edge.events())
    again = time.monotonic()
    edge.until(lambda: len(feeder.since(again + 0.2)) > 30)
    feeder.end()
    edge.until(lambda: feeder.since(0) <= edge.epcs())
    assert (edge.state, edge.events(), edge.lines()) == ("reading", ["clock_offset"], [])
    truth = {read.epc: read.at_us for at, read in feeder.told if at >= again + 0.2}
    heard = {each.epc: micros(each.at) for each in edge.readings if isinstance(each, Tag)}
    assert all(abs(heard[epc] - at_us) < 400_000 for epc, at_us in truth.items())


def test_an_antenna_that_is_off_is_told_and_the_others_are_read_on(
    edge: Edge, reader: LlrpReader, feeder: Feeder
) -> None:
    reader.antenna(2, on=False)
    edge.until(lambda: edge.events() == ["antenna_down"])
    off = time.monotonic()
    edge.until(lambda: len(feeder.since(off)) > 30)
    feeder.end()
    edge.until(lambda: feeder.since(0) <= edge.epcs())
    assert 2 not in {read.antenna for at, read in feeder.told if at >= off}
    reader.antenna(2, on=True)
    edge.until(lambda: edge.events() == ["antenna_down", "antenna_up"])
    assert edge.lines() == []


@pytest.fixture(params=["pty", "tcp"])
def scanner(request: Any, tmp_path: Path) -> Iterator[Scanner]:
    device = PtyScanner(tmp_path / "scanner") if request.param == "pty" else TcpScanner(("127.0.0.1", 0))
    device.start()
    yield device
    device.stop()


@pytest.fixture
def desk(scanner: Scanner, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Edge]:
    tcp = isinstance(scanner, TcpScanner)
    port = "socket://{}:{}".format(*scanner.address) if isinstance(scanner, TcpScanner) else str(tmp_path / "scanner")
    running = Edge(SerialScanner(DEVICE, ScannerSettings(port=port, gap_s=0.1)), caplog)
    running.until(lambda: scanner.connected)
    assert tcp or scanner.scan(b"first", "]C0")
    yield running
    running.supervisor.stop(5)


def scanned(scanner: Scanner, desk: Edge, number: int) -> list[str]:
    """So many codes, and that all of them arrive, in order."""
    codes = [f"CODE-{time.monotonic_ns()}-{each}" for each in range(number)]
    desk.until(lambda: scanner.connected)
    for code in codes:
        assert scanner.scan(code.encode(), "]C0")
    desk.until(lambda: desk.scans()[-number:] == codes)
    return codes


@pytest.mark.parametrize("fault", ["unplug", "half_frame"])
def test_a_scanner_that_was_pulled_out_is_read_again(scanner: Scanner, desk: Edge, fault: str) -> None:
    scanned(scanner, desk, 3)
    known = len(desk.scans())
    began = time.monotonic()
    getattr(scanner, fault)(0.3)
    desk.until(lambda: desk.events() == ["lost", "restored"])
    assert time.monotonic() - began <= bound_s(0.3)
    codes = scanned(scanner, desk, 20)
    assert desk.scans()[known:] == codes, "nothing of half a code"
    assert desk.events() == ["lost", "restored"]
    lost, back = desk.lines()
    assert lost.startswith("door-1: lost: ")
    assert back == "door-1: reading again"


def test_a_scanner_that_hangs_or_stutters_is_no_loss(scanner: Scanner, desk: Edge) -> None:
    scanner.stall(0.3)
    assert not scanner.scan(b"lost in the scanner", "]C0")
    time.sleep(0.3)
    scanned(scanner, desk, 3)
    scanner.garbage()
    codes = scanned(scanner, desk, 20)
    assert desk.scans()[-20:] == codes
    assert (desk.state, desk.events(), desk.lines()) == ("reading", [], [])
