"""Custody, bookings, transfers, places and audits over the API: what is created, what is refused, what is answered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.api.services import Services
from models.reading import from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.conftest import NOW
from tests.backend.owned import Owned, going, heard, tag
from tests.shared_app import shared_app

HOUR = 3600 * SECOND


def text(at: int) -> str:
    return from_micros(at).isoformat()


def no_scans(_book: Engine, _ident: str, _text: bytes, _now: int) -> bool:
    raise AssertionError("nobody scans here")


class Desk:
    """The API on a yard with assets."""

    def __init__(self, owned: Owned, client: TestClient) -> None:
        self.owned, self.client = owned, client

    def put(self, path: str, **body: Any) -> int:
        answer = self.client.put(path, json=body)
        self.owned.plan()
        return answer.status_code

    def get(self, path: str, **ask: Any) -> Any:
        return self.client.get(path, params=ask).json()

    def items(self, path: str, **ask: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path, **ask)["items"]
        return found

    def custody(self, ident: str, what: str, **body: Any) -> int:
        return self.put(f"custody/{ident}", **{"asset": "DRILL-1", "what": what} | body)


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> Iterator[Desk]:
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    owned = Owned(yard)
    services = Services(yard.book, yard.clock, no_scans)
    with TestClient(shared_app(services), "http://127.0.0.1:8000/api/v1/") as client:
        yield Desk(owned, client)
    yard.book.dispose()


def test_custody_and_bookings(desk: Desk) -> None:
    due = text(NOW + 5 * HOUR)
    assert (
        desk.custody("c1", "check_out", holder="ann", place="location:tool-crib", due_at=due, signed="badge 7") == 201
    )
    assert (
        desk.custody("c1", "check_out", holder="ann", place="location:tool-crib", due_at=due, signed="badge 7") == 200
    )
    assert desk.custody("c1", "check_out", holder="bob") == 409, "other content under the id"
    assert desk.custody("c2", "check_out", holder="bob") == 409, "ann has it"
    assert desk.custody("c2", "check_out", asset="NONE", holder="bob") == 400
    span = {"begin": text(NOW + HOUR), "end": text(NOW + 3 * HOUR)}
    assert desk.put("bookings/b1", asset="DRILL-1", holder="bob", **span) == 409, "ann has it until then"
    span = {"begin": text(NOW + 6 * HOUR), "end": text(NOW + 8 * HOUR)}
    assert desk.put("bookings/b1", asset="DRILL-1", holder="bob", **span) == 201
    assert desk.put("bookings/b1", asset="DRILL-1", holder="bob", **span) == 200
    assert desk.put("bookings/b2", asset="DRILL-1", holder="cid", **span) == 409
    assert [each["holder"] for each in desk.items("holders")] == ["ann"]
    desk.owned.over(6 * HOUR)
    assert desk.owned.alerts("custody_overdue") == [("asset:DRILL-1", "open", "warning")]
    assert desk.custody("c3", "hand_over", holder="cid") == 409, "bob has it booked"
    assert desk.custody("c3", "hand_over", holder="bob", giver="dan") == 201
    assert desk.owned.alerts("custody_overdue") == [("asset:DRILL-1", "closed", "warning")]
    assert desk.custody("c4", "check_in", place="location:gate") == 201
    assert [each["state"] for each in desk.items("bookings")] == ["done"]
    chain = desk.get("assets/DRILL-1/custody")
    assert [each["what"] for each in chain["entries"]] == ["check_out", "hand_over", "check_in"]
    assert (chain["holder"], chain["intact"], [gap["what"] for gap in chain["gaps"]]) == (None, True, ["unknown_giver"])
    assert desk.get("assets/DRILL-1/place")["place"] == "location:gate"
    assert [each["id"] for each in desk.items("custody", holder="bob")] == ["c3"]


def test_places_transfers_and_what_may_be_reused(desk: Desk) -> None:
    yard, owned = desk.owned.yard, desk.owned
    yard.send(heard(tag("DRILL-1"), NOW))
    yard.send(heard(tag("BENCH-1"), NOW))
    owned.over(60 * SECOND)
    place = desk.get("assets/VICE-1/place")
    assert (place["place"], place["site"], place["via"], place["confidence"]) == (
        "location:tool-crib",
        "antwerp",
        "BENCH-1",
        "low",
    )
    begin, end = text(owned.now), text(owned.now + 2 * HOUR)
    order = {"asset": "DRILL-1", "source": "site:antwerp", "target": "location:gate", "begin": begin, "end": end}
    assert desk.put("transfers/t1", **order) == 201
    assert desk.put("transfers/t2", **order | {"target": "location:moon"}) == 400
    owned.live(going(tag("DRILL-1"), owned.now + 60 * SECOND))
    owned.over(3 * HOUR)
    assert owned.alerts("exit_unauthorised") == [], "the transfer lets it leave"
    assert owned.alerts("transfer_late") == [("transfer:t1", "open", "warning")]
    yard.send(heard(tag("DRILL-1"), owned.now, antenna=2))
    owned.over(HOUR)
    assert owned.alerts("transfer_late") == [("transfer:t1", "closed", "warning")]
    (transfer,) = desk.items("transfers")
    assert (transfer["state"], transfer["arrived_at"] is not None, transfer["transit_s"] > 3 * 3600 - 60) == (
        "done",
        True,
        True,
    )
    moved = desk.items("assets/DRILL-1/relocations", since=text(NOW - HOUR), until=text(owned.now))
    places = ["location:tool-crib", None, "location:gate"]
    assert [each["place"] for each in moved][:1] + [each["place"] for each in moved][-3:] == [
        places[0],
        *places[1:],
        None,
    ]
    assert all(each["evidence"] for each in moved)
    dwell = desk.get("assets/DRILL-1/dwell", since=text(NOW - HOUR), until=text(owned.now))
    assert sum(each["seconds"] for each in dwell["stays"]) == (owned.now - NOW) // SECOND + 3600
    assert desk.items("assets/reusable", category="tool") == []
    owned.change("SAW-1", state="idle")
    owned.change("DRILL-1", state="stored")
    assert desk.put("bookings/b1", asset="SAW-1", holder="ann", begin=text(owned.now), end=text(owned.now + DAY)) == 201
    found = desk.items("assets/reusable", category="tool")
    assert [(each["id"], each["why"]) for each in found] == [("DRILL-1", "it is in store")]
    later = desk.items("assets/reusable", **{"category": "tool", "from": text(owned.now + DAY)})
    assert [each["id"] for each in later] == ["DRILL-1", "SAW-1"]


def test_an_audit_by_radio(desk: Desk) -> None:
    owned = desk.owned
    for name in ("DRILL-1", "SAW-1", "BENCH-1"):
        owned.yard.send(heard(tag(name), NOW, antenna=2 if name == "BENCH-1" else 1))
    owned.over(60 * SECOND)
    place = {"place": "location:hall", "by": "ann"}
    assert desk.put("audits/a1", **place) == 201
    assert desk.put("audits/a1", **place) == 200
    begin = text(owned.now)
    owned.yard.clock.now += 60 * SECOND
    foreign = tag("FOREIGN")
    for number in (1, 2):
        epcs = [tag("DRILL-1"), tag("BENCH-1"), foreign, "3034257bf7194e4000001a85"]
        assert desk.put(f"audits/a1/passes/{number}", begin=begin, end=text(owned.now), epcs=epcs, by="ann") == 201
    whole = desk.client.post("audits/a1/close", json={"by": "ann"}).json()
    verdicts = {each["asset"] or each["epcs"][0]: each["verdict"] for each in whole["assets"]}
    assert verdicts == {"BENCH-1": "misplaced", "DRILL-1": "found", "SAW-1": "missing", foreign: "unknown"}
    assert (whole["accuracy"], whole["others"], whole["valid"]) == ("0.2500", 1, True)
    assert desk.client.post("audits/a1/approve", json={"by": "ann"}).status_code == 400, "another must approve it"
    assert desk.client.post("audits/a1/approve", json={"by": "bob"}).status_code == 200
    owned.plan()
    assert desk.get("assets/BENCH-1/place")["place"] == "location:hall"
    saw = desk.get("assets/SAW-1/place")
    assert (saw["place"], saw["by"], saw["confidence"]) == (None, "audit:a1", "low")
    assert ("asset:SAW-1", "open", "warning") in owned.alerts("asset_missing")
    assert {each["asset"]: each["missed_by"] for each in desk.items("assets/missing")}["SAW-1"] == "audit:a1"
    assert desk.put("audits/a2", **place) == 201
    desk.client.post("audits/a2/close")
    assert desk.client.post("audits/a2/approve", json={"by": "bob"}).status_code == 400, "it heard nothing"
