"""What readers of other makes refuse, keep, repeat or flood with: the driver reads all the same, and stays small."""

import logging
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from edge.drivers import llrp_unasked
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.llrp_unasked import MANY, Unasked
from models.reading import DeviceEvent, Tag

EPC = "3034257bf7194e4000001a85"
UNSUPPORTED = 109
Scripted = Callable[..., Any]
Start = Callable[[LlrpDriver], Any]


def driver(reader: Any, **settings: Any) -> LlrpDriver:
    return LlrpDriver("door-1", LlrpSettings(address=reader.address, **{"window_s": 0.05, **settings}))


def now_us() -> int:
    return time.time_ns() // 1000


def told(run: Any, name: str) -> list[str | None]:
    return [each.detail for each in run.readings if isinstance(each, DeviceEvent) and each.name == name]


def epcs(run: Any) -> list[str]:
    return [reading.epc for reading in run.readings if isinstance(reading, Tag)]


@pytest.mark.parametrize(("refused", "answer"), [(2, 12), (41, 51), (41, 100), (60, 100)])
def test_what_only_helps_may_be_refused(
    scripted: Scripted, running: Start, llrp: Any, refused: int, answer: int
) -> None:
    """GET_READER_CONFIG, DELETE_ACCESSSPEC, GET_REPORT: some readers know them not, or not so."""
    reader = scripted(llrp.report(llrp.tag(EPC, last_us=now_us())))
    reader.refusals[refused] = llrp.status(UNSUPPORTED, b"unsupported")
    reader.answers[refused] = answer
    run = running(driver(reader, gpi={"1": "photo_eye"}))
    run.until(lambda: bool(epcs(run)))
    assert (run.answers, run.error, told(run, "reader_exception")) == (1, None, [])
    assert (64 in reader.kinds()) is (refused == 2)  # ENABLE_EVENTS_AND_REPORTS, as it may be holding


def test_a_reader_that_passes_over_what_it_does_not_know_is_not_waited_for(
    scripted: Scripted, running: Start, llrp: Any
) -> None:
    reader = scripted(llrp.report(llrp.tag(EPC, last_us=now_us())))
    reader.mute = {41, 60}
    run = running(driver(reader))
    run.until(lambda: bool(epcs(run)), 5)


def test_what_the_reader_kept_is_taken_before_its_rospecs_go(scripted: Scripted, running: Start, llrp: Any) -> None:
    """A reader may forget the reports of a ROSpec together with it."""
    kept = llrp.report(llrp.tag(EPC, last_us=now_us() - 600_000_000))
    reader = scripted(kept)
    reader.config, reader.begin = llrp.tlv(226, b"\x80"), 60
    run = running(driver(reader))
    run.until(lambda: bool(epcs(run)))
    kinds = reader.kinds()
    assert kinds.index(64) < kinds.index(60) < kinds.index(21)
    assert kinds.count(64) == 1
    [tag] = [each for each in run.readings if isinstance(each, Tag)][:1]
    assert time.time() - tag.at.timestamp() == pytest.approx(600, abs=10)


def test_what_the_reader_tells_at_the_end_is_kept(scripted: Scripted, running: Start, llrp: Any) -> None:
    """A gateway that is stopped deletes its ROSpec, and then its last reads are reported."""
    last = llrp.report(*(llrp.tag(f"{number:024x}", last_us=now_us()) for number in range(3)))
    reader = scripted(last * 40)
    run = running(driver(reader))
    run.until(lambda: run.answers == 1)
    reader.begin = 21
    run.close()
    assert reader.kinds()[-2:] == [21, 14]
    counts = [each.count or 0 for each in run.readings if isinstance(each, Tag)]
    assert sum(counts) == 2 * 40 * 3


def test_another_clients_access_specs_are_deleted(scripted: Scripted, running: Start) -> None:
    reader = scripted()
    run = running(driver(reader))
    run.until(lambda: run.answers == 1)
    assert (41, bytes(4)) in [(kind, body) for kind, _, body in reader.heard[0]]


def test_an_error_about_something_else_does_not_end_the_asking(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted(llrp.frame(100, llrp.status(UNSUPPORTED, b"no such thing"), 999))
    run = running(driver(reader, report_poll_s=0.02))
    run.until(lambda: bool(told(run, "reader_exception")))
    asked = reader.kinds().count(60)
    run.until(lambda: reader.kinds().count(60) > asked + 2)
    assert "no such thing" in str(told(run, "reader_exception")[0])


def test_a_flood_of_exceptions_is_few_lines_and_few_readings(
    scripted: Scripted, running: Start, llrp: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llrp_unasked, "COMPLAINTS_EVERY_S", 0.5)
    caplog.set_level(logging.INFO)
    hot = llrp.event(llrp.tlv(252, struct.pack("!H", 3) + b"hot"))
    last = llrp.event(llrp.tlv(252, struct.pack("!H", 4) + b"cold"))
    error = llrp.frame(100, llrp.status(UNSUPPORTED, b"what"), 999)
    reader = scripted(hot * 200 + error * 50 + last, llrp.report(llrp.tag(EPC, last_us=now_us())))
    run = running(driver(reader))
    run.until(lambda: len(told(run, "reader_exception")) == 2)
    assert told(run, "reader_exception") == ["hot", "250, the last: cold"]
    assert epcs(run) == [EPC]
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["door-1: reader exception: hot", "door-1: reader exception: 250, the last: cold"]


def test_exceptions_are_bounded_over_connections_too(
    scripted: Scripted, running: Start, llrp: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reader = scripted(llrp.event(llrp.tlv(252, struct.pack("!H", 3) + b"hot")), None)
    one = driver(reader)
    runs: list[Any] = []
    for _ in range(4):
        runs.append(running(one))
        runs[-1].ended()
    assert [told(run, "reader_exception") for run in runs] == [["hot"], [], [], []]
    assert len(caplog.records) == 1


def test_what_floods_in_before_the_set_up_is_passed_on(llrp: Any) -> None:
    passed: list[Any] = []
    unasked = Unasked("door-1", LlrpSettings("192.0.2.1", window_s=0), Quiet())
    unasked.spill = passed.extend
    for _ in range(10):
        unasked.take(llrp.report(*[llrp.tag(EPC, last_us=now_us())] * 400))
        unasked.take(llrp.event(llrp.tlv(251, b"")))
        assert unasked.hearing.sightings.ended < MANY + 400
    kept = [*unasked.readings(), *unasked.hearing.sightings.take()]
    assert len(passed) >= 3000
    assert len(passed) + len(kept) == 4010


class Quiet:
    """Health of nobody."""

    def reading(self) -> None:
        raise AssertionError

    def bad_frame(self, why: str) -> None:
        raise AssertionError(why)
