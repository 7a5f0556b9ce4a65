"""One GT06 connection: who it is, what is answered, and what becomes of packets that cannot be read."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.driver import BadFrame
from edge.drivers.conversation import Heard
from edge.drivers.gt06_conversation import Gt06Conversation, Habits, identity, zone
from models.reading import DeviceEvent, Fix
from tests.edge.drivers.gt06_client import AT, CELL, IMEI, clock, location, login, packet, place

RECEIVED_AT = datetime(2026, 11, 26, 8, tzinfo=UTC)
DEVICE = f"imei:{IMEI}"


PLAIN = Habits()


def told(sent: bytes, habits: Habits = PLAIN) -> list[Heard]:
    conversation = Gt06Conversation(habits)
    conversation.feed(sent)
    found: list[Heard] = []
    while (heard := conversation.next(RECEIVED_AT)) is not None:
        found.append(heard)
    assert not conversation.begun
    return found


def test_a_login_and_a_location() -> None:
    first, second = told(login(serial=5) + location(0, 6))
    assert first == Heard(DEVICE, answer=packet(0x01, b"", 5))
    assert (second.tracker, second.wrong, second.answer) == (None, (), packet(0x22, b"", 6))
    assert {each.device for each in second.said} == {DEVICE}


def test_it_may_log_in_again() -> None:
    assert [heard.tracker for heard in told(login() + login(serial=2) + location())] == [DEVICE, DEVICE, None]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("0353413532150362", "imei:353413532150362"),
        ("03534135321503622200", "imei:353413532150362"),
        ("035341353215036222000320", "imei:353413532150362"),
        ("1353413532150362", "id:1353413532150362"),
        ("0000000000000000", ""),
    ],
)
def test_identities(content: str, name: str) -> None:
    assert identity(bytes.fromhex(content)) == name


@pytest.mark.parametrize("content", ["", "03534135321503", "035341353215036f"])
def test_what_is_no_identity(content: str) -> None:
    with pytest.raises(BadFrame, match="16 digits in 8 bytes expected"):
        identity(bytes.fromhex(content))


@pytest.mark.parametrize(
    ("text", "minutes"), [("3200", 480), ("4dd8", -765), ("1900", 240), ("2120", 330), ("0000", 0), ("", 0), ("32", 0)]
)
def test_the_zone_of_a_login(text: str, minutes: int) -> None:
    assert zone(bytes(10) + bytes.fromhex(text)) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("ahead", "minutes"), [(timedelta(), 0), (None, 480), (timedelta(hours=-3), -180)], ids=["utc", "login", "-03:00"]
)
def test_whose_clock_it_is(ahead: timedelta | None, minutes: int) -> None:
    _, heard = told(login(zone="3200") + location(), Habits(ahead=ahead))
    assert {each.at for each in heard.said} == {AT - timedelta(minutes=minutes)}


def test_what_can_never_be_read_is_kept_and_answered() -> None:
    bad = clock().replace(b"\x0b", b"\x0d") + place() + CELL
    _, heard = told(login() + packet(0x22, bad, 9))
    [event] = heard.said
    assert isinstance(event, DeviceEvent)
    assert (event.device, event.name, event.at) == (DEVICE, "bad_reading", RECEIVED_AT)
    assert f"22 {bad.hex()}" in str(event.detail)
    assert heard.answer == packet(0x22, b"", 9)
    [why] = heard.wrong
    assert why.startswith("type 0x22: time: a date expected")


def test_of_a_type_that_is_not_known_the_first_is_kept_and_every_one_counted() -> None:
    found = told(login() + packet(0x77, b"a", 2) + packet(0x77, b"b", 3) + packet(0x78, b"c", 4))
    assert [len(heard.said) for heard in found] == [0, 1, 0, 1]
    assert [len(heard.wrong) for heard in found] == [0, 1, 1, 1]
    assert [heard.answer for heard in found[1:]] == [
        packet(kind, b"", n) for kind, n in ((0x77, 2), (0x77, 3), (0x78, 4))
    ]


def test_every_bad_packet_of_a_known_type_is_kept() -> None:
    found = told(login() + packet(0x22, b"a", 2) + packet(0x22, b"b", 3))
    assert [len(heard.said) for heard in found] == [0, 1, 1]


def test_a_type_is_another_one_with_the_other_mark() -> None:
    found = told(login() + packet(0x22, b"a", 2) + packet(0x22, b"b", 3, long=True) + packet(0x77, b"c", 4))
    found += told(login() + packet(0x77, b"c", 4, long=True) + packet(0x77, b"d", 5))
    assert [len(heard.said) for heard in found] == [0, 1, 1, 1, 0, 1, 1]


SOS = bytes(10) + b"\x02\x04\x04\x01\x02"
"""A cell and a state with the alert: without a time."""


def test_an_alarm_without_a_time_that_is_sent_again_is_the_same_one() -> None:
    talk = Gt06Conversation(PLAIN)

    def told_of(content: bytes, serial: int, after_s: int) -> float:
        """How many seconds after the login its readings are of."""
        talk.feed(packet(0xA5, content, serial))
        heard = talk.next(RECEIVED_AT + timedelta(seconds=after_s))
        assert heard is not None
        assert (heard.answer, len(heard.said)) == (packet(0xA5, b"", serial), 6)
        [at] = {each.at for each in heard.said}
        return (at - RECEIVED_AT).total_seconds()

    talk.feed(login())
    talk.next(RECEIVED_AT)
    assert [told_of(SOS, 7, after_s) for after_s in (0, 5, 30)] == [0, 0, 0]
    assert [told_of(SOS, 7, after_s) for after_s in (31, 61, 62)] == [31, 31, 62], "some never count"
    assert [told_of(SOS, 8, 63), told_of(SOS[:-1] + b"\1", 8, 64)] == [63, 64], "another serial number, another content"
    assert told_of(SOS[:-1] + b"\1", 8, -3000) == -3000, "a clock that is set back holds nothing up"


def test_garbage_is_counted_and_not_answered() -> None:
    found = told(login() + location()[:-1] + location(1, 2))
    assert [(bool(heard.wrong), bool(heard.answer)) for heard in found] == [(False, True), (True, False), (False, True)]
    assert isinstance(found[2].said[0], Fix)


def test_a_packet_that_has_begun() -> None:
    conversation = Gt06Conversation(Habits())
    assert not conversation.begun
    conversation.feed(login()[:7])
    assert conversation.next(RECEIVED_AT) is None
    assert conversation.begun


def test_a_clock_request_is_answered_with_the_time() -> None:
    _, heard = told(login() + packet(0x8A, b"", 6))
    assert heard.answer == packet(0x8A, bytes.fromhex("1a0b1a080000"), 6)


def test_a_watch() -> None:
    sent = "78780d010359339075005244340d0a" + "7878121011091c0b1b2999058508040097a89e0034520d0a"
    first, second = told(bytes.fromhex(sent), Habits(unchecked=True))
    assert (first.tracker, first.answer.hex()) == ("imei:359339075005244", "787801010d0a")
    assert second.answer.hex() == "7878001011091c0b1b290d0a"
    assert len(second.said) == 1
