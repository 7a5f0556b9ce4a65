"""GPS week rollover: a receiver that has lost count of the 10-bit week tells a date 1024 weeks, or twice that, too old.

Repaired against the time of receipt and not the clock of whoever reads it later, so that an archive replayed in ten
years gives the same times.
"""

from datetime import datetime, timedelta

ROLLOVER = timedelta(weeks=1024)
SLACK = timedelta(days=90)
"""How far a gateway's clock may be behind and a rollover still be seen; nothing that GPS tells is 19 years late."""


def unrolled(at: datetime, received_at: datetime) -> datetime:
    """The time a receiver meant: 1024 weeks are added while it is older, at its receipt, than 1024 weeks less 90 days.

    The week number of the GPS signal has 10 bits (IS-GPS-200, 20.3.3.3.1.1). A time in the future is left as it is.

    >>> from datetime import UTC
    >>> heard = datetime(2026, 11, 26, 8, tzinfo=UTC)
    >>> unrolled(datetime(2007, 4, 12, 7, 59, 58, tzinfo=UTC), heard).isoformat()
    '2026-11-26T07:59:58+00:00'
    >>> unrolled(datetime(2020, 1, 1, tzinfo=UTC), heard).year
    2020
    """
    rolled = (received_at - at + SLACK) // ROLLOVER
    return at + rolled * ROLLOVER if rolled > 0 else at


def best_known(at: datetime | None, received_at: datetime, *, has_fix: bool) -> tuple[datetime, datetime | None]:
    """The time of a fix, and the receiver's own if that is another one; `at` None: it said none.

    Without a fix a receiver tells the time of a clock of its own, which may never have been set: so far from the
    receipt as a day, it is the receipt that counts.
    """
    if at is None:
        return received_at, None
    best = unrolled(at, received_at)
    if not has_fix and abs(best - received_at) >= timedelta(days=1):
        best = received_at
    return best, at if at != best else None
