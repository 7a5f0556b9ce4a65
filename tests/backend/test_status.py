"""A gateway's status in the book."""

from typing import Any

import msgspec
import pytest

from backend.book.schema import changed, event, gateway, quarantine, stream
from backend.ingest import Message
from models import wire
from models.reading import Input, from_micros, micros
from tests.backend.books import SECOND, Yard
from tests.backend.stories import MIDNIGHT

AT = from_micros(MIDNIGHT)
DOOR = wire.DeviceState("door-1", "reading", AT, 9, 0)
TOPIC = wire.topic("dock-a", "status")


def tell(yard: Yard, *payloads: bytes) -> None:
    assert not yard.ingest.take([Message(TOPIC, payload) for payload in payloads]).receipts


def told(yard: Yard) -> list[Any]:
    return [msgspec.json.decode(row["body"]) for row in yard.rows(event) if row["kind"] == "gateway"]


def test_a_status_is_kept_and_its_streams_are_listed(yard: Yard) -> None:
    listed = [wire.Stream("A" * 12, 41, 7, AT), wire.Stream("B" * 12, 9, 0)]
    payload = wire.encode(wire.Status(online=True, version="1", streams=listed, devices=[DOOR]))
    yard.send([Input("eye", AT, "photo_eye", on=True)], "A" * 12)
    tell(yard, payload)
    (row,) = yard.rows(gateway)
    assert (row["name"], row["online"], row["last_seen"], row["status"]) == ("dock-a", True, yard.clock.now, payload)
    streams = [(r["epoch"], r["mark"], r["listed_next_seq"], r["listed_oldest"]) for r in yard.rows(stream)]
    assert streams == [("A" * 12, 1, 41, micros(AT)), ("B" * 12, 0, 9, None)]
    assert {r["listed_at"] for r in yard.rows(stream)} == {yard.clock.now}
    assert told(yard) == [{"name": "dock-a", "online": True}]
    assert "gateway:dock-a" in {row["subject"] for row in yard.rows(changed)}


def test_the_last_will_keeps_what_was_known(yard: Yard) -> None:
    payload = wire.encode(wire.Status(online=True, devices=[DOOR]))
    tell(yard, payload)
    yard.clock.now += SECOND
    tell(yard, b'{"online":false}')
    (row,) = yard.rows(gateway)
    assert (row["online"], row["status"], row["last_seen"]) == (False, payload, yard.clock.now)
    assert [each["online"] for each in told(yard)] == [True, False]


def test_only_a_change_is_an_event(yard: Yard) -> None:
    lost = msgspec.structs.replace(DOOR, state="lost")
    more = msgspec.structs.replace(DOOR, readings=10)
    for device in (DOOR, more, DOOR, lost, lost):
        tell(yard, wire.encode(wire.Status(online=True, devices=[device])))
    assert len(told(yard)) == 2


BAD = [
    b"",
    b"null",
    b"{}",
    b'{"online":1}',
    b'{"online":true,"streams":[{"epoch":"short","next_seq":1,"outbox_depth":0}]}',
    b'{"online":true,"streams":[{"epoch":"AAAAAAAAAAAA\\n","next_seq":1,"outbox_depth":0}]}',
    b'{"online":true,"devices":[{"name":"x","state":"reading","since":"now"}]}',
    b'{"online":true,"version":"' + b"x" * (1 << 20) + b'"}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("payload", BAD)
def test_a_bad_status_is_kept_as_unreadable_and_changes_nothing(payload: bytes, yard: Yard) -> None:
    good = wire.encode(wire.Status(online=True, devices=[DOOR]))
    tell(yard, good, payload)
    (row,) = yard.rows(gateway)
    assert (row["online"], row["status"]) == (True, good)
    (kept,) = yard.rows(quarantine)
    assert (kept["sort"], kept["gateway"]) == ("envelope", "dock-a")
    assert kept["reason"].startswith("status: ")
    assert len(kept["body"]) <= 200_000
