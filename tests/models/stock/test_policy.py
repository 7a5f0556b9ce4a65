"""From what was measured to a level: tables of the formulas, and properties of what is ordered."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from models.declared_reorder import ReorderPolicy
from models.stock.demand import Demand
from models.stock.lead_time import LeadTime
from models.stock.policy import Facts, Level, Unknown, level, undershoot

D = Decimal
EVEN = Demand(days=365, pieces=36500, mean=100, sd=20, size=1, size2=1, size3=1, croston=95)
LUMPY = Demand(days=400, pieces=100, mean=5, sd=20, size=20, size2=500, size3=14000, croston=4.8)
FACTS = Facts(sku="BOLT-M8", demand=EVEN, lead_time=LeadTime(5, 0, 40, "measured"), whole=True)
FIXED = Facts(sku="BOLT-M8", demand=None, lead_time=None, minimum=D(20), maximum=D(60))


def made(facts: Facts, **policy: Any) -> Level:
    found = level(ReorderPolicy(**policy), facts)
    assert isinstance(found, Level)
    return found


@pytest.mark.parametrize(
    ("formula", "method", "point"),
    [
        ("textbook", "s_S", 574),  # 573.56: the worked example
        ("corrected", "s_S", 577),  # a gamma law, and one year's uncertainty; a piece of 1 undershoots nothing
        ("textbook", "review", 681),  # d (L + 1) + z sd sqrt(L + 1)
        ("corrected", "review", 646),  # 551.5 + what one period adds
    ],
)
def test_reorder_points_by_formula(formula: str, method: str, point: int) -> None:
    found = made(FACTS, formula=formula, method=method, review_days=1 if method == "review" else None)
    assert found.reorder_point == point


def test_the_undershoot_of_pieces_and_of_periods() -> None:
    pieces = undershoot(LUMPY, 0, whole=False)
    assert pieces.mean == 500 / 40
    assert pieces.variance == pytest.approx(14000 / 60 - 12.5**2)
    assert undershoot(LUMPY, 0, whole=True).mean == 12.0
    period = undershoot(EVEN, 1, whole=False)
    assert period.mean == pytest.approx((20**2 + 100**2) / 200), "(sd^2 + d^2) / 2d"
    even = undershoot(replace(EVEN, sd=0), 1, whole=False)
    assert even.variance == pytest.approx(100**2 / 12), "of an even demand: d^2 R^2 / 12"


def test_pieces_need_more_than_the_textbook_has() -> None:
    facts = replace(FACTS, demand=LUMPY)
    textbook, corrected = made(facts, formula="textbook"), made(facts)
    assert corrected.reorder_point > textbook.reorder_point + 12
    assert corrected.cycle_service == pytest.approx(0.95, abs=0.01)
    assert "12 below the point when the order goes out" in corrected.reasons[2]
    assert corrected.safety_stock == corrected.reorder_point - 25


def test_what_is_hardly_known_is_kept_safer() -> None:
    few = replace(FACTS, lead_time=LeadTime(5, 2, 6, "measured"))
    many = replace(FACTS, lead_time=LeadTime(5, 2, 600, "measured"))
    assert made(few).reorder_point > made(many).reorder_point


def test_quantities() -> None:
    priced = replace(FACTS, unit_cost=D("24"))
    assert made(priced, order_cost=D(100)).lot == D(1234), "sqrt(2 x 100 x 36500 / 4.8)"
    assert made(priced).lot == D(3000), "a month: no order cost is known"
    assert made(FACTS, order_cost=D(100), cover_days=7).lot == D(700), "no price is known"
    assert made(priced, quantity=D(500)).lot == D(500)
    rules = {method: made(priced, method=method, quantity=D(500)).rule for method in ("reorder_point", "R_Q", "s_S")}
    assert [(rule.lot, rule.multiples) for rule in rules.values()] == [(D(500), False), (D(500), True), (None, False)]
    assert rules["s_S"].maximum == rules["s_S"].minimum + 500
    assert made(priced, most_days=10).rule.ceiling == rules["s_S"].minimum + 1000


def test_a_fill_target_leans_on_the_quantity() -> None:
    small, large = (made(FACTS, target="fill", quantity=D(q)) for q in (100, 5000))
    assert small.reorder_point > large.reorder_point
    assert small.fill_rate == pytest.approx(0.95, abs=0.01)


def test_fixed_figures_stand_in_place_of_computed_ones() -> None:
    assert made(FACTS, reorder_point=D(42)).reorder_point == 42
    assert made(FACTS, formula="textbook", safety_stock=D(30)).reorder_point == 530
    assert made(FIXED, method="min_max").rule.maximum == 60


def test_without_measurements_the_fixed_levels_hold() -> None:
    found = made(FIXED)
    assert (found.method, found.reorder_point, found.rule.maximum) == ("min_max", 20, 60)
    assert "less than a week of demand" in found.reasons[0]
    missing = level(ReorderPolicy(), replace(FIXED, minimum=None))
    assert isinstance(missing, Unknown)
    late = level(ReorderPolicy(), replace(FACTS, lead_time=None))
    assert late == Unknown("no receipt and no declared lead time, and no fixed levels")
    assert isinstance(level(ReorderPolicy(method="min_max"), FACTS), Unknown)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"service": "1"}', "service: 0.5 ... 0.9999 expected, got 1"),
        ('{"service": "0.4"}', "service"),
        ('{"method": "review"}', "review_days: expected"),
        ('{"review_days": 7}', "review_days: expected"),
        ('{"quantity": "0"}', "quantity"),
        ('{"holding_rate": "-1"}', "holding_rate"),
        ('{"method": "guess"}', "method"),
    ],
)
def test_policies_that_cannot_be(body: str, message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message.replace(".", r"\.")):
        msgspec.json.decode(body, type=ReorderPolicy)


def test_a_level_that_no_quantity_can_be_is_unknown() -> None:
    """As when somebody scanned a barcode as a quantity: the planner goes on with the other items."""
    huge = replace(EVEN, mean=36_000_291_452.0, size=36e9, size2=1.3e21, size3=4.7e31)
    found = level(ReorderPolicy(), replace(FACTS, demand=huge, lead_time=LeadTime(90, 0, 40, "declared")))
    assert isinstance(found, Unknown)
    assert "at most 12 digits" in found.reason
