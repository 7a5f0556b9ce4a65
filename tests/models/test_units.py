from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import derived_id
from models.units import BadQuantity, checked, parse_quantity, plain, quantity_text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_equal_quantities_have_one_text(quantity: Decimal) -> None:
    same = quantity.normalize()
    assert quantity_text(same) == quantity_text(quantity)
    assert Decimal(quantity_text(quantity)) == quantity
    assert "E" not in quantity_text(quantity)
    assert str(plain(same)) == str(plain(quantity))


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "", "1,5", "NaN", " 1", "1234567890123", "0.0000001", "٣", "1."])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(BadQuantity, match="quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(
    "quantity",
    [
        *map(Decimal, ("NaN", "sNaN", "Infinity", "-2", "0", "1E+99", "1E-7", "1E-999999999999", "0E-999999999999")),
        Decimal(1) / 3,
    ],
)
def test_what_cannot_be_posted(quantity: Decimal) -> None:
    with pytest.raises(BadQuantity):
        checked(quantity)


def test_ids_differ_with_every_part() -> None:
    ids = {
        derived_id("a", "b"),
        derived_id("b", "a"),
        derived_id("ab"),
        derived_id("a", "b", ""),
        derived_id("a", "", "b"),
    }
    assert len(ids) == 5
