"""The journal: what each movement debits and credits, balanced, and no account shared with the assets' side."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.place import VIRTUAL
from models.stock.accounts import ACCOUNTS, CHART, INTO, INVENTORY, WAYS, balance, cents, counted, journal, way_of

D = Decimal
MODELS = Path(__file__).parents[3] / "models"
TABLE = [
    ("supplier", "sale", "scan receive", "receipt", "supplier return", "stock.received_not_invoiced"),
    ("customer", "sale", "dock crossing", "customer return", "sale", "stock.cost_of_goods_sold"),
    ("customer", "spare", "sold over the counter", "customer return", "sale", "stock.cost_of_goods_sold"),
    ("production", "raw", "kit", "produced", "production", "stock.work_in_progress"),
    ("production", "consumable", "", "consumption return", "consumption", "stock.consumption"),
    ("production", "spare", "work order W1", "work order return", "work order", "stock.work_orders"),
    ("project", "consumable", "site", "project return", "project", "stock.projects"),
    ("project", "spare", "work order W1", "work order return", "work order", "stock.work_orders"),
    ("scrap", "sale", "expired", "scrap return", "scrap", "stock.write_off"),
    ("adjustment", "sale", "count", "found", "lost", "stock.adjustment"),
    ("capitalised", "spare", "", "capitalised return", "capitalised", "stock.capitalised_clearing"),
]


@pytest.mark.parametrize(("kind", "purpose", "reason", "into", "out", "account"), TABLE)
def test_which_account_is_on_the_other_side(  # noqa: PLR0913, PLR0917 - one row of the table
    kind: str, purpose: str, reason: str, into: str, out: str, account: str
) -> None:
    way = way_of(kind, purpose, reason)
    assert (way.into, way.out) == (into, out)
    assert ACCOUNTS[into] == (INVENTORY, account)
    assert ACCOUNTS[out] == ACCOUNTS[out + " true-up"] == (account, INVENTORY)


def test_every_kind_of_the_outside_has_a_way() -> None:
    assert {*WAYS} - {"consumption", "work order"} == VIRTUAL - {"in_transit"}
    assert {account for pair in ACCOUNTS.values() for account in pair} == {*CHART}


@given(st.sampled_from(sorted(ACCOUNTS)), st.decimals(-1000, 1000, places=2))
def test_an_entry_balances_and_moves_the_inventory_by_its_flow(flow: str, amount: Decimal) -> None:
    lines = journal(flow, amount)
    assert sum(line.debit for line in lines) == sum(line.credit for line in lines)
    assert all((line.debit > 0) != (line.credit > 0) for line in lines)
    assert balance(lines).get(INVENTORY, 0) == (amount if flow in INTO else -amount)


@given(st.lists(st.decimals(-1000, 1000, places=12), max_size=20))
def test_no_fraction_of_a_cent_is_lost(values: list[Decimal]) -> None:
    carry, posted = D(0), D(0)
    for value in values:
        amount, carry = cents(value, carry)
        posted += amount
        assert abs(carry) <= D("0.005")
        assert amount == amount.quantize(D("0.01"))
    assert posted + carry == sum(values)


def test_the_sides_share_no_account() -> None:
    """Nobody on the assets' side names one of these, and theirs do not begin with `stock.`."""
    assert all(account.startswith("stock.") for account in CHART)
    sources = [
        path.read_text(encoding="utf-8") for part in ("assets", "maintenance") for path in (MODELS / part).rglob("*.py")
    ]
    assert not [account for account in CHART for text in sources if account in text]


def test_what_counts_as_quantity() -> None:
    assert [counted(flow, D(2)) for flow in ("receipt", "sale", "sale true-up")] == [2, -2, 0]
