"""Units: exact there and back, or refused with the figures; nothing is rounded."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Refused
from models.stock.item import Units, convert, in_base

D = Decimal
BOLTS = Units.of("each", [("box", 100, 1), ("pallet", 4800, 1), ("third", 100, 3), ("sheet", 1, 8)], whole=True)
PIPE = Units.of("m", [("inch", 254, 10_000), ("bar", 6, 1), ("third", 1, 3)])


@pytest.mark.parametrize(
    ("units", "quantity", "unit", "to", "expected"),
    [
        (BOLTS, "2.5", "box", "each", "250"),
        (BOLTS, "24", "each", "box", "0.24"),
        (BOLTS, "0.5", "pallet", "box", "24"),
        (BOLTS, "3", "third", "each", "100"),
        (BOLTS, "8", "sheet", "each", "1"),
        (PIPE, "12", "inch", "m", "0.3048"),
        (PIPE, "1.5", "bar", "m", "9"),
        (PIPE, "0.5", "m", "m", "0.5"),
        (PIPE, "3", "third", "m", "1"),
    ],
)
def test_exact(units: Units, quantity: str, unit: str, to: str, expected: str) -> None:
    assert str(convert(units, D(quantity), unit, to)) == expected


@pytest.mark.parametrize(
    ("units", "quantity", "unit", "to", "says"),
    [
        (BOLTS, "0.005", "box", "each", "a whole number of each expected, 0.005 box is 1/2"),
        (BOLTS, "1", "third", "each", "a whole number of each expected, 1 third is 100/3"),
        (BOLTS, "1.5", "each", "each", "a whole number of each expected"),
        (PIPE, "1", "third", "m", "1 third is 1/3 m, which no decimal is exactly"),
        (PIPE, "0.001", "inch", "m", "a positive number expected, got '0.0000254'"),
        (PIPE, "1", "foot", "m", "unit: one of m, bar, inch, third expected, got 'foot'"),
        (BOLTS, "999999999999", "pallet", "each", "at most 12 digits expected"),
    ],
)
def test_refused_rather_than_rounded(units: Units, quantity: str, unit: str, to: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        convert(units, D(quantity), unit, to)
    assert says in str(refused.value)


factors = st.builds(Fraction, st.integers(1, 10_000), st.integers(1, 10_000))
quantities = st.decimals(min_value="0.000001", max_value="999999", places=6).filter(bool)


@given(factors, factors, quantities)
def test_what_converts_is_the_fraction_and_comes_back(one: Fraction, other: Fraction, quantity: Decimal) -> None:
    units = Units("base", {"one": one, "other": other})
    try:
        there = convert(units, quantity, "one", "other")
    except Refused:
        exact = Fraction(quantity) * one / other
        assert (exact * 10**6).denominator != 1 or exact >= 10**12, "what has a decimal is not refused"
        return
    assert Fraction(there) == Fraction(quantity) * one / other
    assert convert(units, there, "other", "one") == quantity


@given(factors, quantities)
def test_whole_items_are_whole_or_refused(factor: Fraction, quantity: Decimal) -> None:
    units = Units("each", {"pack": factor}, whole=True)
    try:
        found = in_base(units, quantity, "pack")
    except Refused:
        exact = Fraction(quantity) * factor
        assert exact.denominator != 1 or exact >= 10**12
        return
    assert found == found.to_integral_value()
