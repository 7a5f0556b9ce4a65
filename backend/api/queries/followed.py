"""How far figures of the telemetry store can be relied on: what it forgot, did not follow yet, did not roll up yet."""

from typing import NamedTuple

from sqlalchemy import Connection

from backend.telemetry import source
from backend.telemetry.store import Reader

SAMPLES_US = 86_400_000_000
"""So far back samples are read where rollups are not right yet; what is older is told as not complete."""


class Reliable(NamedTuple):
    """Microseconds. Of what is between `complete_from` and `complete_to` everything counts.

    Rollups that end by `rolled_to` are right.
    """

    complete_to: int
    rolled_to: int
    complete_from: int | None
    """None where nothing was forgotten."""


def reliable(tx: Connection, reader: Reader, now: int) -> Reliable:
    """As of now; `complete_to` is of the store alone, the book may be less far. Raises StoreAway."""
    missing = source.missing_since(tx, reader.positions().streams)
    ahead = now if missing is None else min(now, missing)
    stale = reader.stale(1, now)
    oldest = min(stale[0].bucket.begin, now) if stale else now
    back = now - SAMPLES_US
    return Reliable(ahead if oldest >= back else min(ahead, oldest), max(oldest, back), reader.complete_from())
