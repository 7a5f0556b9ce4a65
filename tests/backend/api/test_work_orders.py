"""Work orders over HTTP: the whole way, lists, files that are only ever saved, and the stock module off."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.book import alerts, schema
from backend.book.db import write
from models.alert import Alert
from tests.shared_app import shared_app

TRUCK = {"kind": "corrective", "asset": "TRUCK-1", "title": "Gearbox is noisy"}
HOSTILE = b"\xff\xd8<html><script>alert(1)</script>\x00MZ"
JPEG = {"content-type": "image/jpeg"}


class Desk:
    """One client, which says what it got where that was not expected."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def put(self, path: str, body: Any, status: int = 201) -> Any:
        return self._ask("PUT", path, status, json=body)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self._ask("POST", path, status, json=body or {})

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self._ask("GET", path, status, params=params)

    def _ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        response = self.client.request(method, f"/api/v1/{path}", **more)
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
def desk(site: Any) -> Desk:
    return Desk(site.client)


def test_the_whole_way(desk: Desk, site: Any) -> None:
    desk.put(
        "work-orders/W1",
        TRUCK | {"due": "2026-01-01T00:00:00Z", "team": "north", "tasks": [{"text": "Quiet", "required": True}]},
    )
    desk.put("work-orders/W1", TRUCK, 409)
    assert "it is request" in desk.post("work-orders/W1/start", None, 409)["detail"]
    desk.post("work-orders/W1/approve", {"by": "chief"})
    desk.put("work-orders/W1/parts/p1", {"sku": "FILTER-10", "quantity": "1", "location": "warehouse"})
    desk.put("work-orders/W1/parts/p2", {"what": "Rags", "quantity": "2", "price": "1.25"})
    plan = {"planned": "2026-11-24T08:00:00Z", "assignee": "bob", "estimate_h": "2"}
    part = desk.post("work-orders/W1/plan", plan)["parts"][0]
    assert (part["reserved"], desk.get("reservations", reference="W1")["items"][0]["need_at"]) == (
        "1",
        "2026-11-24T08:00:00Z",
    )
    assert desk.post("work-orders/W1/plan", {"team": None})["order"]["team"] is None
    desk.post("work-orders/W1/start")
    desk.post("work-orders/W1/downtime", {"since": "2026-11-23T06:00:00Z", "planned": False, "reason": "gearbox"})
    desk.put(
        "work-orders/W1/costs/h1",
        {"kind": "labour", "what": "bob", "at": "2026-11-23T07:00:00Z", "hours": "1.5", "rate": "40"},
    )
    desk.put("work-orders/W1/costs/x1", {"kind": "other", "what": "tow", "at": "2026-11-23T07:00:00Z", "amount": "80"})
    desk.post("work-orders/W1/costs/x1/withdraw", {"reason": "not ours"})
    desk.put("work-orders/W1/notes/n1", {"text": "bearing was dry"})
    assert "answers expected" in desk.post("work-orders/W1/complete", {"component": "gearbox"}, 400)["detail"]
    site.client.put("/api/v1/work-orders/W1/tasks/1", json={"said": "ok"})
    done = {"component": "gearbox", "codes": {"mode": "vibrates", "cause": "upkeep"}, "used": {"p1": "1"}}
    whole = desk.post("work-orders/W1/complete", done)
    assert whole["costs"] == {"labour": "60.00", "parts": "2.50", "other": "0.00", "total": "62.50", "uncosted": 1}
    assert (whole["order"]["state"], whole["downtime"][0]["end"]) == ("done", whole["order"]["done_at"])
    moved = next(each for each in whole["moves"] if each["part"] == "p1")
    entry = desk.get("movements", sku="FILTER-10")["items"][-1]
    assert (moved["movement"], entry["evidence"]) == (entry["id"], ["work_order:W1"])
    assert (
        "follows from work_order:W1" in desk.post(f"movements/{entry['id']}/reverse", {"reason": "no"}, 400)["detail"]
    )
    assert desk.get("services", asset="TRUCK-1")["items"][-1]["id"] == whole["service"]
    when = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    (row,) = desk.get("reports/work-orders", **when)["rows"]
    assert (row[0], row[4], *row[12:]) == ("upkeep", "W1", "3", "1.5", "60.00", "2.50", "0.00", "62.50", 1)
    assert desk.get("reports/work-orders", site="nowhere", **when)["rows"] == []
    causes = desk.get("reports/downtime-causes", category="truck", **when)["rows"]
    assert causes == [["upkeep", 1, 1, "3", "1.5", "60.00", "2.50", "0.00", "62.50", 1]]
    steps = [each["what"] for each in whole["steps"]]
    assert steps == [
        "made", "approve", "part", "part", "plan", "plan", "start", "down", "labour", "other", "withdrawn", "note",
        "answer", "complete",
    ]  # fmt: skip


def test_a_request_of_anybody_is_rejected_with_a_reason(desk: Desk) -> None:
    desk.put("work-orders/W2", TRUCK | {"by": "anybody"})
    assert "reason: why expected of reject" in desk.post("work-orders/W2/reject", None, 400)["detail"]
    assert desk.post("work-orders/W2/reject", {"reason": "is known"})["order"]["state"] == "rejected"


def test_each_step_has_its_route(desk: Desk) -> None:
    desk.put("work-orders/W1", TRUCK)
    done: dict[str, Any] = {"codes": {"remedy": "no_fault"}}
    for step, said, state in (
        ("approve", {}, "approved"),
        ("start", {}, "in_progress"),
        ("hold", {"reason": "no parts"}, "on_hold"),
        ("resume", {}, "in_progress"),
        ("complete", done, "done"),
        ("reopen", {"reason": "it rattles"}, "in_progress"),
        ("complete", done, "done"),
        ("close", {}, "closed"),
    ):
        assert desk.post(f"work-orders/W1/{step}", said)["order"]["state"] == state, step
    desk.post("work-orders/W1/reopen", {"reason": "too late"}, 409)
    desk.put("work-orders/W2", TRUCK)
    assert desk.post("work-orders/W2/cancel", {"reason": "sold"})["order"]["state"] == "cancelled"


def test_lists_and_figures(desk: Desk) -> None:
    desk.put(
        "work-orders/W1",
        TRUCK | {"due": "2026-01-01T00:00:00Z", "approved": True, "estimate_h": "2.5", "assignee": "bob"},
    )
    desk.put("work-orders/W2", TRUCK | {"plan": "TRUCK-1/oil", "kind": "preventive"})
    desk.put("work-orders/W3", TRUCK | {"asset": "CRANE-1"})
    assert "TRUCK-1/oil has W2" in desk.put("work-orders/W4", TRUCK | {"plan": "TRUCK-1/oil"}, 409)["detail"]
    assert "no UUID of version 5" in desk.put("work-orders/5d1f3a2c-7a54-5c7e-9b7d-52c1d0f5a9e3", TRUCK, 400)["detail"]
    for ask, ids in (
        ({"asset": "TRUCK-1"}, ["W1", "W2"]),
        ({"overdue": True}, ["W1"]),
        ({"plan": "TRUCK-1/oil"}, ["W2"]),
        ({"assignee": "bob", "state": "open"}, ["W1"]),
        ({"state": "request", "after": 2}, ["W3"]),
        ({"limit": 1}, ["W1"]),
    ):
        assert [each["id"] for each in desk.get("work-orders", **ask)["items"]] == ids, ask
    desk.post("work-orders/W1/start")
    assert "service of a plan only" in desk.post("work-orders/W1/complete", {"result": "x"}, 400)["detail"]
    desk.post("work-orders/W1/complete", {"codes": {"remedy": "no_fault"}})
    figures = desk.get("work-orders/figures", asset="TRUCK-1")
    assert [figures[name] for name in ("waiting", "overdue", "done", "corrective", "mean_repair_h")] == [
        1,
        0,
        1,
        1,
        "0",
    ]
    codes = {each["code"]: each for each in desk.get("failure-codes")["items"]}
    assert codes["wear"]["aspect"] == "mechanism"
    assert (
        "codes.wear: id: a code that is not built in"
        in desk.put("codes/wear", {"aspect": "mode", "name": "x"}, 400)["detail"]
    )
    desk.put("codes/rope", {"aspect": "mode", "name": "Rope is worn", "kinds": ["crane"]})
    desk.put("work-orders/W5", TRUCK | {"plan": "TRUCK-1/inspection", "kind": "inspection", "approved": True})
    desk.post("work-orders/W5/start")
    desk.post("work-orders/W5/complete", {"result": "passed", "certificate": "C-17"})
    service = desk.get("services", plan="TRUCK-1/inspection")["items"][-1]
    assert (service["result"], service["certificate"]) == ("passed", "C-17")
    for order, status in (("W2", 400), ("W3", 200)):
        desk.post(f"work-orders/{order}/approve")
        desk.post(f"work-orders/{order}/start")
        desk.post(f"work-orders/{order}/complete", {"component": "rope", "codes": {"mode": "rope"}}, status)


def test_an_alert_becomes_an_order_in_one_call(desk: Desk, site: Any) -> None:
    with write(site.book) as tx:
        alerts.raise_alert(tx, Alert("zone_alert", "z", "critical", "Truck is out", '{"asset": "TRUCK-1"}'), 1, "rule")
        ident = tx.scalars(select(schema.alert.c.id).where(schema.alert.c.subject == "z")).one()
    made = desk.post(f"alerts/{ident}/work-order", {"component": "lock"}, 201)["id"]
    assert desk.post(f"alerts/{ident}/work-order")["id"] == made
    order = desk.get(f"work-orders/{made}")["order"]
    assert (order["alert"], order["state"], order["priority"]) == (ident, "approved", "high")
    desk.post("alerts/nothing/work-order", None, 404)


def test_files_are_kept_as_they_came_and_only_ever_saved(desk: Desk, site: Any) -> None:
    desk.put("work-orders/W1", TRUCK)

    def send(file: str, content: bytes, name: str = "a.jpg", **headers: str) -> Any:
        return site.client.put(
            f"/api/v1/work-orders/W1/files/{file}", content=content, params={"name": name}, headers=headers or JPEG
        )

    evil = 'x"\r\nset-cookie: a=b; ../ü.html'
    assert [send("f1", HOSTILE, evil).status_code for _ in range(2)] == [201, 200]
    assert [send("f1", b"other").status_code, send("f2", HOSTILE).status_code] == [409, 409]
    refused = [("text/html", b"x"), ("image/svg+xml", b"x"), ("image/jpeg", b"")]
    assert [send("f3", body, **{"content-type": media}).status_code for media, body in refused] == [400, 400, 400]
    assert send("f3", bytes(4 * 1024 * 1024 + 1)).status_code == 413
    got = site.client.get("/api/v1/work-orders/W1/files/f1")
    assert (got.content, got.headers["content-type"]) == (HOSTILE, "image/jpeg")
    assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''x%22%0D%0Aset-cookie")
    assert (
        got.headers["x-content-type-options"],
        got.headers.get("set-cookie"),
    ) == ("nosniff", None)
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    (file,) = desk.get("work-orders/W1")["files"]
    assert (file["sha256"], file["size"], file["name"]) == (sha256(HOSTILE).hexdigest(), len(HOSTILE), evil)
    assert site.client.get("/api/v1/work-orders/W1/files/f9").status_code == 404


def test_without_the_stock_module_parts_are_text(site: Any, desk: Desk) -> None:
    desk.put("work-orders/W0", TRUCK | {"approved": True})
    desk.put("work-orders/W0/parts/p", {"sku": "FILTER-10", "quantity": "1"})
    desk = Desk(TestClient(shared_app(replace(site.services, modules=("assets",))), "http://127.0.0.1:8000"))
    desk.put("work-orders/W1", TRUCK | {"approved": True})
    part = desk.put("work-orders/W1/parts/p", {"sku": "FILTER-10", "quantity": "1"}, 400)
    assert "sku: only with the module stock" in part["detail"]
    desk.post("work-orders/W0/start")
    assert "the module stock is off" in desk.post("work-orders/W0/complete", {"component": "filter"}, 400)["detail"]
    desk.put("work-orders/W1/parts/p", {"what": "Filter", "quantity": "2", "price": "12.345"})
    desk.post("work-orders/W1/start")
    whole = desk.post("work-orders/W1/complete", {"component": "filter"})
    assert (whole["costs"]["parts"], whole["moves"][0]["movement"]) == ("24.69", None)
