"""How a session reads its socket: what follows a report gathers, and neither an answer nor much data waits for it."""

import time
from threading import Event
from typing import Any, cast

import pytest

from edge.driver import DeviceLost
from edge.drivers import llrp_session
from edge.drivers.llrp_session import GATHER_S, Session


class Wire:
    """A socket on which `chunks` have arrived already, and what takes the frames."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.waits: list[float] = []
        self.taken: list[bytes] = []

    def settimeout(self, wait_s: float) -> None:
        self.waits.append(wait_s)

    def recv(self, _size: int) -> bytes:
        if not self.chunks:
            raise TimeoutError
        return self.chunks.pop(0)

    def sendall(self, _data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    def take(self, frame: bytes) -> None:
        self.taken.append(frame)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, none of them made: the clock goes on by them instead."""
    pauses: list[float] = []
    begin = time.monotonic()

    class Clock:
        @staticmethod
        def sleep(seconds: float) -> None:
            pauses.append(seconds)

        @staticmethod
        def monotonic() -> float:
            return begin + sum(pauses)

    monkeypatch.setattr(llrp_session, "time", Clock)
    return pauses


def session(wire: Wire) -> Session:
    return Session(cast("Any", wire), cast("Any", wire), Event(), 5.0)


def test_what_follows_a_report_gathers(slept: list[float], llrp: Any) -> None:
    report = llrp.report(llrp.tag("ab" * 12))
    wire = Wire(report, report + report + report[:7], report[7:])
    reading = session(wire)
    assert reading.step(0.25) is None
    assert (wire.taken, slept) == ([report], [])
    for _ in range(3):
        reading.step(0.25)
    assert (wire.taken, slept) == ([report] * 4, [pytest.approx(GATHER_S), pytest.approx(GATHER_S)])
    assert wire.waits == [0.25, pytest.approx(0.25 - GATHER_S), pytest.approx(0.25 - GATHER_S)]


def test_no_pause_is_longer_than_the_wait(slept: list[float], llrp: Any) -> None:
    wire = Wire(llrp.report(llrp.tag("ab" * 12)))
    reading = session(wire)
    for _ in range(3):
        reading.step(0.01)
    assert slept == [pytest.approx(0.01), pytest.approx(0.01)]
    assert min(wire.waits) > 0


def test_events_and_answers_are_read_at_once(slept: list[float], llrp: Any) -> None:
    answer = llrp.frame(34, llrp.SUCCESS)
    wire = Wire(llrp.event(), answer, answer)
    reading = session(wire)
    assert [reading.step(0.25) for _ in range(3)] == [None, answer, answer]
    assert slept == []


def test_much_data_is_read_without_a_pause(slept: list[float], llrp: Any) -> None:
    report = llrp.report(*[llrp.tag("ab" * 12)] * 400)
    wire = Wire(report, report, report)
    reading = session(wire)
    for _ in range(3):
        reading.step(0.25)
    assert (len(wire.taken), slept) == (3, [])


def test_what_arrived_is_taken_though_nothing_can_be_sent_any_more(llrp: Any) -> None:
    """A reader that closes has told its last reads before: an acknowledgement that fails must not cost them."""
    report = llrp.report(llrp.tag("ab" * 12))
    wire = Wire(llrp.frame(62) + report, report)
    reading = session(wire)
    assert [reading.step(0.01) for _ in range(3)] == [None] * 3
    assert wire.taken == [report] * 2
    reading.send_bytes(llrp.frame(60))
    with pytest.raises(DeviceLost, match=r"sending: .*Broken pipe"):
        reading.step(0.01)


def test_a_reader_that_takes_nothing_and_talks_on_is_lost(slept: list[float], llrp: Any) -> None:
    reading = session(Wire(llrp.frame(62), *[llrp.event()] * 10))
    reading.step(0.01)
    slept.append(llrp_session.SEND_S + 1)
    with pytest.raises(DeviceLost, match="sending"):
        reading.step(0.01)
