"""How far figures of the telemetry store can be relied on: what it has not followed yet, and what is not rolled up."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from backend.book.schema import journal
from backend.telemetry import source
from backend.telemetry.store import Reader

LOOKED_AT = 20_000
"""Readings that are not followed yet of one stream, of which the earliest is looked for."""
SAMPLES_US = 86_400_000_000
"""So far back samples are read where rollups are not right yet; what is older is told as not complete."""


class Reliable(NamedTuple):
    """Microseconds. Before `complete_to` everything counts; rollups that end by `rolled_to` are right."""

    complete_to: int
    rolled_to: int


def reliable(tx: Connection, reader: Reader, now: int) -> Reliable:
    """As of now; `complete_to` is of the store alone, the book may be less far. Raises StoreAway."""
    upto = reader.positions().streams
    ahead = [now]
    for of, (stream_id, mark) in source.marks(tx).items():
        if mark > upto.get(of, 0):
            ahead.append(_earliest(tx, stream_id, upto.get(of, 0)))
    stale = reader.stale(1, now)
    oldest = min(stale[0].bucket.begin, now) if stale else now
    back = now - SAMPLES_US
    return Reliable(min(ahead) if oldest >= back else min(*ahead, oldest), max(oldest, back))


def _earliest(tx: Connection, stream_id: int, after: int) -> int:
    """The earliest time of what a stream has above a number; 0, as if nothing were known, if that is much."""
    mine = (journal.c.stream_id == stream_id, journal.c.seq > after)
    some = select(journal.c.at).where(*mine).order_by(journal.c.seq).limit(LOOKED_AT + 1).subquery()
    rows, at = tx.execute(select(func.count(), func.min(some.c.at))).one()
    return 0 if rows > LOOKED_AT or at is None else int(at)
