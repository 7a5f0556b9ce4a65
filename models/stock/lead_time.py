"""How long it takes from an order to the goods at the dock, measured by the receipts, or as the supplier says."""

from collections.abc import Sequence
from math import sqrt
from typing import Literal

from msgspec import Struct

DAY_US = 86_400_000_000
LEAST_SAMPLES = 5
"""With fewer receipts than this the supplier's word counts, if there is one."""
SAID_SD = 0.25
"""How far the lead time is taken to vary, as a share of it, while it has not been measured."""


class LeadTime(Struct, frozen=True):
    """Mean and standard deviation in days, from so many receipts, or from what was declared."""

    mean: float
    sd: float
    samples: int
    source: Literal["measured", "declared"]


def measure(spans_us: Sequence[int], declared_days: float | None) -> LeadTime | None:
    """From the spans, in microseconds, between orders and their receipts; None if nothing is known at all.

    >>> measure([5 * DAY_US, 7 * DAY_US], None)
    LeadTime(mean=6.0, sd=1.4142135623730951, samples=2, source='measured')
    >>> measure([5 * DAY_US, 7 * DAY_US], 8)
    LeadTime(mean=8.0, sd=2.0, samples=2, source='declared')
    """
    count = len(spans_us)
    if count < LEAST_SAMPLES and declared_days is not None:
        return LeadTime(float(declared_days), SAID_SD * declared_days, count, "declared")
    if not count:
        return None
    days = [span / DAY_US for span in spans_us]
    mean = sum(days) / count
    sd = sqrt(sum((each - mean) ** 2 for each in days) / (count - 1)) if count > 1 else SAID_SD * mean
    return LeadTime(mean, sd, count, "measured")
