"""Bookings of assets and orders to transfer them: spans of time that an asset is promised for, at most one at a time.

Spans hold their begin and not their end. A transfer is open until it is done or cancelled: it covers what leaves
before its end and what is late.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

from models.assets.place import Relocation
from models.errors import Clash, Refused

State = Literal["open", "done", "cancelled"]
OPEN_END = 1 << 62
EARLY_US = 3600 * 1_000_000
"""Loading before the begin of a transfer is part of it."""


class Booking(Struct, frozen=True, kw_only=True):
    """An asset is promised to somebody from `begin_at` to `end_at`, microseconds UTC."""

    id: str
    asset: str
    holder: str
    begin_at: int
    end_at: int
    purpose: str | None = None

    def __post_init__(self) -> None:
        _check_span(self.begin_at, self.end_at)


class Transfer(Struct, frozen=True, kw_only=True):
    """An asset is to go from `source` to `target` (`location:ID`, `zone:ID` or `site:ID`), to be there by `end_at`."""

    id: str
    asset: str
    source: str | None
    target: str
    begin_at: int
    end_at: int
    why: str | None = None

    def __post_init__(self) -> None:
        _check_span(self.begin_at, self.end_at)
        if self.source == self.target:
            msg = f"target: another place than the source {self.source!r} expected"
            raise Refused(msg)

    def covers(self, at: int) -> bool:
        """Whether an open one allows the asset to leave at a time."""
        return at >= self.begin_at - EARLY_US


class Progress(NamedTuple):
    """When the asset was first seen away from the source, and at the target, since the transfer began."""

    departed_at: int | None
    arrived_at: int | None


def _check_span(begin_at: int, end_at: int) -> None:
    if begin_at >= end_at:
        msg = "end: a time after the begin expected"
        raise Refused(msg)


def check_free(open_ones: Iterable[Booking | Transfer], wanted: Booking | Transfer) -> None:
    """Raises Clash if the asset is promised otherwise meanwhile."""
    for each in open_ones:
        if each.id != wanted.id and each.begin_at < wanted.end_at and wanted.begin_at < each.end_at:
            msg = f"asset {wanted.asset}: free from begin to end expected, {each.id} has it meanwhile"
            raise Clash(msg)


def in_the_way(open_ones: Iterable[Booking], holder: str, since: int, until: int | None) -> Booking | None:
    """The first booking of another that forbids giving the asset to `holder`; without an end, of who has it booked now.

    >>> booked = Booking(id="b", asset="a", holder="ann", begin_at=10, end_at=20)
    >>> [in_the_way([booked], "bob", 5, until) is booked for until in (None, 10, 11)]
    [False, False, True]
    """
    end = since + 1 if until is None else until
    others = (each for each in open_ones if each.holder != holder and each.begin_at < end and since < each.end_at)
    return min(others, key=lambda each: (each.begin_at, each.id), default=None)


def progress(order: Transfer, moved: Iterable[Relocation], at_source: set[str], at_target: set[str]) -> Progress:
    """How far a transfer is, by where the asset went since; the two sets are the places that its ends stand for."""
    departed: int | None = None
    for each in sorted(moved, key=lambda move: move.at):
        if each.at < order.begin_at - EARLY_US:
            continue
        if each.place in at_target:
            return Progress(departed if departed is not None else each.at, each.at)
        if departed is None and each.place not in at_source:
            departed = each.at
    return Progress(departed, None)
