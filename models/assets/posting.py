"""Postings of the assets' ledger: what is still to be posted, by month, and the chain that they are.

A month's flows are posted in that month, or in the first open one if it is closed by then; what changes later is a
further posting with the difference. So all postings of an asset together are always what is known now.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct

from models import chain
from models.assets.accounts import ACCOUNTS, Flow
from models.units import quantity_text

ByMonth = Mapping[int, Mapping[Flow, Decimal]]


class PostedLine(Struct, frozen=True):
    """What is posted of a flow; of depreciation by use also the units surely counted, and how many may be more."""

    flow: Flow
    amount: Decimal
    units: Decimal | None = None
    unobserved: Decimal | None = None


class Posting(Struct, frozen=True, kw_only=True):
    """One entry: an asset's month as it was first posted, or a delta that became known later.

    `period` is the month that it is posted in, `origin` the one that it belongs to.
    """

    n: int
    recorded_at: int
    actor: str
    what: Literal["month", "delta"]
    asset: str
    period: int
    origin: int
    lines: list[PostedLine]


class Wanted(Struct, frozen=True):
    """What is to be posted of an asset."""

    asset: str
    what: Literal["month", "delta"]
    period: int
    origin: int
    flows: Mapping[Flow, Decimal]


def differences(asset: str, due: ByMonth, posted: ByMonth, closed_to: int | None) -> list[Wanted]:
    """What makes what is posted what is due, in order of the months; nothing where they are equal."""
    found: list[Wanted] = []
    for month in sorted({*due, *posted}):
        new, old = due.get(month, {}), posted.get(month, {})
        flows = _difference(new, old)
        if flows:
            period = month if closed_to is None else max(month, closed_to + 1)
            is_first = month not in posted and period == month
            found.append(Wanted(asset, "month" if is_first else "delta", period, month, flows))
    return found


def _difference(new: Mapping[Flow, Decimal], old: Mapping[Flow, Decimal]) -> dict[Flow, Decimal]:
    found: dict[Flow, Decimal] = {}
    for flow in ACCOUNTS:
        if amount := new.get(flow, Decimal(0)) - old.get(flow, Decimal(0)):
            found[flow] = amount
    return found


def by_month(postings: Iterable[Posting]) -> dict[int, dict[Flow, Decimal]]:
    """What postings come to, by the month that they belong to."""
    found: dict[int, dict[Flow, Decimal]] = {}
    for posting in postings:
        of = found.setdefault(posting.origin, {})
        for line in posting.lines:
            of[line.flow] = of.get(line.flow, Decimal(0)) + line.amount
    return found


def posting_hash(previous: bytes, posting: Posting) -> bytes:
    """32 bytes: SHA-256 of the hash before and the posting, whose decimals have one text each."""
    fields = msgspec.structs.asdict(posting)
    fields["lines"] = [
        [each.flow, *(None if it is None else quantity_text(it) for it in (each.amount, each.units, each.unobserved))]
        for each in posting.lines
    ]
    return sha256(previous + msgspec.json.encode(fields, order="deterministic")).digest()


def first_broken(postings: Iterable[tuple[Posting, bytes]]) -> tuple[int | None, int, bytes]:
    """The number of the first posting that does not follow from the one before, if any; the last number and hash."""
    return chain.first_broken(postings, posting_hash)
