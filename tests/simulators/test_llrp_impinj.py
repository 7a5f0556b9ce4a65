"""Impinj's parameters: only from a reader of that make, only when switched on, and each value as the truth has it."""

import struct
import time
from collections.abc import Callable
from math import tau
from typing import Any

import pytest
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

from simulators.devices import llrp_impinj as impinj
from simulators.devices.alone import TagStream
from simulators.devices.llrp import LlrpReader, RawRead, Telling

ADD, START, ENABLE, GET_ROSPECS, SET_CONFIG, CUSTOM = 20, 22, 24, 26, 3, 1023
OK, UNKNOWN_PARAMETER, BAD_MESSAGE = 0, 107, 109
EXTENSIONS = struct.pack("!IBI", 25882, 21, 0)
EPC = "30564522a461aa8000001a85"
ONE = struct.pack("!I", 1)
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


@pytest.fixture
def content(make_custom: Make) -> Make:
    """An ImpinjTagReportContentSelector that asks by these subtypes."""

    def made(*subtypes: int, on: int = 1) -> bytes:
        return make_custom(50, b"".join(make_custom(each, struct.pack("!H", on)) for each in subtypes))

    return made


def enable(client: Any) -> None:
    kind, _, body = client.ask(CUSTOM, EXTENSIONS)
    assert (kind, body) == (CUSTOM, struct.pack("!IBHHHH", 25882, 22, 287, 8, 0, 0))


def test_a_plain_reader_has_none_of_it(reader: LlrpReader, connect: Connect, make_rospec: Make, content: Make) -> None:
    client = connect(reader)
    assert client.ask(CUSTOM, EXTENSIONS)[:2] == (100, BAD_MESSAGE)
    assert client.ask(ADD, make_rospec(custom=content(52)))[1] == UNKNOWN_PARAMETER
    assert client.ask(1, b"\1")[2][16:20] == b"\xff" * 4, "no manufacturer"


def test_extensions_are_switched_on_anew_on_each_connection(
    make_reader: Callable[..., LlrpReader], connect: Connect, make_rospec: Make, make_custom: Make, content: Make
) -> None:
    reader = make_reader(is_impinj=True)
    client = connect(reader)
    assert client.ask(1, b"\1")[2][16:20] == struct.pack("!I", 25882)
    assert client.ask(ADD, make_rospec(custom=content(52)))[1] == UNKNOWN_PARAMETER
    assert client.ask(CUSTOM, struct.pack("!IB", 25882, 99))[:2] == (100, BAD_MESSAGE)
    assert client.ask(CUSTOM, struct.pack("!IB", 1, 21))[:2] == (100, BAD_MESSAGE)
    assert client.ask(CUSTOM, b"\0")[0] == 100
    enable(client)
    assert client.ask(SET_CONFIG, b"\0" + make_custom(99, b"\0"))[1] == OK
    other = struct.pack("!HHII", 1023, 12, 77, 50)
    assert client.ask(ADD, make_rospec(custom=other))[1] == UNKNOWN_PARAMETER, "of another vendor"
    assert client.ask(ADD, make_rospec(custom=content(52, 51, 54)))[1] == OK
    client.close()
    while reader._link is not None:
        time.sleep(0.005)
    assert connect(reader).ask(ADD, make_rospec(2, custom=content(52)))[1] == UNKNOWN_PARAMETER


def test_a_search_mode_is_taken_once_extensions_are_on(
    make_reader: Callable[..., LlrpReader], connect: Connect, make_rospec: Make, make_param: Make, make_custom: Make
) -> None:
    client = connect(make_reader(is_impinj=True))
    command = make_param(330, b"\0" + make_custom(23, b"\0\2"))
    inside = struct.pack("!HB", 1, 1) + make_param(222, b"\0\0" + command)
    aispec = make_param(183, b"\0\1\0\0" + make_param(184, bytes(5)) + make_param(186, inside))
    assert client.ask(ADD, make_rospec(aispecs=(aispec,)))[1] == UNKNOWN_PARAMETER
    enable(client)
    assert client.ask(ADD, make_rospec(aispecs=(aispec,)))[1] == OK


@pytest.mark.parametrize(
    ("asked", "on", "expected"),
    [((52, 53, 67), 1, (56, 57, 68)), ((67,), 1, (68,)), ((52, 53, 67), 0, ()), ((), 1, ())],
)
def test_only_what_was_asked_for_is_told_in_the_vendors_units(  # noqa: PLR0913, PLR0917 - a table and its fixtures
    make_reader: Callable[..., LlrpReader],
    connect: Connect,
    make_rospec: Make,
    content: Make,
    asked: tuple[int, ...],
    on: int,
    expected: tuple[int, ...],
) -> None:
    reader = make_reader(is_impinj=True, telling=Telling(flush_s=0.02))
    client = connect(reader)
    enable(client)
    rospec = make_rospec(report=(1, 0, 0, 0), custom=content(*asked, on=on))
    assert [client.ask(kind, body)[1] for kind, body in ((ADD, rospec), (ENABLE, ONE), (START, ONE))] == [OK] * 3
    reader.offer([RawRead(1, EPC, 1, -61.25, 1, tau * 3 / 4, -2.5)])
    rest = client.until(61)[17:]
    values = {56: 3072, 57: -6125, 68: -40}
    layout = {56: "!HHIIH", 57: "!HHIIh", 68: "!HHIIh"}
    assert rest == b"".join(struct.pack(layout[each], 1023, 14, 25882, each, values[each]) for each in expected)


def test_what_the_radio_does_not_know_is_left_out(
    make_reader: Callable[..., LlrpReader], connect: Connect, make_rospec: Make, content: Make
) -> None:
    reader = make_reader(is_impinj=True, telling=Telling(flush_s=0.02))
    client = connect(reader)
    enable(client)
    rospec = make_rospec(report=(1, 0, 0, 0), custom=content(52, 53, 67))
    assert [client.ask(kind, body)[1] for kind, body in ((ADD, rospec), (ENABLE, ONE), (START, ONE))] == [OK] * 3
    reader.offer([RawRead(1, EPC, 1, -61, 1)])
    assert client.until(61)[17:] == struct.pack("!HHIIh", 1023, 14, 25882, 57, -6100)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        (impinj.phase(0), 0),
        (impinj.phase(tau), 0),
        (impinj.phase(-tau / 4), 3072),
        (impinj.phase(tau * 4095.4 / 4096), 4095),
        (impinj.peak_rssi(-400), -32768),
        (impinj.doppler(99_999), 32767),
        (impinj.doppler(-0.03), 0),
    ],
)
def test_values_at_the_edges(encoded: bytes, value: int) -> None:
    assert int.from_bytes(encoded[-2:], signed=value < 0) == value


def test_sllurp_hears_every_read_as_the_truth_has_it(make_reader: Callable[..., LlrpReader]) -> None:
    """Its client ends the AISpec after every tag: each read comes by itself, with its own phase, RSSI and Doppler."""
    reader = make_reader(is_impinj=True, telling=Telling(flush_s=None))
    config = LLRPReaderConfig(
        {
            "antennas": [1, 2, 3, 4],
            "start_inventory": True,
            "report_every_n_tags": 1,
            "tag_content_selector": {"EnableChannelIndex": True, "EnableFirstSeenTimestamp": True},
            "impinj_tag_content_selector": {
                "EnableRFPhaseAngle": True,
                "EnablePeakRSSI": True,
                "EnableRFDopplerFrequency": True,
            },
        },
    )
    received: list[dict[str, Any]] = []
    truth: list[RawRead] = []
    client = LLRPReaderClient(*reader.address, config)
    client.add_tag_report_callback(lambda _, tags: received.extend(tags))
    client.connect()
    try:
        end = time.monotonic() + 10
        stream = TagStream(5, 12, distinct=False, fine=True)
        while len(truth) < 500:
            assert time.monotonic() < end
            reader.offer(stream.draw(time.time_ns() // 1000, 20), truth.extend)
            time.sleep(0.005)
        while len(received) < len(truth):
            assert time.monotonic() < end, (len(received), len(truth))
            time.sleep(0.01)
    finally:
        client.hard_disconnect()
        client.join(5)
    assert [told(tag) for tag in received] == [
        (
            read.epc,
            read.antenna,
            (round(read.rssi_dbm), round(read.rssi_dbm * 100)),
            (read.at_us, read.at_us, 1),
            read.channel,
            round((read.phase_rad or 0) * 4096 / tau),
            (read.doppler_hz or 0) * 16,
        )
        for read in truth
    ]


def told(tag: dict[str, Any]) -> tuple[object, ...]:
    """A tag report of sllurp's: EPC, antenna, RSSI, times and count, channel, phase, Doppler."""
    return (
        tag["EPC"].decode(),
        tag["AntennaID"],
        (tag["PeakRSSI"], tag["ImpinjPeakRSSI"]),
        (tag["FirstSeenTimestampUTC"], tag["LastSeenTimestampUTC"], tag["TagSeenCount"]),
        tag["ChannelIndex"],
        tag["ImpinjRFPhaseAngle"],
        tag["ImpinjRFDopplerFrequency"],
    )
