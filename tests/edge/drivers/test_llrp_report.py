"""Tag reports: values from hand-made bytes, and nothing but BadFrame from any others."""

import contextlib
import math
import os
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.driver import BadFrame
from edge.drivers.llrp_report import TagRead, tag_reads

EPC = "3034257bf7194e4000001a85"
MUTATIONS = 20_000 if os.environ.get("STOCKYARD_LONG") else 3_000


def test_every_field_of_a_tag_report(llrp: Any) -> None:
    rest = (
        struct.pack("!BI", 0x80 | 9, 1)
        + struct.pack("!BH", 0x80 | 1, 3)
        + struct.pack("!BbBH", 0x80 | 6, -61, 0x80 | 7, 12)
        + struct.pack("!BQBQBQBQ", 0x80 | 2, 10, 0x80 | 3, 11, 0x80 | 4, 12, 0x80 | 5, 13)
        + struct.pack("!BHBH", 0x80 | 8, 4, 0x80 | 12, 0x3000)
        + llrp.tlv(1023, struct.pack("!IIh", 25882, 57, -6150))
        + llrp.tlv(1023, struct.pack("!IIH", 25882, 56, 1024))
        + llrp.tlv(1023, struct.pack("!IIh", 25882, 68, -32))
        + llrp.tlv(1023, struct.pack("!II", 1, 56))
        + llrp.tlv(349, b"\0\0\0\1\0")
    )
    [read] = tag_reads(llrp.report(llrp.tlv(240, b"\x8d" + bytes.fromhex(EPC) + rest)))
    assert read == TagRead(EPC, 3, -61.5, 12, 4, 10, 12, 11, 13, math.pi / 2, -2.0)


@pytest.mark.parametrize("bits", [16, 96, 128, 130, 496])
def test_an_epc_of_any_length_is_read_from_epc_data(llrp: Any, bits: int) -> None:
    raw = bytes(range((bits + 7) // 8))
    [read] = tag_reads(llrp.report(llrp.tlv(240, llrp.tlv(241, struct.pack("!H", bits) + raw) + b"\x81\0\2")))
    assert (read.epc, read.antenna) == (raw.hex(), 2)


def test_an_empty_report_and_unknown_parameters_are_no_error(llrp: Any) -> None:
    assert tag_reads(llrp.report()) == []
    assert [read.epc for read in tag_reads(llrp.report(llrp.tlv(242, b"xx"), llrp.tag(EPC)))] == [EPC]


@pytest.mark.parametrize(
    "body",
    [
        "00",
        "00f0",
        "00f0 0003",
        "00f0 0005",
        "00f0 0004 00f0",
        "00f0 0005 81",
        "00f0 0006 81 00",
        "00f0 0005 ff",
        "00f0 0008 00f1 0004",
        "00f0 000a 00f1 0006 0008",
        "00f0 0008 00f1 0014",
        "04f0 0004",
    ],
)
def test_a_length_that_leaves_its_parent_is_a_bad_frame(llrp: Any, body: str) -> None:
    with pytest.raises(BadFrame):
        tag_reads(llrp.report(bytes.fromhex(body)))


def test_mutated_reports_raise_only_bad_frame(llrp: Any) -> None:
    chance = random.Random(7)
    good = llrp.report(*(llrp.tag(f"{n:024x}", 1 + n % 4) for n in range(5)), llrp.tag("ab" * 16))
    bad = 0
    for _ in range(MUTATIONS):
        frame = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            frame[chance.randrange(10, len(frame))] = chance.randrange(256)
        cut = bytes(frame[: chance.randrange(10, len(frame))]) if chance.random() < 0.3 else bytes(frame)
        try:
            tag_reads(cut)
        except BadFrame:
            bad += 1
    assert MUTATIONS / 10 < bad < MUTATIONS


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_random_bodies_raise_only_bad_frame(body: bytes) -> None:
    with contextlib.suppress(BadFrame):
        tag_reads(bytes(10) + body)


def test_tags_of_one_length_and_different_layouts_are_told_apart(llrp: Any) -> None:
    epc = b"\x8d" + bytes.fromhex(EPC)
    antenna, channel = b"\x81\0\2", b"\x87\0\2"
    for _ in range(2):
        reads = tag_reads(
            llrp.report(llrp.tlv(240, epc + antenna), llrp.tlv(240, epc + channel), llrp.tlv(240, antenna + epc))
        )
        assert [(read.antenna, read.channel) for read in reads] == [(2, None), (None, 2), (2, None)]
    for bits in (96, 89, 88):
        raw = bytes(range(1, (bits + 7) // 8 + 1)).ljust(12, b"\0")
        [read] = tag_reads(llrp.report(llrp.tlv(240, llrp.tlv(241, struct.pack("!H", bits) + raw))))
        assert len(read.epc) == 2 * ((bits + 7) // 8)
