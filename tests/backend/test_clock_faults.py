"""Readings from the future: a clock is wrong, and they must not make a key wait for that time."""

import pytest

from backend.book.schema import journal, quarantine
from backend.scans import ApiScans
from backend.verify import verify
from models import wire
from models.errors import BadReading
from models.reading import Input, Scan, from_micros
from tests.backend.books import DAY, Yard, batch

EPOCH = "7Q2M0X9KD4TB"


def eye(at: int) -> bytes:
    return wire.encode(Input("eye", from_micros(at), "photo_eye", on=True))


def test_a_reading_dated_more_than_a_day_after_its_receipt_is_invalid(yard: Yard) -> None:
    texts = [eye(yard.clock.now + DAY + 1), eye(yard.clock.now + DAY), eye(yard.clock.now)]
    for _ in range(2):
        (receipt,) = yard.ingest.take([batch(EPOCH, 1, texts)]).receipts
        assert receipt[1].seq == 3
    assert [row["body"] for row in yard.rows(journal)] == texts[1:]
    (row,) = yard.rows(quarantine)
    assert (row["sort"], row["seq"], row["body"]) == ("invalid", 1, texts[0])
    assert row["reason"] == "at: more than a day after it was received"
    assert not [finding for finding in verify(yard.book) if not finding.ok]


def test_a_scan_from_the_future_is_refused(yard: Yard) -> None:
    now = yard.clock.now
    with pytest.raises(BadReading, match="at: more than a day after it was received"):
        ApiScans().put(yard.book, "s1", wire.encode(Scan("id:hand", from_micros(now + DAY + 1), "SY:RECEIVE")), now)
    assert not yard.rows(journal)
