import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.errors import Refused
from models.stock.reorder import Holding, Rule, proposal

D = Decimal


@pytest.mark.parametrize(
    ("stock", "terms", "expected"),
    [
        ("21 on hand, 0 on order", "packs of 1, least 0", None),
        ("20 on hand, 0 on order", "packs of 1, least 0", "40"),
        ("0 on hand, 0 on order", "packs of 1, least 0", "60"),
        ("-5 on hand, 0 on order", "packs of 1, least 0", "65"),
        ("10 on hand, 11 on order", "packs of 1, least 0", None),
        ("10 on hand, 10 on order", "packs of 1, least 0", "40"),
        ("10 on hand, 10 on order, open", "packs of 1, least 0", None),
        ("19 on hand, 0 on order", "packs of 12, least 0", "48"),
        ("20 on hand, 0 on order", "packs of 1, least 100", "100"),
        ("20 on hand, 0 on order", "packs of 12, least 100", "108"),
        ("19.5 on hand, 0 on order", "packs of 0.5, least 0", "40.5"),
    ],
)
def test_min_20_max_60(stock: str, terms: str, expected: str | None) -> None:
    on_hand, on_order, pack, least = (D(number) for number in re.findall(r"-?[\d.]+", f"{stock} {terms}"))
    found = proposal(Rule("PUMP-40", D(20), D(60), pack, least), Holding(on_hand, on_order), is_open="open" in stock)
    assert (None if found is None else str(found.quantity)) == expected


def test_the_reason_has_the_figures() -> None:
    found = proposal(Rule("PUMP-40", D(20), D(60), D(12)), Holding(D("8.0"), D(4)), is_open=False)
    assert found is not None
    assert found.reason == "8 on hand and 4 on order: at or below the minimum of 20; up to 60 in packs of 12"
    assert found.position == D(12)


@pytest.mark.parametrize(
    "figures",
    [
        ("20", "20", "1", "0"),
        ("-1", "5", "1", "0"),
        ("1", "5", "0", "0"),
        ("1", "5", "1", "-1"),
        ("1", "1E+40", "1", "0"),
        ("1", "5", "1E-40", "0"),
        ("1", "5", "1", "1E+40"),
        ("NaN", "5", "1", "0"),
    ],
)
def test_rules_that_make_no_sense_are_refused(figures: tuple[str, str, str, str]) -> None:
    with pytest.raises(Refused):
        Rule("PUMP-40", *map(D, figures))


def test_the_largest_figures_in_the_smallest_packs() -> None:
    found = proposal(Rule("X", D(0), D(10**12 - 1), D("0.000001")), Holding(-D(10**14), D(0)), is_open=False)
    assert found is not None
    assert found.quantity == D(10**14 + 10**12 - 1)


AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=2)


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.decimals(min_value="0.01", max_value=500, places=2), AMOUNTS)
def test_enough_in_whole_packs_and_never_a_pack_more(low: D, more: D, on_hand: D, pack: D, least: D) -> None:
    assume(more > 0)
    rule = Rule("X", low, low + more, pack, least)
    found = proposal(rule, Holding(on_hand, D(0)), is_open=False)
    assert (found is None) == (on_hand > low)
    if found is not None:
        needed = max(rule.maximum - on_hand, least)
        assert needed <= found.quantity < needed + pack
        assert found.quantity % pack == 0


@pytest.mark.parametrize(
    ("how", "on_hand", "expected"),
    [
        ({"lot": D(40)}, 20, 40),
        ({"lot": D(40)}, -30, 51),
        ({"lot": D(40)}, -20, 41),
        ({"lot": D(40), "multiples": True}, 20, 40),
        ({"lot": D(40), "multiples": True}, -20, 80),
        ({"lot": D(40), "multiples": True, "pack": D(50)}, 20, 50),
        ({"ceiling": D(45)}, 15, 30),
        ({"ceiling": D(45), "minimum_order": D(36)}, 15, 36),
        ({"ceiling": D(45), "pack": D(12)}, 15, 36),
        ({"ceiling": D(20)}, 15, 6),
        ({"ceiling": D(45), "lot": D(400)}, 15, 30),
    ],
)
def test_lots_and_ceilings(how: dict[str, Any], on_hand: int, expected: int) -> None:
    """Minimum 20, maximum 60: never less than what takes the position above the minimum."""
    found = proposal(Rule("X", D(20), D(60), **how), Holding(D(on_hand), D(0)), is_open=False)
    assert found is not None
    assert found.quantity == expected


def test_what_is_reserved_is_not_there() -> None:
    rule, there = Rule("X", D(20), D(60)), Holding(D(30), D(10), D(19))
    assert there.position == 21
    assert proposal(rule, there, is_open=False) is None
    found = proposal(rule, Holding(D(30), D(10), D(25)), is_open=False)
    assert found is not None
    assert (found.quantity, found.position) == (45, 15)
    assert found.reason.startswith("30 on hand and 10 on order, 25 reserved: ")
