"""Frames and tag reports: values from hand-made bytes, and nothing but BadFrame from any others."""

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
from edge.drivers.llrp_frame import MAX_FRAME_BYTES, Framer, TagRead, tag_reads

EPC = "3034257bf7194e4000001a85"
MUTATIONS = 20_000 if os.environ.get("STOCKYARD_LONG") else 3_000


def frames_of(framer: Framer, data: bytes) -> tuple[list[bytes], int]:
    """What comes out of feeding data, and how many BadFrames."""
    framer.feed(data)
    found: list[bytes] = []
    bad = 0
    while True:
        try:
            frame = framer.next()
        except BadFrame:
            bad += 1
            continue
        if frame is None:
            return found, bad
        found.append(frame)


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


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_frames_come_out_however_the_stream_is_cut(bodies: list[bytes], piece: int) -> None:
    frames = [struct.pack("!HII", 0x43D, 10 + len(body), n) + body for n, body in enumerate(bodies)]
    stream, framer, found = b"".join(frames), Framer(), []
    for at in range(0, len(stream), piece):
        more, bad = frames_of(framer, stream[at : at + piece])
        assert not bad
        found += more
    assert found == frames


@pytest.mark.parametrize("length", [0, 5, 9, MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1])
def test_after_an_impossible_length_the_next_frame_is_found(llrp: Any, length: int) -> None:
    broken = struct.pack("!HII", 0x43D, length, 1) + b"\x00\xf0" * 9
    assert frames_of(Framer(), broken + llrp.report(llrp.tag(EPC))) == ([llrp.report(llrp.tag(EPC))], 1)


def test_random_garbage_between_frames_costs_no_frame(llrp: Any) -> None:
    chance = random.Random(3)
    good = llrp.report(llrp.tag(EPC))
    framer = Framer()
    for _ in range(1000):
        garbage = bytes([chance.randrange(16, 256)]) + chance.randbytes(chance.randint(0, 40))
        found, bad = frames_of(framer, garbage + good)
        assert (found, bad) == ([good], 1)


def test_a_rejected_frame_that_swallowed_the_next_gives_it_back(llrp: Any) -> None:
    framer = Framer()
    good = llrp.report(llrp.tag(EPC))
    swallower = bytearray(good)
    swallower[5] += len(good)
    assert frames_of(framer, bytes(swallower) + good) == ([bytes(swallower) + good], 0)
    framer.reject(bytes(swallower) + good)
    assert frames_of(framer, b"") == ([good], 0)
    assert frames_of(framer, good) == ([good], 0)
