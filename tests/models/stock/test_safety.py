"""Worked examples of reorder points and services; the gamma law against SciPy's figures and against itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock import gamma, safety
from models.stock.policy import eoq
from models.stock.safety import Spread

REORDER = [  # demand a day: mean, sd; lead time: mean, sd; service; safety stock, reorder point
    (100, 20, 5, 0, 0.95, 73.56009, 573.56009),
    (100, 20, 5, 1, 0.95, 180.184687, 680.184687),
    (40, 12, 9, 2, 0.98, 180.16892, 540.16892),
    (2.5, 1.5, 14, 3, 0.90, 12.00493, 47.00493),
]


def spread(mean: float, sd: float, lead_mean: float, lead_sd: float) -> Spread:
    return Spread(mean * lead_mean, safety.sd_of_lead_time_demand(mean, sd, lead_mean, lead_sd))


@pytest.mark.parametrize("row", REORDER)
def test_reorder_points(row: tuple[float, ...]) -> None:
    *measured, service, stock, reorder_point = row
    asked = spread(*measured)
    found = safety.point(asked, service, "cycle", 1)
    assert found == pytest.approx(reorder_point, abs=1e-4)
    assert found - asked.mean == pytest.approx(stock, abs=1e-4)
    assert safety.cycle_service(asked, found) == pytest.approx(service)


def test_the_carpet_store() -> None:
    """A textbook's: 30 a day, sd 5, lead time 10 days, z = 1.65."""
    assert 300 + 1.65 * safety.sd_of_lead_time_demand(30, 5, 10, 0) == pytest.approx(326.0888, abs=1e-3)


@pytest.mark.parametrize(
    ("row", "quantity", "fill"), [(0, 500, 0.9981312769), (1, 500, 0.995422582), (1, 200, 0.988556455)]
)
def test_fill_rates(row: int, quantity: float, fill: float) -> None:
    *measured, service, _, _ = REORDER[row]
    asked = spread(*measured)
    reorder_point = safety.point(asked, service, "cycle", quantity)
    assert safety.fill_rate(asked, reorder_point, quantity) == pytest.approx(fill, abs=1e-8)
    assert safety.point(asked, fill, "fill", quantity) == pytest.approx(reorder_point, abs=1e-3)


@pytest.mark.parametrize(
    ("order_cost", "demand", "holding", "quantity"),
    [(8, 1300, 0.225, 304.0467800264368), (100, 12000, 4.8, 707.1067811865476), (50, 1000, 2, 223.60679774997897)],
)
def test_economic_quantities(order_cost: float, demand: float, holding: float, quantity: float) -> None:
    assert eoq(order_cost, demand, holding) == pytest.approx(quantity, rel=1e-12)
    assert order_cost * demand / quantity + holding * quantity / 2 == pytest.approx(
        (2 * order_cost * demand * holding) ** 0.5
    )


def test_the_newsvendor() -> None:
    """stockpyl's example 4.3: holding 0.18, stock-out 0.70, demand N(50, 8)."""
    assert safety.newsvendor(50, 8, 0.18, 0.70) == pytest.approx(56.604, abs=5e-4)


@pytest.mark.parametrize(
    ("shape", "x", "chance"),
    [  # scipy.special.gammainc
        (0.3, 0.05, 0.448436862106593),
        (2.5, 1.0, 0.150854963915390),
        (2.5, 6.0, 0.965212219493758),
        (40.0, 55.0, 0.985302820473602),
        (900.0, 850.0, 0.045762494179242),
    ],
)
def test_the_incomplete_gamma_function(shape: float, x: float, chance: float) -> None:
    assert gamma.share(shape, x) == pytest.approx(chance, rel=1e-9)


spreads = st.tuples(st.floats(0.01, 1e5), st.floats(0.01, 5)).map(
    lambda each: Spread(each[0], each[0] * each[1], "gamma")
)


@given(spreads, st.floats(0.5, 0.999))
def test_a_point_reaches_its_service_and_no_less_would(asked: Spread, service: float) -> None:
    found = safety.point(asked, service, "cycle", 1)
    assert safety.cycle_service(asked, found) == pytest.approx(service, abs=1e-6)
    assert safety.cycle_service(asked, found * 0.99) < service


@given(spreads, st.floats(0.5, 0.999), st.floats(0.01, 1e5))
def test_a_point_fills_its_share(asked: Spread, service: float, quantity: float) -> None:
    found = safety.point(asked, service, "fill", quantity)
    reached = safety.fill_rate(asked, found, quantity)
    assert reached >= service - 1e-6
    assert found == 0 or reached == pytest.approx(service, abs=1e-6)


@given(spreads)
def test_what_is_missing_is_the_integral_of_the_chance_to_miss(asked: Spread) -> None:
    """-d/ds E[max(X - s, 0)] = P(X > s)."""
    at, step = asked.mean, asked.mean * 1e-4
    slope = (safety.shortage(asked, at - step) - safety.shortage(asked, at + step)) / (2 * step)
    assert slope == pytest.approx(1 - safety.cycle_service(asked, at), abs=1e-4)


def test_without_any_spread_the_mean_is_enough() -> None:
    assert safety.point(Spread(40, 0, "gamma"), 0.99, "cycle", 1) == 40
    assert safety.cycle_service(Spread(40, 0), 40) == 1
    assert safety.shortage(Spread(40, 0, "gamma"), 30) == 10
