"""Accounting periods are months, UTC. A closed one keeps its figures: what is learnt of it later is posted as a delta.

Months are closed in order, by a dated command, and stay closed: there is no reopening. What changes the value of a
closed month is one posting in the first open month; it names what was late and the month that it belongs to.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from models.errors import Clash, Refused
from models.reading import from_micros, micros
from models.stock.accounts import cents
from models.stock.layers import EXACT, ZERO
from models.stock.ledger import GENESIS
from models.units import quantity_text

_MONTH = re.compile(r"(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])")


class BadPeriod(Refused):
    """Not a month, or one that cannot be closed; the message says what was expected."""


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


def month_of(at: int) -> int:
    """The month of a time in microseconds, counted from year 0."""
    when = from_micros(at)
    return when.year * 12 + when.month - 1


def begin_of(month: int) -> int:
    """When a month begins, in microseconds."""
    return micros(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC))


def month_text(month: int) -> str:
    """As people write it.

    >>> month_text(2026 * 12 + 8)
    '2026-09'
    """
    return f"{month // 12:04}-{month % 12 + 1:02}"


def parse_month(text: str) -> int:
    """A month of 1970 to 2199 from YYYY-MM. Raises BadPeriod."""
    found = _MONTH.fullmatch(text)
    if found is None:
        msg = f"period: a month like 2026-09 expected, got {text[:20]!r}"
        raise BadPeriod(msg)
    return int(found[1]) * 12 + int(found[2]) - 1


def check_closing(month: int, closed_to: int | None, now: int) -> bool:
    """Whether a month may be closed now; False if it is closed already. Raises BadPeriod before it is over."""
    if closed_to is not None and month <= closed_to:
        return False
    if begin_of(month + 1) > now:
        msg = f"period: a month that is over expected, {month_text(month)} is not"
        raise BadPeriod(msg)
    return True


def check_open(month: int, closed_to: int | None) -> None:
    """Raises Clash if a month is closed: it stays so."""
    if closed_to is not None and month <= closed_to:
        msg = (
            f"period: {month_text(month)} is closed and stays so; what changes is posted in {month_text(closed_to + 1)}"
        )
        raise Clash(msg)


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
    n, previous = 0, GENESIS
    for posting, told in postings:
        if posting.n != n + 1 or posting_hash(previous, posting) != told:
            return n + 1, n, previous
        n, previous = posting.n, told
    return None, n, previous
