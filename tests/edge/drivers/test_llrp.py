"""The LLRP driver against a scripted reader on a real socket."""

import random
import struct
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from edge.driver import BadFrame, DeviceLost, DeviceRefused
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.llrp_report import tag_reads
from models.reading import DeviceEvent, Tag

EPC = "3034257bf7194e4000001a85"
Scripted = Callable[..., Any]
Start = Callable[[LlrpDriver], Any]


def driver(reader: Any, **settings: Any) -> LlrpDriver:
    return LlrpDriver(
        "door-1", LlrpSettings(address=reader.address, **{"window_s": 0.05, "antennas": (1, 2), **settings})
    )


def now_us() -> int:
    return time.time_ns() // 1000


def tags(run: Any) -> list[Tag]:
    return [reading for reading in run.readings if isinstance(reading, Tag)]


def test_set_up_and_one_report(scripted: Scripted, running: Start, llrp: Any) -> None:
    seen = now_us()
    reader = scripted(llrp.report(llrp.tag(EPC, antenna=2, rssi=-58, last_us=seen, count=3)))
    run = running(driver(reader))
    run.until(lambda: bool(tags(run)))
    [tag] = tags(run)
    assert (tag.device, tag.epc, tag.antenna, tag.rssi_dbm, tag.count, tag.channel) == ("door-1", EPC, 2, -58.0, 3, 7)
    assert (tag.at, tag.device_at) == (tag.first_at, None)
    assert tag.at.timestamp() == pytest.approx(seen / 1e6, abs=1e-5)
    assert (reader.kinds()[:9], run.answers, run.bad) == ([1, 2, 3, 60, 21, 41, 20, 24, 22], 1, [])
    run.close()
    run.until(lambda: reader.kinds()[-2:] == [21, 14])


def test_a_busy_reader_is_a_refusal(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted()
    reader.greeting = llrp.greeting(status=2)
    error = running(driver(reader)).ended()
    assert isinstance(error, DeviceRefused)
    assert "reader busy: Failed (a Client initiated connection already exists)" in str(error)
    with pytest.raises(DeviceRefused):
        driver(reader).probe()


def test_a_refused_rospec_is_a_refusal_in_the_readers_words(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted()
    reader.refusals[20] = llrp.status(101, b"antenna 2 missing")
    run = running(driver(reader))
    assert "ADD_ROSPEC" in str(run.ended())
    assert "antenna 2 missing" in str(run.error)
    assert run.answers == 0


def test_keepalives_are_answered_and_silence_is_a_loss(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted(llrp.frame(62, number=77))
    run = running(driver(reader, keepalive_s=0.2, report_poll_s=0))
    error = run.ended()
    assert isinstance(error, DeviceLost)
    assert "no keepalive for 0.6 s" in str(error)
    assert (72, 77, b"") in reader.heard[0]


def test_a_frame_that_never_ends_is_a_loss(scripted: Scripted, running: Start) -> None:
    chunks = [struct.pack("!HII", 0x43D, 3_000_000, 1), *[bytes(1000)] * 20]
    run = running(driver(scripted(*chunks), keepalive_s=0.1, report_poll_s=0))
    assert isinstance(run.ended(), DeviceLost)


def test_nothing_of_a_broken_connection_is_kept(scripted: Scripted, running: Start, llrp: Any) -> None:
    good = llrp.report(llrp.tag(EPC, last_us=now_us()))

    def script(connection: int) -> Sequence[bytes | None]:
        return [good[:25], None] if connection == 0 else [good]

    reader = scripted(script=script)
    one = driver(reader)
    assert isinstance(running(one).ended(), DeviceLost)
    run = running(one)
    run.until(lambda: bool(tags(run)))
    assert (tags(run)[0].epc, run.bad) == (EPC, [])


def test_windows_end_on_time_and_on_loss(scripted: Scripted, running: Start, llrp: Any) -> None:
    report = llrp.report(*(llrp.tag(EPC, rssi=rssi, last_us=now_us()) for rssi in (-60, -50, -70)))
    run = running(driver(scripted(report, None), window_s=5.0))
    assert isinstance(run.ended(), DeviceLost)
    [tag] = tags(run)
    assert (tag.rssi_dbm, tag.rssi_mean_dbm, tag.count) == (-50.0, -60.0, 3)


def test_a_reader_clock_that_is_wrong_is_corrected(scripted: Scripted, running: Start, llrp: Any) -> None:
    wrong = now_us() - 90_000_000
    reader = scripted(llrp.report(llrp.tag(EPC, last_us=wrong)))
    reader.greeting = llrp.greeting(utc_us=wrong)
    run = running(driver(reader))
    run.until(lambda: bool(tags(run)))
    [tag] = tags(run)
    assert tag.device_at is not None
    assert tag.device_at.timestamp() == pytest.approx(wrong / 1e6, abs=1e-5)
    assert timedelta(seconds=89) < tag.at - tag.device_at < timedelta(seconds=92)
    [event] = [reading for reading in run.readings if isinstance(reading, DeviceEvent)]
    assert event.name == "clock_offset"
    assert "host - reader = 90." in (event.detail or "")


def test_a_time_that_cannot_be_is_not_used(scripted: Scripted, running: Start, llrp: Any) -> None:
    ahead = now_us() + 3_600_000_000
    run = running(driver(scripted(llrp.report(llrp.tag(EPC, last_us=2**64 - 1), llrp.tag("ab" * 12, last_us=ahead)))))
    run.until(lambda: len(tags(run)) == 2)
    for tag in tags(run):
        assert abs(tag.at.timestamp() - time.time()) < 10


def test_antennas_and_overruns_are_published(scripted: Scripted, running: Start, llrp: Any) -> None:
    down, up, full = llrp.tlv(255, b"\0\0\2"), llrp.tlv(255, b"\1\0\2"), llrp.tlv(251, b"")
    run = running(driver(scripted(llrp.event(down), llrp.event(up), llrp.event(full))))
    run.until(lambda: len(run.readings) == 3)
    assert [event.name for event in run.readings] == ["antenna_down", "antenna_up", "overrun"]


def test_reports_are_asked_for_until_the_reader_says_no(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted()
    run = running(driver(reader, report_poll_s=0.05))
    run.until(lambda: reader.heard and reader.kinds().count(60) >= 3)
    reader.refusals[60] = llrp.status(109, b"unsupported")
    before = reader.kinds().count(60)
    run.until(lambda: reader.kinds().count(60) > before)
    time.sleep(0.2)
    asked = reader.kinds().count(60)
    time.sleep(0.4)
    assert reader.kinds().count(60) == asked
    assert run.error is None


def test_a_thousand_malformed_frames_cost_nothing_but_themselves(scripted: Scripted, running: Start, llrp: Any) -> None:
    chance = random.Random(5)
    chunks: list[bytes] = []
    wrong = 0
    for number in range(1800):
        frame = bytearray(llrp.report(llrp.tag(EPC, last_us=now_us()), llrp.tag("ab" * 16)))
        for _ in range(chance.randint(1, 3)):
            frame[chance.randrange(10, len(frame))] = chance.randrange(256)
        broken = chance.choice([b"", b"", bytes([chance.randrange(16, 256)]) + chance.randbytes(chance.randrange(30))])
        unknown = llrp.frame(999, chance.randbytes(8)) if number % 50 == 0 else b""
        wrong += malformed(bytes(frame), broken, unknown)
        chunks.append(bytes(frame) + broken + unknown + llrp.report(llrp.tag(f"{0xE2 << 88 | number:024x}")))
    run = running(driver(scripted(*chunks)))
    run.until(lambda: sum(tag.epc.startswith("e200") for tag in tags(run)) >= 1800, 20)
    assert {int(tag.epc, 16) & 0xFFFF for tag in tags(run) if tag.epc.startswith("e20000")} == set(range(1800))
    assert wrong > 1000
    assert len(run.bad) == wrong
    assert run.error is None


def malformed(frame: bytes, *rest: bytes) -> int:
    """How often the driver is to count these: a frame that does not decode and what follows it are one stretch."""
    try:
        nameless = sum(not (read.epc and read.antenna) for read in tag_reads(frame))
    except BadFrame:
        return 1
    return nameless + any(rest)
