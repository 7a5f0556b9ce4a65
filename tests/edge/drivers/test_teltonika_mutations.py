"""Changed frames and datagrams, by the thousand: nothing but BadFrame, and the next good one is read.

STOCKYARD_RUNS says how many of each kind; 2000 without it.
"""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from edge.driver import BadFrame
from edge.drivers.conversation import Heard
from edge.drivers.teltonika_conversation import TeltonikaConversation
from edge.drivers.teltonika_datagram import heard_in
from edge.drivers.teltonika_io import table
from models.wire import decode, encode
from tests.edge.drivers.tracker_client import IMEI, LAYOUTS, body, datagram, frame, login, record

MUTATIONS = int(os.environ.get("STOCKYARD_RUNS", "2000"))
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ELEMENTS = table({"1": {"input": "hoist"}, "72": {"signal": "t", "unit": "Cel", "signed": True, "divide_by": 10}})


def some_body(chance: random.Random) -> bytes:
    """Records of every codec, with elements of every size that it has."""
    codec = chance.choice(list(LAYOUTS))
    sizes = (1, 2, 4, 8) if codec != 0x8E else (1, 2, 4, 8, 0, 17)
    ids = (1, 16, 66, 72, 87, 182, 239, 240) + ((449, 256, 65_535) if codec != 0x08 else ())
    records = [
        record(number, io={ident: chance.randbytes(chance.choice(sizes)) for ident in chance.sample(ids, 5)})
        for number in range(chance.randrange(4))
    ]
    return body(records, codec)


def changed(chance: random.Random, data: bytes) -> bytes:
    """A bit, bytes, a number at its edge, a piece cut out, doubled or cut off, or noise before it."""
    out, at = bytearray(data), chance.randrange(len(data))
    kind = chance.randrange(7)
    if kind == 0:
        out[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        for _ in range(chance.randrange(1, 9)):
            out[chance.randrange(len(out))] = chance.randrange(256)
    elif kind == 2:
        size = chance.choice((1, 2, 4, 8))
        out[at : at + size] = chance.choice((b"\xff", b"\0", b"\x7f", b"\x80")) * size
    elif kind == 3:
        del out[at : at + chance.randrange(1, 9)]
    elif kind == 4:
        out[at:at] = out[at : at + chance.randrange(1, 40)]
    elif kind == 5:
        del out[at:]
    else:
        out[:0] = chance.randbytes(chance.randrange(1, 20))
    return bytes(out)


def checked(heard: Heard, answers: int) -> None:
    """What is said is what the wire carries, and an answer is one."""
    assert len(heard.answer) in {0, answers}
    for each in heard.said:
        assert decode(encode(each)) == each


def talk(sent: bytes) -> list[Heard]:
    """A connection that has logged in and hears these bytes, in two pieces."""
    conversation, found = TeltonikaConversation(ELEMENTS), list[Heard]()
    for piece in (login(), sent[: len(sent) // 2], sent[len(sent) // 2 :]):
        conversation.feed(piece)
        while (heard := conversation.next(AT)) is not None:
            found.append(heard)
    return found[1:]


def stream(chance: random.Random) -> None:
    """A frame whose bytes changed: read, waited for, or the end of its connection."""
    try:
        for heard in talk(changed(chance, frame(some_body(chance)))):
            checked(heard, 4)
    except BadFrame:
        pass


def content(chance: random.Random) -> None:
    """Changed within, with a right CRC: what can never be read is kept, and the next frame of the stream is read."""
    data = changed(chance, some_body(chance))
    if len(data) < 3:
        return
    *others, last = talk(frame(data) + frame(body([record(7)])))
    assert len(others) == 1
    checked(others[0], 4)
    assert (len(last.said), last.answer) == (2, b"\0\0\0\1")


def datagrams(chance: random.Random) -> None:
    """A datagram whose bytes changed: its fault alone."""
    with suppress(BadFrame):
        checked(heard_in(changed(chance, datagram(some_body(chance))), ELEMENTS, AT), 7)
    good = heard_in(datagram(body([record(7)])), ELEMENTS, AT)
    assert (good.tracker, len(good.said)) == (f"imei:{IMEI}", 2)


@pytest.mark.parametrize("kind", [stream, content, datagrams])
def test_nothing_but_a_bad_frame(kind: Callable[[random.Random], None]) -> None:
    for seed in range(MUTATIONS):
        try:
            kind(random.Random(seed))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    outcomes = talk(frame(body([record(1)])))
    assert [len(heard.said) for heard in outcomes] == [2]
