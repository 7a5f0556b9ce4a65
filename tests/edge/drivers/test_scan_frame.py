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


@pytest.mark.parametrize(
    ("prefix", "suffix", "sent", "expected"),
    [
        (b"\x02", b"", b"\x02]E04006381333931\x03", ScanFrame("4006381333931", "]E0")),
        (b"\x02", b"", b"4006381333931\r", None),
        (b"\x02", b"", b"\x02\x02A\r", ScanFrame("\x02A")),
        (b"S1:", b"\t", b"S1:]C1AB\t\r\n", ScanFrame("AB", "]C1")),
        (b"S1:", b"\t", b"S1:S1:A\t\t\r", ScanFrame("S1:A\t")),
        (b"S1:", b"\t", b":]C1AB\t\r", None),
        (b"S1:", b"\t", b"S1:]C1AB\r", None),
        (b"S1:", b"\t", b"\x02S1:A\t\r", None),
        (b"S1:", b"", b"S1:\r", None),
        (b"ab", b"bc", b"abc\r", None),  # the two may not share a byte
        (b"\xff", b"\xfe", b"\xff\xc3\x9c\xfe\r", ScanFrame("\u00dc")),
        (b"", b"", b"\x02A\x02\r", ScanFrame("A\x02")),
    ],
)
def test_prefix_and_suffix_are_taken_off_exactly(
    prefix: bytes, suffix: bytes, sent: bytes, expected: ScanFrame | None
) -> None:
    (frame,) = Framer(prefix, suffix).feed(sent)
    if expected is None:
        assert isinstance(frame, BadFrame)
    else:
        assert frame == expected


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


@pytest.mark.parametrize(("prefix", "suffix"), [(b"", b""), (b"\x02SY>", b"\t")])
def test_a_million_random_bytes_do_no_harm_to_the_next_scan(prefix: bytes, suffix: bytes) -> None:
    chance = random.Random(2)
    framer = Framer(prefix, suffix)
    sent = good = bad = 0
    while sent < 1_000_000:
        garbage = chance.randbytes(chance.choice([chance.randrange(40), chance.randrange(4000)]))
        if good % 50 == 0:
            garbage += bytes(chance.randrange(14, 256) for _ in range(MAX_BYTES + 10))
        frames = framer.feed(garbage) + framer.feed(b"\r")
        bad += sum(isinstance(frame, BadFrame) for frame in frames)
        assert all(isinstance(frame, BadFrame if prefix else (BadFrame, ScanFrame)) for frame in frames)
        data = f"{GS1}{good}"
        assert framer.feed(prefix + f"]C1{data}".encode() + suffix + b"\r") == [ScanFrame(data, "]C1")]
        sent += len(garbage)
        good += 1
    print(f"{sent:,} random bytes, {bad:,} bad frames, {good:,} good scans between them and all read")
    assert good > 500
    assert bad >= good // 50


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
