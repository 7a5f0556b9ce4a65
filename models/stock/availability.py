"""What of an item can be had, as shops and channels are told: by place, and in all.

What is on hand of lots that may not be used counts for nothing, nor what is promised to somebody else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

IN_ALL = ""
"""The place of an item's sums."""


class Line(NamedTuple):
    """A quantity at a real place; `barred`: of a lot that may not be used now."""

    location: str
    lot: str
    on_hand: Decimal
    barred: bool


class Standing(NamedTuple):
    """So much lies there, and so much of it can be had: never less than nothing."""

    on_hand: Decimal
    available: Decimal


def standings(lines: Iterable[Line], promised: Mapping[tuple[str | None, str | None], Decimal]) -> dict[str, Standing]:
    """By location, and IN_ALL; `promised` is by (location, lot), without a location for a demand of the item.

    A demand that is tied to no place takes from the sum only.
    """
    on_hand: defaultdict[str, Decimal] = defaultdict(Decimal)
    free: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        on_hand[line.location] += line.on_hand
        if not line.barred:
            free[line.location] += line.on_hand - promised.get((line.location, line.lot or None), Decimal(0))
    waiting = sum((quantity for (location, _), quantity in promised.items() if location is None), Decimal(0))
    found = {place: Standing(on_hand[place], max(free[place], Decimal(0))) for place in sorted(on_hand)}
    total = sum(free.values(), Decimal(0)) - waiting
    return {IN_ALL: Standing(sum(on_hand.values(), Decimal(0)), max(total, Decimal(0))), **found}
