"""The API on alerts: assigning, history, shelves, messages once more, and the alarm rate."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.book import alerts, messages, register
from backend.book.db import write
from backend.book.messages import Draft, Tried
from backend.notify.desk import Desk
from backend.notify.telling import Ways
from models.alert import Alert
from models.declared_alerts import Contact, Team
from tests.backend.api.conftest import NOW

Get = Callable[..., dict[str, Any]]
API = "/api/v1"


@pytest.fixture
def staffed(site: Any) -> Any:
    """A team, one alert of it that nobody was told of yet, and a desk that has looked at all before."""
    site.desk = Desk(site.book, lambda: NOW, Ways(has_mail=True))
    site.desk.step()
    with write(site.book) as tx:
        for kind, ident, body in (
            ("contacts", "ann", Contact("Ann", "ann@yard.example")),
            ("teams", "fleet", Team("Fleet", ["assets"], [["ann"]])),
        ):
            register.put(tx, kind, ident, body, valid_from=NOW, actor="test", now=NOW)
        alerts.raise_alert(tx, Alert("failure_risk", "asset:M-1/gearbox", "critical", "risk", "{}"), NOW, "planner")
    return site


def one(get: Get) -> dict[str, Any]:
    (found,) = get("alerts", subject="asset:M-1/gearbox")["items"]
    return dict(found)


def test_who_is_to_answer_and_what_was_done(staffed: Any, get: Get) -> None:
    url = f"{API}/alerts/{one(get)['id']}"
    assert staffed.client.post(f"{url}/assign", json={"to": "nobody"}).status_code == 400
    told = staffed.client.post(f"{url}/assign", json={"to": "ann"})
    assert (told.status_code, told.json()["assignee"], told.json()["state"]) == (200, "ann", "open")
    while staffed.desk.step():
        pass
    assert (one(get)["level"], one(get)["escalates_at"]) == (1, None), "there is one level"
    staffed.client.post(f"{url}/acknowledge")
    steps = get(f"alerts/{one(get)['id']}/history")["items"]
    assert [(step["what"], step["note"]) for step in steps] == [
        ("raised", None),
        ("assigned", "ann"),
        ("acknowledged", None),
    ]
    assert staffed.client.get(f"{API}/alerts/none/history").status_code == 404
    staffed.client.post(f"{url}/close")
    assert staffed.client.post(f"{url}/assign", json={"to": "ann"}).status_code == 409


SHELF = {"rules": ["failure_risk"], "subjects": ["asset:M-*"], "reason": "sensor away", "until": "2026-11-24T09:00:00Z"}


def test_a_shelf_is_put_once_listed_and_ended(staffed: Any, get: Get) -> None:
    url = f"{API}/shelves/s1"
    for wrong, says in (
        ({"rules": ["failure_rsk"]}, "failure_rsk"),
        ({"until": "2026-12-24T09:00:00Z"}, "at most 30 days"),
        ({"rules": [], "subjects": []}, "nobody shelves everything"),
        ({"reason": ""}, "reason"),
    ):
        refused = staffed.client.put(url, json=SHELF | wrong)
        assert (refused.status_code, says in refused.text) == (400, True), refused.text
    grave = {**SHELF, "most": "critical"}
    assert [staffed.client.put(url, json=body).status_code for body in (grave, grave, SHELF)] == [201, 200, 409]
    (listed,) = get("shelves", state="standing")["items"]
    assert (listed["asleep"], listed["reason"], listed["ended_at"]) == (1, "sensor away", None)
    assert (one(get)["state"], one(get)["shelf"]) == ("snoozed", "s1")
    assert staffed.client.post(f"{url}/end").json()["ended_by"] == "local"
    assert one(get)["state"] == "open"
    assert get("shelves", state="standing")["items"] == []
    assert [each["id"] for each in get("shelves", state="over")["items"]] == ["s1"]
    assert staffed.client.post(f"{API}/shelves/s2/end").status_code == 404


def test_messages_and_one_once_more(staffed: Any, get: Get) -> None:
    while staffed.desk.step():
        pass
    draft = Draft("", "digest:x:1", "mail", "bob@yard.example", "bob", "s", "t", NOW)
    with write(staffed.book) as tx:
        messages.queue(tx, draft, messages.WAITING, NOW)
        row = next(row for row in messages.due(tx, NOW, 9) if row.contact == "bob")
        messages.note(tx, row, Tried(550, "550 no such mailbox"), NOW)
    (told,) = get("messages", alert=one(get)["id"])["items"]
    assert (told["recipient"], told["state"], told["subject"]) == ("ann@yard.example", "waiting", "[CRITICAL] risk")
    (dead,) = get("messages", state="dead")["items"]
    assert (dead["alert"], dead["code"], dead["problem"]) == (None, 550, "550 no such mailbox")
    metrics = staffed.client.get("/metrics").text
    assert 'stockyard_messages{state="dead"} 1.0' in metrics
    assert 'stockyard_messages{state="waiting"} 1.0' in metrics
    again = staffed.client.post(f"{API}/messages/{dead['n']}/retry")
    assert (again.status_code, again.json()["state"], again.json()["id"]) == (200, "waiting", dead["id"])
    assert staffed.client.post(f"{API}/messages/99/retry").status_code == 404
    assert staffed.client.post(f"{API}/messages/{2**63}/retry").status_code == 400


def test_the_alarm_rate_of_each_team(staffed: Any, get: Get) -> None:
    with write(staffed.book) as tx:
        for n in range(11):
            alerts.raise_alert(tx, Alert("odometer_drift", f"asset:{n}/odometer", "warning", "t", "{}"), NOW, "planner")
        alerts.raise_alert(tx, Alert("reorder", "item:NEW", "warning", "t", "{}"), NOW, "planner")
    while staffed.desk.step():
        pass
    span = {"since": "2026-11-23T08:00:00Z", "until": "2026-11-23T09:10:00Z"}
    everybody, fleet = get("alerts/rate", **span)["items"]
    assert (everybody["team"], everybody["alerts"], fleet["team"], fleet["alerts"]) == (None, 13, "fleet", 12)
    assert (fleet["per_ten_minutes"], fleet["is_within_goal"]) == ("1.71", False)
    assert fleet["worst"] == [{"rule": "odometer_drift", "alerts": 11}, {"rule": "failure_risk", "alerts": 1}]
    flood = {"begin": "2026-11-23T09:00:00Z", "end": "2026-11-23T09:10:00Z", "alerts": 12}
    assert (fleet["peak"], fleet["floods"]) == (12, [flood])
    assert staffed.client.get(f"{API}/alerts/rate", params={"since": span["until"]}).status_code == 400


def test_the_calendars_of_a_team_and_of_an_asset(site: Any) -> None:
    answer = site.client.get(f"{API}/calendars/assets/TRUCK-1.ics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    mine, team = (
        {line for line in site.client.get(f"{API}/calendars/{each}.ics").text.splitlines() if line.startswith("UID:")}
        for each in ("assets/TRUCK-1", "teams/fleet")
    )
    assert mine
    assert mine < team
    gone = [site.client.get(f"{API}/calendars/{each}.ics").status_code for each in ("teams/x", "assets/x")]
    assert gone == [404, 404]
