"""A capture told again: what comes, when, with which times; and files that are none."""

import json
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge.drivers.llrp_capture import FIRST_LINE, Capture
from simulators.cli import app
from simulators.devices import llrp_replay
from simulators.devices.llrp import LlrpReader
from simulators.devices.llrp_replay import BadCapture, check, play, recorded

ADD, START, ENABLE = 20, 22, 24
ONE = struct.pack("!I", 1)
EPC = bytes.fromhex("30564522a461aa8000001a85")
THEN_US = 1_600_000_000_000_000
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


def frame(kind: int, body: bytes) -> bytes:
    return struct.pack("!HII", 1 << 10 | kind, 10 + len(body), 7) + body


def report(make_param: Make, at_us: int) -> bytes:
    """One tag with first and last seen, a single-valued parameter of the vendor and one that nobody knows."""
    vendor = make_param(1023, struct.pack("!IIH", 25882, 56, 1024))
    times = struct.pack("!BQBQ", 0x82, at_us - 100_000, 0x84, at_us)
    return frame(61, make_param(240, b"\x8d" + EPC + b"\x81\0\2" + times + vendor + make_param(999, b"abc")))


def event(make_param: Make, at_us: int, inside: bytes) -> bytes:
    return frame(63, make_param(246, make_param(128, struct.pack("!Q", at_us)) + inside))


@pytest.fixture
def capture(tmp_path: Path, make_param: Make) -> Path:
    """As the edge writes it: greeting, report, input, report 0.3 s later, farewell; the clock is 5 s behind."""
    path = tmp_path / "door.llrp"
    kept, late = Capture(path, 1 << 20), 5_000_000
    kept.frame(THEN_US - 900_000, event(make_param, THEN_US - late, make_param(256, b"\0\0")))
    kept.frame(THEN_US, report(make_param, THEN_US - late))
    kept.frame(THEN_US + 100_000, event(make_param, THEN_US + 100_000 - late, make_param(248, b"\0\1\x80")))
    kept.frame(THEN_US + 300_000, report(make_param, THEN_US + 300_000 - late))
    kept.frame(THEN_US + 310_000, event(make_param, THEN_US, make_param(257, b"")))
    kept.close()
    return path


def over(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def start(client: Any, rospec: bytes) -> None:
    for kind, body in ((ADD, rospec), (ENABLE, ONE), (START, ONE)):
        assert client.ask(kind, body)[1] == 0


def times(body: bytes) -> list[int]:
    at = body.index(b"\x82") if body[1] == 240 else 7
    return [int.from_bytes(body[at + 1 + 9 * n : at + 9 + 9 * n]) for n in range(2 if body[1] == 240 else 1)]


def test_the_format_is_the_one_that_the_edge_writes(capture: Path) -> None:
    assert llrp_replay.FIRST_LINE == FIRST_LINE
    assert check(capture) == 5


def test_it_is_told_at_its_pace_with_times_moved_to_now(
    reader: LlrpReader, connect: Connect, make_rospec: Make, capture: Path
) -> None:
    told: list[tuple[int, int]] = []
    player = threading.Thread(target=lambda: told.append(play(reader, capture, 1.0, over)))
    player.start()
    time.sleep(0.1)
    client = connect(reader)
    start(client, make_rospec())
    first, first_at = client.until(61), time.time_ns() // 1000
    second, second_at = client.until(61), time.time_ns() // 1000
    player.join(5)
    assert told == [(3, 3)]
    assert 0.25 < (second_at - first_at) / 1e6 < 2
    assert times(first)[1] - times(first)[0] == 100_000
    assert abs(first_at - 5_000_000 - times(first)[1]) < 1_000_000, "5 s behind, as the captured reader"
    assert times(second)[1] - times(first)[1] == 300_000
    _, _, then = list(recorded(capture))[1]
    assert first[:20] + first[38:] == then[:20] + then[38:], "all but the times as it was"
    [told_event] = [body for body in client.events if body[16:18] == b"\0\xf8"]
    assert int.from_bytes(told_event[8:16]) - times(first)[1] == 100_000
    assert len(client.events) == 2, "the greeting is its own"


def test_at_once_with_the_times_recorded_and_waiting_for_a_client(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make, capture: Path
) -> None:
    client = connect(reader)
    start(client, make_rospec())
    pauses: list[float] = []

    def noted(seconds: float) -> bool:
        pauses.append(seconds)
        return over(seconds)

    assert play(reader, capture, None, noted) == (3, 3)
    assert max(pauses) == 0
    assert client.until(61) == report(make_param, THEN_US - 5_000_000)[10:]
    assert play(reader, capture, 0.01, lambda seconds: seconds > 0) == (2, 1), "ended while it waited"


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda _: b"", "first line 'stockyard-llrp-capture 1' expected"),
        (lambda data: data.replace(b"capture 1", b"capture 2"), "first line"),
        (lambda data: data[:33] + struct.pack("!I", 9) + data[37:], "a length of 10-"),
        (lambda data: data[:33] + struct.pack("!I", 1 << 31) + data[37:], "a length of 10-"),
        (lambda data: data[:37] + b"\4\x3e" + data[39:], "a whole report or event expected, got type 62"),
        (lambda data: data[:40] + b"\x01" + data[41:], "a whole report or event expected, got type 63 of"),
    ],
)
def test_a_file_that_is_no_capture_says_where(capture: Path, damage: Callable[[bytes], bytes], why: str) -> None:
    capture.write_bytes(damage(capture.read_bytes()))
    with pytest.raises(BadCapture, match=why):
        check(capture)


@pytest.mark.parametrize("left", [1, 5, 12, 41])
def test_a_record_that_a_loss_of_power_cut_short_ends_the_capture(capture: Path, left: int) -> None:
    data = capture.read_bytes()
    last = len(data) - 42
    capture.write_bytes(data[: last + left])
    assert check(capture) == 4


def test_what_a_reader_sent_malformed_is_told_as_it_was(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make, capture: Path
) -> None:
    """A capture keeps it too: it is what one looks for when something is wrong."""
    torn = make_param(240, b"\x8d" + EPC + b"\x81\0")
    kept = Capture(capture, 1 << 20)
    kept.frame(THEN_US + 400_000, frame(61, torn))
    kept.frame(THEN_US + 400_000, frame(63, b"\0\xf6\0\x09abc"))
    kept.frame(THEN_US + 500_000, report(make_param, THEN_US))
    kept.close()
    client = connect(reader)
    start(client, make_rospec())
    assert play(reader, capture, 100.0, over) == (6, 6)
    assert [client.until(61) == torn for _ in range(4)] == [False, False, True, False]


def test_the_command_checks_the_whole_file_before_it_listens(capture: Path) -> None:
    capture.write_bytes(capture.read_bytes() + struct.pack("!QI", THEN_US, 9) + bytes(9))
    wrong = CliRunner().invoke(app, ["device", "llrp", "--listen", "127.0.0.1:0", "--replay", str(capture)])
    assert (wrong.exit_code, "record at byte" in wrong.output, "ready" in wrong.output) == (3, True, False)
    missing = CliRunner().invoke(app, ["device", "llrp", "--replay", str(capture) + ".none"])
    assert (missing.exit_code, "No such file" in missing.output) == (3, True)


def test_the_command_ends_by_itself_when_told_to(capture: Path) -> None:
    options = ["--listen", "127.0.0.1:0", "--replay", str(capture), "--for", "0.2", "--json"]
    done = CliRunner().invoke(app, ["device", "llrp", *options])
    assert json.loads(done.output.splitlines()[-1]) == {"device": "llrp", "offered": 1, "told": 0}
