"""What is posted of assets: to the cent, each month once, late facts as deltas, and nothing of closed months again."""

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from backend import asset_valuer
from backend.asset_valuer import AssetValuer
from backend.book import alerts, register
from backend.book.db import read, write
from models.assets.posting import by_month
from models.months import BadPeriod
from tests.backend.asset_value_book import Park, texts, when
from tests.backend.books import Template

D = Decimal
SL = {"life_months": 48, "salvage": D(4_000)}


@pytest.fixture
def park(template: Template, tmp_path: Path) -> Iterator[Park]:
    park = Park.opened(template, tmp_path, "2026-04-10 08:00")
    yield park
    park.book.dispose()


def test_a_life_by_time_is_posted_by_month_and_what_changes_later_as_deltas(park: Park) -> None:
    park.declare("2026-01-15", bought=("2026-01-15", "52000"), how=SL)
    assert park.flows() == {
        "2026-01": {"acquisition": "52000", "depreciation": "1000.00"},
        "2026-02": {"depreciation": "1000.00"},
        "2026-03": {"depreciation": "1000.00"},
    }
    count = park.count()
    assert len(park.posted()) == 3
    park.close("2026-02")
    park.declare("2026-01-15", bought=("2026-01-15", "56800"), how=SL)
    found = park.posted()[3:]
    assert [(each.what, each.period - each.origin) for each in found] == [("delta", 2), ("delta", 1), ("delta", 0)]
    assert texts(by_month(found)) == {
        "2026-01": {"acquisition": "4800", "depreciation": "100.00"},
        "2026-02": {"depreciation": "100.00"},
        "2026-03": {"depreciation": "100.00"},
    }
    park.clock.now = when("2026-05-01 00:01")
    assert park.flows()["2026-04"] == {"depreciation": "1100.00"}
    assert park.count() == count + 4 + 1, "the forklift's month, too"


def test_what_still_waits_is_posted_before_a_month_is_closed(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had been declared between the last look and the closing."""
    monkeypatch.setattr(park.valuer, "settle_all", lambda: None)
    park.declare("2026-01-15", bought=("2026-01-15", "52000"), how=SL)
    assert park.close("2026-03")
    assert [(each.what, each.period - each.origin) for each in park.posted()] == [("month", 0)] * 3


def test_what_another_settles_meanwhile_leaves_no_cost_unposted(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is marked, settled by who closes a month and marked again, while a worker works out what it was before."""
    park.declare("2026-01-15", bought=("2026-01-15", "52000"), how=SL)
    park.posted()
    park.spend("a", "1000")
    known, now = asset_valuer.dues, park.clock.now

    def meanwhile(tx: Connection, *of: Any) -> Any:
        found = known(tx, *of)
        monkeypatch.setattr(asset_valuer, "dues", known)
        with write(park.book) as other:
            asset_valuer.settle_marked(other, register.load(other), now)
        park.spend("b", "2000")
        return found

    monkeypatch.setattr(asset_valuer, "dues", meanwhile)
    park.valuer.step()
    assert park.flows()["2026-02"]["addition"] == "3000"


def test_it_goes_to_the_day(park: Park) -> None:
    park.declare("2026-01-01", bought=("2026-01-01", "4000"), how={"life_months": 40, "convention": "daily"})
    park.declare(
        "2026-03-11", bought=("2026-01-01", "4000"), how={"life_months": 40, "convention": "daily"}, state="recycled"
    )
    flows = park.flows()
    assert flows["2026-03"] == {
        "depreciation": "32.88",
        "disposal of book value": "3773.15",
        "disposal of depreciation": "226.85",
    }, "1200 a year: 69 days, of March 10"
    park.clock.now = when("2026-06-01 00:00")
    assert [*park.flows()] == ["2026-01", "2026-02", "2026-03"]


@pytest.mark.parametrize("stop", range(1, 8))
def test_ended_anywhere_it_posts_nothing_twice(template: Template, tmp_path: Path, stop: int) -> None:
    """A valuer dies at each of its first commits; another one goes on."""
    park = Park.opened(template, tmp_path, "2026-04-10 08:00")
    park.declare("2026-01-15", bought=("2026-01-15", "52000"), how=SL)
    commits = count(1)

    def die(_connection: object) -> None:
        if next(commits) == stop:
            raise KeyboardInterrupt

    event.listen(park.book, "commit", die)
    with contextlib.suppress(KeyboardInterrupt):
        park.posted()
    event.remove(park.book, "commit", die)
    park.valuer = AssetValuer(park.book, park.clock)
    assert [sum(map(D, month.values())) for month in park.flows().values()] == [53_000, 1000, 1000]
    assert len(park.posted()) == 3
    park.book.dispose()


def test_an_asset_that_cannot_be_valued_holds_up_no_other_and_no_month_is_closed(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = asset_valuer.flows

    tried: list[Decimal] = []

    def wrong(of: Any, *rest: Any) -> Any:
        tried.append(of.cost)
        return 1 / 0 if of.cost == D(13_000) else right(of, *rest)

    def not_valued() -> list[str]:
        with read(park.book) as tx:
            return alerts.open_subjects(tx, "not_valued")

    monkeypatch.setattr(asset_valuer, "flows", wrong)
    park.declare("2026-01-15", bought=("2026-01-15", "52000"), how=SL)
    used = {"method": "units", "meter": "hours", "total_units": D(1000)}
    park.declare("2026-01-15", "CRANE-1", bought=("2026-01-15", "13000"), how=used)
    with pytest.raises(BadPeriod, match="CRANE-1"):
        park.close("2026-02")
    assert not_valued() == ["asset:CRANE-1"]
    tried.clear()
    park.valuer.step()
    assert tried == [], "it is left"
    park.clock.now += 601_000_000
    park.valuer.step()
    assert tried == [D(13_000)], "and tried again"
    monkeypatch.setattr(asset_valuer, "flows", right)
    park.valuer = AssetValuer(park.book, park.clock)
    assert park.close("2026-02")
    assert not_valued() == []
    assert [park.flows(each)["2026-01"]["acquisition"] for each in ("CRANE-7", "CRANE-1")] == ["52000", "13000"]


def test_by_a_bug_in_one_the_use_of_others_is_still_looked_at(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    used = {"method": "units", "meter": "hours", "total_units": D(1000)}
    for ident, cost in (("CRANE-1", "13000"), ("CRANE-7", "52000")):
        park.declare("2026-01-15", ident, bought=("2026-01-15", cost), how=used)
    park.valuer.settle_all()
    looked: list[list[str]] = []
    monkeypatch.setattr(asset_valuer, "differing", lambda *_: 1 / 0)
    monkeypatch.setattr(asset_valuer.asset_marks, "mark", lambda _tx, assets: looked.append(sorted(assets)))
    park.valuer.settle_all()
    assert looked == [["CRANE-1", "CRANE-7"]]
