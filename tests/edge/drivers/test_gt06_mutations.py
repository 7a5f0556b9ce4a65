"""Changed GT06 packets and streams, by the thousand: nothing but BadFrame, and the next good packet is read.

STOCKYARD_RUNS says how many of each kind; 3000 without it.
"""

import os
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from edge.driver import BadFrame
from edge.drivers.conversation import Heard
from edge.drivers.gt06_conversation import Gt06Conversation, Habits
from edge.drivers.gt06_frame import Packet
from edge.drivers.gt06_message import BY_LENGTH, WITH_LONG_MARK, WITH_SHORT_MARK, decode
from edge.drivers.gt06_readings import readings
from models.wire import decode as read_back
from models.wire import encode
from tests.edge.drivers.gt06_client import CELL, IMEI, clock, location, login, packet, place

RUNS = int(os.environ.get("STOCKYARD_RUNS", "3000"))
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KINDS = [
    *((kind, False) for kind in WITH_SHORT_MARK),
    *((kind, True) for kind in WITH_LONG_MARK),
    *((kind, False) for kind, _ in BY_LENGTH),
]


def some_content(chance: random.Random) -> bytes:
    """What many packets are made of, in some order, and noise."""
    parts = (
        clock(),
        place(status=chance.getrandbits(16), lat=chance.getrandbits(32), lon=chance.getrandbits(32)),
        CELL,
        b"\x08" + CELL,
        bytes.fromhex("4406041302"),
        chance.randbytes(chance.randrange(30)),
        b"\x00\x2e\x04" + chance.randbytes(4),
        b"ALM1=FF;ALM2=FF",
    )
    return clock() * chance.randrange(2) + b"".join(chance.sample(parts, chance.randrange(1, 6)))


def changed(chance: random.Random, data: bytes) -> bytes:
    """A bit, bytes, a piece cut out, doubled or cut off, or noise before it."""
    out, at = bytearray(data), chance.randrange(len(data))
    kind = chance.randrange(6)
    if kind == 0:
        out[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        for _ in range(chance.randrange(1, 9)):
            out[chance.randrange(len(out))] = chance.randrange(256)
    elif kind == 2:
        del out[at : at + chance.randrange(1, 9)]
    elif kind == 3:
        out[at:at] = out[at : at + chance.randrange(1, 40)]
    elif kind == 4:
        del out[at:]
    else:
        out[:0] = chance.choice((b"\x78\x78", b"\x79\x79", b"")) + chance.randbytes(chance.randrange(1, 20))
    return bytes(out)


def said(conversation: Gt06Conversation) -> list[Heard]:
    found = []
    while (heard := conversation.next(AT)) is not None:
        found.append(heard)
    return found


def test_any_content_is_readings_that_the_wire_carries_or_a_bad_frame() -> None:
    chance = random.Random(1)
    read = 0
    for _ in range(RUNS):
        kind, long = chance.choice(KINDS)
        size = next((size for (each, size) in BY_LENGTH if each == kind), 0)
        content = some_content(chance)
        if size and chance.random() < 0.5:
            content = content.ljust(size, b"\x01")[:size]
        with suppress(BadFrame):
            what = decode(Packet(kind, content, 1, long), heartbeat_volts=chance.random() < 0.1)
            for each in readings(f"imei:{IMEI}", what, AT, timedelta(hours=chance.randint(-12, 14))):
                assert read_back(encode(each)) == each
                read += 1
    assert read > RUNS // 4


@pytest.mark.parametrize("unchecked", [False, True])
def test_after_whatever_was_changed_the_next_packet_is_read_at_once(unchecked: bool) -> None:  # noqa: FBT001
    chance = random.Random(2)
    for run in range(RUNS):
        conversation = Gt06Conversation(Habits(unchecked=unchecked))
        kind, long = chance.choice(KINDS)
        broken = changed(chance, packet(kind, some_content(chance)[:200], 5, long=long))
        stream = login() + broken + location(run % 3600, 777)
        step = chance.choice((1, 17, len(stream)))
        heard: list[Heard] = []
        for begin in range(0, len(stream), step):
            conversation.feed(stream[begin : begin + step])
            heard += said(conversation)
        assert heard[0].tracker == f"imei:{IMEI}"
        assert heard[-1].answer == packet(0x22, b"", 777), (run, broken.hex())
        assert len(heard[-1].said) == 3


def test_any_bytes_are_packets_or_are_dropped() -> None:
    chance = random.Random(3)
    for _ in range(RUNS):
        conversation = Gt06Conversation(Habits(unchecked=chance.random() < 0.5))
        marks = (b"\x78\x78", b"\x79\x79", b"\x0d\x0a", login(), location(), b"")
        conversation.feed(b"".join(chance.choice(marks) + chance.randbytes(chance.randrange(20)) for _ in range(8)))
        with suppress(BadFrame):  # a login of no digits
            said(conversation)


def test_there_is_an_end_of_garbage() -> None:
    conversation = Gt06Conversation(Habits())
    conversation.feed(login() + (b"\x78\x78\x05" + bytes(1000)) * 20)
    with pytest.raises(BadFrame, match="dropped"):
        said(conversation)
