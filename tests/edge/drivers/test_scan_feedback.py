"""Beeps and texts on a real pty: when they are sent, and what a hostile text becomes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from edge.driver import Health, Put
from edge.drivers import serial_scanner
from edge.drivers.scan_feedback import MAX_WAITING, Feedback
from edge.drivers.serial_scanner import SerialScanner
from models.reading import Reading
from models.wire import Reply
from tests.edge.drivers.scanner_port import Port, heard, open_and_ready, scanner

Start = Callable[[Any], Any]


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.unplug()


class Slow:
    """A scanner whose readings wait for the disk until the test says so."""

    def __init__(self, inner: SerialScanner) -> None:
        self.inner = inner
        self.durable: list[Future[None]] = []

    def run(self, put: Put, health: Health, stop: Event) -> None:
        def slowly(readings: Sequence[Reading]) -> "Future[None]":
            put(readings)
            self.durable.append(Future())
            return self.durable[-1]

        self.inner.run(slowly, health, stop)

    def reply(self, reply: Reply) -> None:
        self.inner.reply(reply)

    def probe(self) -> str:
        return self.inner.probe()


def test_the_beep_comes_when_the_scan_is_stored(port: Port, running: Callable[[Any], Any]) -> None:
    slow = Slow(scanner(port, feedback_ok="\x07\xf1", feedback_bad="NO\r"))
    run = running(slow)
    open_and_ready(run)
    port.send(b"A\rB\r")
    run.until(lambda: len(run.readings) == 2)
    assert heard(port, b"?", 0.15) == b""
    for future in slow.durable:
        future.set_result(None)
    assert heard(port, b"\x07\xf1") == b"\x07\xf1"
    port.send(b"C\rD\r")
    run.until(lambda: len(run.readings) == 4)
    slow.durable[-1].cancel()
    assert heard(port, b"?", 0.15) == b""


def test_a_beep_that_is_late_waits_for_the_scans_made_meanwhile() -> None:
    feedback = Feedback("ok", "", "")
    first, second = Future[None](), Future[None]()
    for durable in (first, second):
        durable.add_done_callback(feedback.taken())
    second.set_result(None)
    assert feedback.take() == b""
    first.set_result(None)
    assert [feedback.take() for _ in range(3)] == [b"ok", b"ok", b""]


def test_what_was_scanned_before_a_scanner_was_lost_does_not_beep_for_the_first_scan_after_it() -> None:
    feedback = Feedback("ok", "", "")
    before, after = Future[None](), Future[None]()
    before.add_done_callback(feedback.taken())
    feedback.begin()
    after.add_done_callback(feedback.taken())
    before.set_result(None)
    assert feedback.take() == b""
    after.set_result(None)
    assert [feedback.take() for _ in range(2)] == [b"ok", b""]


def test_a_bad_frame_and_a_refusal_sound_bad_and_a_good_reply_only_speaks(port: Port, running: Start) -> None:
    run = running(scanner(port, feedback_ok="\x07", feedback_bad="NO\r", feedback_text="\x1b[2J{text}\r"))
    open_and_ready(run)
    port.send(b"]E0\r")
    assert heard(port, b"NO\r") == b"NO\r"
    port.send(b"A\r")
    assert heard(port, b"\x07") == b"\x07"
    for ok, text in (
        (True, "40 x BOLT-M8 received"),
        (False, "unknown\x1b[2J\x07 \u00dcbergr\u00f6\u00dfe\r\n\u202e{text}"),
    ):
        run.driver.reply(Reply("scanner-1", datetime.now(UTC), ok, text))
    expected = b"\x1b[2J40 x BOLT-M8 received\r" + b"NO\r" + b"\x1b[2Junknown[2J Ubergro?e {text}\r"
    assert heard(port, expected) == expected


def test_without_a_template_no_text_is_sent_and_waiting_feedback_is_bounded(port: Port, running: Start) -> None:
    driver = scanner(port, feedback_bad="N")
    run = running(driver)
    open_and_ready(run)
    driver.reply(Reply("scanner-1", datetime.now(UTC), ok=True, text="text"))
    driver.reply(Reply("scanner-1", datetime.now(UTC), ok=False, text="text"))
    assert heard(port, b"N") == b"N"
    feedback = Feedback("", "N", "")
    for _ in range(10 * MAX_WAITING):
        feedback.refused()
    assert [feedback.take() for _ in range(MAX_WAITING + 1)] == [b"N"] * MAX_WAITING + [b""]


def test_a_scanner_that_takes_no_feedback_is_read_on(
    port: Port, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_scanner, "_WRITE_S", 0.05)
    run = running(scanner(port, feedback_ok="\x07" * 256))
    open_and_ready(run)
    for number in range(90):  # more feedback than a line holds, and nobody reads it
        port.send(f"{number}\r".encode())
        run.until(lambda number=number: len(run.readings) == number + 1)
