"""A rule that fails on one subject, or an item that cannot be valued, holds up no other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend import valuer
from backend.book import alerts, events
from backend.book.db import read, write
from backend.book.schema import alert
from backend.book.schema_costs import value_month
from backend.book.values import revalue
from backend.plan.left import LEFT_US
from backend.plan.rule import Rule, View
from backend.planner import ROWS_A_STEP, Planner
from models.alert import Alert
from models.months import BadPeriod
from tests.backend.books import Template, Yard
from tests.backend.value_book import SKU, Shop, moved

IDENTS = [f"i{number:02d}" for number in range(40)]
BAD = {"i07", "i31"}


class Faulty:
    """A rule of items whose code fails on some of them, as long as that is not put right."""

    def __init__(self) -> None:
        self.bad = set(BAD)
        self.tried: list[str] = []

    def load(self, _view: View, idents: Sequence[str]) -> list[tuple[str, str]]:
        self.tried += idents
        if self.bad & {*idents}:
            msg = "a bug"
            raise ZeroDivisionError(msg)
        return [(f"item:{each}", each) for each in idents]

    def rule(self, **more: Any) -> Rule[str]:
        return Rule(
            "faulty", "item", self.load, lambda each, _now: Alert("faulty", f"item:{each}", "info", each, "{}"), **more
        )


@pytest.fixture
def faulty() -> Faulty:
    return Faulty()


def open_of(yard: Yard, rule: str) -> list[str]:
    with read(yard.book) as tx:
        return [each for each in alerts.open_subjects(tx, rule) if each.startswith(("item:i", "faulty:"))]


def change(yard: Yard, *idents: str) -> None:
    with write(yard.book) as tx:
        events.changed_all(tx, [f"item:{each}" for each in idents], yard.clock.now)


def steps(planner: Planner) -> None:
    while planner.step() >= ROWS_A_STEP:
        pass


def test_who_fails_is_left_alone_told_and_tried_again(
    yard: Yard, faulty: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    other = Rule(
        "other",
        "item",
        lambda _view, idents: [(f"item:{each}", each) for each in idents],
        lambda each, _now: Alert("other", f"item:{each}", "info", each, "{}"),
    )
    planner = Planner(yard.book, yard.clock, [faulty.rule(), other])
    change(yard, *IDENTS)
    steps(planner)
    assert open_of(yard, "faulty") == [f"item:{each}" for each in IDENTS if each not in BAD]
    assert open_of(yard, "other") == [f"item:{each}" for each in IDENTS]
    assert open_of(yard, "not_judged") == [f"faulty:{each}" for each in sorted(BAD)]
    assert len(faulty.tried) < 8 * len(IDENTS), "halved, not one by one"
    assert sum("fails on" in each.message for each in caplog.records) == len(BAD)
    faulty.tried.clear()
    change(yard, *IDENTS)
    steps(planner)
    assert not BAD & {*faulty.tried}, "they rest"
    yard.clock.now += LEFT_US
    steps(planner)
    assert {*faulty.tried} >= BAD
    assert sum("fails on" in each.message for each in caplog.records) == len(BAD), "logged once"
    faulty.bad.clear()
    again = Planner(yard.book, yard.clock, [faulty.rule()])
    again.step()
    assert open_of(yard, "not_judged") == []
    assert open_of(yard, "faulty") == [f"item:{each}" for each in IDENTS]
    assert again.step() == 0, "it comes to rest"


def test_a_rule_that_cannot_tell_what_there_is_fails_alone(yard: Yard, faulty: Faulty) -> None:
    def every(_view: View) -> Sequence[str]:
        msg = "a bug"
        raise KeyError(msg)

    faulty.bad.clear()
    planner = Planner(yard.book, yard.clock, [faulty.rule(everything=every)])
    change(yard, "i01")
    steps(planner)
    assert open_of(yard, "faulty") == ["item:i01"]
    assert open_of(yard, "not_judged") == ["faulty:*"]
    assert planner.step() == 0


def test_a_store_that_is_away_is_no_bug(yard: Yard, faulty: Faulty) -> None:
    def away(_view: View, _idents: Sequence[str]) -> list[tuple[str, str]]:
        raise OperationalError("x", None, RuntimeError("away"))

    planner = Planner(yard.book, yard.clock, [replace(faulty.rule(), load=away)])
    change(yard, "i01")
    with pytest.raises(OperationalError):
        steps(planner)
    assert open_of(yard, "not_judged") == []


@pytest.fixture
def shop(template: Template, tmp_path: Path) -> Iterator[Shop]:
    made = Shop.opened(template, tmp_path, "12-05")
    made.declare()
    yield made
    made.book.dispose()


def test_an_item_that_cannot_be_valued_holds_up_no_other_and_no_month_is_closed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.post(moved("a1", "10-03", 100), moved("b1", "10-03", 7, sku="GLOVE-L"))
    shop.price("a1", "10")
    shop.price("b1", "2")
    right = revalue

    def wrong(tx: Any, known: Any, sku: str, mark: Any) -> Any:
        return 1 / 0 if sku == SKU else right(tx, known, sku, mark)

    monkeypatch.setattr(valuer, "revalue", wrong)
    with pytest.raises(BadPeriod, match=SKU):
        shop.close("2026-10")
    assert {row["sku"] for row in shop.rows(value_month)} == {"GLOVE-L"}
    with read(shop.book) as tx:
        assert tx.scalars(select(alert.c.subject).where(alert.c.rule == "not_valued")).all() == [f"item:{SKU}"]
    monkeypatch.setattr(valuer, "revalue", right)
    shop.valuer = valuer.Valuer(shop.book, shop.clock)
    assert shop.close("2026-10")
    with read(shop.book) as tx:
        assert alerts.open_subjects(tx, "not_valued") == []
