"""Services that people record over HTTP, what is due, how services kept to their plans, and alerts that are snoozed."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from backend.book import alerts, schema
from backend.book.db import read, write
from models.alert import Alert

NOW = 1_795_424_400_000_000  # 2026-11-23T09:00:00Z
DAY, H = 86_400_000_000, 3_600_000
Get = Callable[..., dict[str, Any]]
OIL = {"asset": "TRUCK-7", "name": "Oil", "every_hours": "80", "every_days": 60}
DONE = {"asset": "TRUCK-7", "kind": "service", "plan": "TRUCK-7/oil", "at": "2026-11-03T09:00:00Z", "hours": "4810.50"}
STAMP = {"recorded_at": NOW, "actor": "test", "body": b'{"name":"x"}'}
REPAIR = {"asset": "TRUCK-7", "kind": "repair", "component": "gearbox", "at": "2026-11-03T09:00:00Z"}


def problem(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    return str(response.json()["detail"])


@pytest.fixture
def truck(site: Any) -> Any:
    """An asset with two plans since 2026-10-01, which ran for 85 h since 2026-11-04, of which 2 h were not observed."""
    since = {"valid_from": "2026-10-01T00:00:00Z"}
    for path, body in (
        ("assets/TRUCK-7", {"name": "Truck", "serial": "7"}),
        ("plans/TRUCK-7/oil", OIL),
        ("plans/TRUCK-7/check", {"asset": "TRUCK-7", "name": "Check", "every_days": 20}),
    ):
        assert site.client.put(f"/api/v1/{path}", json=body, params=since).status_code == 201
    began = {"recorded_at": NOW - 53 * DAY - 9 * 3_600_000_000}
    with write(site.book) as tx:  # they were written down then
        tx.execute(update(schema.register_entry).where(schema.register_entry.c.kind == "plans").values(**began))
        tx.execute(insert(schema.register_entry).values(kind="sites", id="x", valid_from=0, **STAMP))
    run = {"device_id": 1, "subject": "", "asset": "TRUCK-7", "meter": "runtime", "evidence": "[]"}
    spans = [(19, 83 * H, 83 * H), (15, 0, 2 * H)]
    with write(site.book) as tx:
        for back, least, most in spans:
            begin = NOW - back * DAY
            times = {"begin_at": begin, "end_at": begin + 4 * DAY, "closed_at": begin + 4 * DAY, "day": begin // DAY}
            tx.execute(insert(schema.run).values(**run, **times, id=f"r{back}", least=least, most=most))
    return site


def put(site: Any, ident: str, body: dict[str, Any]) -> Any:
    return site.client.put(f"/api/v1/services/{ident}", json=body)


def test_a_service_is_recorded_once(truck: Any, get: Get) -> None:
    assert put(truck, "sim-TRUCK-7-oil-1", DONE).status_code == 201
    again = put(truck, "sim-TRUCK-7-oil-1", DONE | {"hours": "4810.5", "note": None})
    assert (again.status_code, again.json()) == (200, {"id": "sim-TRUCK-7-oil-1", "outcome": "same"})
    assert "other content" in problem(put(truck, "sim-TRUCK-7-oil-1", DONE | {"hours": "4811"}), 409)
    assert put(truck, "a/b", REPAIR | {"failed_at": "2026-11-02T09:00:00Z", "note": "replaced"}).status_code == 201
    first, second = get("services")["items"]
    assert first == {
        "id": "sim-TRUCK-7-oil-1",
        "n": 1,
        "asset": "TRUCK-7",
        "kind": "service",
        "plan": "TRUCK-7/oil",
        "component": None,
        "at": "2026-11-03T09:00:00Z",
        "failed_at": None,
        "hours": "4810.5",
        "note": None,
        "actor": "local",
        "recorded_at": "2026-11-23T09:00:00Z",
        "withdrawn_at": None,
        "withdrawn_by": None,
        "withdrawn_why": None,
        "result": None,
        "certificate": None,
        "as_found": {},
        "as_left": {},
    }
    assert (second["id"], second["failed_at"], second["note"]) == ("a/b", "2026-11-02T09:00:00Z", "replaced")
    assert get("services", plan="TRUCK-7/oil", after=0)["items"] == [first]
    assert get("services", asset="TRUCK-7", after=1, limit=1) == {"items": [second], "next": "2"}
    assert get("services", asset="CRANE-1")["items"] == []
    with read(truck.book) as tx:
        told = tx.scalars(select(schema.event.c.body).where(schema.event.c.kind == "service")).all()
        changed = tx.scalars(select(schema.changed.c.subject).order_by(schema.changed.c.n.desc()).limit(2)).all()
    assert [b'"what":"recorded"' in body for body in told] == [True, True]
    assert changed == ["asset:TRUCK-7", "asset:TRUCK-7"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"asset": "TRUCK-8"}, "asset"),
        ({"plan": None}, "plan"),
        ({"plan": "TRUCK-8/oil"}, "plan"),
        ({"asset": "FORKLIFT-1"}, "plan"),
        ({"kind": "repair"}, "component"),
        ({"kind": "inspection"}, "kind"),
        ({"component": "gearbox"}, "component"),
        ({"at": "2026-11-23T09:05:00.000001Z"}, "at"),
        ({"at": "0001-01-01T00:00:00Z"}, "at"),
        ({"at": "2026-11-03T09:00:00"}, "at"),
        ({"failed_at": "2026-11-02T09:00:00Z"}, "failed_at"),
        ({"hours": "-1"}, "hours"),
        ({"hours": 5}, "hours"),
        ({"note": "a\x00b"}, "note"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_service_is_refused_by_its_field(truck: Any, get: Get, change: dict[str, Any], says: str) -> None:
    assert says in problem(put(truck, "s-1", DONE | change), 400)
    assert "id" in problem(put(truck, "a%20b", DONE), 400)
    assert get("services")["items"] == []


def test_a_service_is_withdrawn_once(truck: Any, get: Get) -> None:
    put(truck, "a/b", DONE)
    url = "/api/v1/services/a/b/withdraw"
    assert "reason" in problem(truck.client.post(url, json={}), 400)
    gone = truck.client.post(url, json={"reason": "of another truck"}).json()
    assert (gone["withdrawn_by"], gone["withdrawn_at"], gone["withdrawn_why"]) == (
        "local",
        "2026-11-23T09:00:00Z",
        "of another truck",
    )
    assert truck.client.post(url, json={"reason": "again"}).json() == gone
    assert put(truck, "a/b", DONE).json()["outcome"] == "same"
    assert get("services")["items"] == [gone]
    assert problem(truck.client.post("/api/v1/services/none/withdraw", json={"reason": "x"}), 404)
    assert [each["occurrence"] for each in get("due", asset="TRUCK-7")["items"]] == [1, 1]


def test_what_is_due(truck: Any, get: Get) -> None:
    put(truck, "s-1", DONE)
    check, oil = get("due", asset="TRUCK-7")["items"]
    assert (check["plan"], check["state"], check["occurrence"]) == ("TRUCK-7/check", "overdue", 1)
    assert (check["due_by"], check["last_service"]) == ("2026-10-21T00:00:00Z", None)
    assert oil | {"reasons": [], "measures": []} == {
        "asset": "TRUCK-7",
        "plan": "TRUCK-7/oil",
        "name": "Oil",
        "occurrence": 2,
        "state": "due",
        "since": "2026-11-03T09:00:00Z",
        "last_service": "s-1",
        "due_from": None,
        "due_by": None,
        "missed": 1,
        "measures": [],
        "reasons": [],
        "kind": "service",
        "covers": [2],
        "passed": [],
        "packages": [],
        "blocks_use": False,
    }
    hours, days = oil["measures"]
    assert hours == {
        "by": "hours",
        "every": "80",
        "used": {"least": "83", "most": "85"},
        "left": {"least": "-5", "most": "-3"},
        "state": "due",
        "due_from": None,
        "due_by": None,
    }
    assert (days["used"]["least"], days["due_by"], days["state"]) == ("20", "2027-01-02T09:00:00Z", "ok")
    assert oil["reasons"][0].endswith("as 2 h were not observed: 3 h late")
    assert "complete_to" in get("due")


def test_a_horizon(truck: Any, get: Get) -> None:
    put(truck, "s-1", DONE | {"at": "2026-11-10T09:00:00Z"})
    put(truck, "s-2", DONE | {"plan": "TRUCK-7/check", "at": "2026-11-20T09:00:00Z"})

    def named(**ask: Any) -> list[str]:
        return [each["plan"] for each in get("due", **ask)["items"]]

    assert {"TRUCK-7/check", "TRUCK-7/oil"} <= {*named()}
    assert named(asset="TRUCK-7", horizon_days=1) == []
    assert set(named(asset="TRUCK-7", horizon_days=17)) == {"TRUCK-7/check", "TRUCK-7/oil"}
    assert set(named(asset="TRUCK-7", horizon_days=90)) == {"TRUCK-7/check", "TRUCK-7/oil"}
    retired = {"name": "Truck", "serial": "7", "state": "retired"}
    assert truck.client.put("/api/v1/assets/TRUCK-7", json=retired).status_code == 200
    assert named(asset="TRUCK-7") == [], "it is in use no more"


def test_how_services_kept_to_their_plans(truck: Any, get: Get) -> None:
    put(truck, "s-3", DONE | {"at": "2026-11-22T09:00:00Z"})
    put(truck, "s-1", DONE | {"at": "2026-10-20T09:00:00Z"})
    put(truck, "s-2", DONE)
    put(truck, "s-4", DONE | {"at": "2026-11-23T09:00:00Z"})
    put(truck, "c-1", DONE | {"plan": "TRUCK-7/check", "at": "2026-10-10T09:00:00Z"})
    put(truck, "c-2", DONE | {"plan": "TRUCK-7/check", "at": "2026-11-01T09:00:00Z"})
    put(truck, "c-3", DONE | {"plan": "TRUCK-7/check", "at": "2026-11-23T09:00:00Z"})
    assert truck.client.post("/api/v1/services/s-4/withdraw", json={"reason": "x"}).status_code == 200
    shown = [
        (each["id"], each["occurrence"], each["since"][:10], each["on_time"])
        for each in get("due/history", asset="TRUCK-7")["items"]
    ]
    assert shown == [
        ("c-3", 3, "2026-11-01", True),
        ("s-3", 3, "2026-11-03", True),
        ("s-2", 2, "2026-10-20", True),
        ("c-2", 2, "2026-10-10", True),
        ("s-1", 1, "2026-10-01", None),
        ("c-1", 1, "2026-10-01", None),
    ]
    (last,) = get("due/history", asset="TRUCK-7", plan="TRUCK-7/oil", limit=1)["items"]
    assert (last["id"], last["at"]) == ("s-3", "2026-11-22T09:00:00Z")
    assert [one["used"] for one in last["measures"]] == [{"least": "83", "most": "85"}, {"least": "19", "most": "19"}]
    assert get("due/history", asset="CRANE-9")["items"] == []


def an_alert(site: Any) -> str:
    with write(site.book) as tx:
        alerts.raise_alert(tx, Alert("service_due", "T/1", "warning", "due", '{"asset": "T"}'), NOW, "planner")
        return str(tx.scalars(select(schema.alert.c.id).where(schema.alert.c.subject == "T/1")).one())


def test_an_alert_is_snoozed(site: Any, get: Get) -> None:
    ident = an_alert(site)
    url = f"/api/v1/alerts/{ident}"
    quiet = site.client.post(f"{url}/snooze", json={"until": "2026-11-24T06:00:00Z"}).json()
    assert (quiet["state"], quiet["snoozed_until"]) == ("snoozed", "2026-11-24T06:00:00Z")
    assert get("alerts", state="snoozed")["items"] == [quiet]
    assert [each["snoozed_until"] for each in get("alerts", subject="T/1")["items"]] == ["2026-11-24T06:00:00Z"]
    longer = site.client.post(f"{url}/snooze", json={"hours": 2160}).json()
    assert longer["snoozed_until"] == "2027-02-21T09:00:00Z"
    assert site.client.post(f"{url}/snooze", json={"hours": 0.5}).json()["snoozed_until"] == "2026-11-23T09:30:00Z"
    seen = site.client.post(f"{url}/acknowledge").json()
    assert (seen["state"], seen["snoozed_until"]) == ("acknowledged", None)
    site.client.post(f"{url}/close")
    assert "not closed expected" in problem(site.client.post(f"{url}/snooze", json={"hours": 1}), 409)
    assert problem(site.client.post("/api/v1/alerts/none/snooze", json={"hours": 1}), 404)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "one of them expected, got none"),
        ({"until": "2026-11-24T06:00:00Z", "hours": 1}, "one of them expected, got both"),
        ({"until": "2026-11-23T09:00:00Z"}, "until: a time after now"),
        ({"until": "2027-02-21T09:00:00.000001Z"}, "at most 90 days ahead"),
        ({"until": "0001-01-01T00:00:00Z"}, "until: a time after now"),
        ({"until": "2026-11-24T06:00:00"}, "until"),
        ({"hours": 0}, "hours"),
        ({"hours": 2161}, "hours"),
        ({"hours": "1"}, "hours"),
        ({"days": 1}, "days"),
    ],
)
def test_a_snooze_that_cannot_be_is_refused_by_its_field(site: Any, body: dict[str, Any], says: str) -> None:
    assert says in problem(site.client.post(f"/api/v1/alerts/{an_alert(site)}/snooze", json=body), 400)
