"""Plans over HTTP: what is to come, how services kept to their plans, conditions, and what must not be used."""

from collections.abc import Callable
from typing import Any

from backend import dues
from backend.book import register
from backend.book.db import read

NOW = 1_795_424_400_000_000  # 2026-11-23T09:00:00Z
Get = Callable[..., dict[str, Any]]


def put(site: Any, path: str, body: dict[str, Any]) -> None:
    answer = site.client.put(f"/api/v1/{path}", json=body, params={"valid_from": "2026-01-01T00:00:00Z"})
    assert answer.status_code == 201, answer.text


def service(site: Any, ident: str, plan: str, at: str, **more: Any) -> Any:
    body = {"asset": plan.partition("/")[0], "kind": "service", "plan": plan, "at": f"{at}T09:00:00Z", **more}
    return site.client.put(f"/api/v1/services/{ident}", json=body)


def blocked(site: Any, asset: str) -> str | None:
    with read(site.book) as tx:
        return dues.blocks_use(tx, register.load(tx), asset, NOW)


def gauge(site: Any) -> None:
    put(site, "assets/GAUGE-1", {"name": "Gauge", "serial": "g"})
    plan = {"asset": "GAUGE-1", "starts_at": "2026-01-31T08:00:00Z", "tz": "Europe/Brussels", "team": "lab"}
    yearly = {"calendar": {"every": 6, "unit": "month"}, "timing": "fixed", "kind": "calibration", "blocks_use": True}
    put(site, "plans/GAUGE-1/cal", {**plan, **yearly, "name": "Calibration"})
    worn = {"conditions": [{"inspection": "GAUGE-1/cal", "results": ["worn"]}]}
    put(site, "plans/GAUGE-1/overhaul", {**plan, **worn, "name": "Overhaul"})


def test_a_calibration_blocks_use_finds_and_counts(site: Any, get: Get) -> None:
    gauge(site)
    assert blocked(site, "GAUGE-1") == "Calibration (GAUGE-1/cal) is overdue"
    assert blocked(site, "NONE-1") is None
    values = {"result": "worn", "certificate": "C-1", "as_found": {"100 N": "101.2 N"}, "as_left": {"100 N": "100.1 N"}}
    assert service(site, "c-1", "GAUGE-1/cal", "2026-08-03", **values).status_code == 201
    assert service(site, "c-1", "GAUGE-1/cal", "2026-08-03", **values).json()["outcome"] == "same"
    assert service(site, "c-1", "GAUGE-1/cal", "2026-08-03", **values | {"result": "good"}).status_code == 409
    assert get("services", plan="GAUGE-1/cal")["items"][0] | values == get("services", plan="GAUGE-1/cal")["items"][0]
    assert blocked(site, "GAUGE-1") is None
    due = {each["plan"]: each for each in get("due", asset="GAUGE-1")["items"]}
    assert (due["GAUGE-1/cal"]["state"], due["GAUGE-1/cal"]["due_by"]) == ("ok", "2027-01-31T08:00:00Z")
    assert (due["GAUGE-1/cal"]["kind"], due["GAUGE-1/cal"]["blocks_use"]) == ("calibration", True)
    assert due["GAUGE-1/overhaul"]["state"] == "due"
    assert due["GAUGE-1/overhaul"]["reasons"] == ["GAUGE-1/cal found 'worn'"]
    assert service(site, "o-1", "GAUGE-1/overhaul", "2026-11-20").status_code == 201
    assert {each["state"] for each in get("due", asset="GAUGE-1")["items"]} == {"ok", "unknown"}
    repair = {"asset": "GAUGE-1", "kind": "repair", "component": "x", "at": "2026-11-20T09:00:00Z", "result": "good"}
    assert site.client.put("/api/v1/services/r-1", json=repair).status_code == 400


def test_the_calendar_of_a_year(site: Any, get: Get) -> None:
    gauge(site)
    service(site, "c-1", "GAUGE-1/cal", "2026-08-03")
    found = get("maintenance/calendar", asset="GAUGE-1", until="2028-03-01T00:00:00Z")["items"]
    assert [each["due_from"][:10] for each in found] == ["2027-01-31", "2027-07-31", "2028-01-31"]
    assert [(each["occurrence"], each["state"], each["team"]) for each in found] == [
        (2, "ok", "lab"),
        (3, "forecast", "lab"),
        (4, "forecast", "lab"),
    ]
    assert len(get("maintenance/calendar", team="lab")["items"]) == 2
    assert get("maintenance/calendar", team="yard")["items"] == []


def test_how_services_kept_to_their_plans(site: Any, get: Get) -> None:
    gauge(site)
    assert get("maintenance/compliance", by="plan", asset="GAUGE-1")["items"] == [
        {"key": "GAUGE-1/cal", "due": 1, "on_time": 0, "late": 0, "overdue": 1, "unknown": 0, "share": "0"}
    ]
    service(site, "c-1", "GAUGE-1/cal", "2026-08-03")
    service(site, "c-2", "GAUGE-1/cal", "2026-11-20")
    months = get("maintenance/compliance", asset="GAUGE-1")["items"]
    assert [(each["key"], each["on_time"], each["share"]) for each in months] == [
        ("2026-08", 1, "1"),
        ("2026-11", 1, "1"),
    ]
    report = get("reports/pm-compliance", **{"from": "2026-01-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"})
    assert ["GAUGE-1/cal", "GAUGE-1", "Calibration", "calibration", 2, 2, 0, 0, 0, "1"] in report["rows"]


def test_what_a_plan_must_say(site: Any) -> None:
    put(site, "assets/A-1", {"name": "A", "serial": "a"})
    bad = {
        "tz": {"every_days": 9, "tz": "Mars/Olympus"},
        "at least one": {},
        "conditions.inspection": {"conditions": [{"inspection": "A-1/none", "results": ["bad"]}]},
        "weekday": {"calendar": {"every": 1, "unit": "day", "weekday": "mon"}},
        "above, below": {"conditions": [{"signal": "t"}]},
    }
    for words, said in bad.items():
        answer = site.client.put("/api/v1/plans/A-1/x", json={"asset": "A-1", "name": "x", **said})
        assert answer.status_code in {400, 422}, answer.text
        assert any(word in answer.json()["detail"] for word in words.split("|")), answer.json()["detail"]
