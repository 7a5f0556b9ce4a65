"""Sources as they are written, and bytes to sentences."""

import random

import pytest

from edge.driver import BadFrame
from edge.drivers.nmea_sentence import MAX_BYTES
from edge.drivers.nmea_source import Lines, Where, where
from tests.edge.drivers.nmea_lines import GGA, RMC, line


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("tcp://192.0.2.1:10110", Where("tcp", "192.0.2.1", 10110)),
        ("tcp://[2001:db8::1]:4001", Where("tcp", "2001:db8::1", 4001)),
        ("udp://0.0.0.0:10110", Where("udp", "0.0.0.0", 10110)),  # noqa: S104 - every address
        ("serial:///dev/ttyUSB0", Where("serial", path="/dev/ttyUSB0", baudrate=4800)),
        ("serial:///dev/serial/by-id/x?baudrate=115200", Where("serial", path="/dev/serial/by-id/x", baudrate=115_200)),
    ],
)
def test_sources(source: str, place: Where) -> None:
    assert where(source) == place


@pytest.mark.parametrize(
    "source",
    [
        "",
        "192.0.2.1:10110",
        "http://192.0.2.1:1",
        "tcp://192.0.2.1",
        "tcp://192.0.2.1:0",
        "tcp://192.0.2.1:1/x",
        "tcp://192.0.2.1:1?baudrate=1",
        "udp://:1",
        "serial://ttyUSB0",
        "serial:///",
        "serial:///dev/x?baudrate=",
        "serial:///dev/x?baudrate=fast",
        "serial:///dev/x?baudrate=1",
        "serial:///dev/x?baudrate=9600&baudrate=4800",
        "serial:///dev/x?baud=9600",
        "serial://[::1/dev/x",
    ],
)
def test_what_is_no_source_is_named(source: str) -> None:
    with pytest.raises(ValueError, match=r"^source: |Invalid IPv6 URL"):
        where(source)


def listening() -> Lines:
    """After the first line, which may have begun before."""
    lines = Lines()
    assert lines.feed(b"half a sentence*00\r\n") == []
    return lines


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b" \r\n", b"\0\r\n\r\n"])
def test_ends(end: bytes) -> None:
    assert listening().feed(line(RMC) + end + line(GGA) + end) == [line(RMC), line(GGA)]


def test_any_cut_gives_the_same() -> None:
    stream = b"\r\n".join(
        [line(RMC), b"!AIVDM,1,1,,A,14eG,0*7D", b"\\s:x*00\\" + line(GGA), b"rubbish", line(RMC), b""]
    )
    whole = [str(each) for each in listening().feed(stream)]
    assert len(whole) == 4
    for seed in range(50):
        chance, lines, left, found = random.Random(seed), listening(), stream, []
        while left:
            size = chance.randint(1, 40)
            found += lines.feed(left[:size])
            left = left[size:]
        assert [str(each) for each in found] == whole


def test_a_sentence_cut_by_the_next_is_bad_and_the_next_is_read() -> None:
    bad, good = listening().feed(line(RMC)[:30] + line(GGA) + b"\r\n")
    assert isinstance(bad, BadFrame)
    assert good == line(GGA)


def test_the_first_line_may_lack_its_beginning_only_once() -> None:
    lines = Lines()
    assert lines.feed(b"3.6,N\r\n" + line(RMC) + b"\r\n") == [line(RMC)]
    assert isinstance(lines.feed(b"3.6,N\r\n")[0], BadFrame)


def test_bytes_without_an_end_are_bounded_and_said_once() -> None:
    lines, found = listening(), []
    for _ in range(1000):
        found += lines.feed(b"\xff" * 1000)
        assert len(lines._buffer) <= MAX_BYTES
    assert len(found) == 1
    assert lines.feed(line(RMC) + b"\r\n" + line(GGA) + b"\r\n") == [line(RMC), line(GGA)]
    assert isinstance(lines.feed(b"x\r\n")[0], BadFrame)
