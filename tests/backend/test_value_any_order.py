"""Movements and prices in any order of arrival, months closed in between, come to the same value."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backend.book.schema_costs import value_mark
from backend.verify import verify
from models.stock.ledger import Movement
from tests.backend.books import Template
from tests.backend.value_book import Shop, moved, said

D = Decimal
CLOSINGS = {12: "2026-09", 20: "2026-10"}


def arrivals(chance: random.Random) -> tuple[list[Movement], set[str]]:
    """Movements of three months, and which of them are taken back again."""
    made: list[Movement] = []
    for k in range(30):
        at = f"{chance.choice((9, 10, 11)):02}-{chance.randint(1, 28):02} {chance.randint(0, 23):02}:00"
        way = chance.choice(("in", "in", "sold", "sold", "back", "returned", "desk>scrap", "adjustment>desk"))
        made.append(moved(f"m{k}", at, chance.randint(1, 20), way, lot=chance.choice((None, "L1", "L2"))))
    return made, {f"m{k}" for k in chance.sample(range(30), 4)}


def take_in(shop: Shop, movements: list[Movement], back: set[str], chance: random.Random) -> None:
    """In this order; the valuer works now and then, and two months are closed."""
    for n, each in enumerate(movements):
        shop.post(each)
        if each.id in back:
            shop.post(withdrawn=[each.id])
        if chance.random() < 0.3:
            shop.valuer.settle_all()
        if n in CLOSINGS:
            shop.close(CLOSINGS[n])
    for ident in [m.id for m in movements if m.source == "supplier" and m.id not in back and int(m.id[1:]) % 2]:
        shop.price(ident, str(1 + int(ident[1:]) % 7))


def is_whole(shop: Shop) -> None:
    """What was posted over the closings is, together, what the closed months are worth."""
    assert not shop.rows(value_mark)
    worth: dict[str, Decimal] = {}
    for month in CLOSINGS.values():
        for flow, value in shop.sums(month).items():
            worth[flow] = worth.get(flow, D(0)) + D(value)
    posted = {flow: D(value) for flow, value in said(shop.posted()).items()}
    assert {flow: value for flow, value in posted.items() if value} == {f: v for f, v in worth.items() if v}
    assert not [finding for finding in verify(shop.book) if not finding.ok]


@pytest.mark.parametrize("costing", ["fifo", "lifo", "average", "specific"])
def test_any_order_of_arrival_comes_to_the_same_value(costing: str, template: Template, tmp_path: Path) -> None:
    chance = random.Random(costing)
    movements, back = arrivals(chance)
    found: list[dict[str, Any]] = []
    for name, order in (("orderly", movements), ("disorder", chance.sample(movements, len(movements)))):
        shop = Shop.opened(template, tmp_path, "12-05", f"{costing}-{name}")
        shop.declare("01-01", costing=costing, price="3")
        take_in(shop, order, back, chance)
        found.append(shop.value())
        is_whole(shop)
        shop.book.dispose()
    assert found[0] == found[1]
