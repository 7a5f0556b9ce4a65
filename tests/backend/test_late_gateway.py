"""A gateway is away for two days, a month is closed meanwhile, then its readings come: the whole, over the API.

Quantities are right at event time; the value that changes is posted in the open month, and the report says so.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.api.services import Services
from backend.verify import verify
from models import epc
from models.reading import Reading, Tag, from_micros
from tests.backend.books import SECOND, Template
from tests.backend.value_book import Shop, when
from tests.shared_app import shared_app

PUMP = "PUMP-40"


@pytest.fixture
def shop(template: Template, tmp_path: Path) -> Shop:
    return Shop.opened(template, tmp_path, "10-28 09:00")


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    services = Services(shop.book, shop.clock, no_scans)
    with TestClient(shared_app(services), "http://127.0.0.1:8000/api/v1/") as client:
        yield client


def no_scans(_book: Engine, _ident: str, _text: bytes, _now: int) -> bool:
    raise AssertionError("nobody scans here")


def passed(serial: int, at: str, direction: str) -> list[Reading]:
    """A carton with one pump goes through the door."""
    tag, begin = epc.encode(f"urn:epc:id:sgtin:9521321.100010.{serial}"), when(at)
    antennas = (3, 3, 1, 1) if direction == "in" else (1, 1, 3, 3)
    return [
        Tag("door-1", from_micros(begin + second * SECOND), tag, antenna, rssi_dbm=-50.0, count=5)
        for second, antenna in enumerate(antennas)
    ]


def get(client: TestClient, path: str, **params: str) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(client: TestClient, path: str, **body: object) -> str:
    answer = client.put(path, json=body)
    assert answer.status_code in {200, 201}, answer.text
    outcome: str = answer.json()["outcome"]
    return outcome


def on_hand(client: TestClient, at: str) -> str:
    found = get(client, "stock", sku=PUMP, location="warehouse", as_of=f"2026-{at}T00:00:00Z")
    quantity: str = found["items"][0]["on_hand"]
    return quantity


def known(shop: Shop, at: str) -> None:
    """What was sent is derived and valued, at this time."""
    shop.settle()
    shop.clock.now = when(at)
    shop.valuer.settle_all()


def test_a_gateway_is_late_for_a_closed_month(shop: Shop, client: TestClient) -> None:
    put(client, "costs/pumps", what="price", sku=PUMP, since="2026-01-01T00:00:00Z", amount="100")
    put(client, "costs/pumps-later", what="price", sku=PUMP, since="2026-10-15T00:00:00Z", amount="130")
    for k, day in enumerate(("10-12", "10-13", "10-20")):
        shop.send(passed(k, f"{day} 08:00", "in"))
    shop.send(passed(0, "10-28 08:00", "out"))
    known(shop, "11-01 06:00")
    assert get(client, "valuation", as_of="2026-10-31T23:59:59.999999Z")["total"] == "230"
    assert put(client, "periods/2026-10", state="closed") == "changed"
    closed = get(client, "journal-entries", period="2026-10")["items"]
    october = get(client, "periods/2026-10")
    assert october["inventory"] == "230"
    assert october["accounts"]["stock.cost_of_goods_sold"] == "100"
    assert (get(client, "journal-entries", period="2026-11")["items"], on_hand(client, "10-31")) == ([], "2")

    shop.clock.now = when("11-01 18:00")
    shop.send(passed(7, "10-30 18:00", "in"), epoch="1" * 12)
    shop.send(passed(1, "10-30 19:00", "out"), epoch="1" * 12)
    known(shop, "11-01 20:00")

    assert (on_hand(client, "10-30"), on_hand(client, "10-31")) == ("2", "2"), "one came and one left, then"
    assert get(client, "valuation", as_of="2026-10-30T18:30:00Z")["items"][0]["quantity"] == "3"
    assert get(client, "valuation", as_of="2026-10-31T23:59:59.999999Z")["total"] == "260", "as is known now"
    assert get(client, "journal-entries", period="2026-10")["items"] == closed, "what was closed stays"
    assert get(client, "periods/2026-10") | {"complete_to": ""} == october | {"complete_to": ""}

    november = get(client, "periods/2026-11")
    assert november["accounts"] == {
        "stock.inventory": "30",
        "stock.received_not_invoiced": "-130",
        "stock.cost_of_goods_sold": "100",
    }
    (late,) = november["late"]
    assert (late["what"], late["period"], late["origin"], late["sku"]) == ("delta", "2026-11", "2026-10", PUMP)
    movements = {entry["id"] for entry in get(client, "movements", sku=PUMP)["items"] if entry["at"] > "2026-10-30"}
    assert {*late["causes"]} == {f"movement:{ident}" for ident in movements}
    books = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z", "sku": PUMP}
    assert get(client, "cogs", **books)["total"] == "200"
    assert get(client, "cogs", **books, basis="books")["total"] == "100"
    assert get(client, "cogs", **books | {"to": "2026-12-01T00:00:00Z"}, basis="books")["total"] == "200"
    assert [finding.detail for finding in verify(shop.book) if not finding.ok] == []
