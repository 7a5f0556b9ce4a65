"""The alarm rate of a team: how many alerts in ten minutes, against under one, which a person can go on answering.

The goal is EEMUA 191's, the flood that of ISA 18.2 and IEC 62682: it begins with more than ten alerts in ten minutes
and ends with fewer than five.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

TEN_MINUTES_US = 600_000_000
GOAL = 1
FLOOD_ABOVE, FLOOD_UNTIL = 10, 5
WORST = 10
HUNDREDTH = Decimal("0.01")


class Flood(Struct, frozen=True):
    """From the first ten minutes of a flood to the end of its last: microseconds, and alerts in it."""

    begin_at: int
    end_at: int
    alerts: int


class Rate(Struct, frozen=True):
    """What a span came to: alerts in all, by ten minutes, the most in ten minutes, floods, the worst rules first."""

    alerts: int
    per_ten_minutes: Decimal
    peak: int
    peak_at: int | None
    floods: tuple[Flood, ...]
    worst: tuple[tuple[str, int], ...]


def bucket_of(at: int) -> int:
    """The number of the ten minutes that a time is in."""
    return at // TEN_MINUTES_US


def rate(counts: Iterable[tuple[int, str, int]], since: int, until: int) -> Rate:
    """The rate in a span of microseconds from (bucket, rule, count); ten minutes without any count too.

    >>> rate([(0, "a", 3), (1, "b", 1)], 0, 4 * TEN_MINUTES_US).per_ten_minutes
    Decimal('1.00')
    """
    by_bucket: Counter[int] = Counter()
    by_rule: Counter[str] = Counter()
    for bucket, rule, count in counts:
        by_bucket[bucket] += count
        by_rule[rule] += count
    alerts = by_bucket.total()
    spans = max(1, bucket_of(until) - bucket_of(since))
    peak_at = max(by_bucket, key=lambda each: (by_bucket[each], -each), default=None)
    return Rate(
        alerts=alerts,
        per_ten_minutes=(Decimal(alerts) / spans).quantize(HUNDREDTH),
        peak=0 if peak_at is None else by_bucket[peak_at],
        peak_at=None if peak_at is None else peak_at * TEN_MINUTES_US,
        floods=tuple(floods(by_bucket)),
        worst=tuple(sorted(by_rule.items(), key=lambda each: (-each[1], each[0]))[:WORST]),
    )


def floods(by_bucket: Mapping[int, int]) -> list[Flood]:
    """Every flood, in order: it is over with the first ten minutes of fewer than FLOOD_UNTIL alerts."""
    found: list[Flood] = []
    bucket = min(by_bucket, default=0)
    last = max(by_bucket, default=-1)
    while bucket <= last:
        if by_bucket.get(bucket, 0) <= FLOOD_ABOVE:
            bucket += 1
            continue
        begin, total = bucket, 0
        while (count := by_bucket.get(bucket, 0)) >= FLOOD_UNTIL:
            total += count
            bucket += 1
        found.append(Flood(begin * TEN_MINUTES_US, bucket * TEN_MINUTES_US, total))
    return found
