"""`stockyard verify` of the value of assets: it finds each kind of damage, and leaves out what waits."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.book.db import write
from backend.verify import CHECKS, verify
from backend.verify.folds import Seen
from models.assets import accounts as of_assets
from models.stock import accounts as of_stock
from tests.backend.asset_value_book import Park
from tests.backend.books import Template

CHAIN, DUE = "asset ledger chained and balanced", "assets: posted = due = register"
DAMAGES = [
    ("UPDATE asset_posting SET actor = 'x' WHERE n = 2", CHAIN, "asset posting 2"),
    ("DELETE FROM asset_posting WHERE n = (SELECT max(n) FROM asset_posting)", CHAIN, "the head is not"),
    ("DELETE FROM asset_posting WHERE n = (SELECT max(n) FROM asset_posting)", DUE, "is not posted"),
    ("UPDATE asset_posting SET lines = replace(lines, 'depreciation', 'upkeep')", DUE, "its accounts come to"),
    ("UPDATE asset_cost SET as_ = 'opex'", DUE, "CRANE-7 2026-02"),
]


@pytest.fixture
def park(template: Template, tmp_path: Path) -> Iterator[Park]:
    park = Park.opened(template, tmp_path, "2026-04-10 08:00")
    park.declare("2026-01-15", bought=("2026-01-15", "52000"), how={"life_months": 48})
    with write(park.book) as tx:
        tx.execute(
            text(
                "INSERT INTO asset_cost VALUES (1, 'k-1', 'CRANE-7', '2026-02-10', '4700', 'overhaul', 'capex', "
                "'said', x'7b7d', 'ann', 0)"
            )
        )
    park.posted()
    yield park
    park.book.dispose()


def wrong(park: Park) -> dict[str, str]:
    return {finding.name: finding.detail for finding in verify(park.book) if not finding.ok}


class TakenBack(Exception):
    """So that the next damage finds the book whole."""


def test_damage_is_found(park: Park) -> None:
    assert wrong(park) == {}
    (figure,) = [each.figure for each in verify(park.book) if each.name == DUE]
    assert figure.endswith(", 0 still to be posted"), figure
    for damage, check, says in DAMAGES:
        with contextlib.suppress(TakenBack), write(park.book) as tx:
            tx.execute(text(damage))
            _, found = CHECKS[check](Seen(tx))
            assert says in " ".join(found), damage
            raise TakenBack


def test_what_waits_is_left_out(park: Park) -> None:
    park.declare("2026-01-15", bought=("2026-01-15", "60000"), how={"life_months": 48})
    (figure,) = [each.figure for each in verify(park.book) if each.name == DUE]
    assert figure == "1 assets, book value 23400.00, 1 still to be posted", "the forklift's"
    assert wrong(park) == {}


def test_stock_and_assets_share_no_account() -> None:
    assert not {*of_assets.CHART} & {*of_stock.CHART}
    assert {account for pair in of_assets.ACCOUNTS.values() for account in pair} == {*of_assets.CHART}
