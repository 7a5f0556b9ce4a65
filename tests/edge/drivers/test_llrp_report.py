"""Tag reports: values from hand-made bytes, nothing but BadFrame from any others, and both paths always agree."""

import contextlib
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.driver import BadFrame
from edge.drivers import llrp_report, llrp_walk
from edge.drivers.llrp_report import TagRead, compiled_reads, tag_reads, walk_reads

EPC = "3034257bf7194e4000001a85"
MUTATIONS = 20_000


@pytest.fixture(autouse=True)
def nothing_compiled() -> None:
    llrp_report._blocks.clear()


def told(frame: bytes) -> list[TagRead]:
    """What a frame says, the first time and when its layout is known."""
    first = tag_reads(frame)
    assert walk_reads(frame) == tag_reads(frame) == first
    return first


def impinj(llrp: Any, subtype: int, value: int, rest: bytes = b"") -> bytes:
    return bytes(llrp.tlv(1023, struct.pack("!IIH", 25882, subtype, value & 0xFFFF) + rest))


def every_field(llrp: Any, number: int = 1) -> bytes:
    """A tag with all that can be in a report, and what is skipped in between."""
    rest = (
        struct.pack("!BI", 0x80 | 9, 1)
        + struct.pack("!BH", 0x80 | 1, 3)
        + struct.pack("!BbBH", 0x80 | 6, -61, 0x80 | 7, 12)
        + struct.pack("!BQBQBQBQ", 0x80 | 2, number, 0x80 | 3, 11, 0x80 | 4, 12, 0x80 | 5, 13)
        + struct.pack("!BHBH", 0x80 | 8, 4, 0x80 | 12, 0x3000)
        + impinj(llrp, 57, -6150)
        + impinj(llrp, 56, 1024)
        + impinj(llrp, 68, -32, b"more")
        + llrp.tlv(1023, struct.pack("!II", 1, 56))
        + llrp.tlv(1023, b"short")
        + llrp.tlv(349, b"\0\0\0\1\0")
    )
    return bytes(llrp.tlv(240, b"\x8d" + bytes.fromhex(EPC) + rest))


def test_every_field_of_a_tag_report(llrp: Any) -> None:
    [read] = told(llrp.report(every_field(llrp)))
    assert read == TagRead(bytes.fromhex(EPC), 3, -61, 12, 4, 1, 11, 12, 13, 1024, -6150, -32)
    assert read.rssi_cdbm == -6150


def test_strength_is_the_finer_value_where_there_is_one(llrp: Any) -> None:
    assert [read.rssi_cdbm for read in told(llrp.report(llrp.tag(EPC, rssi=-61)))] == [-6100]
    assert [read.rssi_cdbm for read in told(llrp.report(llrp.tlv(240, b"\x81\0\1")))] == [None]


@pytest.mark.parametrize("tags", [1, 2, 31, 32, 33, 64, 100])
def test_a_layout_seen_once_is_read_without_a_walk(llrp: Any, tags: int) -> None:
    first = llrp.report(*(every_field(llrp, number) for number in range(tags)))
    assert compiled_reads(first) is None
    tag_reads(first)
    reads = compiled_reads(llrp.report(*(every_field(llrp, number + 7) for number in range(tags))))
    assert reads is not None
    assert [read.first_utc for read in reads] == [number + 7 for number in range(tags)]


def test_a_last_tag_of_another_layout_is_not_read_by_the_first_ones(llrp: Any) -> None:
    alike = [llrp.tlv(240, b"\x8d" + bytes.fromhex(EPC) + b"\x81\0\2")] * 40
    told(llrp.report(*alike))
    reads = told(llrp.report(*alike[1:], llrp.tlv(240, b"\x8d" + bytes.fromhex(EPC) + b"\x87\0\2")))
    assert [(read.antenna, read.channel) for read in reads[-2:]] == [(2, None), (None, 2)]


def test_what_is_no_tag_is_not_taken_for_the_first_one(llrp: Any) -> None:
    tags = [llrp.tlv(240, b"\x81\0\1\x87\0\2")] * 2
    assert [read.antenna for read in told(llrp.report(llrp.tlv(242, b"\xff" * 16), *tags))] == [1, 1]


def test_a_vendors_value_that_is_cut_short_does_not_replace_a_whole_one(llrp: Any) -> None:
    short = llrp.tlv(1023, struct.pack("!IIB", 25882, 57, 1))
    [read] = told(llrp.report(llrp.tlv(240, impinj(llrp, 57, -6000) + short)))
    assert read.impinj_cdbm == -6000


def test_what_is_remembered_is_bounded(llrp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llrp_report, "MAX_BLOCKS", 20)
    for size in range(100):
        for kind in (300, 301, 302, 303, 304, 305):
            told(llrp.report(llrp.tlv(240, llrp.tlv(kind, bytes(size)))))
    assert len(llrp_report._blocks) <= 20
    assert max(map(len, llrp_report._blocks.values())) == llrp_report.MAX_LIKE
    llrp_report._blocks.clear()
    told(llrp.report(llrp.tlv(240, llrp.tlv(300, bytes(2000)))))
    assert not llrp_report._blocks


@pytest.mark.parametrize("bits", [16, 96, 128, 130, 496])
def test_an_epc_of_any_length_is_read_from_epc_data(llrp: Any, bits: int) -> None:
    raw = bytes(range((bits + 7) // 8))
    [read] = told(llrp.report(llrp.tlv(240, llrp.tlv(241, struct.pack("!H", bits) + raw) + b"\x81\0\2")))
    assert (read.epc, read.antenna) == (raw, 2)


def test_what_a_hostile_layout_costs_is_bounded(llrp: Any) -> None:
    told(llrp.report(*[llrp.tlv(240, b"\x81\0\1" * 80)] * 32))
    assert not llrp_report._blocks


@pytest.mark.parametrize("known", [False, True])
def test_a_report_of_more_tags_than_any_reader_sends_is_refused(llrp: Any, *, known: bool) -> None:
    tag = llrp.tlv(240, b"")
    if known:
        tag_reads(llrp.report(*[tag] * 64))
    assert len(tag_reads(llrp.report(*[tag] * llrp_walk.MAX_TAGS))) == llrp_walk.MAX_TAGS
    with pytest.raises(BadFrame, match="at most 20000 tags expected"):
        tag_reads(llrp.report(*[tag] * 1_000_000))


def test_many_small_parameters_are_not_taken_for_tags(llrp: Any) -> None:
    reads = tag_reads(llrp.report(llrp.tlv(300, b""), *[llrp.tlv(300, bytes(60_000))] * 3, llrp.tag(EPC)))
    assert [read.epc.hex() for read in reads] == [EPC]


def test_an_empty_report_and_unknown_parameters_are_no_error(llrp: Any) -> None:
    assert told(llrp.report()) == []
    assert [read.epc.hex() for read in told(llrp.report(llrp.tlv(242, b"xx"), llrp.tag(EPC)))] == [EPC]


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


def mutated(good: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, some of them in headers so that lengths lie, and now and then the end cut off."""
    frame = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        frame[chance.randrange(10, len(frame))] = chance.choice((chance.randrange(256), 0, 4, 0x81, 0x8D, 0xF0))
    return bytes(frame[: chance.randrange(10, len(frame))] if chance.random() < 0.2 else frame)


def test_mutated_reports_raise_only_bad_frame_and_both_paths_agree(llrp: Any) -> None:
    chance = random.Random(7)
    kinds = [
        llrp.report(*(llrp.tag(f"{n:024x}", 1 + n % 4) for n in range(4)), llrp.tag("ab" * 16)),
        llrp.report(*(llrp.tag(f"{n:024x}", 1 + n % 4) for n in range(5))),
        llrp.report(*(llrp.tag(f"{n:032x}") for n in range(3))),
        llrp.report(*(every_field(llrp, n) for n in range(3))),
    ]
    good = [tag_reads(frame) for frame in kinds]
    bad = compiled = 0
    for number in range(MUTATIONS):
        kind = number % len(kinds)
        frame = mutated(kinds[kind], chance)
        quick = compiled_reads(frame)
        try:
            walked = walk_reads(frame)
        except BadFrame:
            bad += 1
            assert quick is None
            with pytest.raises(BadFrame):
                tag_reads(frame)
            continue
        compiled += quick is not None
        assert tag_reads(frame) == walked
        assert quick is None or quick == walked
        if number % 10 == 0:
            assert tag_reads(kinds[kind]) == good[kind]
    assert bad > MUTATIONS / 10
    assert compiled > MUTATIONS / 10


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_random_bodies_raise_only_bad_frame(body: bytes) -> None:
    with contextlib.suppress(BadFrame):
        told(bytes(10) + body)


def test_tags_of_one_length_and_different_layouts_are_told_apart(llrp: Any) -> None:
    epc = b"\x8d" + bytes.fromhex(EPC)
    antenna, channel = b"\x81\0\2", b"\x87\0\2"
    for _ in range(2):
        reads = told(
            llrp.report(llrp.tlv(240, epc + antenna), llrp.tlv(240, epc + channel), llrp.tlv(240, antenna + epc))
        )
        assert [(read.antenna, read.channel) for read in reads] == [(2, None), (None, 2), (2, None)]
    for bits in (96, 89, 88):
        raw = bytes(range(1, (bits + 7) // 8 + 1)).ljust(12, b"\0")
        [read] = told(llrp.report(llrp.tlv(240, llrp.tlv(241, struct.pack("!H", bits) + raw))))
        assert len(read.epc) == (bits + 7) // 8


def test_a_vendors_parameter_of_another_subtype_in_the_same_place_is_not_taken_for_it(llrp: Any) -> None:
    for subtype, value in ((99, None), (57, -7), (99, None), (68, None)):
        [read] = told(llrp.report(llrp.tlv(240, impinj(llrp, subtype, -7))))
        assert (read.impinj_cdbm, read.epc) == (value, b"")
