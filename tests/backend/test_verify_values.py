"""`stockyard verify` of the value of stock: it finds each kind of damage; and the alert of what has no cost."""

from pathlib import Path

import pytest
from sqlalchemy import text

from backend.book.db import write
from backend.book.schema import alert
from backend.planner import Planner
from backend.rules import RULES
from backend.verify import verify
from tests.backend.books import Template
from tests.backend.value_book import Shop, moved

DAMAGES = [
    ("UPDATE value_month SET value = '99' WHERE month = 24320", "value = replay of ledger and costs", "99 is kept"),
    ("DELETE FROM value_month WHERE month = 24322", "value = replay of ledger and costs", "nothing is kept"),
    ("UPDATE value_month SET value = '99'", "value: what came = what left + what is there", "worth 99"),
    ("UPDATE value_posting SET actor = 'x' WHERE n = 2", "value ledger chained and balanced", "posting 2"),
    ("DELETE FROM value_posting WHERE n = 3", "value ledger chained and balanced", "its postings are not"),
    ("UPDATE accounting_period SET inventory = '1' WHERE month = 24320", "closed months", "2026-09: inventory 1"),
    ("DELETE FROM accounting_period WHERE month = 24320", "closed months", "2026-10: inventory"),
    ("UPDATE cost SET amount = '4'", "value = replay of ledger and costs", "30 is kept, 40 is due"),
]


@pytest.fixture
def shop(template: Template, tmp_path: Path) -> Shop:
    made = Shop.opened(template, tmp_path, "12-05")
    made.declare()
    made.post(moved("a1", "09-03", 10), moved("a2", "10-05", 4, "sold"), moved("a3", "11-05", 4, "sold"))
    made.price("a1", "3")
    made.close("2026-10")
    made.post(moved("a4", "10-07", 1, "sold"))
    made.valuer.settle_all()
    return made


def wrong(shop: Shop) -> dict[str, str]:
    return {finding.name: finding.detail for finding in verify(shop.book) if not finding.ok}


@pytest.mark.parametrize(("damage", "check", "says"), DAMAGES)
def test_damage_is_found(shop: Shop, damage: str, check: str, says: str) -> None:
    assert wrong(shop) == {}
    with write(shop.book) as tx:
        tx.execute(text(damage))
    assert says in wrong(shop)[check]


def test_an_item_that_waits_is_left_out(shop: Shop) -> None:
    shop.post(moved("a5", "11-06", 1, "sold"))
    (figure,) = [each.figure for each in verify(shop.book) if each.name == "value = replay of ledger and costs"]
    assert "1 items still to be valued" in figure
    assert wrong(shop) == {}


def told(shop: Shop) -> list[tuple[str, str]]:
    """The open alerts of the rule, after the planner has worked."""
    planner = Planner(shop.book, shop.clock, [rule for rule in RULES if rule.name == "uncosted"])
    while planner.step():
        pass
    rows = [row for row in shop.rows(alert) if row["rule"] == "uncosted" and row["state"] == "open"]
    return [(row["subject"], row["title"]) for row in rows]


def test_what_has_no_cost_is_an_alert_until_it_has(shop: Shop) -> None:
    assert told(shop) == []
    shop.declare(sku="GLOVE-L")
    shop.post(moved("g1", "11-07", 3, sku="GLOVE-L"))
    shop.valuer.settle_all()
    assert told(shop) == [], "where nobody ever said what an item costs, nobody asks what it is worth"
    shop.post(moved("g2", "11-08", 3, sku="GLOVE-L"))
    shop.price("g2", "2")
    shop.valuer.settle_all()
    ((subject, title),) = told(shop)
    assert (subject, title) == (
        "item:GLOVE-L",
        "GLOVE-L: nobody knows what 1 of its movements cost; what came so stands at 0",
    )
    shop.price("g1", "2")
    shop.valuer.settle_all()
    assert told(shop) == []
