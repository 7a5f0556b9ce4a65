"""Control messages against bytes laid out by hand; whatever a reader answers, only BadFrame or a refusal comes out."""

import random
import struct
from typing import Any

import pytest

from edge.driver import BadFrame, DeviceRefused
from edge.drivers import llrp_control
from edge.drivers.llrp_control import ReaderEvent


def test_a_rospec_goes_as_it_is(llrp: Any) -> None:
    assert llrp_control.encode("ADD_ROSPEC", 9, {"ROSpec": b"\1\2\3"}) == llrp.frame(20, b"\1\2\3", 9)


@pytest.mark.parametrize(
    ("gpis", "kinds", "inputs"),
    [((), (3, 4, 8), b""), ((1, 4), (3, 4, 8, 1), bytes.fromhex("00e1000800018000 00e1000800048000"))],
    ids=["no inputs", "two inputs"],
)
def test_keepalives_events_and_inputs_are_asked_for(
    llrp: Any, gpis: tuple[int, ...], kinds: tuple[int, ...], inputs: bytes
) -> None:
    events = b"".join(llrp.tlv(245, struct.pack("!HB", event, 0x80)) for event in kinds)
    body = b"\0" + llrp.tlv(244, events) + llrp.tlv(220, struct.pack("!BI", 1, 2500)) + inputs
    assert llrp_control.encode("SET_READER_CONFIG", 2, llrp_control.reader_config(2.5, gpis)) == llrp.frame(3, body, 2)


def test_a_refusal_carries_the_readers_words(llrp: Any) -> None:
    name, fields = llrp_control.decode(llrp.frame(30, llrp.status(101, b"no such antenna"), 4))
    with pytest.raises(DeviceRefused, match=r"ADD_ROSPEC: .*FieldError.* no such antenna"):
        llrp_control.check_status(name.removesuffix("_RESPONSE"), fields)


def test_an_answer_of_a_maker_is_decoded(llrp: Any) -> None:
    name, fields = llrp_control.decode(llrp.frame(1023, struct.pack("!IB", 25882, 22) + llrp.SUCCESS))
    llrp_control.check_status(name, fields)
    assert name == "IMPINJ_ENABLE_EXTENSIONS_RESPONSE"


@pytest.mark.parametrize(
    ("kind", "body", "event"),
    [
        (255, struct.pack("!BH", 0, 3), ReaderEvent(utc_us=5, antenna=3)),
        (255, struct.pack("!BH", 1, 2), ReaderEvent(utc_us=5, antenna=2, antenna_up=True)),
        (248, struct.pack("!HB", 2, 0x80), ReaderEvent(utc_us=5, gpi=2, gpi_on=True)),
        (248, struct.pack("!HB", 1, 0), ReaderEvent(utc_us=5, gpi=1)),
        (250, b"\x5a", ReaderEvent(utc_us=5, buffer_percent=90)),
        (251, b"", ReaderEvent(utc_us=5, overflow=True)),
        (252, struct.pack("!H", 3) + b"hot", ReaderEvent(utc_us=5, exception="hot")),
        (252, struct.pack("!H", 0), ReaderEvent(utc_us=5, exception="the reader does not say which")),
        (256, b"\0\2", ReaderEvent(utc_us=5, connection="Failed (a Client initiated connection already exists)")),
        (257, b"", ReaderEvent(utc_us=5, closed=True)),
    ],
)
def test_events(llrp: Any, kind: int, body: bytes, event: ReaderEvent) -> None:
    frame = llrp.event(llrp.tlv(kind, body), utc_us=5)
    assert llrp_control.reader_event(llrp_control.decode(frame)[1]) == event


def test_capabilities(llrp: Any) -> None:
    fields = llrp_control.decode(llrp.frame(11, llrp.SUCCESS + llrp.capabilities(25882)))[1]
    assert llrp_control.capabilities(fields) == llrp_control.Capabilities(
        antennas=4,
        utc_clock=True,
        firmware="1.0",
        powers={1: 10.0, 81: 30.0},
        hop_table=1,
        hopping=True,
        manufacturer=25882,
        model=1,
        gpis=2,
        modes=(0, 2),
        filters=2,
    )


def test_a_power_may_be_below_a_milliwatt(llrp: Any) -> None:
    level = llrp.tlv(143, struct.pack("!HH", 840, 1) + llrp.tlv(144, llrp.tlv(145, struct.pack("!Hh", 1, -250))))
    general = llrp.tlv(137, struct.pack("!HHIIH", 1, 0, 161, 1, 0))
    fields = llrp_control.decode(llrp.frame(11, llrp.SUCCESS + general + level))[1]
    assert llrp_control.capabilities(fields).powers == {1: -2.5}


def test_configuration(llrp: Any) -> None:
    parts = (
        llrp.tlv(218, struct.pack("!BH", 0, 6) + bytes.fromhex("0016250011d6")),
        llrp.tlv(221, struct.pack("!BHh", 0x80, 1, 0)),
        llrp.tlv(221, struct.pack("!BHh", 0, 2, 0)),
        *(llrp.tlv(225, struct.pack("!HBB", port, 0x80, state)) for port, state in ((1, 1), (2, 0), (3, 2))),
        llrp.tlv(226, b"\x80"),
    )
    fields = llrp_control.decode(llrp.frame(12, llrp.SUCCESS + b"".join(parts)))[1]
    assert llrp_control.identification(fields) == "0016250011d6"
    assert llrp_control.unplugged(fields) == (2,)
    assert llrp_control.gpi_states(fields) == {1: True, 2: False}
    assert llrp_control.holds_reports(fields)


def test_capabilities_that_are_not_there_are_a_bad_frame(llrp: Any) -> None:
    fields = llrp_control.decode(llrp.frame(11, llrp.SUCCESS))[1]
    with pytest.raises(BadFrame, match="GeneralDeviceCapabilities"):
        llrp_control.capabilities(fields)


def test_mutated_answers_raise_only_what_is_declared(llrp: Any) -> None:
    chance = random.Random(11)
    goods = [
        llrp.greeting(),
        llrp.event(
            llrp.tlv(255, b"\1\0\2"), llrp.tlv(252, b"\0\3hot"), llrp.tlv(248, b"\0\1\x80"), llrp.tlv(250, b"\5")
        ),
        llrp.frame(11, llrp.SUCCESS + llrp.capabilities()),
        llrp.frame(30, llrp.status(101, b"words")),
        llrp.frame(
            12,
            llrp.SUCCESS
            + llrp.tlv(226, b"\x80")
            + llrp.tlv(220, b"\1\0\0\0\5")
            + llrp.tlv(225, b"\0\1\x80\1") * 2
            + llrp.tlv(218, b"\0\0\2ab")
            + llrp.tlv(221, b"\0\0\1\0\0"),
        ),
        llrp.frame(1023, struct.pack("!IB", 25882, 22) + llrp.SUCCESS),
    ]
    bad = 0
    for _ in range(2500):
        frame = bytearray(chance.choice(goods))
        for _ in range(chance.randint(1, 4)):
            frame[chance.randrange(10, len(frame))] = chance.randrange(256)
        try:
            _, fields = llrp_control.decode(bytes(frame))
            llrp_control.reader_event(fields)
            llrp_control.holds_reports(fields)
            llrp_control.gpi_states(fields)
            llrp_control.unplugged(fields)
            llrp_control.identification(fields)
            llrp_control.capabilities(fields)
        except BadFrame:
            bad += 1
    assert bad > 200


def test_words_of_a_reader_cannot_write_to_a_terminal_or_forge_a_line_of_the_log(llrp: Any) -> None:
    words = b"hot\x1b[2J\n\0\xff"
    event = llrp_control.decode(llrp.event(llrp.tlv(252, struct.pack("!H", len(words)) + words)))[1]
    assert llrp_control.reader_event(event).exception == "hot?[2J???".replace("???", "??\ufffd")
    fields = llrp_control.decode(llrp.frame(30, llrp.status(101, b"no\r\nWARNING")))[1]
    assert llrp_control.status_words(fields).endswith("no??WARNING")
    general = llrp.tlv(137, struct.pack("!HHIIH", 1, 0, 161, 1, 4) + b"1\x1b[m")
    fields = llrp_control.decode(llrp.frame(11, llrp.SUCCESS + general))[1]
    assert llrp_control.capabilities(fields).firmware == "1?[m"


def test_a_huge_control_message_is_not_given_to_the_codec(llrp: Any) -> None:
    with pytest.raises(BadFrame, match="65536"):
        llrp_control.decode(llrp.frame(63, bytes(70_000)))
