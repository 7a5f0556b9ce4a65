"""A reservation's life: what is left is what was promised less what went, until it is over."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Clash, Refused
from models.stock.reservation import Held, Reservation, cancel, fulfil

D = Decimal


def made(quantity: str = "10", **fields: object) -> Reservation:
    given = {"id": "r", "sku": "X", "quantity": D(quantity), "purpose": "order", "reference": "O-1", "need_at": 0}
    return Reservation(**(given | fields))  # type: ignore[arg-type]


def test_a_lot_is_reserved_where_it_lies() -> None:
    with pytest.raises(Refused, match="location: expected, as a lot"):
        made(lot="A")
    with pytest.raises(Refused, match="quantity: a positive number"):
        made("0")
    assert made("2.50") == made("2.5")


steps = st.lists(st.integers(-1, 12).map(D), max_size=12)
"""Below 0: cancel; else fulfil so much."""


@given(st.integers(1, 20), steps)
def test_any_life(quantity: int, life: list[Decimal]) -> None:
    held, went = Held(made(str(quantity))), D(0)
    for step in life:
        before = held
        try:
            held = cancel(held) if step < 0 else fulfil(held, step)
            went += max(step, D(0))
        except Clash:
            assert held.state == "fulfilled" or (step >= 0 and held.state == "cancelled")
        except Refused:
            assert step == 0 or step > held.left
        assert held.fulfilled == went <= quantity
        assert (held.state == "fulfilled") == (went == quantity)
        assert held.left == (quantity - went if held.state == "open" else 0)
        assert before.state in {"open", held.state}, "what is over stays so"
