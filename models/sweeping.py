"""Counting by radio, as far as it is the same for goods and for assets: who is not heard is not gone at once.

A tag behind metal or water is missed by a pass now and then. So a thing is missing only after as many passes as the
read rate of its kind calls for.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from models.errors import Refused

READ_RATE = Decimal("0.9")
"""How likely one pass hears a tag that is there, where nothing better is known of its class."""
CONFIDENCE = Decimal("0.99")
MOST_PASSES = 20


def passes_needed(read_rate: Decimal, confidence: Decimal = CONFIDENCE) -> int:
    """After how many passes without it a tag is missing: (1 - read rate)^k <= 1 - confidence.

    Raises Refused for a rate at which it would never be.

    >>> [passes_needed(Decimal(rate)) for rate in ("0.99", "0.9", "0.7", "0.5")]
    [1, 2, 4, 7]
    """
    missed = 1 - min(max(read_rate, Decimal(0)), Decimal(1))
    for passes in range(1, MOST_PASSES + 1):
        if missed**passes <= 1 - confidence:
            return passes
    msg = f"read_rate: so high that {MOST_PASSES} passes are enough expected (0.21 to 1), got {read_rate}"
    raise Refused(msg)


def needed(read_rates: Mapping[str, Decimal], names: Sequence[str | None]) -> int:
    """After how many passes a thing of these names, the closest first, is missing; `*` is every other."""
    rates = [read_rates[name] for name in (*names, "*") if name is not None and name in read_rates]
    return passes_needed(rates[0] if rates else READ_RATE)
