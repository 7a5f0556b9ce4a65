"""A simulated year of 500 items by the planner's own proposals: the service that is reached where 95 % is aimed at.

Three policies on the same world: the corrected formula, the textbook's, and a minimum and maximum set by hand. Cycles
are counted after a warm-up; the intervals are of 95 %, over items. STOCKYARD_SEEDS worlds (1), STOCKYARD_SKUS items.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.backend.plan.simulated_year import Score, Sku, Year, score, world

SEEDS, ITEMS, DAYS = int(os.environ.get("STOCKYARD_SEEDS", "1")), int(os.environ.get("STOCKYARD_SKUS", "500")), 365
SLOW = 10
"""Units of demand in a lead time, on average, below which an item is slow."""
GROUPS = ("fast", "slow")
_worlds: dict[str, list[Sku]] = {}


def year(folder: Path, formula: str) -> dict[str, Score]:
    """The scores of a policy: of items with at least SLOW units in a lead time, and of the others."""
    if formula not in _worlds:
        run: list[Sku] = []
        for seed in range(1, SEEDS + 1):
            skus = world(seed, ITEMS)
            Year(folder / f"{formula}-{seed}.db", skus, formula).run(DAYS)
            run += skus
        _worlds[formula] = run
    found: dict[str, list[Sku]] = {"fast": [], "slow": []}
    for sku in _worlds[formula]:
        found["slow" if sku.lead_time_demand < SLOW else "fast"].append(sku)
    scores = {name: score(skus, DAYS) for name, skus in found.items()}
    for name, each in scores.items():
        print(
            f"\n{formula}, {name} ({len(found[name])} items, {each.cycles} cycles): cycle service {each.service:.2%} "
            f"+- {each.margin:.2%}, fill rate {each.fill:.2%}, holding cost {each.holding:,.0f} a year"
        )
    return scores


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("group", GROUPS)
def test_the_corrected_formula_reaches_its_target(measure: Any, tmp_path: Path, group: str) -> None:
    mine, textbook, by_hand = (year(tmp_path, formula)[group] for formula in ("corrected", "textbook", "by hand"))
    least, most = (0.93, 0.97) if group == "fast" else (0.93, 1.0)
    what = f"{'at least' if group == 'fast' else 'less than'} {SLOW} units in a lead time"
    row = {"group": "stock", "unit": "of 1", "peer": "textbook formula", "bound": f"{least} ... {most}"}
    check = f"cycle service of 0.95 aimed at, {what} ({mine.cycles} cycles, +- {mine.margin:.4f})"
    measure(
        row | {"check": check, "value": mine.service, "peer_value": textbook.service}, ok=least <= mine.service <= most
    )
    row = {"group": "stock", "peer": "minimum and maximum by hand"}
    measure(
        row | {"check": f"fill rate, {what}", "unit": "of 1", "value": mine.fill, "peer_value": by_hand.fill}, ok=True
    )
    money = {"check": f"holding cost of a year, {what}", "unit": "money", "value": mine.holding}
    measure(row | money | {"peer_value": by_hand.holding}, ok=True)
    service = {"check": f"cycle service, {what}", "unit": "of 1", "value": mine.service, "peer_value": by_hand.service}
    measure(row | service, ok=True)
