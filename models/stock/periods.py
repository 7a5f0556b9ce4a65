"""Accounting periods are months, UTC. A closed one keeps its figures: what is learnt of it later is posted as a delta.

Months are closed in order, by a dated command, and stay closed: there is no reopening. What changes the value of a
closed month is one posting in the first open month; it names what was late and the month that it belongs to.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from models import chain
from models.stock.accounts import cents
from models.stock.layers import EXACT, ZERO
from models.units import quantity_text


class Sum(NamedTuple):
    """A flow's quantity and value, and how many movements it has."""

    quantity: Decimal
    value: Decimal
    moves: int

    def plus(self, quantity: Decimal, value: Decimal, moves: int = 1) -> "Sum":
        """Both together."""
        return Sum(self.quantity + quantity, self.value + value, self.moves + moves)


NOTHING = Sum(ZERO, ZERO, 0)


class PostedLine(Struct, frozen=True):
    """What is posted of a flow: its exact value, its amount to the cent, and the fraction carried on."""

    flow: str
    quantity: Decimal
    value: Decimal
    amount: Decimal
    carry: Decimal


class Posting(Struct, frozen=True, kw_only=True):
    """One entry of the value ledger: an item's month as it was closed, or a delta that became known later.

    `period` is the month that it is posted in, `origin` the one that it belongs to; `causes` name what was late.
    """

    n: int
    recorded_at: int
    actor: str
    what: Literal["close", "delta"]
    sku: str
    period: int
    origin: int
    lines: list[PostedLine]
    causes: list[str] = []


def difference(before: Mapping[str, Sum], after: Mapping[str, Sum]) -> dict[str, Sum]:
    """By flow, what has to be added to `before` to be `after`; nothing where they are equal in quantity and value."""
    found: dict[str, Sum] = {}
    with localcontext(EXACT):
        for flow in sorted({*before, *after}):
            old, new = before.get(flow, NOTHING), after.get(flow, NOTHING)
            if (old.quantity, old.value) != (new.quantity, new.value):
                found[flow] = Sum(new.quantity - old.quantity, new.value - old.value, new.moves - old.moves)
    return found


def delta(
    before: Mapping[int, Mapping[str, Sum]], after: Mapping[int, Mapping[str, Sum]], closed_to: int
) -> tuple[int, dict[str, Sum]] | None:
    """What is learnt of closed months: the first that comes out otherwise, and by flow what that adds in all."""
    months = sorted(month for month in {*before, *after} if month <= closed_to)
    changed = [month for month in months if difference(before.get(month, {}), after.get(month, {}))]
    sums = difference(*(together(of.get(month, {}) for month in months) for of in (before, after)))
    return (changed[0], sums) if sums else None


def together(parts: Iterable[Mapping[str, Sum]]) -> dict[str, Sum]:
    """Several sums by flow as one."""
    found: dict[str, Sum] = {}
    with localcontext(EXACT):
        for sums in parts:
            for flow, each in sums.items():
                found[flow] = found.get(flow, NOTHING).plus(*each)
    return found


def posted_lines(sums: Mapping[str, Sum], carries: Mapping[str, Decimal]) -> list[PostedLine]:
    """What to post of an item's flows, to the cent; `carries` is what its posting before carried on, and goes on."""
    found: list[PostedLine] = []
    with localcontext(EXACT):
        for flow in sorted({*sums, *carries}):
            each, carry, amount = sums.get(flow, NOTHING), carries.get(flow, ZERO), ZERO
            if flow in sums:
                amount, carry = cents(each.value, carry)
            found.append(PostedLine(flow, each.quantity, each.value, amount, carry))
    return found


def posting_hash(previous: bytes, posting: Posting) -> bytes:
    """32 bytes: SHA-256 of the hash before and the posting, whose decimals have one text each."""
    fields = msgspec.structs.asdict(posting)
    fields["lines"] = [
        [each.flow, *map(quantity_text, (each.quantity, each.value, each.amount, each.carry))] for each in posting.lines
    ]
    return sha256(previous + msgspec.json.encode(fields, order="deterministic")).digest()


def first_broken(postings: Iterable[tuple[Posting, bytes]]) -> tuple[int | None, int, bytes]:
    """The number of the first posting that does not follow from the one before, if any; the last number and hash."""
    return chain.first_broken(postings, posting_hash)
