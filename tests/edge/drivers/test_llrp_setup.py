"""The LLRP driver's settings and events against a scripted reader: what is asked of it, what is published."""

import logging
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from edge.discover import ask
from edge.driver import DeviceLost, SettingRefused
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.llrp_rospec import impinj_content
from edge.drivers.llrp_settings import GpiTrigger
from models.reading import DeviceEvent, Input, Tag

EPC, OTHER = "3034257bf7194e4000001a85", "e28011700000020a7cf3d001"
IMPINJ = 25882
EYE = {"gpi": {"1": "photo_eye"}}
TRIGGERS = {"start_on": GpiTrigger(1), "stop_on": GpiTrigger(1, on=False)}
Scripted = Callable[..., Any]
Start = Callable[[LlrpDriver], Any]


def driver(reader: Any, **settings: Any) -> LlrpDriver:
    return LlrpDriver("door-1", LlrpSettings(address=reader.address, **{"window_s": 0.05, **settings}))


def now_us() -> int:
    return time.time_ns() // 1000


def names(run: Any) -> list[str]:
    return [reading.name for reading in run.readings if isinstance(reading, DeviceEvent)]


def inputs(run: Any) -> list[tuple[str, bool]]:
    return [(reading.name, reading.on) for reading in run.readings if isinstance(reading, Input)]


def epcs(run: Any) -> list[str]:
    return [reading.epc for reading in run.readings if isinstance(reading, Tag)]


def gpi_states(llrp: Any, *states: int) -> bytes:
    return b"".join(llrp.tlv(225, struct.pack("!HBB", port, 0x80, state)) for port, state in enumerate(states, 1))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"antennas": (5,)}, "antennas: antennas 1 ... 4 expected for this reader, got 5"),
        ({"tx_power_dbm": 31.0}, "tx_power_dbm: 10.0 ... 30.0 expected for this reader, got 31.0"),
        ({"mode": 1}, "mode: one of 0, 2 expected for this reader, got 1"),
        ({"gpi": {"3": "photo_eye"}}, "gpi.3: inputs 1 ... 2 expected for this reader, got 3"),
    ],
)
def test_what_a_reader_cannot_do_is_refused_before_it_is_touched(
    scripted: Scripted, running: Start, settings: dict[str, Any], words: str
) -> None:
    reader = scripted()
    error = running(driver(reader, **settings)).ended()
    assert (type(error), str(error)) == (SettingRefused, words)
    with pytest.raises(SettingRefused) as probed:
        driver(reader, **settings).probe()
    assert str(probed.value) == words
    assert (reader.kinds(), reader.kinds(1)) == ([1], [1])


def test_discovery_asks_two_questions_and_says_goodbye(scripted: Scripted) -> None:
    reader = scripted()
    found = ask("127.0.0.1", int(reader.address.rpartition(":")[2]), Event())
    assert found is not None
    assert (found.state, found.name, found.make, found.antennas) == ("free", None, "Zebra (Motorola)", 4)
    until = time.monotonic() + 5
    while reader.kinds() != [1, 2, 14]:
        assert time.monotonic() < until, reader.kinds()
        time.sleep(0.01)


def test_inputs_are_told_as_they_are_and_as_they_change(scripted: Scripted, running: Start, llrp: Any) -> None:
    changed = now_us() - 90_000_000
    chunks = [llrp.gpi_event(1, on=False, utc_us=changed - 3_000_000), llrp.gpi_event(2, on=True)]
    reader = scripted(*chunks)
    reader.config = gpi_states(llrp, 1, 0)
    reader.greeting = llrp.greeting(utc_us=changed)
    run = running(driver(reader, **EYE))
    run.until(lambda: len(inputs(run)) == 2)
    assert reader.kinds()[:4] == [1, 2, 3, 2]
    assert reader.heard[0][2][2].endswith(bytes.fromhex("00e1000800018000"))
    assert reader.heard[0][3][2] == bytes.fromhex("0000 09 0000 0000")
    assert inputs(run) == [("photo_eye", True), ("photo_eye", False)]
    event = [reading for reading in run.readings if isinstance(reading, Input)][1]
    assert event.device_at == datetime.fromtimestamp(changed / 1e6, UTC) - timedelta(seconds=3)
    assert timedelta(seconds=89) < event.at - event.device_at < timedelta(seconds=91)


def test_without_named_inputs_none_is_asked_for(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted(llrp.gpi_event(1, on=True), llrp.report(llrp.tag(EPC, last_us=now_us())))
    run = running(driver(reader))
    run.until(lambda: bool(epcs(run)))
    assert reader.kinds()[:5] == [1, 2, 3, 60, 21]
    assert inputs(run) == []


@pytest.mark.parametrize(("state", "start"), [(0, []), (2, []), (1, [22])], ids=["off", "unknown", "on"])
def test_the_input_starts_the_radio_unless_it_stands_there_already(
    scripted: Scripted, running: Start, llrp: Any, state: int, start: list[int]
) -> None:
    reader = scripted(llrp.report(llrp.tag(EPC, last_us=now_us())))
    reader.config, reader.begin = gpi_states(llrp, state), 22 if start else 24
    run = running(driver(reader, report_poll_s=0, **TRIGGERS))
    run.until(lambda: bool(epcs(run)))
    kinds = reader.kinds()
    assert kinds == [1, 2, 3, 2, 21, 41, 20, 24, *start]
    [rospec] = [body for kind, _, body in reader.heard[0] if kind == 20]
    assert bytes.fromhex("00b300100300b5000b00018000000000") in rospec


def test_a_start_that_is_refused_waits_for_the_input(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted(llrp.report(llrp.tag(EPC, last_us=now_us())))
    reader.config, reader.refusals[22] = gpi_states(llrp, 1), llrp.status(101, b"it has a trigger")
    run = running(driver(reader, **TRIGGERS))
    run.until(lambda: bool(epcs(run)))
    assert (run.answers, run.error) == (1, None)


ASKED, NOT_WANTED, REFUSED, OTHER_MAKE = (
    (IMPINJ, True, b""),
    (IMPINJ, False, b""),
    (IMPINJ, True, b"old"),
    (161, True, b""),
)


@pytest.mark.parametrize("case", [ASKED, NOT_WANTED, REFUSED, OTHER_MAKE])
def test_impinj_content_is_asked_of_impinj_readers_that_take_it(
    scripted: Scripted, running: Start, llrp: Any, case: tuple[int, bool, bytes]
) -> None:
    maker, wanted, refusal = case
    reader = scripted(llrp.report(llrp.tag(EPC, last_us=now_us())))
    reader.capabilities = llrp.capabilities(maker)
    if refusal:
        reader.refusals[1023] = llrp.status(109, refusal)
    run = running(driver(reader, impinj=wanted))
    run.until(lambda: bool(epcs(run)))
    [rospec] = [body for kind, _, body in reader.heard[0] if kind == 20]
    assert (impinj_content() in rospec) is (case == ASKED)
    assert reader.kinds().count(1023) == (case in {ASKED, REFUSED})


def test_every_event_of_the_reader_is_published(
    scripted: Scripted, running: Start, llrp: Any, caplog: pytest.LogCaptureFixture
) -> None:
    events = [
        llrp.tlv(255, b"\0\0\2"),
        llrp.tlv(255, b"\1\0\2"),
        llrp.tlv(250, b"\x50"),
        llrp.tlv(251, b""),
        llrp.tlv(252, struct.pack("!H", 12) + b"radio is hot"),
        llrp.tlv(257, b""),
    ]
    caplog.set_level(logging.WARNING)
    run = running(driver(scripted(*map(llrp.event, events))))
    error = run.ended()
    assert (type(error), str(error)) == (DeviceLost, "the reader ended the session")
    assert [(reading.name, reading.detail) for reading in run.readings] == [
        ("antenna_down", "antenna 2"),
        ("antenna_up", "antenna 2"),
        ("buffer_warning", "the reader's report buffer is 80 % full"),
        ("overrun", "the reader's report buffer was full: it has lost reads"),
        ("reader_exception", "radio is hot"),
        ("connection_closed", "the reader ended the session"),
    ]


def test_an_exception_of_any_length_is_one_reading(scripted: Scripted, running: Start, llrp: Any) -> None:
    long = llrp.event(llrp.tlv(252, struct.pack("!H", 60_000) + b"\xff" * 60_000))
    run = running(driver(scripted(long)))
    run.until(lambda: bool(names(run)))
    assert names(run) == ["reader_exception"]
    assert len(run.readings[0].detail) == 1000


def test_an_antenna_in_use_that_is_not_there_is_told(scripted: Scripted, running: Start, llrp: Any) -> None:
    reader = scripted()
    reader.config = b"".join(llrp.tlv(221, struct.pack("!BHh", 0x80 * (n == 1), n, 0)) for n in (1, 2, 3))
    run = running(driver(reader, antennas=(1, 2)))
    run.until(lambda: bool(run.readings))
    [event] = run.readings
    assert (event.name, event.detail) == ("antenna_down", "antenna 2: not connected when the reader was set up")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, {EPC, OTHER}),
        ({"include": ("3034257",)}, {EPC}),
        ({"exclude": ("3034",)}, {OTHER}),
        ({"include": ("30", "E2"), "exclude": ("E28011",)}, {EPC}),
    ],
)
def test_only_wanted_tags_are_told(
    scripted: Scripted, running: Start, llrp: Any, keys: dict[str, Any], told: set[str]
) -> None:
    both = llrp.report(llrp.tag(EPC, last_us=now_us()), llrp.tag(OTHER, last_us=now_us()))
    reader = scripted(both, llrp.event(llrp.tlv(250, b"\x50")))
    run = running(driver(reader, window_s=0, **keys))
    run.until(lambda: names(run) == ["buffer_warning"])
    assert set(epcs(run)) == told


def test_without_a_window_every_entry_is_told(scripted: Scripted, running: Start, llrp: Any) -> None:
    report = llrp.report(*(llrp.tag(EPC, rssi=rssi, last_us=now_us()) for rssi in (-60, -50, -70)))
    run = running(driver(scripted(report, report), window_s=0))
    run.until(lambda: len(epcs(run)) == 6)
    assert [tag.rssi_dbm for tag in run.readings] == [-60.0, -50.0, -70.0] * 2


def test_reports_and_events_are_captured_over_connections(
    scripted: Scripted, running: Start, llrp: Any, tmp_path: Path
) -> None:
    report = llrp.report(llrp.tag(EPC, last_us=now_us()))
    reader = scripted(report, None)
    one = driver(reader, capture=str(tmp_path / "door.cap"))
    for _ in range(2):
        running(one).ended()
    data = (tmp_path / "door.cap").read_bytes()
    begin, records = b"stockyard-llrp-capture 1\n", []
    assert data.startswith(begin)
    at = len(begin)
    while at < len(data):
        host_us, length = struct.unpack_from("!QI", data, at)
        assert abs(host_us - now_us()) < 60_000_000
        records.append(data[at + 12 : at + 12 + length])
        at += 12 + length
    assert records == [reader.greeting, report] * 2


def test_a_quiet_antenna_is_told_and_told_when_it_is_back(scripted: Scripted, running: Start, llrp: Any) -> None:
    reports = [llrp.report(llrp.tag(EPC, antenna=2))]
    reports += [llrp.report(llrp.tag(f"{number:024x}", antenna=1)) for number in range(30)]
    back = llrp.report(llrp.tag(EPC, antenna=2))
    reader = scripted(*reports)
    reader.refusals[60] = llrp.status(109)
    run = running(driver(reader, window_s=0.1, antennas=(1, 2), antenna_quiet_s=0.3))
    run.until(lambda: bool(names(run)))
    assert names(run) == ["antenna_quiet"]
    assert run.readings[-1].detail.startswith("antenna 2: nothing for ")
    reader.say(back)
    run.until(lambda: names(run) == ["antenna_quiet", "antenna_heard"])
