"""How long what is on hand has been there: what came last is still there, if what came first left first."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

DAY_US = 86_400_000_000
LIMITS = (30, 90, 180, 365)
"""Days; each bucket ends with its day, and the last has no end."""
BUCKETS = (
    ("30", "Up to 30 days"),
    ("90", "31 to 90 days"),
    ("180", "91 to 180 days"),
    ("365", "181 to 365 days"),
    ("more", "More than 365 days"),
)


class Ages(NamedTuple):
    """So much in each of BUCKETS, and the age of the oldest; what nobody saw coming is in the last bucket."""

    quantities: tuple[Decimal, ...]
    oldest_days: int | None


def ages(came: Iterable[tuple[int, Decimal]], on_hand: Decimal, at: int) -> Ages:
    """`came` are receipts (microseconds, quantity) up to `at`; `on_hand` is what is there of them then.

    >>> ages([(0, Decimal(5)), (40 * DAY_US, Decimal(3))], Decimal(6), 50 * DAY_US).quantities[:3]
    (Decimal('3'), Decimal('3'), Decimal('0'))
    """
    left, oldest = on_hand, None
    held = [Decimal(0)] * len(BUCKETS)
    for when, quantity in sorted(came, reverse=True):
        took = min(left, quantity)
        if took <= 0:
            break
        days = (at - when) // DAY_US
        held[sum(days > limit for limit in LIMITS)] += took
        left, oldest = left - took, days
    held[-1] += max(left, Decimal(0))
    return Ages(tuple(held), oldest)
