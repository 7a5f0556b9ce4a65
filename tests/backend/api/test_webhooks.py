"""The API on webhooks: who is told, what waits, and once more."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.api import create_app
from backend.book import events, webhooks
from backend.book.db import write
from backend.book.webhooks import Tried
from backend.config import Webhook

HOOK = Webhook("https://shop.example/stock", "/secret")


@pytest.fixture
def client(site: Any) -> TestClient:
    with write(site.book) as tx:
        webhooks.begin(tx, ["shop"])
        events.emit_all(tx, [("availability", {"sku": sku}) for sku in ("a", "b", "c")], site.services.clock())
        webhooks.queue(tx, "shop", HOOK.kinds, site.services.clock())
        webhooks.note(tx, [Tried(1, 1, 204, None), Tried(2, 1, 410, "answered 410")], site.services.clock())
    app = create_app(replace(site.services, webhooks={"shop": HOOK}))
    return TestClient(app, "http://127.0.0.1:8000", raise_server_exceptions=False)


def test_how_far_a_receiver_is(client: TestClient) -> None:
    (shop,) = client.get("/api/v1/webhooks").json()["items"]
    assert (shop["name"], shop["url"], shop["kinds"]) == ("shop", HOOK.url, ["availability"])
    assert (shop["waiting"], shop["dead"], shop["problem"]) == (1, 1, None)
    assert shop["oldest_waiting"] == shop["last_delivered"] == "2026-11-23T09:00:00Z"
    assert "secret" not in str(shop)


def test_its_deliveries_and_one_again(client: TestClient) -> None:
    url = "/api/v1/webhooks/shop/deliveries"
    assert [each["state"] for each in client.get(url).json()["items"]] == ["delivered", "dead", "waiting"]
    (dead,) = client.get(url, params={"state": "dead"}).json()["items"]
    assert (dead["tries"], dead["status"]) == (1, 410)
    again = client.post(f"/api/v1/webhook-deliveries/{dead['n']}/retry")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    assert client.post("/api/v1/webhook-deliveries/1/retry").json()["state"] == "delivered"
    assert client.post("/api/v1/webhook-deliveries/99/retry").status_code == 404
    assert client.get(url, params={"state": "lost"}).status_code == 400
