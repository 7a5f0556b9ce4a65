"""Which lots serve a need: what expires first, or what came first, and only what may be used.

A lot that is expired before the day of need plus the item's shortest shelf life, quarantined or recalled is never
taken, whatever is short. The order is total, so that the same offers give the same picks however they were read.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct

from models.stock.lot import Known, lasts
from models.units import plain


class Offer(Struct, frozen=True):
    """What is available of a lot at a place; stock without a lot has lot None."""

    location: str
    lot: str | None
    available: Decimal
    known: Known = Known()


class Pick(Struct, frozen=True):
    """Take so many of a lot from a place."""

    location: str
    lot: str | None
    quantity: Decimal


class Allocation(Struct, frozen=True):
    """The picks in order, and what of the need they do not cover."""

    picks: list[Pick]
    short: Decimal


Rank = Callable[[Offer], tuple[Any, ...]]


def _fefo(offer: Offer) -> tuple[Any, ...]:
    """First expired, first out: expiry (none last), the day it came, lot, place."""
    return (offer.known.expires or date.max, *_fifo(offer))


def _fifo(offer: Offer) -> tuple[Any, ...]:
    """First in, first out: the day it came (unknown last), lot, place."""
    return offer.known.received or date.max, offer.lot or "", offer.location


RANKS: Mapping[str, Rank] = {"fefo": _fefo, "fifo": _fifo}
"""Every rule by which lots are taken in turn."""


def usable(offer: Offer, need_on: date, min_shelf_life_days: int = 0) -> bool:
    """Whether an offer may serve a need on this day."""
    return (
        offer.available > 0 and offer.known.status == "available" and lasts(offer.known, need_on, min_shelf_life_days)
    )


def allocate(
    offers: Iterable[Offer], need: Decimal, need_on: date, min_shelf_life_days: int = 0, rank: Rank = _fefo
) -> Allocation:
    """Serve a need from the offers in the order of `rank` until it is covered; what is left over is short."""
    left = need
    picks: list[Pick] = []
    for offer in sorted((each for each in offers if usable(each, need_on, min_shelf_life_days)), key=rank):
        if left <= 0:
            break
        taken = min(left, offer.available)
        picks.append(Pick(offer.location, offer.lot, plain(taken)))
        left -= taken
    return Allocation(picks, plain(left))
