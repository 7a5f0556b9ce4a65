"""What scanners send, as frames: every terminator, every prefix, and nothing lost of the data."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.driver import BadFrame
from edge.drivers.scan_frame import MAX_BYTES, Framer, ScanFrame

GS1 = "0109506000134352\x1d10LOT7"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"4006381333931\r", [ScanFrame("4006381333931")]),
        (b"4006381333931\n", [ScanFrame("4006381333931")]),
        (b"A\r\nB\r\n", [ScanFrame("A"), ScanFrame("B")]),
        (b"\x02]E04006381333931\x03\r\n", [ScanFrame("4006381333931", "]E0")]),
        (b"]C1" + GS1.encode() + b"\r", [ScanFrame(GS1, "]C1")]),
        (b"]d2\x1d01095\x1e\x04\r", [ScanFrame("\x1d01095\x1e\x04", "]d2")]),
        (b"]x\r", [ScanFrame("]x")]),
        (b" padded \r", [ScanFrame(" padded ")]),
        ("Übergröße\r".encode(), [ScanFrame("Übergröße")]),
        ("Übergröße\r".encode("latin-1"), [ScanFrame("Übergröße")]),
        (b"\r\n\x03\r\r", []),
    ],
)
def test_frames(sent: bytes, expected: list[ScanFrame]) -> None:
    assert Framer().feed(sent) == expected
    framer = Framer()
    assert [frame for byte in sent for frame in framer.feed(bytes([byte]))] == expected


def test_a_pause_ends_a_frame() -> None:
    framer = Framer()
    assert framer.feed(b"]A0ABC") == []
    assert framer.pause() == [ScanFrame("ABC", "]A0")]
    assert framer.pause() == []


def test_a_frame_of_nothing_but_its_frame_is_bad() -> None:
    assert [type(frame) for frame in Framer().feed(b"]E0\r\x02\r")] == [BadFrame, BadFrame]


def test_too_long_a_scan_is_one_overrun_and_the_next_is_read() -> None:
    framer = Framer()
    assert framer.feed(b"x" * MAX_BYTES) == []
    assert framer.feed(b"x" * 3 * MAX_BYTES) == []
    overrun, good = framer.feed(b"x\rGOOD\r")
    assert isinstance(overrun, BadFrame)
    assert "overrun" in str(overrun)
    assert good == ScanFrame("GOOD")
    assert framer.feed(b"y" * MAX_BYTES + b"\r") == [ScanFrame("y" * MAX_BYTES)]


def test_random_bytes_do_no_harm_to_the_next_scan() -> None:
    chance = random.Random(2)
    framer = Framer()
    for _ in range(2000):
        size = chance.choice([chance.randrange(40), chance.randrange(40), MAX_BYTES + 10])
        garbage = framer.feed(chance.randbytes(size)) + framer.pause()
        assert all(isinstance(frame, (BadFrame, ScanFrame)) for frame in garbage)
        assert framer.feed(b"]C1" + GS1.encode() + b"\r") == [ScanFrame(GS1, "]C1")]


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_byte_of_data_is_dropped(sent: bytes) -> None:
    frames = Framer().feed(sent.replace(b"\x02", b"").replace(b"]", b"") + b"\r")
    told = "".join(frame.data for frame in frames if isinstance(frame, ScanFrame))
    left = list(
        sent.replace(b"\x02", b"").replace(b"]", b"").replace(b"\n", b"\r").replace(b"\x03", b"\r").split(b"\r")
    )
    assert told == "".join(text(part) for part in left)


def text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
