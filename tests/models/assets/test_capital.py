"""Capital or upkeep: each rule as a row; both classes together are always what was spent."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.assets.capital import Class, Nature, Spent, classify, totals

RULES: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    "it was sold": ("9000", "major_part", {"is_gone": True}, "opex", "gone"),
    "too little": ("499.99", "major_part", {}, "opex", "less than 500"),
    "too little taken back": ("-499.99", "purchase", {}, "opex", "less than 500"),
    "just enough": ("500", "major_part", {}, "capex", "IAS 16.13"),
    "delivery and installation": ("900", "installation", {}, "capex", "IAS 16.16 b"),
    "a repair": ("9000", "repair", {}, "opex", "IAS 16.12"),
    "a repair after which it serves longer": ("9000", "repair", {"extends_life": True}, "capex", "serve longer"),
    "a service that makes it stronger": ("9000", "service", {"adds_capacity": True}, "capex", "do more"),
    "training is never part of it": ("9000", "training", {"adds_capacity": True}, "opex", "IAS 16.19"),
    "nor is what is used up": ("9000", "consumable", {"extends_life": True}, "opex", "used up"),
    "a statutory overhaul": ("9000", "overhaul", {}, "capex", "IAS 16.14"),
    "the yearly inspection": ("9000", "inspection", {}, "opex", "IAS 16.12"),
}


@pytest.mark.parametrize(("amount", "nature", "more", "as_", "why"), RULES.values(), ids=RULES)
def test_rules(amount: str, nature: Nature, more: dict[str, bool], as_: Class, why: str) -> None:
    found = classify(Spent(amount=Decimal(amount), nature=nature, **more))
    assert (found.as_, why in found.reason) == (as_, True), found


AMOUNTS = st.decimals(-10_000, 10_000, places=2)


@settings(max_examples=30)
@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(get_args(Nature)), st.booleans(), st.booleans())))
def test_both_are_what_was_spent(costs: list[tuple[Decimal, Nature, bool, bool]]) -> None:
    classed: list[tuple[Class, Decimal]] = [
        (classify(Spent(amount=amount, nature=nature, extends_life=longer, adds_capacity=more)).as_, amount)
        for amount, nature, longer, more in costs
    ]
    found = totals(classed)
    assert found.capex + found.opex == found.spent == sum((amount for amount, *_ in costs), Decimal(0))
