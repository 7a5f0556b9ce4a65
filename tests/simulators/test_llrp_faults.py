"""What can be done to a simulated reader: what the client sees of it, and that the reader goes on."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulators.devices import faults
from simulators.devices.llrp import NOBODYS_EPC, LlrpReader, RawRead
from simulators.devices.llrp_link import Link

ADD, START, ENABLE, GET_ROSPECS, SET_CONFIG, CAPABILITIES = 20, 22, 24, 26, 3, 1
OK, REPORT, KEEPALIVE, EVENT = 0, 61, 62, 63
EPC = "30564522a461aa8000001a85"
ONE = struct.pack("!I", 1)
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


@pytest.fixture
def client(reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make) -> Any:
    """With keepalives every 20 ms and an active ROSpec."""
    client = connect(reader)
    keepalive = make_param(220, struct.pack("!BI", 1, 20))
    for kind, body in ((SET_CONFIG, b"\0" + keepalive), (ADD, make_rospec()), (ENABLE, ONE), (START, ONE)):
        assert client.ask(kind, body)[1] == OK
    return client


def wait(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.005)


def heard(client: Any) -> bytes:
    """All that comes until the reader closes."""
    data = b""
    while chunk := client.socket.recv(4096):
        data += chunk
    return data


def until_silent(client: Any) -> None:
    """Takes what was on its way; fails if the reader closes, or never stops."""
    client.socket.settimeout(0.2)
    try:
        for _ in range(100):
            assert client.receive()
    except TimeoutError:
        client.socket.settimeout(5)
    else:
        pytest.fail("not silent")


def test_a_drop_ends_the_connection_and_keeps_the_rospec(reader: LlrpReader, client: Any, connect: Connect) -> None:
    reader.drop()
    heard(client)
    wait(lambda: not reader.reading)
    connect(reader)
    assert reader.reading


def test_a_stall_sends_nothing_greets_nobody_and_loses_no_connection(reader: LlrpReader, client: Any) -> None:
    client.until(KEEPALIVE)
    reader.offer([RawRead(1, EPC, 1, -60, 1)])
    began = time.monotonic()
    reader.stall(0.5)
    assert (reader.reading, reader.offer([RawRead(2, EPC, 1, -60, 1)])) == (False, 0)
    asked = client.send(GET_ROSPECS)
    until_silent(client)
    with socket.create_connection(reader.address, timeout=5) as other:
        assert other.recv(10)[0:2] == b"\4\x3f", "greeted when it goes on"
    assert 0.5 <= time.monotonic() - began < 4
    assert client.receive()[:2] == (36, asked), "answered when it goes on"
    assert bytes.fromhex(EPC) in client.until(REPORT), "what it had taken before is told"
    assert reader.reading
    client.until(KEEPALIVE)


def test_half_a_frame_is_the_last_of_a_connection(reader: LlrpReader, client: Any) -> None:
    reader.half_frame()
    data = heard(client)
    at = data.index(struct.pack("!H", 1 << 10 | REPORT))
    size = int.from_bytes(data[at + 2 : at + 6])
    assert len(data) - at == size // 2
    assert NOBODYS_EPC.hex().startswith("deadbeef")
    wait(lambda: not reader.reading)


def test_garbage_comes_between_two_messages(reader: LlrpReader, client: Any) -> None:
    client.until(KEEPALIVE)
    reader.garbage()
    reader.offer([RawRead(1, EPC, 1, -60, 1)])
    reader.stop()
    data = heard(client)
    at = 0
    while int.from_bytes(data[at : at + 2]) in {1 << 10 | kind for kind in (REPORT, KEEPALIVE, EVENT)}:
        at += int.from_bytes(data[at + 2 : at + 6])
    assert 0 <= at <= len(data) - 300
    assert int.from_bytes(data[at + 300 : at + 302]) >> 10 == 1, "in step again"
    reader.start()


def test_the_clock_steps(reader: LlrpReader, client: Any, make_param: Make) -> None:
    client.ask(SET_CONFIG, b"\0" + make_param(244, make_param(245, struct.pack("!HB", 4, 0x80))))
    before = time.time_ns() // 1000
    reader.clock_step(-90.5)
    reader.offer([RawRead(100_000_000, EPC, 1, -60, 1)])
    assert struct.pack("!BQ", 0x82, 9_500_000) in client.until(REPORT)
    client.events.clear()
    reader.exception("now")
    told = int.from_bytes(client.until(EVENT)[8:16])
    assert 0 <= told + 90_500_000 - before < 5_000_000


@pytest.mark.parametrize("half_open", [False, True])
def test_a_reboot_forgets_everything_and_does_not_listen_meanwhile(
    reader: LlrpReader, client: Any, connect: Connect, *, half_open: bool
) -> None:
    assert client.ask(SET_CONFIG, b"\0" + struct.pack("!HHHBB", 225, 8, 1, 0x80, 0))[1] == OK
    reader.antenna(2, on=False)
    reader.gpi(1, on=True)
    reader.reboot(0.2, half_open=half_open)
    assert not reader.reading
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(reader.address, timeout=5)
    if half_open:
        until_silent(client)
    else:
        heard(client)
    wait(lambda: reader._server is not None)
    again = connect(reader)
    assert again.ask(GET_ROSPECS)[2][8:] == b""
    assert again.ask(2, struct.pack("!HBHH", 0, 8, 0, 0))[2][-5:] == bytes(5), "no keepalives"
    assert again.ask(2, struct.pack("!HBHH", 2, 2, 0, 0))[2][12] == 0, "the cable is off as before"
    assert again.ask(2, struct.pack("!HBHH", 0, 9, 1, 0))[2][-2:] == b"\0\1", "the input is high, and not enabled"


def test_a_client_that_goes_and_comes_at_once_is_not_told_that_it_is_there_already(
    reader: LlrpReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the thread that served it has not noticed yet."""
    frames = Link.frames

    def late(link: Link) -> Iterator[Any]:
        yield from frames(link)
        time.sleep(0.1)

    monkeypatch.setattr(Link, "frames", late)
    for _ in range(2):
        with socket.create_connection(reader.address, timeout=5) as client:
            assert client.recv(32, socket.MSG_WAITALL)[-2:] == b"\0\0"


def test_a_reader_that_is_stopped_does_not_come_back(reader: LlrpReader) -> None:
    reader.reboot(0.05)
    reader.stop()
    time.sleep(0.1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(reader.address, timeout=5)
    reader.start()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drop@5", faults.Fault(5, "drop", 0)),
        ("clock_step@1.5", faults.Fault(1.5, "clock_step", 60)),
        ("clock_step:-3600@0", faults.Fault(0, "clock_step", -3600)),
        ("antenna_off:4@2", faults.Fault(2, "antenna_off", 4)),
    ],
)
def test_a_fault_of_the_command_line(reader: LlrpReader, text: str, expected: faults.Fault) -> None:
    assert faults.parse(text, faults.of_reader(reader)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("drop", "NAME"),
        ("@5", "one of drop, stall"),
        ("fire@5", "one of drop, stall"),
        ("drop@", "numbers"),
        ("drop@x", "numbers"),
        ("stall:@5", "numbers"),
        ("drop@-1", "seconds from the start"),
        ("drop@nan", "seconds from the start"),
        ("drop@inf", "seconds from the start"),
        ("stall:-1@5", "does not take -1"),
        ("stall:nan@5", "does not take nan"),
        ("antenna_off:5@5", "does not take 5"),
        ("antenna_off:1.5@5", "does not take 1.5"),
        ("clock_step:1e300@5", "does not take 1e300"),
    ],
)
def test_a_wrong_fault_says_what_was_expected(reader: LlrpReader, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        faults.parse(text, faults.of_reader(reader))


def test_every_fault_can_be_done(reader: LlrpReader, client: Any) -> None:
    client.until(KEEPALIVE)
    for kind in faults.of_reader(reader).values():
        kind.act(0 if kind.value >= 5 else kind.value)


def test_faults_come_in_the_order_of_their_time_within_longer_pauses() -> None:
    done: list[tuple[str, float]] = []
    began = time.monotonic()
    todo = [faults.Fault(0.1, "b", 0), faults.Fault(0.05, "a", 0), faults.Fault(9, "never", 0)]

    def over(seconds: float) -> bool:
        time.sleep(seconds)
        return time.monotonic() - began > 0.3

    pause = faults.between(over, todo, lambda fault: done.append((fault.name, time.monotonic() - began)))
    assert not pause(0.2)
    assert [name for name, _ in done] == ["a", "b"]
    assert all(at >= wanted for (_, at), wanted in zip(done, (0.05, 0.1), strict=True))
    assert not pause(0.05)
    assert pause(0.2)
