"""The reader's protocol: what it answers, and that nothing ends it."""

import struct
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sllurp.llrp import LLRPMessage

from simulators.devices import llrp_server
from simulators.devices.llrp import LlrpReader, RawRead

ADD, DELETE, START, STOP, ENABLE, DISABLE, GET_ROSPECS = range(20, 27)
CAPABILITIES, GET_CONFIG, SET_CONFIG, CLOSE, GET_REPORT, ENABLE_EVENTS, ACK = 1, 2, 3, 14, 60, 64, 72
OK, PARAMETER, FIELD, MISSING, OVERFLOW, BAD_MESSAGE, BAD_VERSION = 0, 100, 101, 103, 105, 109, 110
EPC = "30564522a461aa8000001a85"
ONE = struct.pack("!I", 1)
DISABLED, INACTIVE, ACTIVE = 0, 1, 2
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


def decoded(kind: int, body: bytes) -> dict[str, Any]:
    """A message's fields as sllurp reads them: a codec that is not ours."""
    frame = struct.pack("!HII", 1 << 10 | kind, 10 + len(body), 1) + body
    return next(iter(LLRPMessage(msgbytes=frame).msgdict.values()))


def start(client: Any, rospec: bytes) -> None:
    assert [client.ask(kind, body)[1] for kind, body in ((ADD, rospec), (ENABLE, ONE), (START, ONE))] == [OK] * 3


def wait(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.01)


def test_one_client_is_served_and_a_second_is_told_why_not(reader: LlrpReader, connect: Connect) -> None:
    first = connect(reader)
    assert decoded(63, first.events[0])["ReaderEventNotificationData"]["ConnectionAttemptEvent"]["Status"] == "Success"
    second = connect(reader)
    status = decoded(63, second.events[0])["ReaderEventNotificationData"]["ConnectionAttemptEvent"]["Status"]
    assert status == "Failed (a Client initiated connection already exists)"
    assert second.receive() is None
    assert first.ask(CAPABILITIES, b"\0")[:2] == (11, OK)


def test_capabilities_are_what_a_client_reads(reader: LlrpReader, connect: Connect) -> None:
    client = connect(reader)
    whole = decoded(11, client.ask(CAPABILITIES, b"\0")[2])
    assert whole["GeneralDeviceCapabilities"]["MaxNumberOfAntennaSupported"] == 4
    band = whole["RegulatoryCapabilities"]["UHFBandCapabilities"]
    assert [entry["TransmitPowerValue"] for entry in band["TransmitPowerLevelTableEntry"]][-1] == 3000
    hops = band["FrequencyInformation"]["FrequencyHopTable"][0]
    assert (hops["NumHops"], hops["Frequency"][0], hops["Frequency"][-1]) == (50, 902_750, 927_250)
    assert len(band["UHFC1G2RFModeTable"]["UHFC1G2RFModeTableEntry"]) == 2
    parts = [client.ask(CAPABILITIES, bytes([item]))[2][8:] for item in (1, 2, 3, 4)]
    assert client.ask(CAPABILITIES, b"\0")[2][8:] == b"".join(parts)
    assert client.ask(CAPABILITIES, b"\5")[1] == FIELD
    assert client.ask(CAPABILITIES)[1] == PARAMETER


def test_configuration_is_kept_shown_and_reset(reader: LlrpReader, connect: Connect, make_param: Make) -> None:
    client = connect(reader)
    keepalive = make_param(220, struct.pack("!BI", 1, 60_000))
    events = make_param(244, make_param(245, struct.pack("!HB", 2, 0x80)))
    power = make_param(222, struct.pack("!H", 0) + make_param(224, struct.pack("!HHH", 1, 1, 33)))
    assert client.ask(SET_CONFIG, b"\0" + keepalive + events + power + make_param(226, b"\x80"))[1] == OK
    shown = decoded(12, client.ask(GET_CONFIG, bytes(7))[2])
    assert shown["KeepaliveSpec"]["TimeInterval"] == 60_000
    assert {each["RFTransmitter"]["TransmitPower"] for each in shown["AntennaConfiguration"]} == {33}
    assert [each["AntennaID"] for each in shown["AntennaConfiguration"]] == [1, 2, 3, 4]
    assert keepalive in client.ask(GET_CONFIG, struct.pack("!HBHH", 0, 8, 0, 0))[2]
    assert client.ask(GET_CONFIG, struct.pack("!HBHH", 9, 0, 0, 0))[1] == FIELD
    assert client.ask(SET_CONFIG, b"\x80")[1] == OK
    assert decoded(12, client.ask(GET_CONFIG, bytes(7))[2])["KeepaliveSpec"]["TimeInterval"] == 0


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], (OK, DISABLED)),
        ([ENABLE], (OK, INACTIVE)),
        ([ENABLE, ENABLE], (OK, INACTIVE)),
        ([ENABLE, START], (OK, ACTIVE)),
        ([ENABLE, START, START], (OK, ACTIVE)),
        ([ENABLE, START, STOP], (OK, INACTIVE)),
        ([ENABLE, START, DISABLE], (OK, DISABLED)),
        ([START], (FIELD, DISABLED)),
        ([STOP], (FIELD, DISABLED)),
        ([ENABLE, START, DISABLE, START], (FIELD, DISABLED)),
        ([DELETE], (OK, None)),
        ([ENABLE, START, DELETE], (OK, None)),
        ([DELETE, ENABLE], (FIELD, None)),
        ([DELETE, DELETE], (FIELD, None)),
    ],
)
def test_rospec_states(
    reader: LlrpReader, connect: Connect, make_rospec: Make, steps: list[int], expected: tuple[int, int | None]
) -> None:
    status, state = expected
    client = connect(reader)
    assert client.ask(ADD, make_rospec())[1] == OK
    assert [client.ask(step, ONE)[1] for step in steps][-1:] == ([status] if steps else [])
    held = client.ask(GET_ROSPECS)[2][8:]
    assert (held[9] if held else None) == state
    assert reader.reading is (state == ACTIVE)


def test_zero_means_all_rospecs_but_for_start(reader: LlrpReader, connect: Connect, make_rospec: Make) -> None:
    client = connect(reader)
    assert client.ask(DELETE, bytes(4))[1] == OK
    assert client.ask(ADD, make_rospec())[1] == OK
    assert client.ask(ENABLE, bytes(4))[1] == OK
    assert client.ask(START, bytes(4))[1] == FIELD
    assert client.ask(DELETE, bytes(4))[1] == OK
    assert client.ask(GET_ROSPECS)[2][8:] == b""


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ({"number": 0}, PARAMETER),
        ({"state": 1}, PARAMETER),
        ({"antennas": (9,)}, PARAMETER),
        ({"antennas": ()}, MISSING),
        ({"start": b"\3"}, MISSING),
        ({"start": b"\4"}, PARAMETER),
        ({"stop": b"\2" + bytes(4)}, MISSING),
        ({"stop": b"\3" + bytes(4)}, PARAMETER),
        ({"stop": b"\0"}, PARAMETER),
    ],
)
def test_a_wrong_rospec_is_refused(
    reader: LlrpReader, connect: Connect, make_rospec: Make, rest: dict[str, Any], status: int
) -> None:
    client = connect(reader)
    assert client.ask(ADD, make_rospec(**rest))[1] == status
    assert client.ask(GET_ROSPECS)[2][8:] == b""


def test_a_rospec_too_many_or_cut_short(reader: LlrpReader, connect: Connect, make_rospec: Make) -> None:
    client = connect(reader)
    assert client.ask(ADD, make_rospec(1))[1] == OK
    assert client.ask(ADD, make_rospec(1))[1] == PARAMETER
    assert client.ask(ADD, make_rospec(2))[1] == OVERFLOW
    assert client.ask(ADD, b"")[1] == MISSING
    assert client.ask(ADD, make_rospec(3)[:-1])[1] == PARAMETER


def test_access_specs_are_held_and_listed(reader: LlrpReader, connect: Connect, make_param: Make) -> None:
    client = connect(reader)
    spec = make_param(207, struct.pack("!IHBBI", 7, 0, 1, 0, 0))
    seven = struct.pack("!I", 7)
    assert [client.ask(40, spec)[1], client.ask(40, spec)[1], client.ask(42, seven)[1]] == [OK, FIELD, OK]
    assert client.ask(44)[2][8:] == spec[:11] + b"\x80" + spec[12:]
    assert [client.ask(43, seven)[1], client.ask(44)[2][8:] == spec] == [OK, True]
    assert [client.ask(41, bytes(4))[1], client.ask(41, seven)[1], client.ask(44)[2][8:]] == [OK, FIELD, b""]


@pytest.mark.parametrize("kind", [500, 1023, 61])
def test_an_unknown_message_is_answered_with_an_error(reader: LlrpReader, connect: Connect, kind: int) -> None:
    client = connect(reader)
    assert client.ask(kind, bytes(5))[:2] == (100, BAD_MESSAGE)
    assert client.ask(CAPABILITIES, b"\0", 2)[:2] == (100, BAD_VERSION)
    assert client.ask(CAPABILITIES, b"\0")[:2] == (11, OK)


def test_triggers_start_and_stop_a_rospec_and_tell_it(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make
) -> None:
    client = connect(reader)
    client.ask(SET_CONFIG, b"\0" + make_param(244, make_param(245, struct.pack("!HB", 2, 0x80))))
    periodic = b"\2" + make_param(180, struct.pack("!II", 30, 200))
    assert client.ask(ADD, make_rospec(start=periodic, stop=struct.pack("!BI", 1, 60)))[1] == OK
    assert client.ask(ENABLE, ONE)[1] == OK
    began = time.monotonic()
    for _ in range(4):
        client.until(63)
    kinds = [decoded(63, each)["ReaderEventNotificationData"]["ROSpecEvent"]["EventType"] for each in client.events[1:]]
    assert kinds == ["Start_of_ROSpec", "End_of_ROSpec"] * 2
    assert 0.25 < time.monotonic() - began < 2
    client.ask(DELETE, bytes(4))
    assert client.ask(ADD, make_rospec(start=b"\1"))[1] == OK
    assert client.ask(ENABLE, ONE)[1] == OK
    assert reader.reading


def test_keepalives_come_and_a_silent_client_is_dropped(
    reader: LlrpReader, connect: Connect, make_param: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llrp_server, "SHORTEST_SILENCE_S", 0.3)
    client = connect(reader)
    assert client.ask(SET_CONFIG, b"\0" + make_param(220, struct.pack("!BI", 1, 50)))[1] == OK
    for _ in range(10):
        client.until(62)
        client.send(ACK)
    silent = time.monotonic()
    while client.receive():
        pass
    assert 0.2 < time.monotonic() - silent < 3
    assert client.keepalives > 10
    wait(lambda: reader._link is None)
    assert connect(reader).ask(CAPABILITIES, b"\0")[1] == OK


def test_closing_from_either_side(reader: LlrpReader, connect: Connect, make_rospec: Make) -> None:
    client = connect(reader)
    start(client, make_rospec())
    assert client.ask(CLOSE)[:2] == (4, OK)
    assert client.receive() is None
    wait(lambda: not reader.reading)
    again = connect(reader)
    assert reader.reading, "a ROSpec outlives the connection"
    reader.stop()
    assert "ConnectionCloseEvent" in decoded(63, again.until(63))["ReaderEventNotificationData"]
    assert again.receive() is None
    reader.start()
    assert connect(reader).ask(CAPABILITIES, b"\0")[1] == OK


def garbage(chance: Random, valid: bytes) -> tuple[int, bytes]:
    """A well-framed message of a random type, with random or damaged content."""
    kind = chance.choice([*range(1, 4), *range(20, 27), *range(40, 45), 60, 62, 64, 72, 100, chance.randrange(1024)])
    if chance.random() < 0.5:
        return kind, chance.randbytes(chance.randrange(64))
    body = bytearray(valid)
    for _ in range(chance.randint(1, 4)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return chance.choice([ADD, SET_CONFIG]), bytes(body[: chance.randint(1, len(body))])


def test_a_thousand_garbage_frames_and_the_next_client_is_served(
    reader: LlrpReader, connect: Connect, make_rospec: Make
) -> None:
    chance = Random(7)
    client = connect(reader)
    for number in range(1000):
        kind, body = garbage(chance, make_rospec(report=(1, 0, 0, 0xC0)))
        client.send(kind, body, 1 if chance.random() < 0.9 else chance.randrange(8))
        if number % 50 == 49:
            try:
                assert client.ask(CAPABILITIES, b"\2")[:2] == (11, OK)
            except ConnectionError:
                wait(lambda: reader._link is None)
                client = connect(reader)
    for _ in range(50):
        client.socket.sendall(chance.randbytes(200))
        client.close()
        wait(lambda: reader._link is None)
        client = connect(reader)
    for length in (0, 9, 1 << 31):
        client.socket.sendall(struct.pack("!HII", 1 << 10 | 1, length, 1))
        assert client.until(100)
        assert client.receive() is None
        wait(lambda: reader._link is None)
        client = connect(reader)
    client.ask(DELETE, bytes(4))
    client.ask(SET_CONFIG, b"\x80")
    start(client, make_rospec())
    assert reader.offer([RawRead(1, EPC, 1, -60, 1)]) == 1
    assert decoded(61, client.until(61))["TagReportData"][0]["EPC-96"].decode() == EPC
