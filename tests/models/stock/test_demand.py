"""Demand and lead time as they are measured."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock import demand, lead_time
from models.stock.demand import DAY_US, Out

D = Decimal


def test_demand_of_ten_days() -> None:
    used = [(0, D(2)), (DAY_US // 2, D(4)), (5 * DAY_US, D(6))]
    found = demand.measure(used, 0, 10 * DAY_US)
    assert found is not None
    assert (found.mean, found.pieces, found.size, found.days) == (1.2, 3, 4.0, 10.0)
    assert found.sd**2 == pytest.approx((2 * (6 - 1.2) ** 2 + 8 * 1.2**2) / 9)
    assert (found.size2, found.size3) == (pytest.approx(56 / 3), pytest.approx(288 / 3))
    assert found.interval_days == pytest.approx(10 / 3)


@pytest.mark.parametrize(("days", "count"), [(6, 5), (30, 1), (30, 0)])
def test_too_little_is_not_measured(days: int, count: int) -> None:
    assert demand.measure([(n, D(1)) for n in range(count)], 0, days * DAY_US) is None


def test_what_is_outside_of_the_window_does_not_count() -> None:
    used = [(-1, D(50)), (0, D(1)), (9 * DAY_US, D(1)), (10 * DAY_US, D(50))]
    found = demand.measure(used, 0, 10 * DAY_US)
    assert found is not None
    assert found.mean == 0.2


def test_what_comes_back_was_not_asked_for() -> None:
    outs = [Out(1, "a", D(5)), Out(2, "b", D(3)), Out(3, "c", D(-4)), Out(4, "d", D(2))]
    assert demand.pieces(outs) == [(1, D(4)), (4, D(2))]
    assert demand.pieces([Out(1, "a", D(-5)), Out(2, "b", D(3))]) == [(2, D(3))], "nothing was there to take it from"


@given(st.permutations([Out(at, str(at), D(q)) for at, q in enumerate([3, 5, -2, 4, -6, 1])]))
def test_pieces_are_the_same_in_every_order(outs: list[Out]) -> None:
    assert demand.pieces(outs) == [(0, D(3)), (1, D(1)), (5, D(1))]


def test_croston_follows_what_matters_lately() -> None:
    steady = [(n * 4 * DAY_US, D(8)) for n in range(1, 90)]
    found = demand.measure(steady, 0, 360 * DAY_US)
    assert found is not None
    assert found.croston == pytest.approx(0.95 * 2, rel=1e-6)
    faster = [*steady[:60], *((n * DAY_US, D(8)) for n in range(241, 360))]
    quick = demand.measure(faster, 0, 360 * DAY_US)
    assert quick is not None
    assert quick.croston > 1.8 * found.croston
    assert quick.mean < 2.1 * found.mean


def test_lead_times_are_measured_from_five_receipts_on() -> None:
    spans = [n * DAY_US for n in (5, 6, 7, 8, 9)]
    found = lead_time.measure(spans, 20)
    assert found is not None
    assert (found.mean, found.sd, found.source) == (7.0, pytest.approx(2.5**0.5), "measured")
    few = lead_time.measure(spans[:4], 20)
    assert few is not None
    assert (few.mean, few.sd, few.samples, few.source) == (20.0, 5.0, 4, "declared")
    assert lead_time.measure([], None) is None
    one = lead_time.measure(spans[:1], None)
    assert one is not None
    assert (one.mean, one.sd) == (5.0, 1.25)
