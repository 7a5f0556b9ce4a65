"""Purchase orders, reordering and classes over HTTP, on the sample book."""

from collections.abc import Callable
from typing import Any

import pytest

Get = Callable[..., dict[str, Any]]
ORDER = {
    "ordered_at": "2026-11-20T08:00:00Z",
    "lines": [{"sku": "PUMP-40", "quantity": "24", "price": "81.50"}, {"sku": "TAPE-48", "quantity": "48.0"}],
    "note": "by phone",
}
URL = "/api/v1/purchase-orders/PO-7/A"


def test_an_order_and_its_life(site: Any, get: Get) -> None:
    assert site.client.put(URL, json=ORDER).status_code == 201
    assert site.client.put(URL, json=ORDER).json()["outcome"] == "same"
    clash = site.client.put(URL, json=ORDER | {"note": "by mail"})
    assert (clash.status_code, clash.json()["type"]) == (409, "urn:stockyard:problem:clash")
    (found,) = get("purchase-orders", state="open")["items"]
    assert found == get("purchase-orders/PO-7/A")
    assert [(line["sku"], line["quantity"], line["price"], line["state"]) for line in found["lines"]] == [
        ("PUMP-40", "24", "81.5", "open"),
        ("TAPE-48", "48", None, "open"),
    ]
    assert get("stock", sku="PUMP-40")["items"][0]["on_order"] == "24"
    gone = site.client.post(f"{URL}/cancel", json={"line": 1, "reason": "not made any more"}).json()
    assert [line["state"] for line in gone["lines"]] == ["cancelled", "open"]
    assert gone["events"][-1]["note"] == "not made any more"
    site.client.post(f"{URL}/cancel", json={"reason": "closed down"})
    assert get("purchase-orders", state="open")["items"] == []
    assert [each["id"] for each in get("purchase-orders", sku="TAPE-48", state="closed")["items"]] == ["PO-7/A"]
    assert get("purchase-orders", supplier="acme")["items"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "NOTHING", "quantity": "1"}]}, "sku: one of the items"),
        ({"lines": [{"sku": "PUMP-40", "quantity": "0"}]}, "quantity"),
        ({"lines": [{"sku": "PUMP-40", "quantity": "-1"}]}, "quantity"),
        ({"supplier": "nobody"}, "supplier: one of the suppliers"),
        ({"ordered_at": "1969-01-01T00:00:00Z"}, "ordered_at"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_orders_that_cannot_be(site: Any, change: dict[str, Any], message: str) -> None:
    answer = site.client.put(URL, json=ORDER | change)
    assert answer.status_code in (400, 422), answer.text
    assert message in answer.text
    assert site.client.get(URL).status_code == 404
    assert site.client.post(f"{URL}/cancel", json={"reason": "x"}).status_code == 404


def test_a_proposal_is_approved_with_changes(site: Any, get: Get) -> None:
    (proposal,) = get("proposals", sku="PUMP-40")["items"]
    assert proposal["purchase_order"] is None
    url = f"/api/v1/proposals/{proposal['id']}/approve"
    asked = {"reason": "two for stock", "quantity": "52", "price": "80", "expected_at": "2026-12-01T00:00:00Z"}
    done = site.client.post(url, json=asked).json()
    assert (done["state"], done["decision_reason"]) == ("approved", "two for stock")
    order = get(f"purchase-orders/{done['purchase_order']}")
    (line,) = order["lines"]
    assert (line["quantity"], line["price"], line["expected_at"]) == ("52", "80", "2026-12-01T00:00:00Z")
    assert order["proposal"] == proposal["id"]
    assert site.client.post(url, json=asked).json() == done
    assert site.client.post(url, json=asked | {"quantity": "53"}).status_code == 409
    (tape,) = get("proposals", sku="TAPE-48")["items"]
    refused = site.client.post(f"/api/v1/proposals/{tape['id']}/reject", json={"reason": "the shop closes"}).json()
    assert (refused["state"], refused["decision_reason"]) == ("rejected", "the shop closes")
    assert refused["purchase_order"] is None


def test_why_an_item_is_reordered_when_it_is(site: Any, get: Get) -> None:
    (pump,) = get("reorder", sku="PUMP-40")["items"]
    assert (pump["method"], pump["reorder_point"], pump["order_up_to"]) == ("min_max", "20", "60")
    assert pump["reasons"] == ["fixed: at or below 20 up to 60"]
    assert pump["service"]["target"] is None
    body = get("items/PUMP-40")["body"] | {"reorder": {"service": "0.98", "target": "fill"}}
    assert site.client.put("/api/v1/items/PUMP-40", json=body).status_code == 200
    (pump,) = get("reorder", sku="PUMP-40")["items"]
    assert (pump["method"], pump["service"]["target"], pump["service"]["of"]) == ("min_max", 0.98, "fill")
    assert "the fixed levels hold" in pump["reasons"][0], "a day of history is not enough"
    every = get("reorder")["items"]
    assert [each["sku"] for each in every] == sorted(each["sku"] for each in every)
    first = get("reorder", limit=2)
    assert get("reorder", after=first["next"])["items"][0]["sku"] == every[2]["sku"]
    assert get("reorder", sku="NOTHING")["items"] == []


def test_classes(get: Get) -> None:
    found = {each["sku"]: each for each in get("stock/classes")["items"]}
    assert {each["abc"] for each in found.values()} == {"C"}, "nothing has a price"
    assert found["PUMP-40"]["cash"] is None
    assert found["PUMP-40"]["over"] == "0"
