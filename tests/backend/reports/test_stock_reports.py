"""Reports of stock on a book whose figures are known: the worked example of costing, and what follows from it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from backend.book import register
from backend.book.db import read, write
from backend.book.schema_warehouse import counted
from backend.registers import Registers
from backend.reports import REPORT_OF_NAME
from backend.reports.families import by_family
from backend.reports.report import Look, Span
from models.declared import Lot
from models.declared_stock import Item
from models.errors import Refused
from models.stock.ageing import ages
from tests.backend.books import DAY, Template
from tests.backend.value_book import SKU, Shop, moved, when

D = Decimal
A = [
    moved("a1", "10-03", 100),
    moved("a2", "10-05", 100),
    moved("a3", "10-20", 120, "sold"),
    moved("a4", "11-02", 50),
    moved("a5", "11-10", 80, "sold"),
]
VALUES = [("10-03", 1000), ("10-05", 1200), ("10-20", -1240), ("11-02", 750), ("11-10", -960)]
"""What each of them adds to the value, by FIFO: 750 is left."""
Make = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def shop(template: Template, tmp_path: Path) -> Shop:
    shop = Shop.opened(template, tmp_path, "12-05")
    item = Item("Bolt", family="bolts", price=D(20))
    with write(shop.book) as tx:
        register.put(tx, "items", SKU, item, valid_from=when("01-01"), actor="test", now=shop.clock.now)
    shop.post(*A)
    for movement, amount in (("a1", "10"), ("a2", "12"), ("a4", "15")):
        shop.price(movement, amount)
    shop.valuer.settle_all()
    return shop


@pytest.fixture
def make(shop: Shop) -> Make:
    def made(name: str, begin: str, end: str, **to: str) -> list[dict[str, Any]]:
        report = REPORT_OF_NAME[name]
        with read(shop.book) as tx:
            look = Look(tx, Registers().current(tx), shop.clock.now, shop.clock.now)
            rows = [*report.rows(look, Span(when(begin), when(end), **to))]
        return [dict(zip([column.name for column in report.columns], row, strict=True)) for row in rows]

    return made


def test_valuation_at_dates(make: Make) -> None:
    for end, quantity, value in (("10-04", 100, 1000), ("10-21", 80, 960), ("12-01", 50, 750)):
        (row,) = make("valuation", "10-01", end)
        assert (row["sku"], row["family"], row["quantity"], row["value"]) == (SKU, "bolts", quantity, value)
    assert make("valuation", "09-01", "10-01") == []
    assert make("valuation", "10-01", "12-01", family="pumps") == []


def test_a_report_by_family(shop: Shop) -> None:
    """What is not counted in one unit is not added up; a share is made of the sums."""
    with write(shop.book) as tx:
        for sku, item in (
            ("NUT-M8", Item("Nut", family="bolts", price=D(1))),
            ("WIRE", Item("Wire", family="metal", uom="kg", price=D(5))),
            ("SHEET", Item("Sheet", family="metal", price=D(5))),
        ):
            register.put(tx, "items", sku, item, valid_from=when("01-01"), actor="test", now=shop.clock.now)
    ways = [("in", 10), ("sold", 10)]
    shop.post(
        *(moved(f"{sku}{way}", "10-03", n, way, sku=sku) for sku in ("NUT-M8", "WIRE", "SHEET") for way, n in ways)
    )
    for sku in ("NUT-M8", "WIRE", "SHEET"):
        shop.price(f"{sku}in", "0.5")
    shop.valuer.settle_all()
    with read(shop.book) as tx:
        look = Look(tx, Registers().current(tx), shop.clock.now, shop.clock.now)
        span = Span(when("10-01"), when("11-01"))
        report, rows = by_family(REPORT_OF_NAME["cogs"], look, REPORT_OF_NAME["cogs"].rows(look, span))
        with pytest.raises(Refused, match="does not tell families"):
            by_family(REPORT_OF_NAME["movements"], look, [])
    names = [column.name for column in report.columns]
    assert names == ["family", "items", "quantity", "revenue", "cogs", "trued_up", "margin", "margin_share"]
    assert rows == [
        ("bolts", 2, 130, 2410, 1245, 0, 1165, D(1165) / D(2410)),
        ("metal", 2, None, 100, 10, 0, 90, D("0.9")),
    ]


def test_cogs_and_margin(make: Make) -> None:
    (row,) = make("cogs", "10-01", "12-01")
    assert (row["quantity"], row["cogs"], row["revenue"], row["margin"]) == (200, 2200, 4000, 1800)
    assert row["margin_share"] == D("0.45")
    (november,) = make("cogs", "11-01", "12-01", sku=SKU)
    assert (november["quantity"], november["cogs"], november["revenue"]) == (80, 960, 1600)


def test_margin_of_what_had_no_price_is_unknown(shop: Shop, make: Make) -> None:
    with write(shop.book) as tx:
        register.put(tx, "items", SKU, Item("Bolt"), valid_from=when("11-01"), actor="test", now=shop.clock.now)
    (row,) = make("cogs", "10-01", "12-01")
    assert (row["cogs"], row["revenue"], row["margin"], row["margin_share"]) == (2200, None, None, None)


def test_turnover_goes_by_the_average_of_every_day(make: Make) -> None:
    (row,) = make("turnover", "10-10", "12-01")
    begin, end = when("10-10"), when("12-01")
    total = D(0)
    for day in range(begin, end, DAY):
        before = sum(value for at, value in VALUES if when(at) < day)
        after = sum(value for at, value in VALUES if when(at) < day + DAY)
        total += D(before + after) / 2
    average = total / ((end - begin) // DAY)
    assert row["average_value"] == pytest.approx(average)
    assert (row["cogs"], row["turns"]) == (2200, pytest.approx(2200 / average))
    assert row["turns_a_year"] == pytest.approx(2200 / average * 365 / 52)
    assert row["days_on_hand"] == pytest.approx(365 / row["turns_a_year"])


def test_ageing(make: Make) -> None:
    (row,) = make("ageing", "10-01", "12-05")
    assert (row["quantity"], row["quantity_30"], row["quantity_90"], row["oldest_days"]) == (50, 0, 50, 33)
    (early,) = make("ageing", "10-01", "10-21")
    assert (early["quantity_30"], early["value_30"]) == (80, 960)


@pytest.mark.parametrize(
    ("came", "on_hand", "expected", "oldest"),
    [
        ([], 0, [0, 0, 0, 0, 0], None),
        ([], 4, [0, 0, 0, 0, 4], None),
        ([(0, 5), (100, 5)], 7, [0, 5, 2, 0, 0], 151),
        ([(0, 5), (121, 5)], 12, [5, 0, 5, 0, 2], 151),
    ],
    ids=["nothing", "nobody saw it come", "of two receipts", "more than came"],
)
def test_what_came_first_left_first(came: Any, on_hand: int, expected: list[int], oldest: int | None) -> None:
    held = ages([(day * DAY, D(quantity)) for day, quantity in came], D(on_hand), 151 * DAY)
    assert ([*held.quantities], held.oldest_days) == (expected, oldest)


def test_forecast_beside_what_was_asked_for(shop: Shop, make: Make) -> None:
    shop.post(*[moved(f"f{n}", f"11-{12 + n:02}", 2, "sold") for n in range(14)])
    shop.valuer.settle_all()
    item, whole = make("forecast", "11-19", "11-26", sku=SKU)
    asked_before, days = 120 + 80 + 2 * 7, (when("11-19") - when("10-03")) // DAY
    assert item["asked_for"] == 14
    assert item["forecast"] == pytest.approx(D(asked_before) / days * 7, abs=D("0.01"))
    assert item["error"] == item["forecast"] - 14
    assert item["error_share"] == abs(item["error"]) / 14
    assert (whole["sku"], whole["asked_for"], whole["error_share"]) == ("all of them", 14, item["error_share"])
    (too_early,) = make("forecast", "10-04", "10-11", sku=SKU)
    assert (too_early["forecast"], too_early["error"], too_early["asked_for"]) == (None, None, 0)


def test_service_reached(make: Make) -> None:
    (row,) = make("service", "10-01", "12-01", sku=SKU)
    assert (row["cycles"], row["empty"], row["reached"]) == (2, 0, 1)


def test_lots_and_their_expiry(shop: Shop, make: Make) -> None:
    with write(shop.book) as tx:
        lot = Lot(expires=date(2026, 12, 20))
        register.put(tx, "lots", f"{SKU}/L1", lot, valid_from=when("12-01"), actor="test", now=shop.clock.now)
    shop.post(moved("l1", "12-02", 7, lot="L1"))
    (row,) = make("expiry", "12-01", "12-05")
    assert (row["lot"], row["location"], row["expires"], row["days_left"]) == ("L1", "desk", date(2026, 12, 20), 15)
    assert (row["on_hand"], row["standing"]) == (7, "available")
    assert make("expiry", "12-01", "12-05", location="warehouse") == []


def test_accuracy_of_what_was_counted(shop: Shop, make: Make) -> None:
    rows = [("1", 100, "95", "-5"), ("2", 101, "105", "5")]
    with write(shop.book) as tx:
        tx.execute(
            insert(counted),
            [
                {
                    "id": ident,
                    "source": "count:c1",
                    "sku": SKU,
                    "location": f"bin-{ident}",
                    "at": when("11-20") + at,
                    "quantity": quantity,
                    "adjustment": variance,
                }
                for ident, at, quantity, variance in rows
            ],
        )
    first, second, whole = make("accuracy", "11-01", "12-01")
    assert (first["book"], first["counted"], first["accuracy"]) == (100, 95, D("0.95"))
    assert (second["variance"], second["accuracy"]) == (5, D("0.95"))
    assert (whole["book"], whole["variance"], whole["accuracy"]) == (200, 0, D("0.95"))
    assert make("accuracy", "12-01", "12-05") == []
