"""A gateway's status in the book."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from backend.api.queries.intake import gateways
from backend.book import derived
from backend.book.db import read, write
from backend.book.schema import changed, event, gateway, quarantine, refused_count, stream
from backend.book.status import MAX_STREAMS
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
    b'{"online":true,"streams":[{"epoch":"AAAAAAAAAAAA","next_seq":1,"outbox_depth":1' + b"0" * 400 + b"}]}",
    b'{"online":true,"devices":[{"name":"x","state":"reading","since":"9999-12-31T23:59:59-14:00"}]}',
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


def listed_oldest(yard: Yard) -> dict[str, int | None]:
    return {row["epoch"]: row["listed_oldest"] for row in yard.rows(stream)}


def complete_to(yard: Yard) -> int:
    with read(yard.book) as tx:
        return derived.complete_to(tx, yard.clock.now)


def test_a_stream_that_is_listed_no_more_holds_nothing_back(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + 3600 * SECOND
    one, two = wire.Stream("A" * 12, 41, 7, AT), wire.Stream("B" * 12, 9, 8, from_micros(MIDNIGHT + SECOND))
    tell(yard, wire.encode(wire.Status(online=True, streams=[one, two])))
    assert complete_to(yard) == MIDNIGHT
    tell(yard, wire.encode(wire.Status(online=True, streams=[two])))
    assert complete_to(yard) == MIDNIGHT + SECOND
    tell(yard, b'{"online":false}')
    assert complete_to(yard) == MIDNIGHT + SECOND, "offline, the outbox still has them"
    tell(yard, wire.encode(wire.Status(online=True)))
    assert complete_to(yard) == yard.clock.now
    assert {row["listed_next_seq"] for row in yard.rows(stream)} == {41, 9}, "the alert of a lost outbox needs it"


def test_what_waits_is_never_more_than_what_is_above_the_mark(yard: Yard) -> None:
    yard.send([Input("eye", from_micros(MIDNIGHT + k), "photo_eye", on=True) for k in range(8)], "A" * 12)
    tell(yard, wire.encode(wire.Status(online=True, streams=[wire.Stream("A" * 12, 9, 8, AT)])))
    assert listed_oldest(yard) == {"A" * 12: None}
    tell(yard, wire.encode(wire.Status(online=True, streams=[wire.Stream("A" * 12, 12, 5, AT)])))
    assert listed_oldest(yard) == {"A" * 12: MIDNIGHT}
    with read(yard.book) as tx:
        (shown,) = gateways(tx)[0].streams
    assert (shown.outbox_depth, shown.oldest_unreceipted) == (3, AT)
    readings = [Input("eye", from_micros(MIDNIGHT + SECOND + k), "photo_eye", on=True) for k in range(3)]
    yard.send(readings, "A" * 12)
    with read(yard.book) as tx:
        (shown,) = gateways(tx)[0].streams
    assert (shown.outbox_depth, shown.oldest_unreceipted) == (0, None)
    assert complete_to(yard) == yard.clock.now


def test_statuses_cannot_fill_the_book_with_streams(yard: Yard) -> None:
    for first in range(0, 900, 300):
        listed = [wire.Stream(f"{n:012}", 5, 4, AT) for n in range(first, first + 300)]
        tell(yard, wire.encode(wire.Status(online=True, streams=listed)))
    assert len(yard.rows(stream)) == MAX_STREAMS
    (counted,) = yard.rows(refused_count)
    assert (counted["sort"], counted["count"]) == ("stream", 100 + 2 * 300)


def test_an_epoch_without_a_reading_has_no_row_and_one_with_them_has(yard: Yard) -> None:
    listed = [wire.Stream("A" * 12, 1, 0), wire.Stream("B" * 12, 2, 1, AT)]
    tell(yard, wire.encode(wire.Status(online=True, streams=listed)))
    assert listed_oldest(yard) == {"B" * 12: MIDNIGHT}


def test_a_kept_status_that_cannot_be_read_any_more_says_nothing(yard: Yard) -> None:
    tell(yard, wire.encode(wire.Status(online=True, devices=[DOOR])))
    with write(yard.book) as tx:
        tx.execute(update(gateway).values(status=b'{"online":true,"devices":7}'))
    with read(yard.book) as tx:
        assert gateways(tx)[0].devices == []
    tell(yard, wire.encode(wire.Status(online=True, devices=[DOOR])))
    assert len(told(yard)) == 2
