"""Trips, stops, visits, transports, hours and odometers of a truck and a crane are equal bit for bit in every order.

Sent in order, live records before what was kept, newest first, and in shuffled batches with a tenth of it twice. A day
here, the month in tests/bench/test_motion_month.py.
"""

from pathlib import Path

import pytest

from simulators.reporting import Habit
from tests.motion.orders import ORDERS, months, outcome

DAYS, EVERY_S, DERIVES_EVERY = 1, 60, 300


@pytest.mark.timeout(120)
def test_every_order_comes_to_the_same_rows(template: Path, tmp_path: Path) -> None:
    given = months(DAYS, Habit(on_s=EVERY_S, turn_deg=60))
    found = {order: outcome(template, tmp_path / f"{order}.db", given, order, DERIVES_EVERY) for order in ORDERS}
    digests = {order: made for order, (made, _, _) in found.items()}
    assert found["in order"][1] > 50
    for order, made in digests.items():
        assert made == digests["in order"], order
