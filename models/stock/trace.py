"""Where a lot came from and where all of it is: from the movements that hold, both ways at once.

Locations sum to zero, so what was received is what lies at real places, what left for good, and what nobody can point
at: counted away (`adjustment`), or less than nothing at a place because more was read to leave than to come.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from models.place import ADJUSTMENT, PRODUCTION, SUPPLIER
from models.stock.ledger import Movement, lines, net
from models.units import plain, quantity_text

GIVES = frozenset({SUPPLIER, PRODUCTION})
"""Kinds of places that a lot comes from."""
REAL = "real"
"""The kind of a place that is not virtual."""


class At(NamedTuple):
    """So much of the lot at a place, of this kind."""

    location: str
    kind: str
    quantity: Decimal


class Trace(Struct, frozen=True):
    """A lot's whole story; quantities in the item's unit, movements in order of time.

    `received` = the sum of `present`, of `gone` and `unaccounted`; `why` names each part of what is unaccounted for.
    Of the movements, `receipts` come from who gives, `issues` touch any other virtual place (one from a supplier to a
    customer is both), `moves` none.
    """

    received: Decimal
    present: list[At]
    gone: list[At]
    unaccounted: Decimal
    why: list[str]
    receipts: list[Movement]
    moves: list[Movement]
    issues: list[Movement]


def trace(movements: Iterable[Movement], kinds: Mapping[str, str]) -> Trace:
    """The trace of one lot. `movements` are all of its entries, `kinds` the kind of each location that is virtual.

    What a supplier or production gave, less what went back there, is received; what production only took is gone.
    """
    standing = net(movements)
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in standing:
        for line in lines(each):
            sums[line.location] += line.quantity
    places = [At(at, kinds.get(at, REAL), plain(quantity)) for at, quantity in sorted(sums.items()) if quantity]
    given = [at for at in places if at.kind in GIVES and at.quantity < 0]
    present = [at for at in places if at.kind == REAL and at.quantity > 0]
    lost = [at for at in places if at.kind == ADJUSTMENT or (at.kind == REAL and at.quantity < 0)]
    gone = [at for at in places if at not in given and at not in present and at not in lost]
    return Trace(
        received=_sum(given, -1),
        present=present,
        gone=gone,
        unaccounted=_sum(lost),
        why=[_why(at) for at in lost],
        receipts=[each for each in standing if kinds.get(each.source) in GIVES],
        moves=[each for each in standing if each.source not in kinds and each.target not in kinds],
        issues=[each for each in standing if each.target in kinds or kinds.get(each.source, SUPPLIER) not in GIVES],
    )


def _sum(places: Iterable[At], sign: int = 1) -> Decimal:
    return plain(sign * sum((at.quantity for at in places), Decimal(0)))


def _why(at: At) -> str:
    if at.kind != ADJUSTMENT:
        return f"{quantity_text(-at.quantity)} more left {at.location} than came there"
    counted = "missing, by count" if at.quantity > 0 else "more than the book had, by count"
    return f"{quantity_text(abs(at.quantity))} {counted} ({at.location})"
