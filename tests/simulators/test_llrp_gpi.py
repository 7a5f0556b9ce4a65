"""Inputs, antennas and other events: what the reader tells, and what starts and stops its radio."""

import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from sllurp.llrp import LLRPMessage

from simulators.devices.llrp import LlrpReader, RawRead, Telling

ADD, DELETE, START, ENABLE, GET_REPORT = 20, 21, 22, 24, 60
GET_CONFIG, SET_CONFIG = 2, 3
OK, PARAMETER, FIELD, MISSING = 0, 100, 101, 103
GPI, ROSPEC, BUFFER, EXCEPTION, AISPEC, ANTENNA = 1, 2, 3, 4, 6, 8
EPC = "30564522a461aa8000001a85"
ONE = struct.pack("!I", 1)
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


def events(client: Any, since: int = 0) -> list[dict[str, Any]]:
    """The parameters of the notifications as sllurp reads them, without their times."""
    found: list[dict[str, Any]] = []
    for body in client.events[since:]:
        frame = struct.pack("!HII", 1 << 10 | 63, 10 + len(body), 1) + body
        data = dict(LLRPMessage(msgbytes=frame).msgdict["READER_EVENT_NOTIFICATION"]["ReaderEventNotificationData"])
        assert data.pop("UTCTimestamp")["Microseconds"] > 1_700_000_000_000_000
        found.append(data)
    return found


@pytest.fixture
def watching(reader: LlrpReader, connect: Connect, make_param: Make) -> Any:
    """A client that asked for the events of a test; inputs 1 and 2 are enabled."""

    def made(*kinds: int, ports: tuple[int, ...] = (1, 2)) -> Any:
        client = connect(reader)
        states = b"".join(make_param(245, struct.pack("!HB", kind, 0x80)) for kind in kinds)
        enabled = b"".join(make_param(225, struct.pack("!HBB", port, 0x80, 0)) for port in ports)
        assert client.ask(SET_CONFIG, b"\0" + make_param(244, states) + enabled)[1] == OK
        client.events.clear()
        return client

    return made


def settled(client: Any) -> None:
    """What the reader said before is received: it answers in order."""
    assert client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 8, 0, 0))[1] == OK


def test_a_change_of_an_enabled_input_is_told(reader: LlrpReader, watching: Any) -> None:
    client = watching(GPI)
    for port, on in ((1, True), (1, True), (1, False), (3, True), (2, True)):
        reader.gpi(port, on=on)
    settled(client)
    told = [(each["GPIEvent"]["GPIPortNumber"], each["GPIEvent"]["GPIEvent"]) for each in events(client)]
    assert told == [(1, True), (1, False), (2, True)], "3 is not enabled; on again is no change"
    with pytest.raises(ValueError, match="1-4 expected, got 5"):
        reader.gpi(5, on=True)


def test_inputs_and_outputs_are_shown_in_the_configuration(reader: LlrpReader, watching: Any, make_param: Make) -> None:
    client = watching(ports=(2,))
    reader.gpi(1, on=True)
    reader.gpi(2, on=False)
    shown = client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 9, 0, 0))[2][8:]
    states = [struct.unpack_from("!HHHBB", shown, at)[2:] for at in range(0, len(shown), 8)]
    assert states == [(1, 0, 1), (2, 0x80, 0), (3, 0, 2), (4, 0, 2)], "high, low and unknown"
    assert len(client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 9, 2, 0))[2][8:]) == 8
    assert client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 9, 5, 0))[1] == FIELD
    assert client.ask(SET_CONFIG, b"\0" + make_param(219, struct.pack("!HB", 4, 0x80)))[1] == OK
    outputs = client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 10, 0, 4))[2][8:]
    assert outputs == struct.pack("!HHHB", 219, 7, 4, 0x80)
    assert client.ask(SET_CONFIG, b"\0" + make_param(225, struct.pack("!HBB", 9, 0x80, 0)))[1] == FIELD


def test_an_input_starts_and_stops_the_radio(
    reader: LlrpReader, watching: Any, make_rospec: Make, make_param: Make
) -> None:
    client = watching(ROSPEC)
    start = b"\3" + make_param(181, struct.pack("!HBI", 1, 0x80, 0))
    stop = b"\2" + bytes(4) + make_param(181, struct.pack("!HBI", 1, 0, 0))
    assert client.ask(ADD, make_rospec(start=start, stop=stop))[1] == OK
    reader.gpi(1, on=True)
    assert not reader.reading, "disabled"
    assert client.ask(ENABLE, ONE)[1] == OK
    assert not reader.reading, "a state that lasts is no event"
    for on in (False, True):
        reader.gpi(1, on=on)
    assert reader.reading
    assert reader.offer([RawRead(1, EPC, 1, -60, 1)]) == 1
    reader.gpi(1, on=False)
    assert (reader.reading, reader.offer([RawRead(1, EPC, 1, -60, 1)])) == (False, 0)
    reader.gpi(1, on=True)
    settled(client)
    assert [each["ROSpecEvent"]["EventType"] for each in events(client)] == [
        "Start_of_ROSpec",
        "End_of_ROSpec",
        "Start_of_ROSpec",
    ]
    assert len(client.reports) == 1, "what was read is told at the end"


def test_a_stop_by_input_may_time_out(reader: LlrpReader, watching: Any, make_rospec: Make, make_param: Make) -> None:
    client = watching(ROSPEC, ports=())
    stop = b"\2" + bytes(4) + make_param(181, struct.pack("!HBI", 1, 0, 80))
    began = time.monotonic()
    for kind, body in ((ADD, make_rospec(stop=stop)), (ENABLE, ONE), (START, ONE)):
        assert client.ask(kind, body)[1] == OK
    client.until(63)
    reader.gpi(1, on=True)
    reader.gpi(1, on=False)
    assert reader.reading, "an input that is not enabled stops nothing"
    client.until(63)
    assert 0.07 < time.monotonic() - began < 2
    assert not reader.reading


@pytest.mark.parametrize("case", [(0, PARAMETER), (5, PARAMETER), (None, MISSING)])
def test_a_trigger_without_such_an_input_is_refused(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make, case: tuple[int | None, int]
) -> None:
    port, found = case
    trigger = b"" if port is None else make_param(181, struct.pack("!HBI", port, 0x80, 0))
    client = connect(reader)
    assert client.ask(ADD, make_rospec(start=b"\3" + trigger))[1] == found
    assert client.ask(ADD, make_rospec(stop=b"\2" + bytes(4) + trigger))[1] == found


def test_an_antenna_that_is_off_is_told_and_hears_nothing(reader: LlrpReader, watching: Any, make_rospec: Make) -> None:
    client = watching(ANTENNA)
    for kind, body in ((ADD, make_rospec()), (ENABLE, ONE), (START, ONE)):
        assert client.ask(kind, body)[1] == OK
    reader.antenna(2, on=False)
    reader.antenna(2, on=False)
    assert reader.offer([RawRead(1, EPC, antenna, -60, 1) for antenna in (1, 2)]) == 1
    shown = client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 2, 0, 0))[2][8:]
    assert [shown[at + 4] for at in range(0, len(shown), 9)] == [0x80, 0, 0x80, 0x80]
    reader.antenna(2, on=True)
    assert reader.offer([RawRead(1, EPC, 2, -60, 1)]) == 1
    settled(client)
    told = [each["AntennaEvent"] for each in events(client)]
    assert [(each["AntennaID"], each["EventType"]) for each in told] == [(2, "Disconnected"), (2, "Connected")]
    with pytest.raises(ValueError, match="1-4 expected, got 9"):
        reader.antenna(9, on=False)


def test_a_buffer_warns_once_and_says_once_that_it_overflowed(
    make_reader: Callable[..., LlrpReader], connect: Connect, make_rospec: Make, make_param: Make
) -> None:
    reader = make_reader(telling=Telling(max_pending=10))
    client = connect(reader)
    client.ask(SET_CONFIG, b"\0" + make_param(244, make_param(245, struct.pack("!HB", BUFFER, 0x80))))
    for kind, body in ((ADD, make_rospec(report=(0, 0, 0xFFC0, 0))), (ENABLE, ONE), (START, ONE)):
        assert client.ask(kind, body)[1] == OK
    client.events.clear()
    reads = [RawRead(1, f"{number:024x}", 1, -60, 1) for number in range(12)]
    for _ in range(2):
        assert [reader.offer([read]) for read in reads] == [1] * 10 + [0] * 2
        client.send(GET_REPORT)
        client.until(61)
        assert len(events(client)) == 2
        assert events(client)[0]["ReportBufferLevelWarning"] == {"ReportBufferPercentageFull": 80}
        assert "ReportBufferOverflowErrorEvent" in events(client)[1]
        client.events.clear()
        assert reader.offer([RawRead(1, EPC, 1, -60, 1)]) == 1, "there is room again"
        client.send(GET_REPORT)
        client.until(61)


def test_an_exception_is_told_to_who_asked(reader: LlrpReader, watching: Any) -> None:
    client = watching(EXCEPTION)
    reader.exception("too hot")
    settled(client)
    assert [each["ReaderExceptionEvent"]["Message"] for each in events(client)] == [b"too hot"]


def test_events_that_were_not_asked_for_are_not_told(reader: LlrpReader, watching: Any, make_rospec: Make) -> None:
    client = watching()
    reader.exception("too hot")
    reader.antenna(1, on=False)
    reader.gpi(1, on=True)
    for kind, body in ((ADD, make_rospec()), (ENABLE, ONE), (START, ONE)):
        assert client.ask(kind, body)[1] == OK
    settled(client)
    assert client.events == []
