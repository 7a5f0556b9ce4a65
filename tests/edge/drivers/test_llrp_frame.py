"""Frames out of a stream, however it is cut and whatever lies between them."""

import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.driver import BadFrame
from edge.drivers.llrp_frame import MAX_FRAME_BYTES, Framer

EPC = "3034257bf7194e4000001a85"


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
