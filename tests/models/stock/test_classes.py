"""Classes, turnover and what stands still, by worked examples."""

from decimal import Decimal

import pytest

from models.stock import classes, cycles
from models.stock.cycles import Step

D = Decimal
VALUES = [40000, 25000, 15000, 8000, 5000, 3000, 2000, 1000, 600, 400]


def test_abc_by_the_share_before_an_item() -> None:
    found = classes.abc({f"item-{n}": D(value) for n, value in enumerate(VALUES)})
    assert "".join(found[f"item-{n}"] for n in range(len(VALUES))) == "AAABBBCCCC"
    assert classes.abc({"a": D(0), "b": D(0)}) == {"a": "C", "b": "C"}
    assert classes.abc({"b": D(5), "a": D(5)}) == {"a": "A", "b": "A"}


@pytest.mark.parametrize(
    ("amounts", "cv", "found"),
    [
        ([10, 10, 10], 0.0, "X"),
        ([8, 12, 10, 6, 14], 0.2828, "X"),
        ([0, 0, 9, 0, 0], 2.0, "Z"),
        ([1, 3, 9], 0.7845, "Y"),
    ],
)
def test_xyz_by_the_coefficient_of_variation(amounts: list[float], cv: float, found: str) -> None:
    assert classes.variation(amounts) == pytest.approx(cv, abs=1e-4)
    assert classes.xyz(classes.variation(amounts)) == found


def test_nothing_asked_for_is_z() -> None:
    assert classes.xyz(classes.variation([0.0, 0.0])) == classes.xyz(classes.variation([])) == "Z"


def test_turnover() -> None:
    turns = classes.turnover(D(600_000), D(100_000))
    assert turns == 6
    assert round(classes.days_on_hand(D(6)), 4) == D("60.8333")
    assert classes.turnover(D(5), D(0)) is None


def test_how_an_item_stands() -> None:
    much = classes.standing(D(100), 2.0, D(70), 3, D("1.5"))
    assert (much.days, much.over, much.cash, much.cash_over, much.is_slow) == (D("50.0"), 30, 150, 45, False)
    still = classes.standing(D(5), 0.0, None, 120, None)
    assert (still.days, still.over, still.cash, still.is_slow) == (None, 0, None, True)
    assert not classes.standing(D(0), 0.0, None, None, None).is_slow, "nothing lies there"
    assert classes.standing(D(-3), 1.0, D(1), 1, D(2)).cash == 0


def test_service_that_was_reached() -> None:
    steps = [(1, 10, True), (2, -4, False), (3, 10, True), (4, -16, False), (5, 8, True), (6, -3, False), (7, 5, True)]
    found = cycles.reached([Step(at, D(change), is_in) for at, change, is_in in steps], 0)
    assert found == (3, 1)
    assert found.service == pytest.approx(2 / 3)
    assert cycles.reached([Step(at, D(c), is_in) for at, c, is_in in steps], 6) == (1, 0)
    assert cycles.reached([], 0).service is None
