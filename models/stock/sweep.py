"""Counting by radio: a reader is carried, or looks, over a place, and tells which tags are there.

Who is not heard is not gone: a tag behind metal or water is missed by a pass now and then. So a tag is missing only
after as many passes as its read rate calls for, and a sweep that heard nothing says nothing. What moved during the
sweep is netted: a tag that the books had at the place only before it, or only after it, is not judged.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from models.place import ADJUSTMENT
from models.sweeping import needed, passes_needed

Verdict = Literal[
    "found", "missing", "unseen", "misplaced", "unexpected", "left", "arrived", "unknown", "asset", "uncounted"
]
PRESENT: frozenset[Verdict] = frozenset({"found", "unseen", "misplaced", "unexpected", "arrived"})
"""Verdicts with which a tag counts as being at the place when the sweep ends."""


class Sweep(Struct, frozen=True, kw_only=True):
    """A sweep of a place and what is in it, by a reader (`gateway/name`), or by tags that a program puts.

    `read_rates`: by SKU, family or `*`, how likely one pass hears a tag of it that is there.
    """

    id: str
    place: str
    device: str | None = None
    read_rates: dict[str, Decimal] = {}
    at: int

    def __post_init__(self) -> None:
        for rate in self.read_rates.values():
            passes_needed(rate)

    def needed(self, sku: str, family: str | None) -> int:
        """After how many passes a tag of an item is missing."""
        return needed(self.read_rates, [sku, family])


class Stay(NamedTuple):
    """What says where a tag is from a moment on: it moved, was seen there by a sweep, or was missing there.

    `heard` is a reader of presence, which moves nothing in the ledger.
    """

    at: int
    how: Literal["moved", "seen", "missing", "heard"]
    place: str
    source: str
    """What says so: crossing:ID, presence:ID, task:ID or sweep:ID; of two of one moment the greater one counts."""


class Where(NamedTuple):
    """Where the books have a tag; None: nowhere yet."""

    place: str | None
    stay: Stay | None


NOWHERE = Where(None, None)


class Swept(NamedTuple):
    """One tag of a sweep: what it is, where the books have it at the beginning and at the end, and if it was heard.

    `begin` and `end` are real places: None is nowhere, or with a supplier or customer.
    """

    epc: str
    kind: Literal["stock", "asset", "uncounted", "unknown"]
    """`uncounted` stands for no quantity: a pallet, or goods that are not counted by their tags."""
    sku: str | None
    quantity: Decimal | None
    begin: str | None
    end: str | None
    heard: bool


def where(stays: Iterable[Stay], until: int) -> Where:
    """Where a tag is after all that is known of it up to a time, in any order.

    Missing at a place counts only if it was there till then: what a late reading shows to have left before stays where
    it went.
    """
    now = NOWHERE
    for stay in sorted(stays, key=lambda each: (each.at, each.source)):
        if stay.at > until:
            break
        if stay.how != "missing":
            now = Where(stay.place, stay)
        elif now.place == stay.place:
            now = Where(ADJUSTMENT, stay)
    return now


def judge(tag: Swept, scope: AbstractSet[str], passes: int, needed: int) -> Verdict:
    """What a sweep of the places `scope` says of a tag, after so many passes of as many as it needs."""
    if tag.kind != "stock":
        return tag.kind
    was_here, is_here = tag.begin in scope, tag.end in scope
    if was_here != is_here:
        return "left" if was_here else "arrived"
    if is_here:
        return "found" if tag.heard else "missing" if passes >= needed else "unseen"
    return "unexpected" if tag.end is None else "misplaced"
