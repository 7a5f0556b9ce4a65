"""Tag reports: our decoder against sllurp on the same bytes in the same process, median of seven."""

import struct
from collections.abc import Callable
from statistics import median
from time import thread_time
from typing import Any

from sllurp.llrp import LLRPMessage

from edge.drivers.llrp_report import tag_reads
from simulators.devices.llrp_codec import Message, SeenTag, Selector, frame

TAGS, FRAMES, ROUNDS = 10, 200, 7
AT_LEAST = 3.5
SELECTED = Selector(0b0001_1110_1100_0000, 0)
"""Antenna, channel, peak RSSI, first and last seen, count: table 16.2.7.1.1 of LLRP 1.0.1."""


def reports() -> list[bytes]:
    """Frames of ten tags, as a door hears them."""
    seen = [
        SeenTag(struct.pack("!IQ", 0x30000000, number), number % 4 + 1, -50 - number % 20, 7, number, number + 5, 2)
        for number in range(TAGS * FRAMES)
    ]
    bodies = [b"".join(tag.encode(1, SELECTED) for tag in seen[low : low + TAGS]) for low in range(0, len(seen), TAGS)]
    return [frame(Message.RO_ACCESS_REPORT, number, body) for number, body in enumerate(bodies)]


def rate(decode: Callable[[bytes], object], frames: list[bytes]) -> float:
    """Tags a second of this thread's time."""
    times: list[float] = []
    for _ in range(ROUNDS):
        begin = thread_time()
        for each in frames:
            decode(each)
        times.append(thread_time() - begin)
    return TAGS * len(frames) / median(times)


def test_decode(measure: Any) -> None:
    frames = reports()
    theirs = LLRPMessage(msgbytes=frames[0]).msgdict["RO_ACCESS_REPORT"]["TagReportData"]
    assert [tag.epc for tag in tag_reads(frames[0])] == [tag["EPC-96"].decode() for tag in theirs]
    ours, peer = rate(tag_reads, frames), rate(lambda each: LLRPMessage(msgbytes=each), frames)
    row = {"group": "edge", "check": "tag-report decode, 10 tags a report", "unit": "tags/s", "value": ours}
    measure(
        row | {"peer": "sllurp 3.0.5", "peer_value": peer, "bound": f">= {AT_LEAST} x peer"}, ok=ours >= AT_LEAST * peer
    )
