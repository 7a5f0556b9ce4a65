"""Value, depreciation, costs and disposals of assets over HTTP, in a book that has no stock at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.api.services import Services
from tests.backend.asset_value_book import Park
from tests.backend.books import Template
from tests.shared_app import shared_app

CRANE: dict[str, Any] = {
    "name": "Crane",
    "serial": "C-7",
    "category": "crane",
    "warranty_until": "2026-05-31",
    "site": "yard-1",
    "unit": "Rental",
    "acquired": {"at": "2026-01-01", "cost": "52000", "supplier": "Lift & Co"},
    "depreciation": {"life_months": 48, "salvage": "4000"},
}


@pytest.fixture
def park(template: Template, tmp_path: Path) -> Iterator[Park]:
    park = Park.opened(template, tmp_path, "2026-04-10 08:00")
    yield park
    park.book.dispose()


@pytest.fixture
def client(park: Park) -> Iterator[TestClient]:
    services = Services(park.book, park.clock, no_scans, modules=("assets",))
    app = shared_app(services)
    with TestClient(app, "http://127.0.0.1:8000/api/v1/", raise_server_exceptions=False) as client:
        assert client.put("assets/CRANE-7?valid_from=2026-01-01T00:00:00Z", json=CRANE).status_code == 201
        yield client


def no_scans(_book: Engine, _ident: str, _text: bytes, _now: int) -> bool:
    raise AssertionError("nobody scans here")


def get(client: TestClient, path: str, **params: str) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(client: TestClient, path: str, body: dict[str, Any], status: int) -> Any:
    answer = client.put(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_value_at_any_date_and_what_is_to_come(client: TestClient, park: Park) -> None:
    park.valuer.settle_all()
    value = get(client, "assets/CRANE-7/value", at="2026-03-31")
    assert (value["gross"], value["accumulated"], value["book_value"]) == ("52000.00", "3000.00", "49000.00")
    assert value["in_warranty"] is True
    assert get(client, "assets/CRANE-7/value", at="2026-06-15")["book_value"] == "46500.00", "half of June"
    assert get(client, "assets/CRANE-7/value", at="2025-12-31")["gross"] == "0.00"
    found = get(client, "assets/CRANE-7/depreciation")
    assert [(each["month"], each["amount"]) for each in found["posted"]] == [
        ("2026-01", "1000.00"),
        ("2026-02", "1000.00"),
        ("2026-03", "1000.00"),
    ]
    assert [(each["year"], each["amount"], each["book_value"]) for each in found["years"]] == [
        (2026, "12000.00", "40000.00"),
        (2027, "12000.00", "28000.00"),
        (2028, "12000.00", "16000.00"),
        (2029, "12000.00", "4000.00"),
        (2030, "0.00", "4000.00"),
    ]
    assert client.get("assets/TRUCK-1/value").status_code == 404


def test_costs_are_capital_or_upkeep_and_both_are_what_was_spent(client: TestClient, park: Park) -> None:
    boom = {"asset": "CRANE-7", "at": "2026-03-01", "amount": "4600", "nature": "major_part"}
    oil = {"asset": "CRANE-7", "at": "2026-03-02", "amount": "640.50", "nature": "service"}
    assert said(client, "asset-costs/k-1", boom, 201)["outcome"] == "created"
    assert said(client, "asset-costs/k-1", boom, 200)["outcome"] == "same"
    said(client, "asset-costs/k-1", boom | {"amount": "4601"}, 409)
    said(client, "asset-costs/k-2", oil, 201)
    assert "whole cents" in said(client, "asset-costs/k-3", oil | {"amount": "1.005"}, 400)["detail"]
    assert "has come" in said(client, "asset-costs/k-3", oil | {"at": "2026-04-11"}, 400)["detail"]
    assert "was acquired" in said(client, "asset-costs/k-3", oil | {"asset": "TRUCK-1"}, 400)["detail"]
    costs = get(client, "asset-costs", asset="CRANE-7")
    assert [(each["class"], each["rule"]) for each in costs["items"]] == [
        ("capex", "a part that is replaced at intervals (IAS 16.13)"),
        ("opex", "keeps it as it was (IAS 16.12)"),
    ]
    assert (costs["capex"], costs["opex"], costs["spent"]) == ("4600.00", "640.50", "5240.50")
    assert park.flows()["2026-03"] == {"addition": "4600", "depreciation": "1100.00", "upkeep": "640.50"}
    no_reason = client.post("asset-costs/k-1/classify", json={"class": "opex"})
    assert no_reason.status_code == 400
    changed = client.post("asset-costs/k-1/classify", json={"class": "opex", "reason": "like for like"}).json()
    assert (changed["class"], changed["by_rule"], changed["changes"][0]["reason"]) == ("opex", "capex", "like for like")
    assert client.post("asset-costs/k-9/classify", json={"class": "opex", "reason": "x"}).status_code == 404
    costs = get(client, "asset-costs")
    assert (costs["capex"], costs["opex"], costs["spent"]) == ("0.00", "5240.50", "5240.50")
    assert park.flows()["2026-03"] == {"depreciation": "1000.00", "upkeep": "5240.50"}


def test_it_is_sold_with_a_gain_or_loss(client: TestClient, park: Park) -> None:
    sold = {"asset": "CRANE-7", "date": "2026-03-16", "state": "sold", "proceeds": "50000", "buyer": "Smith & Co"}
    assert "when it was bought" in said(client, "asset-disposals/d-1", sold | {"date": "2025-12-31"}, 400)["detail"]
    assert "0 or more" in said(client, "asset-disposals/d-1", sold | {"proceeds": "-1"}, 400)["detail"]
    capital = {"asset": "CRANE-7", "at": "2026-03-20", "amount": "900", "nature": "major_part"}
    said(client, "asset-costs/k-0", capital, 201)
    assert "the cost k-0 of that day is capital" in said(client, "asset-disposals/d-1", sold, 400)["detail"]
    client.post("asset-costs/k-0/classify", json={"class": "opex", "reason": "for the buyer"})
    assert get(client, "assets/CRANE-7")["body"].get("state") is None, "refused as a whole"
    said(client, "asset-disposals/d-1", sold, 201)
    said(client, "asset-disposals/d-1", sold, 200)
    said(client, "asset-disposals/d-1", sold | {"proceeds": "1"}, 409)
    said(client, "asset-disposals/d-2", sold, 409)
    assert get(client, "assets/CRANE-7")["body"]["state"] == "sold"
    (found,) = get(client, "asset-disposals", asset="CRANE-7")["items"]
    assert (found["holds"], found["book_value"], found["gain"]) == (True, "49516.13", "483.87"), (
        "15 days of 31 in March"
    )
    park.valuer.settle_all()
    assert get(client, "assets/CRANE-7/value", at="2026-03-16")["book_value"] == "0.00"
    accounts: dict[str, float] = {}
    for entry in get(client, "asset-journal", asset="CRANE-7")["items"]:
        assert sum(float(line["debit"]) - float(line["credit"]) for line in entry["lines"]) == pytest.approx(0)
        for line in entry["lines"]:
            accounts[line["account"]] = accounts.get(line["account"], 0) + float(line["debit"]) - float(line["credit"])
    assert {name: round(amount, 2) for name, amount in accounts.items() if round(amount, 2)} == {
        "assets.invoices_clearing": -52900.0,
        "assets.depreciation": 2483.87,
        "assets.upkeep": 900.0,
        "assets.proceeds_clearing": 50000.0,
        "assets.disposal": -483.87,
    }
    part = {"asset": "CRANE-7", "at": "2026-03-20", "amount": "900", "nature": "major_part"}
    said(client, "asset-costs/k-1", part, 201)
    _, cost = get(client, "asset-costs")["items"]
    assert (cost["class"], "is gone" in cost["rule"]) == ("opex", True)
    refused = client.post("asset-costs/k-1/classify", json={"class": "capex", "reason": "x"}).json()
    assert refused["detail"] == "class: opex expected, CRANE-7 was gone by then"
    assert park.flows()["2026-03"]["upkeep"] == "1800"
    again = CRANE | {"serial": "C-7", "acquired": {"at": "2026-04-01", "cost": "9000"}}
    said(client, "assets/CRANE-8", again, 201)
    assert "'CRANE-8' already" in said(client, "assets/CRANE-9", again, 409)["detail"]


def test_months_are_closed_without_stock(client: TestClient, park: Park) -> None:
    """What is due of a month is posted in it when it is closed; what is said later is posted in the next."""
    assert said(client, "periods/2026-03", {"state": "closed"}, 200)["outcome"] == "changed"
    march = get(client, "periods/2026-03")
    assert (march["state"], march["assets"]["assets.depreciation"]) == ("closed", "1337.5"), (
        "and 337.50 of the forklift"
    )
    late = {"asset": "CRANE-7", "at": "2026-02-01", "amount": "700", "nature": "repair"}
    said(client, "asset-costs/k-1", late, 201)
    park.valuer.settle_all()
    assert get(client, "periods/2026-03") == march | {"complete_to": get(client, "periods/2026-03")["complete_to"]}
    (delta,) = get(client, "asset-journal", period="2026-04")["items"]
    assert (delta["what"], delta["origin"], delta["lines"][0]["debit"]) == ("delta", "2026-02", "700.00")


def test_reports_and_lists_are_of_a_site_unit_project_or_category(client: TestClient) -> None:
    other = CRANE | {"serial": "C-8", "unit": "Own works", "parent": "CRANE-7"}
    said(client, "assets/CRANE-8?valid_from=2026-01-01T00:00:00Z", other, 201)
    assert [each["id"] for each in get(client, "assets", unit="Rental")["items"]] == ["CRANE-7"]
    assert [each["id"] for each in get(client, "assets", parent="CRANE-7", state="in_service")["items"]] == ["CRANE-8"]
    span = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    made = get(client, "reports/assets", **span, category="crane")
    names = [column["name"] for column in made["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in made["rows"]]
    assert [(row["asset"], row["accumulated"], row["book_value"]) for row in rows] == [
        ("CRANE-1", None, None),
        ("CRANE-7", "3000.00", "49000.00"),
        ("CRANE-8", "3000.00", "49000.00"),
    ]
    (of_one,) = get(client, "reports/assets", **span, unit="Own works")["rows"]
    assert of_one[0] == "CRANE-8"
    made = get(client, "reports/depreciation", **span, site="yard-1")
    assert made["rows"] == [["crane", "yard-1", "98000.00", "24000.00", "24000.00", "24000.00", "24000.00", "0.00"]]


REFUSED = [
    ({"category": "truck", "fields": {"boom": 4}}, 400, "one of the fields of category truck expected (plate, vin)"),
    ({"fields": {"capacity_t": "60"}}, 400, "fields.capacity_t: a number expected, got '60'"),
    ({"site": "nowhere"}, 400, "site: one of the sites expected, got 'nowhere'"),
    ({"parent": "CRANE-9"}, 400, "parent: one of the assets expected, got 'CRANE-9'"),
    ({"parent": "CRANE-8"}, 400, "assets.CRANE-8: parent: an asset that is no part of it expected"),
    ({"depreciation": {"salvage": "1"}}, 400, "depreciation.life_months: expected with the method straight_line"),
    ({"depreciation": {"method": "units", "meter": "km", "total_units": 9}}, 400, "expected (hours, starts), got km"),
    ({"serial": "C-7"}, 409, "assets.CRANE-8: serial: 'C-7' is the serial number of 'CRANE-7' already"),
    ({"documents": [{"name": "x", "sha256": "abc"}]}, 400, "documents"),
    ({"acquired": {"at": "9999-12-31", "cost": "1"}}, 400, "at: a day in 1900 ... 2199 expected, got 9999-12-31"),
    ({"depreciation": {"life_months": 9, "opening": {"date": "9999-12-31", "accumulated": 0}}}, 400, "date: a day in"),
]  # fmt: skip


def test_an_asset_is_checked_when_it_is_declared(client: TestClient) -> None:
    for body, status, says in REFUSED:
        whole = CRANE | {"serial": "C-8"} | body
        assert says in said(client, "assets/CRANE-8?valid_from=2026-01-01T00:00:00Z", whole, status)["detail"]
    assert client.get("assets/CRANE-7/value", params={"at": "9999-12-31"}).status_code == 400
