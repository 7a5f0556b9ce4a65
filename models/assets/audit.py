"""A physical audit by radio: which of the assets that should be at a place are there, and what else is.

Expected is what was there when the audit began and, by what else is known, is there still when it ends: what came or
went meanwhile is netted and not judged. Who is not heard is missing only after as many passes as its read rate calls
for, and an audit that heard nothing says nothing.
"""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from models.errors import Refused
from models.sweeping import needed, passes_needed

Verdict = Literal["found", "missing", "unseen", "misplaced", "unexpected", "left", "arrived", "unknown"]
PRESENT: frozenset[Verdict] = frozenset({"found", "misplaced", "unexpected"})
"""Verdicts by which an approved audit says that the asset is at the place."""
WRONG: frozenset[Verdict] = frozenset({"missing", "misplaced", "unexpected", "unknown"})
SHARE = Decimal("0.0001")


class Audit(Struct, frozen=True, kw_only=True):
    """An audit of a place (`location:ID` or `site:ID`) and what is in it, by a reader or by tags that a program puts.

    `read_rates`: by category or `*`, how likely one pass hears the tag of an asset of it that is there.
    """

    id: str
    place: str
    device: str | None = None
    read_rates: dict[str, Decimal] = {}
    at: int

    def __post_init__(self) -> None:
        for rate in self.read_rates.values():
            passes_needed(rate)

    def needed(self, category: str | None) -> int:
        """After how many passes an asset of a category is missing."""
        return needed(self.read_rates, [category])


class Audited(NamedTuple):
    """One asset: where it is known to be when the audit begins and ends, without what the audit says, and if heard.

    An asset that is sold or disposed of (`is_gone`) is expected nowhere.
    """

    begin: str | None
    end: str | None
    heard: bool
    is_gone: bool = False


def judge(asset: Audited | None, scope: AbstractSet[str], passes: int, needs: int) -> Verdict | None:
    """What an audit of the places `scope` says after so many passes; of None: a tag of an asset that is not registered.

    None of what was not heard and is not of this place.
    """
    if asset is None:
        return "unknown"
    was_here, is_here = (place in scope and not asset.is_gone for place in (asset.begin, asset.end))
    if asset.heard:
        if is_here:
            return "found"
        return "unexpected" if asset.is_gone or asset.end is None else "misplaced"
    if was_here and is_here:
        return "missing" if passes >= needs else "unseen"
    if was_here:
        return "left"
    return "arrived" if is_here else None


def accuracy(verdicts: Iterable[Verdict]) -> Decimal | None:
    """The share of all that is decided and is where the register has it: found of found and wrong; None without any.

    >>> accuracy(["found"] * 8 + ["missing", "misplaced", "unseen", "left"])
    Decimal('0.8000')
    """
    told = Counter(verdicts)
    decided = told["found"] + sum(told[each] for each in WRONG)
    return (Decimal(told["found"]) / decided).quantize(SHARE) if decided else None


def check_says_something(ident: str, reads: int) -> None:
    """Raises Refused of an audit that heard nothing: that is no empty place, but a reader that is off."""
    if not reads:
        msg = f"audit {ident}: it heard nothing, so it says nothing: that is not an empty place"
        raise Refused(msg)
