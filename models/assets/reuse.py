"""Assets that are there and that nobody needs: offered before another like them is bought.

What is declared idle or stored is free; what is in service is, if it hardly runs and nobody has it. What is booked in
the span that it is wanted for, in somebody's hands, or may not be used, is not.
"""

from decimal import Decimal
from typing import NamedTuple

LOOK_BACK_US = 30 * 86_400_000_000
LOW_MS_A_DAY = 30 * 60_000
"""It hardly runs: at most half an hour a day over the last thirty."""
HOUR_MS = 3_600_000
LOOK_BACK_DAYS = 30


class Offer(NamedTuple):
    """One asset as far as another may have it; `ran_ms` is the most it ran in the last thirty days, None: unknown."""

    state: str
    holder: str | None
    booked_by: str | None
    blocked: str | None
    ran_ms: int | None


def why_free(offer: Offer) -> str | None:
    """Why somebody else may have it; None if they may not.

    >>> why_free(Offer("idle", None, None, None, None)), why_free(Offer("idle", "ann", None, None, None))
    ('it is declared idle', None)
    """
    if offer.holder is not None or offer.booked_by is not None or offer.blocked is not None:
        return None
    if offer.state == "idle":
        return "it is declared idle"
    if offer.state == "stored":
        return "it is in store"
    is_low = offer.ran_ms is not None and offer.ran_ms <= LOW_MS_A_DAY * LOOK_BACK_DAYS
    if offer.state == "in_service" and is_low and offer.ran_ms is not None:
        hours = (Decimal(offer.ran_ms) / HOUR_MS).quantize(Decimal("0.1"))
        return f"it ran at most {hours} h in the last {LOOK_BACK_DAYS} days"
    return None
