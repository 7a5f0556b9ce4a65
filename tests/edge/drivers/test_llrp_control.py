"""Control messages against bytes laid out by hand; whatever a reader answers, only BadFrame or a refusal comes out."""

import random
import struct
from typing import Any

import pytest

from edge.driver import BadFrame, DeviceRefused
from edge.drivers import llrp_control
from edge.drivers.llrp_control import Capabilities, Inventory

READER = Capabilities(antennas=4, utc_clock=True, firmware="1", powers={1: 10.0, 81: 30.0}, hop_table=1, hopping=True)


def test_the_rospec_runs_for_ever_and_reports_every_n_tags(llrp: Any) -> None:
    rospec = llrp_control.rospec(Inventory((1, 3), 10, 2, 32, None), READER)
    boundary = llrp.tlv(178, llrp.tlv(179, b"\0") + llrp.tlv(182, b"\0\0\0\0\0"))
    antennas = b"".join(
        llrp.tlv(222, struct.pack("!H", n) + llrp.tlv(330, b"\0" + llrp.tlv(336, struct.pack("!BHI", 2 << 6, 32, 0))))
        for n in (1, 3)
    )
    ai_spec = llrp.tlv(
        183, struct.pack("!HHH", 2, 1, 3) + llrp.tlv(184, b"\0\0\0\0\0") + llrp.tlv(186, b"\0\1\1" + antennas)
    )
    content = llrp.tlv(238, struct.pack("!H", 0b0001111110000000) + llrp.tlv(348, b"\0"))
    report = llrp.tlv(237, struct.pack("!BH", 1, 10) + content)
    body = llrp.tlv(177, struct.pack("!IBB", 1, 0, 0) + boundary + ai_spec + report)
    assert llrp_control.encode("ADD_ROSPEC", 9, rospec) == llrp.frame(20, body, 9)


def test_keepalives_and_events_are_asked_for(llrp: Any) -> None:
    events = b"".join(llrp.tlv(245, struct.pack("!HB", event, 0x80)) for event in (3, 4, 8))
    body = b"\0" + llrp.tlv(244, events) + llrp.tlv(220, struct.pack("!BI", 1, 2500))
    assert llrp_control.encode("SET_READER_CONFIG", 2, llrp_control.reader_config(2.5)) == llrp.frame(3, body, 2)


def test_a_transmit_power_is_the_nearest_level_below() -> None:
    inventory = Inventory((1,), 10, 1, 32, 29.9)
    spec: Any = llrp_control.rospec(inventory, READER)
    antenna = spec["ROSpec"]["AISpec"][0]["InventoryParameterSpec"][0]["AntennaConfiguration"][0]
    assert antenna["RFTransmitter"] == {"HopTableId": 1, "ChannelIndex": 0, "TransmitPower": 1}


@pytest.mark.parametrize(
    ("inventory", "word"),
    [(Inventory((1, 5), 10, 1, 32, None), "antennas"), (Inventory((1,), 10, 1, 32, 9.0), "tx_power_dbm")],
)
def test_what_the_reader_cannot_do_is_refused_by_name(inventory: Inventory, word: str) -> None:
    with pytest.raises(DeviceRefused, match=word):
        llrp_control.rospec(inventory, READER)


def test_a_refusal_carries_the_readers_words(llrp: Any) -> None:
    name, fields = llrp_control.decode(llrp.frame(30, llrp.status(101, b"no such antenna"), 4))
    with pytest.raises(DeviceRefused, match=r"ADD_ROSPEC: .*FieldError.* no such antenna"):
        llrp_control.check_status(name.removesuffix("_RESPONSE"), fields)


def test_events(llrp: Any) -> None:
    parts = (
        llrp.tlv(255, struct.pack("!BH", 0, 3)),
        llrp.tlv(251, b""),
        llrp.tlv(252, struct.pack("!H", 3) + b"hot"),
        llrp.tlv(257, b""),
    )
    event = llrp_control.reader_event(llrp_control.decode(llrp.event(*parts, utc_us=5))[1])
    assert event == llrp_control.ReaderEvent(5, None, 3, antenna_up=False, exception="hot", overflow=True, closed=True)


def test_capabilities_that_are_not_there_are_a_bad_frame(llrp: Any) -> None:
    fields = llrp_control.decode(llrp.frame(11, llrp.SUCCESS))[1]
    with pytest.raises(BadFrame, match="GeneralDeviceCapabilities"):
        llrp_control.capabilities(fields)


def test_mutated_answers_raise_only_what_is_declared(llrp: Any) -> None:
    chance = random.Random(11)
    goods = [
        llrp.greeting(),
        llrp.event(llrp.tlv(255, b"\1\0\2"), llrp.tlv(252, b"\0\3hot")),
        llrp.frame(11, llrp.SUCCESS + llrp.capabilities()),
        llrp.frame(30, llrp.status(101, b"words")),
        llrp.frame(12, llrp.SUCCESS + llrp.tlv(226, b"\x80") + llrp.tlv(220, b"\1\0\0\0\5")),
    ]
    bad = 0
    for _ in range(2000):
        frame = bytearray(chance.choice(goods))
        for _ in range(chance.randint(1, 4)):
            frame[chance.randrange(10, len(frame))] = chance.randrange(256)
        try:
            _, fields = llrp_control.decode(bytes(frame))
            llrp_control.reader_event(fields)
            llrp_control.holds_reports(fields)
            llrp_control.capabilities(fields)
        except BadFrame:
            bad += 1
    assert bad > 200


def test_a_huge_control_message_is_not_given_to_the_codec(llrp: Any) -> None:
    with pytest.raises(BadFrame, match="65536"):
        llrp_control.decode(llrp.frame(63, bytes(70_000)))
