"""Meters, stops, utilisation, availability, effectiveness, duty and reliability over HTTP, and the report."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.ingest import Ingest
from models import wire
from models.reading import Input, from_micros
from tests.backend.books import batch

NOW = 1_795_424_400_000_000  # 2026-11-23T09:00:00Z, a Monday
DAY, HOUR = 86_400_000_000, 3_600_000_000
TRACKER = "imei:123456789012345"
MIDNIGHT = NOW - 9 * HOUR
Get = Callable[..., dict[str, Any]]
WEEK = {"since": "2026-11-16T00:00:00Z", "until": "2026-11-23T00:00:00Z"}
SINCE = {"valid_from": "2026-10-01T00:00:00Z"}
DAYS = ["mon", "tue", "wed", "thu", "fri"]
BOTH_5 = {"least": "5", "most": "5"}
DUTY = {"design_hours": "100", "before": [{"quality": "undocumented", "hours": "20"}]}


def url(path: str) -> str:
    return f"/api/v1/assets/C/7/{path}"


@pytest.fixture
def crane(site: Any) -> Any:
    """A crane with a shift calendar that ran from 8 to 14 h UTC on five days, lifting in the first hour of each."""
    for path, body in (
        ("calendars/ONE", {"name": "One shift", "tz": "UTC", "target_hours": "35",
                           "shifts": [{"days": DAYS, "begin": "08:00", "end": "16:00"}]}),
        ("classes/hoists", {"kind": "crane", "shift_calendar": "ONE"}),
        ("assets/C/7", {"name": "Crane", "serial": "7", "category": "hoists", "duty": DUTY,
                        "acquired": {"at": "2026-11-01", "cost": "1"}}),
        ("devices/imei:123456789012345", {"name": TRACKER, "tracker": {
            "asset": "C/7", "silent_on_s": 86_400, "silent_off_s": 864_000}}),
    ):  # fmt: skip
        answer = site.client.put(f"/api/v1/{path}", json=body, params=SINCE)
        assert answer.status_code == 201, answer.text
    said = [switch(0, on=False), switch(0, "hoist", on=False)]
    for day in range(5):
        said += [switch(day * 24 + 8, on=True), switch(day * 24 + 8, "hoist", on=True)]
        said += [switch(day * 24 + 9, "hoist", on=False), switch(day * 24 + 14, on=False)]
    assert Ingest(site.book, lambda: NOW).take([batch("A" * 12, 1, [wire.encode(each) for each in said])]).receipts
    return site


def switch(hour: int, name: str = "ignition", *, on: bool) -> Input:
    """At an hour of the week."""
    return Input(TRACKER, from_micros(MIDNIGHT - 7 * DAY + hour * HOUR), name, on)


def problem(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    return str(response.json()["detail"])


def test_what_is_said_of_meters_is_told_listed_and_withdrawn_and_counts_without_a_tracker(crane: Any, get: Get) -> None:
    crane.client.put("/api/v1/assets/SAW", json={"name": "Saw", "serial": "s"}, params=SINCE)

    def put(ident: str, asset: str = "SAW", **body: Any) -> Any:
        said = {"meter": "cycles", "kind": "count", "at": "2026-11-18T09:00:00Z", "value": "1", "reason": "sterilised"}
        return crane.client.put(f"/api/v1/assets/{asset}/meters/notes/{ident}", json=said | body)

    def counted() -> list[tuple[str, str, str]]:
        return [(each["meter"], each["least"], each["most"]) for each in get("assets/SAW/meters", **WEEK)["items"]]

    assert put("n1").status_code == 201
    assert put("n1").json() == {"id": "n1", "outcome": "same"}
    assert "other content" in problem(put("n1", value="2"), 409)
    for says, wrong in (("kind", {"kind": "guess"}), ("value", {"kind": "void"}), ("reason", {"reason": ""})):
        assert says in problem(put("n2", **wrong), 400)
    assert "asset" in problem(put("n2", "NO"), 400)
    (found,) = get("assets/SAW/meters/notes")["items"]
    assert (found["id"], found["meter"], found["value"], found["actor"]) == ("n1", "cycles", "1", "local")
    assert counted() == [("cycles", "1", "1")]
    withdrawal = {"reason": "twice"}
    assert crane.client.post(url("meters/notes/n1/withdraw"), json=withdrawal).status_code == 404
    gone = crane.client.post("/api/v1/assets/SAW/meters/notes/n1/withdraw", json=withdrawal)
    assert gone.json()["withdrawn_why"] == "twice"
    for ident, at, value in (("a", "16", "100"), ("b", "20", "132")):
        assert put(ident, meter="hours", kind="reading", at=f"2026-11-{at}T00:00:00Z", value=value).status_code == 201
    assert counted() == [("engine_hours", "32", "32")]
    used = get("assets/SAW/utilisation", **WEEK, calendar="ONE")
    assert {each["base"]: each["load"] for each in used["use"]}["shifts ONE"] == {"least": "0.8", "most": "0.8"}
    assert used["hours"]["unobserved"] == "168"


def test_stops_availability_and_effectiveness(crane: Any, get: Get) -> None:
    def put(ident: str, **body: Any) -> Any:
        return crane.client.put(url(f"downtimes/{ident}"), json={"reason": "x", "planned": False} | body)

    first = {"begin": "2026-11-16T10:00:00Z", "end": "2026-11-16T14:00:00Z"}
    assert put("d1", **first).status_code == 201
    assert put("d1", **first).json()["outcome"] == "same"
    assert "other content" in problem(put("d1", begin="2026-11-16T10:00:00Z", planned=True), 409)
    assert "end" in problem(put("d0", begin="2026-11-16T10:00:00Z", end="2026-11-16T10:00:00Z"), 400)
    assert put("d2", begin="2026-11-18T09:00:00Z").status_code == 201
    assert crane.client.post(url("downtimes/d2/end"), json={"at": "2026-11-18T11:00:00Z"}).status_code == 200
    assert put("d2", begin="2026-11-18T09:00:00Z").json()["outcome"] == "same", "as it was told first"
    assert "ended" in problem(crane.client.post(url("downtimes/d2/end"), json={"at": "2026-11-18T12:00:00Z"}), 409)
    assert put("d3", begin="2026-11-20T00:00:00Z", end="2026-11-21T00:00:00Z", planned=True).status_code == 201
    assert put("d4", begin="2026-11-19T00:00:00Z").status_code == 201
    assert crane.client.post(url("downtimes/d4/withdraw"), json={"reason": "another crane"}).status_code == 200
    assert crane.client.post("/api/v1/assets/NO/downtimes/d4/withdraw", json={"reason": "x"}).status_code == 404
    assert [each["id"] for each in get("assets/C/7/downtimes", **WEEK)["items"]] == ["d1", "d2", "d3"]
    found = get("assets/C/7/availability", **WEEK)
    assert (found["required_hours"], found["planned_hours"], found["down_hours"]) == ("144", "24", "6")
    assert (found["failures"], found["mttr_hours"]) == (2, {"least": "3", "most": "3"})
    assert found["mtbf_hours"]["most"] == "69", "138 h by 2; at least what was observed of that"
    assert found["mtbf_run_hours"] == {"least": "15", "most": "15"}
    none = get("assets/C/7/availability", since="2026-11-21T00:00:00Z", until="2026-11-23T00:00:00Z")
    assert (none["failures"], none["mtbf_hours"]["most"], none["mttr_hours"]) == (0, None, None)
    made = {"ideal_per_hour": "10", "made": "200", "good": "190"}
    oee = get("assets/C/7/oee", **WEEK, **made)
    assert (oee["base"], oee["planned_hours"], oee["down_hours"]) == ("shifts ONE", "32", "6")
    assert (oee["availability"], oee["quality"], oee["oee"]) == ("0.8125", "0.95", "0.59375")
    answer = crane.client.get(url("oee"), params=WEEK | made | {"good": "201"})
    assert "good" in problem(answer, 400)


def test_how_long_a_component_lives(crane: Any, get: Get) -> None:
    """By days: lives of 5, 6 and 4 days, and one that goes on for 7; the crane came on 2026-11-01."""
    for ident, day in (("r1", 6), ("r2", 12), ("r3", 16)):
        body = {"asset": "C/7", "kind": "repair", "component": "rope", "at": f"2026-11-{day:02}T00:00:00Z"}
        assert crane.client.put(f"/api/v1/services/{ident}", json=body).status_code == 201
    found = get("assets/C/7/reliability", unit="days", planned_cost=1, failure_cost=9)
    assert (found["component"], found["failures"], found["going_on"]) == ("rope", 3, 1)
    assert found["lives"][:3] == ["C/7 5 failed", "C/7 6 failed", "C/7 4 failed"]
    assert found["replacement"]["advice"] == "replace_at_age"
    assert float(found["fit"]["beta_range"]["least"]) < float(found["fit"]["beta"]) < 10
    assert 0 <= float(found["survives"]["least"]) < float(found["survives"]["most"]) < 1
    hours = get("assets/C/7/reliability", by="category")
    assert (hours["fit"], hours["failures"], hours["left_out"]) == (None, 0, ["C/7"]), "it had not run by then"
    assert "at least 2" in hours["missing"]
    assert "component" in problem(crane.client.get("/api/v1/assets/FORKLIFT-1/reliability"), 400)


@pytest.mark.usefixtures("crane")
def test_utilisation_of_each_base_the_report_and_the_duty_of_the_hoist(get: Get) -> None:
    found = get("assets/C/7/utilisation", **WEEK)
    assert {what: hours for what, hours in found["hours"].items() if hours != "0"} == {
        "off": "138", "idle": "25", "working": "5",
    }  # fmt: skip
    whole, shifts, target = found["use"]
    assert (whole["base"], whole["share"]) == ("all time", {"least": "0.178571", "most": "0.178571"})
    assert (shifts["base"], shifts["base_hours"]) == ("shifts ONE", "40")
    assert (shifts["share"]["least"], shifts["worked_share"]["most"]) == ("0.75", "0.125")
    assert (target["base"], target["share"], target["load"]["most"]) == ("target ONE", None, "0.857143")
    made = get("reports/utilisation", **{"from": WEEK["since"], "to": WEEK["until"]})
    names = [each["name"] for each in made["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in made["rows"]]
    mine = [(row["base"], row["share_least"], row["load_most"]) for row in rows if row["asset"] == "C/7"]
    assert mine == [("all time", "0.1786", "0.1786"), ("shifts ONE", "0.75", "0.75"), ("target ONE", None, "0.8571")]
    sums = [(row["base"], row["share_least"]) for row in rows if row["asset"] == "all of category hoists"]
    assert sums == [("all time", "0.1786"), ("shifts", "0.75"), ("target", None)]
    duty = get("assets/C/7/duty", **WEEK)
    assert (duty["hours"], duty["starts"], duty["stuck"]) == (BOTH_5, BOTH_5, None)
    assert duty["in_all"] == [
        {"of": "hours", "design": "100", "done": {"least": "31", "most": "31"}, "left": {"least": "69", "most": "69"}}
    ]
    assert get("assets/FORKLIFT-1/duty", **WEEK)["hours"] is None
