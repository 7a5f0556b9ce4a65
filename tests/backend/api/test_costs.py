"""Costs, valuation, cost of goods sold, the journal and periods over HTTP."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.api.services import Services
from tests.backend.books import Template
from tests.backend.value_book import SKU, Shop, moved
from tests.shared_app import shared_app

OCTOBER = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}


@pytest.fixture
def shop(template: Template, tmp_path: Path) -> Shop:
    made = Shop.opened(template, tmp_path, "12-05")
    made.declare()
    made.post(
        moved("a1", "10-03", 100),
        moved("a2", "10-05", 100, lot="L1"),
        moved("a3", "10-20 12:00", 120, "sold"),
        moved("a4", "10-21", 30, "back"),
        moved("a5", "11-02", 50),
        moved("a6", "11-10", 80, "sold"),
    )
    for ident, amount in (("a1", "10"), ("a2", "12"), ("a5", "15")):
        made.price(ident, amount)
    made.valuer.settle_all()
    return made


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    services = Services(shop.book, shop.clock, no_scans)
    with TestClient(shared_app(services), "http://127.0.0.1:8000/api/v1/") as client:
        yield client


def no_scans(_book: Engine, _ident: str, _text: bytes, _now: int) -> bool:
    raise AssertionError("nobody scans here")


def get(client: TestClient, path: str, **params: object) -> Any:
    answer = client.get(path, params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(client: TestClient, path: str, body: Mapping[str, object], status: int = 201) -> Any:
    answer = client.put(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_valuation_with_its_layers(client: TestClient) -> None:
    """The second worked example: a return re-enters where its issue took it."""
    found = get(client, "valuation", sku=SKU)
    (item,) = found["items"]
    assert (item["quantity"], item["value"], item["costing"], found["total"]) == ("80", "1110", "fifo", "1110")
    assert [(each["quantity"], each["value"]) for each in item["layers"]] == [("30", "360"), ("50", "750")]
    assert get(client, "valuation", as_of="2026-10-04T00:00:00Z")["items"][0]["value"] == "1000"
    assert get(client, "valuation", as_of="2026-10-20T11:59:00Z")["items"][0]["value"] == "2200"
    assert get(client, "valuation", as_of="2026-10-20T23:59:59.999999Z")["items"][0]["unit_cost"] == "12"
    assert get(client, "valuation", as_of="2026-09-20T00:00:00Z") | {"complete_to": ""} == {
        "items": [], "next": None, "total": "0", "complete_to": ""
    }  # fmt: skip


def test_cost_of_goods_sold(client: TestClient) -> None:
    (item,) = get(client, "cogs", **OCTOBER)["items"]
    assert item == {"sku": SKU, "quantity": "90", "sold": "1240", "trued_up": "0", "returned": "340", "cogs": "900"}
    assert get(client, "cogs", **OCTOBER | {"to": "2026-12-01T00:00:00Z"})["total"] == "1840"
    days = {"from": "2026-10-20T12:30:00Z", "to": "2026-11-10T01:00:00Z"}
    assert get(client, "cogs", **days)["total"] == "600", "of a part of a day its movements"
    assert get(client, "cogs", **OCTOBER, basis="books")["total"] == "900"
    refused = client.get("cogs", params=days | {"basis": "books"})
    assert (refused.status_code, "from: the beginning of a month" in refused.json()["detail"]) == (400, True)


def test_the_journal_balances_and_a_closed_month_is_posted(client: TestClient) -> None:
    (open_entry,) = get(client, "journal-entries", period="2026-10")["items"]
    assert (open_entry["what"], open_entry["id"]) == ("open", f"open/{SKU}")
    assert put(client, "periods/2026-10", {"state": "closed", "note": "as agreed"}, 200)["outcome"] == "changed"
    assert put(client, "periods/2026-10", {"state": "closed"}, 200)["outcome"] == "same"
    (entry,) = get(client, "journal-entries", period="2026-10", sku=SKU)["items"]
    assert entry["lines"] == open_entry["lines"]
    assert sum(Decimal(line["debit"]) - Decimal(line["credit"]) for line in entry["lines"]) == 0
    assert (entry["what"], entry["actor"], entry["causes"]) == ("close", "local", [])
    assert get(client, "journal-entries", period="2026-10", after=entry["id"])["items"] == []
    *_, october, november, december = get(client, "periods")["items"]
    assert (october["state"], october["inventory"], october["note"]) == ("closed", "1300", "as agreed")
    assert (november["month"], november["state"], december["inventory"]) == ("2026-11", "open", None)
    assert get(client, "periods/2026-11")["accounts"] == {
        "stock.inventory": "-190",
        "stock.received_not_invoiced": "-750",
        "stock.cost_of_goods_sold": "940",
    }


def test_a_closed_month_stays_closed(client: TestClient) -> None:
    assert put(client, "periods/2026-10", {"state": "open"}, 200)["outcome"] == "same"
    put(client, "periods/2026-10", {"state": "closed"}, 200)
    assert "is closed and stays so" in put(client, "periods/2026-10", {"state": "open"}, 409)["detail"]
    assert "is not" in put(client, "periods/2026-12", {"state": "closed"}, 400)["detail"]
    assert "a month like" in put(client, "periods/october", {"state": "closed"}, 400)["detail"]


def test_costs_are_told_with_what_bears_them(client: TestClient, shop: Shop) -> None:
    landed = {"what": "landed", "amount": "30", "share": "weight", "receipts": ["a2", "a1"], "weights": ["1", "2"]}
    assert put(client, "costs/freight-1", landed)["outcome"] == "created"
    assert put(client, "costs/freight-1", landed, 200)["outcome"] == "same"
    put(client, "costs/freight-1", landed | {"amount": "31"}, 409)
    put(client, "costs/freight-2", landed | {"amount": "33", "replaces": "freight-1", "note": "invoice 7"})
    shop.post(withdrawn=["a2"])
    shop.valuer.settle_all()
    told = {each["id"]: each for each in get(client, "costs", movement="a2")["items"]}
    assert sorted(told) == ["freight-1", "freight-2", "price-a2"]
    assert (told["freight-1"]["replaced_by"], told["freight-2"]["replaces"]) == ("freight-2", "freight-1")
    assert (told["freight-2"]["receipts"], told["freight-2"]["weights"]) == (["a1", "a2"], ["2", "1"])
    assert (told["freight-2"]["idle"], told["price-a2"]["idle"], told["price-a2"]["sku"]) == (["a2"], ["a2"], SKU)
    assert len(get(client, "costs", sku=SKU)["items"]) == 5
    assert get(client, "journal-entries", period="2026-10")["items"][0]["lines"][2]["account"] == "stock.inventory"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"what": "price", "amount": "1"}, "movement: either"),
        ({"what": "price", "amount": "x", "movement": "a1"}, "amount: a number"),
        ({"what": "price", "amount": "NaN", "movement": "a1"}, "amount: a positive number"),
        ({"what": "price", "amount": "-1", "movement": "a1"}, "amount: a positive number"),
        ({"what": "price", "amount": "1", "movement": "zz"}, "movement: movements of the ledger"),
        ({"what": "price", "amount": "1", "sku": "MOON", "since": "2026-10-01T00:00:00Z"}, "sku: one of the items"),
        ({"what": "price", "amount": "1", "sku": SKU, "since": "1960-10-01T00:00:00Z"}, "since: a time in 1970"),
        ({"what": "landed", "amount": "1", "share": "value", "receipts": ["zz"]}, "receipts: movements of the ledger"),
        ({"what": "price", "amount": "1", "movement": "a1", "replaces": "zz"}, "replaces: a price of the same"),
        ({"what": "bribe", "amount": "1"}, "what"),
    ],
)
def test_a_cost_that_cannot_be_is_refused_by_its_field(client: TestClient, body: dict[str, object], says: str) -> None:
    assert says in put(client, "costs/new", body, 400)["detail"]
    assert get(client, "costs", after=3)["items"] == []
