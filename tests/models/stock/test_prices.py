"""Costs: what may be declared, which price holds, how a landed cost is shared."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock.prices import BadCost, Bears, Cost, dated, holding, spread

D = Decimal
PRICE = {"id": "c", "what": "price", "amount": D(1)}
LANDED = {"id": "c", "what": "landed", "amount": D(1), "share": "value", "receipts": ["b", "a"]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (PRICE, "movement"),
        (PRICE | {"movement": "m", "sku": "B", "since": 1}, "movement"),
        (PRICE | {"movement": "m", "lot": "L"}, "movement"),
        (PRICE | {"sku": "B"}, "movement"),
        (PRICE | {"since": 1}, "movement"),
        (PRICE | {"movement": "m", "amount": D(-1)}, "amount"),
        (PRICE | {"movement": "m", "amount": D("0.0000001")}, "amount"),
        (PRICE | {"movement": "m", "receipts": ["a"]}, "receipts"),
        (LANDED | {"movement": "m"}, "movement"),
        (LANDED | {"receipts": []}, "receipts"),
        (LANDED | {"receipts": ["a", "a"]}, "receipts"),
        (LANDED | {"share": None}, "receipts"),
        (LANDED | {"share": "weight"}, "weights"),
        (LANDED | {"weights": [D(1), D(2)]}, "weights"),
        (LANDED | {"share": "weight", "weights": [D(1), D(0)]}, "weights"),
    ],
)
def test_what_cannot_be_a_cost(fields: dict[str, object], field: str) -> None:
    with pytest.raises(BadCost, match=f"^{field}"):
        Cost(**fields)  # type: ignore[arg-type]


def test_receipts_stand_in_order_with_their_weights() -> None:
    cost = Cost(**LANDED | {"share": "weight", "weights": [D(2), D("1.0")]})  # type: ignore[arg-type]
    assert (cost.receipts, [str(each) for each in cost.weights]) == (["a", "b"], ["1", "2"])


def price(ident: str, amount: int, **other: object) -> Cost:
    return Cost(id=ident, what="price", amount=D(amount), sku="B", **{"since": 10} | other)  # type: ignore[arg-type]


def test_what_holds_does_not_depend_on_the_order() -> None:
    costs = [price("a", 1), price("b", 2, replaces="a"), price("c", 3, replaces="b"), price("d", 4, since=20)]
    for order in permutations(costs):
        assert {each.id for each in holding(order)} == {"c", "d"}


@pytest.mark.parametrize(
    ("lot", "at", "found"),
    [(None, 9, None), (None, 10, 1), (None, 25, 2), ("L", 25, 3), ("L", 12, 1), ("M", 25, 2), ("L", 40, 3)],
)
def test_which_dated_price_holds(lot: str | None, at: int, found: int | None) -> None:
    prices = [price("a", 1), price("b", 2, since=20), price("c", 3, since=15, lot="L")]
    assert dated(prices, lot, at) == found


BEARS = [Bears("a", D(10), D(3), D(5)), Bears("b", D(20), D("1.5"), D(1)), Bears("c", D(30), None, D(1))]


@pytest.mark.parametrize(
    ("share", "found"),
    [
        ("value", {"a": 35, "b": 35, "c": 0}),
        ("quantity", {"a": D("11.666666666667"), "b": D("23.333333333333"), "c": 35}),
        ("weight", {"a": 50, "b": 10, "c": 10}),
    ],
)
def test_how_it_is_shared(share: str, found: dict[str, Decimal]) -> None:
    assert spread(D(70), share, BEARS) == found  # type: ignore[arg-type]


def test_by_quantity_where_no_price_is_known() -> None:
    assert spread(D(9), "value", [Bears("a", D(1), None, None), Bears("b", D(2), None, None)]) == {"a": 3, "b": 6}
    assert spread(D(9), "value", []) == {}


@given(st.decimals(0, 10_000, places=2), st.lists(st.decimals("0.001", 100, places=3), min_size=1, max_size=12))
def test_nothing_is_lost(amount: Decimal, quantities: list[Decimal]) -> None:
    bears = [Bears(str(k), each, None, None) for k, each in enumerate(quantities)]
    assert sum(spread(amount, "quantity", bears).values()) == amount
