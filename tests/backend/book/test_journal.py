"""What is written of the journal must be storable in every book, whatever bytes came."""

from sqlalchemy import select

from backend.book import schema
from backend.book.db import read
from backend.book.journal import storable
from backend.ingest import Message
from models import wire
from tests.backend.books import Yard, batch


def test_reasons_hold_no_nul_and_nothing_that_is_not_utf_8() -> None:
    assert storable("a\0b \ud800 c") == "ab ? c"
    assert len(storable("\0" * 5000 + "x" * 5000)) == 2000


def test_a_nul_in_what_was_sent_is_in_no_text_column(yard: Yard) -> None:
    stamp = b'"device":"","at":"2026-01-01T00:00:00Z"'
    kind = b'{"kind":"a\\u0000b",%s}' % stamp
    gap = b'{"kind":"gap",%s,"from_seq":2,"to_seq":3,"reason":"disk\\u0000full"}' % stamp
    assert [answer.seq for _, answer in yard.ingest.take([batch("A" * 12, 1, [kind])]).receipts] == [1]
    assert [answer.seq for _, answer in yard.ingest.take([batch("A" * 12, 2, [gap])]).receipts] == [3]
    yard.ingest.take([Message(wire.topic("dock-a", "readings"), b'{"epoch":"\\u0000"}')])
    with read(yard.book) as tx:
        reasons = [*tx.scalars(select(schema.quarantine.c.reason)), *tx.scalars(select(schema.gap.c.reason))]
    assert len(reasons) == 3
    assert "diskfull" in reasons
    assert not any("\0" in reason for reason in reasons)
