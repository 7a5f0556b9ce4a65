"""GT06's packets: the maker's examples, pieces, garbage between them, and lengths that lie."""

import random

import pytest

from edge.driver import BadFrame
from edge.drivers import gt06_frame
from edge.drivers.gt06_frame import MAX_LENGTH, MAX_LOOKED, MAX_SKIPPED, Framer, Packet, crc_itu, pack
from tests.edge.drivers.gt06_client import crc, location, login, packet

# Concox, "GPS Tracker Communication Protocol (JM-VL03)", one of each chapter.
DOCUMENT = {
    "login": ("78781101075253367890024270003201000512790D0A", 0x01, 5),
    "answer to a login": ("7878050100059FF80D0A", 0x01, 5),
    "heartbeat": ("78780A134004040001000FDCEE0D0A", 0x13, 15),
    "answer to a heartbeat": ("787805130100E1A00D0A", 0x13, 256),
    "location": ("787822220F0C1D023305C9027AC8180C46586000140001CC00287D001F71000001000820860D0A", 0x22, 8),
    "alarm": ("787825260F0C1D030B26C9027AC8180C4658600004000901CC00287D001F718004041302000C472A0D0A", 0x26, 12),
    "clock request": ("7878058A000688290D0A", 0x8A, 6),
    "answer to that": ("78780B8A0F0C1D0000150006F0860D0A", 0x8A, 6),
}
GARBAGE = (
    b"\x00",
    b"\x78",
    b"\x79",
    b"x\x0d\x0a",
    b"\x78\x78\x05",
    b"\x78\x78\xff\x01",
    b"\x79\x79\x0f\xff",
    b"\x79\x79\xff\xff\x94",
    b"xxxx",
    b"\x78\x79" * 5,
    b"GET / HTTP/1.1\r\n\r\n",
    login()[:-1],
    login()[1:],
    login().replace(b"\x35", b"\x36"),
)


def taken(stream: bytes, step: int | None = None, *, unchecked: bool = False) -> tuple[list[Packet], list[str]]:
    """The packets of a stream that comes in pieces, and what was dropped."""
    framer, found, wrong = Framer(unchecked=unchecked), [], []
    step = step or len(stream) or 1
    for begin in range(0, len(stream), step):
        framer.feed(stream[begin : begin + step])
        while True:
            try:
                got = framer.packet()
            except BadFrame as error:
                wrong.append(str(error))
                continue
            if got is None:
                break
            found.append(got)
    return found, wrong


@pytest.mark.parametrize("name", DOCUMENT)
def test_the_examples_of_the_document(name: str) -> None:
    text, kind, serial = DOCUMENT[name]
    for step in (1, 3, None):
        [found], wrong = taken(bytes.fromhex(text), step)
        assert (found.kind, found.serial, found.long, wrong) == (kind, serial, False, [])
    assert pack(found) == bytes.fromhex(text)


def test_the_crc_is_that_of_x25() -> None:
    chance = random.Random(1)
    for size in range(200):
        data = chance.randbytes(size)
        assert crc_itu(data) == crc(data)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_both_marks_in_one_stream(step: int) -> None:
    stream = login() + packet(0x94, bytes(300), 2, long=True) + location(0, 3) + packet(0x13, bytes(5), 4)
    found, wrong = taken(stream, step)
    assert [(each.kind, each.serial, each.long) for each in found] == [
        (0x01, 1, False),
        (0x94, 2, True),
        (0x22, 3, False),
        (0x13, 4, False),
    ]
    assert wrong == []


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("step", [1, 5, 1000])
def test_what_is_none_is_dropped_and_the_next_packet_is_read_at_once(garbage: bytes, step: int) -> None:
    found, wrong = taken(login() + garbage + location(0, 7), step)
    assert [each.serial for each in found] == [1, 7]
    assert wrong
    assert all("bytes dropped" in why for why in wrong)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"\x00" + login(), "a mark of 7878 or 7979 expected, got 0078"),
        (b"\x78\x78\x04\x01" + bytes(10), "a length of 5 ... 4096 expected, got 4"),
        (b"\x79\x79" + (MAX_LENGTH + 1).to_bytes(2) + bytes(10), "got 4097"),
        (login()[:-2] + b"\x0d\x0b", "a stop of 0d0a expected, got 0d0b"),
        (login()[:-4] + b"\x00\x00\x0d\x0a", "a CRC of 0x.... expected, got 0x0000"),
        (b"\x78\x78\x50\x22" + location(), "an end expected, and there is a whole packet before it"),
    ],
)
def test_it_is_said_what_was_expected(sent: bytes, words: str) -> None:
    framer = Framer()
    framer.feed(sent)
    with pytest.raises(BadFrame, match=words):
        framer.packet()


def test_a_mark_inside_a_packet_is_content() -> None:
    inside = packet(0x15, b"xx\x0d\x0a" + login()[2:], 9)
    for step in (1, 11, None):
        found, wrong = taken(inside + login(), step)
        assert [each.serial for each in found] == [9, 1]
        assert wrong == []


def test_what_was_skipped_is_counted_until_a_packet_comes() -> None:
    framer = Framer()
    framer.feed(bytes(MAX_SKIPPED) + b"x")
    with pytest.raises(BadFrame):
        framer.packet()
    assert framer.skipped == MAX_SKIPPED
    framer.feed(b"x" + login()[2:])
    assert framer.packet() is not None
    assert framer.skipped == 0


def test_marks_behind_a_packet_that_drips_are_not_looked_at_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    extent = gt06_frame._extent
    monkeypatch.setattr(gt06_frame, "_extent", lambda *where: looked.append(1) or extent(*where))
    framer = Framer()
    framer.feed(bytes.fromhex("79791000") + b"\x78" * 3000)
    assert framer.packet() is None
    framer.feed(b"\0")
    with pytest.raises(BadFrame, match="an end expected, got nothing but marks"):
        framer.packet()
    assert len(looked) == MAX_LOOKED + 2
    assert framer.skipped > MAX_SKIPPED, "the connection ends"


WATCH_LOGIN = bytes.fromhex("78780d010359339075005244340d0a")
WATCH_PLACE = bytes.fromhex("7878121011091c0b1b2999058508040097a89e0034520d0a")
WATCH_WIFI = bytes.fromhex("787800691710231109200400cc080c4e2fa55a0c4ec0025a0c4e2fa6640c583918640d0a")


@pytest.mark.parametrize("step", [1, 4, 1000])
def test_packets_of_watches_are_taken_where_that_is_set(step: int) -> None:
    found, wrong = taken(WATCH_LOGIN + login() + WATCH_PLACE + WATCH_WIFI + location(0, 2), step, unchecked=True)
    assert [(each.kind, each.serial) for each in found] == [
        (0x01, None),
        (0x01, 1),
        (0x10, None),
        (0x69, None),
        (0x22, 2),
    ]
    assert wrong == []


def test_and_nowhere_else() -> None:
    found, wrong = taken(WATCH_LOGIN + WATCH_PLACE + WATCH_WIFI + location(0, 2))
    assert [each.serial for each in found] == [2]
    assert wrong


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_dropped_there_too(garbage: bytes) -> None:
    found, wrong = taken(WATCH_PLACE + garbage + location(0, 2) + location(1, 3), unchecked=True)
    assert [each.serial for each in found][-1] == 3
    assert wrong
