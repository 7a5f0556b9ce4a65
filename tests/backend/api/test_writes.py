import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from backend.book import schema
from backend.book.db import read, write
from backend.book.register import load
from models.declared import Item

NOW = 1_795_424_400_000_000
Get = Callable[..., dict[str, Any]]
SCAN = {"kind": "scan", "device": "handheld-1", "at": "2026-11-23T08:59:00Z", "data": "SY:RECEIVE"}
MOVE = {
    "at": "2026-11-23T08:59:00Z",
    "sku": "BOLT-M8",
    "quantity": "12",
    "source": "desk",
    "target": "customer",
    "reason": "sold at the counter",
}


def problem_of(response: Any, status: int, name: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:stockyard:problem:{name}"
    assert body["status"] == status
    return body


def test_a_scan_is_put_once(site: Any) -> None:
    text = json.dumps(SCAN)
    assert site.client.put("/api/v1/scans/s-1", content=text).status_code == 201
    assert site.scans == {"s-1": text.encode()}
    other = json.dumps(SCAN | {"data": "SY:ISSUE"})
    problem_of(site.client.put("/api/v1/scans/s-1", content=other), 409, "clash")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "truncated"),
        (json.dumps(SCAN | {"kind": "meter", "name": "odometer", "value": 1, "unit": "km"}), "kind"),
        (json.dumps(SCAN | {"data": ""}), "data"),
        (json.dumps(SCAN | {"at": "yesterday"}), "at"),
        (b"\xff", "malformed"),
        ("[" * 50_000, ""),
    ],
)
def test_a_bad_scan_is_refused_by_its_field(site: Any, body: str | bytes, says: str) -> None:
    found = problem_of(site.client.put("/api/v1/scans/s-2", content=body), 400, "refused")
    assert says in found["detail"]
    assert site.scans == {}


def test_a_body_without_end_is_cut_off(site: Any) -> None:
    problem_of(site.client.put("/api/v1/scans/s-3", content=b" " * 300_000), 413, "too-large")


def test_a_movement_is_put_once(site: Any, get: Get) -> None:
    assert site.client.put("/api/v1/movements/m-1", json=MOVE).status_code == 201
    assert site.client.put("/api/v1/movements/m-1", json=MOVE).json() == {"id": "m-1", "outcome": "same"}
    problem_of(site.client.put("/api/v1/movements/m-1", json=MOVE | {"quantity": "13"}), 409, "clash")
    (entry,) = [m for m in get("movements", sku="BOLT-M8")["items"] if m["id"] == "m-1"]
    assert (entry["quantity"], entry["actor"]) == ("12", "local")
    assert [(s["lot"], s["on_hand"]) for s in get("stock", sku="BOLT-M8")["items"]] == [(None, "888"), ("LOT7", "400")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sku": "NUT-M8"}, "sku"),
        ({"target": "moon"}, "target"),
        ({"target": "desk"}, "target"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1e3"}, "quantity"),
        ({"quantity": 5}, "quantity"),
        ({"at": "2026-11-23T08:59:00"}, "at"),
        ({"at": "0001-01-01T00:00:00Z"}, "at"),
        ({"colour": "red"}, "colour"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_bad_movement_is_refused_by_its_field(site: Any, change: dict[str, Any], field: str) -> None:
    found = problem_of(site.client.put("/api/v1/movements/m-2", json=MOVE | change), 400, "refused")
    assert field in found["detail"]


def test_the_register_is_dated_and_idempotent(site: Any, get: Get) -> None:
    body = {"name": "Nut M8", "gtins": [], "reorder_min": "10", "reorder_max": "90"}
    url = "/api/v1/items/NUT-M8"
    assert site.client.put(url, json=body, params={"valid_from": "2026-01-01T00:00:00Z"}).status_code == 201
    assert site.client.put(url, json=body).json()["outcome"] == "same"
    assert site.client.put(url, json=body | {"reorder_min": "20"}).json()["outcome"] == "changed"
    assert get("items/NUT-M8")["body"]["reorder_min"] == "20"
    assert get("items/NUT-M8", as_of="2026-06-01T00:00:00Z")["body"]["reorder_min"] == "10"
    problem_of(site.client.get(url, params={"as_of": "2025-06-01T00:00:00Z"}), 404, "not-found")
    with read(site.book) as tx:
        held = load(tx).get("items", "NUT-M8", NOW)
    assert isinstance(held, Item)
    assert get("devices/dock-a/door-1")["body"]["door"]["inside"] == "warehouse"
    assert [entry["id"] for entry in get("sites")["items"]] == ["yard-1"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("items/NUT-M8", {"name": "Nut", "weight": 4}, "weight"),
        ("items/NUT-M8", {"name": "Nut", "reorder_min": "9", "reorder_max": "3"}, "reorder_max"),
        ("items/NUT%20M8", {"name": "Nut"}, "id"),
        ("tags/30AB", {"thing": "stock", "sku": "NUT-M9", "quantity": "2"}, "NUT-M9"),
        ("locations/hall", {"name": "Hall", "site": "nowhere"}, "nowhere"),
    ],
)
def test_a_bad_declaration_is_refused_and_not_kept(site: Any, path: str, body: dict[str, Any], says: str) -> None:
    def entries() -> int | None:
        with read(site.book) as tx:
            return tx.scalar(select(func.count()).select_from(schema.register_entry))

    before = entries()
    found = problem_of(site.client.put(f"/api/v1/{path}", json=body), 400, "refused")
    assert says in found["detail"]
    assert entries() == before


def test_an_alert_is_acknowledged_once(site: Any, get: Get) -> None:
    alert = get("alerts")["items"][0]
    url = f"/api/v1/alerts/{alert['id']}/acknowledge"
    seen = site.client.post(url).json()
    assert (seen["state"], seen["acknowledged_by"], seen["acknowledged_at"]) == (
        "acknowledged",
        "local",
        "2026-11-23T09:00:00Z",
    )
    assert site.client.post(url).json() == seen
    problem_of(site.client.post("/api/v1/alerts/nothing/acknowledge"), 404, "not-found")


def test_an_alert_is_closed_once(site: Any, get: Get) -> None:
    alert = get("alerts")["items"][0]
    url = f"/api/v1/alerts/{alert['id']}"
    over = site.client.post(f"{url}/close").json()
    assert (over["state"], over["closed_at"]) == ("closed", "2026-11-23T09:00:00Z")
    assert site.client.post(f"{url}/close").json() == over
    problem_of(site.client.post(f"{url}/acknowledge"), 409, "clash")
    problem_of(site.client.post("/api/v1/alerts/nothing/close"), 404, "not-found")


def test_a_proposal_is_decided_once(site: Any, get: Get) -> None:
    first, second = get("proposals", state="open")["items"]
    with write(site.book) as tx:
        tx.execute(update(schema.proposal).where(schema.proposal.c.id == first["id"]).values(reason="10 on hand"))
    url = f"/api/v1/proposals/{first['id']}"
    done = site.client.post(f"{url}/approve", json={"reason": "season"}).json()
    assert (done["state"], done["decided_by"]) == ("approved", "local")
    assert (done["reason"], done["decision_reason"]) == ("10 on hand", "season")
    assert site.client.post(f"{url}/approve").json() == done
    problem_of(site.client.post(f"{url}/reject"), 409, "clash")
    assert site.client.post(f"/api/v1/proposals/{second['id']}/reject").json()["state"] == "rejected"
    problem_of(site.client.post("/api/v1/proposals/nothing/reject"), 404, "not-found")
    with read(site.book) as tx:
        told = tx.scalars(select(schema.changed.c.subject).order_by(schema.changed.c.n.desc()).limit(2)).all()
        kinds = tx.scalars(select(schema.event.c.kind).order_by(schema.event.c.n.desc()).limit(2)).all()
        steps = select(schema.proposal_event).order_by(schema.proposal_event.c.n)
        life = [(row.proposal_id, row.what, row.actor, row.note, row.at) for row in tx.execute(steps)]
    assert life == [
        (first["id"], "approved", "local", "season", NOW),
        (second["id"], "rejected", "local", None, NOW),
    ]
    assert set(told) == {"item:PUMP-40", "item:TAPE-48"}
    assert kinds == ["proposal", "proposal"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("crossings?limit=0", "limit"),
        ("crossings?limit=1001", "limit"),
        ("crossings?limit=x", "limit"),
        ("journal?limit=5001", "limit"),
        ("journal?after_seq=-1", "after_seq"),
        ("stock?as_of=yesterday", "as_of"),
        ("stock?as_of=2026-11-23T08:00:00", "as_of"),
        ("movements?colour=red", "colour"),
        ("alerts?state=new", "state"),
    ],
)
def test_a_bad_parameter_is_named(site: Any, path: str, field: str) -> None:
    found = problem_of(site.client.get(f"/api/v1/{path}"), 400, "invalid")
    assert found["errors"][0]["field"] == field
    assert found["errors"][0]["expected"]


def test_other_errors_are_problems_too(site: Any) -> None:
    problem_of(site.client.get("/api/v1/journal", params={"after": "x"}), 400, "refused")
    problem_of(site.client.get("/api/v1/nothing"), 404, "not-found")
    problem_of(site.client.delete("/api/v1/alerts"), 405, "method-not-allowed")
    with write(site.book) as tx:
        schema.alert.drop(tx)
    problem_of(site.client.get("/api/v1/alerts"), 503, "unavailable")
