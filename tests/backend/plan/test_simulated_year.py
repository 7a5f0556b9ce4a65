"""The simulated year in short: what the planner proposes goes through ledger, orders and receipts, and serves.

`make bench ONLY=stock` has it whole, with its bounds.
"""

from pathlib import Path

from sqlalchemy import func, select

from backend.book import purchases, schema
from backend.book.db import read
from backend.book.schema_orders import purchase_fill, purchase_order
from tests.backend.plan.simulated_year import Year, score, world

ITEMS, DAYS, WARM_UP = 8, 40, 20


def test_a_season_by_the_planner_s_own_proposals(tmp_path: Path) -> None:
    skus = world(2, ITEMS)
    season = Year(tmp_path / "book.db", skus, "corrected")
    season.run(DAYS, WARM_UP)
    coming = {sku.name: 0 for sku in skus}
    for arrivals in season.arrivals.values():
        for name, _, quantity in arrivals:
            coming[name] += quantity
    with read(season.book) as tx:
        table = schema.balance.c
        there = select(table.sku, table.on_hand).where(table.location == "warehouse")
        assert {row.sku: int(row.on_hand) for row in tx.execute(there)} == {sku.name: sku.on_hand for sku in skus}
        orders = select(func.count()).select_from(purchase_order).where(purchase_order.c.proposal.is_not(None))
        assert tx.scalar(orders) == season.approved >= ITEMS
        on_order = purchases.on_order(tx, list(coming))
        assert {name: int(on_order.get(name, 0)) for name in coming} == coming
        states = dict(tx.execute(select(purchase_fill.c.is_open, func.count()).group_by(purchase_fill.c.is_open)).all())
        assert states[False] > 3 * states.get(True, 0), "what came has closed its line"
    reached = score(skus, DAYS)
    assert reached.cycles >= ITEMS
    assert reached.service > 0.85
    assert reached.fill > 0.95
