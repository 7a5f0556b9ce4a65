"""What is spent on an asset is capital (part of what it cost) or upkeep (an expense of the day): one literal table.

The first rule that fits decides, and says why. A person may class it otherwise, with a reason; either way every cost is
in one of the two, so that both together are what was spent. IAS 16.10-16.16; the least amount is a policy of the house.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

Class = Literal["capex", "opex"]
Nature = Literal[
    "purchase",
    "installation",
    "improvement",
    "major_part",
    "overhaul",
    "service",
    "repair",
    "inspection",
    "consumable",
    "relocation",
    "training",
]
LEAST = Decimal(500)
"""What is less is an expense, whatever it is for."""


class Spent(Struct, frozen=True, kw_only=True):
    """One cost: an amount in the company's currency, what it is for, and what that does for the asset."""

    amount: Decimal
    nature: Nature
    extends_life: bool = False
    adds_capacity: bool = False
    is_gone: bool = False
    """Whether somebody else had it, or nobody, by then."""


class Classed(NamedTuple):
    """The verdict with its reason."""

    as_: Class
    reason: str


KEPT = Classed("opex", "keeps it as it was (IAS 16.12)")
_RULES: tuple[tuple[Callable[[Spent], bool], Class, str], ...] = (
    (lambda it: it.is_gone, "opex", "the asset is gone: there is nothing that it could join"),
    (lambda it: abs(it.amount) < LEAST, "opex", f"less than {LEAST}"),
    (lambda it: it.nature == "purchase", "capex", "the asset itself (IAS 16.16 a)"),
    (lambda it: it.nature == "installation", "capex", "brings it to where and how it is to work (IAS 16.16 b)"),
    (lambda it: it.nature in {"training", "relocation"}, "opex", "is not part of the asset (IAS 16.19-20)"),
    (lambda it: it.nature == "consumable", "opex", "is used up in its upkeep (IAS 16.12)"),
    (lambda it: it.extends_life, "capex", "lets it serve longer (IAS 16.10)"),
    (lambda it: it.adds_capacity, "capex", "lets it do more than before (IAS 16.10)"),
    (lambda it: it.nature == "improvement", "capex", "makes it better than it was (IAS 16.10)"),
    (lambda it: it.nature == "major_part", "capex", "a part that is replaced at intervals (IAS 16.13)"),
    (lambda it: it.nature == "overhaul", "capex", "a major inspection, until the next one (IAS 16.14)"),
)


def classify(spent: Spent) -> Classed:
    """Capital or upkeep, and why.

    >>> classify(Spent(amount=Decimal(900), nature="repair"))
    Classed(as_='opex', reason='keeps it as it was (IAS 16.12)')
    """
    for fits, as_, reason in _RULES:
        if fits(spent):
            return Classed(as_, reason)
    return KEPT


class Totals(NamedTuple):
    """Both classes together are what was spent."""

    capex: Decimal
    opex: Decimal
    spent: Decimal


def totals(costs: Iterable[tuple[Class, Decimal]]) -> Totals:
    """What was spent, by class and in all."""
    of: dict[Class, Decimal] = {"capex": Decimal(0), "opex": Decimal(0)}
    for as_, amount in costs:
        of[as_] += amount
    return Totals(of["capex"], of["opex"], sum(of.values(), Decimal(0)))
