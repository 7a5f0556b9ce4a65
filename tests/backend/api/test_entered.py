"""What people enter: opened by one call, no more than there is, taken back within days, and once."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select

from backend.book import ledger, register, schema
from backend.book.db import read, write
from backend.verify import verify
from models.declared import Item, Location
from models.ids import derived_id
from models.stock.ledger import first_broken

NOW = 1_795_424_400_000_000
DAY = 86_400_000_000
Get = Callable[..., dict[str, Any]]
MOVE = {
    "at": "2026-11-23T08:59:00Z",
    "sku": "BOLT-M8",
    "quantity": "12",
    "source": "desk",
    "target": "customer",
    "reason": "sold at the counter",
}
WHY = {"reason": "wrong counter", "by": "ben"}


@pytest.fixture
def send(site: Any) -> Callable[..., Any]:
    def ask(method: str, path: str, body: Any, status: int = 201) -> Any:
        response = site.client.request(method, f"/api/v1/{path}", json=body)
        assert response.status_code == status, response.text
        return response.json()

    return ask


def on_hand(get: Get) -> str:
    return str(get("stock", sku="BOLT-M8", location="desk")["items"][0]["on_hand"])


def test_an_id_that_a_fact_may_come_to_have_is_refused(send: Any) -> None:
    taken = derived_id("reversal", "m1")
    refused = send("PUT", f"movements/{taken}", MOVE, 400)
    assert "id: no UUID of version 5 expected" in refused["detail"]
    send("PUT", "movements/6ba7b810-9dad-41d1-80b4-00c04fd430c8", MOVE)


def test_one_call_opens_what_a_read_movement_rests_on(site: Any, get: Get) -> None:
    entries = get("movements")["items"]
    crossed = next(each for each in entries if each["reason"] == "dock crossing")
    found = get(f"movements/{crossed['id']}/evidence")
    assert (found["movement"], found["holds"], found["person"]) == (crossed, True, None)
    assert [each["movement"] for each in found["crossings"]] == [crossed["movement"]]
    assert {(each["gateway"], each["epoch"], each["reading"]["kind"]) for each in found["readings"]} == {
        ("dock-a", "0123456789AB", "tag")
    }
    assert len(found["readings"]) == len(found["crossings"][0]["evidence"])
    scanned = next(each for each in entries if each["reason"] == "scan receive")
    found = get(f"movements/{scanned['id']}/evidence")
    assert [(act["action"], act["movement"]) for act in found["acts"]] == [("receive", scanned["movement"])]
    assert found["readings"][0]["reading"]["data"].startswith("]C1") or "0109521321" in str(found["readings"][0])
    with write(site.book) as tx:
        tx.execute(delete(schema.journal))
    found = get(f"movements/{scanned['id']}/evidence")
    assert (found["readings"], found["missing"], found["sealed"]) == ([], len(scanned["evidence"]), None)
    assert site.client.get("/api/v1/movements/none/evidence").status_code == 404


def test_what_a_person_entered_names_the_person_and_what_they_named(get: Get, send: Callable[..., Any]) -> None:
    send("PUT", "movements/m-1", MOVE | {"evidence": ["invoice:77", "scan:not a hash"]})
    found = get("movements/m-1/evidence")
    assert (found["named"], found["readings"], found["acts"]) == (["invoice:77"], [], [])


def test_a_movement_is_taken_back_once_and_stays_so(site: Any, get: Get, send: Callable[..., Any]) -> None:
    before = on_hand(get)
    send("PUT", "movements/m-1", MOVE)
    assert on_hand(get) == str(int(before) - 12)
    assert send("POST", "movements/m-1/reverse", WHY) == {"id": "m-1", "outcome": "created"}
    assert send("POST", "movements/m-1/reverse", {"reason": "again"}, 200)["outcome"] == "same"
    assert send("PUT", "movements/m-1", MOVE, 200)["outcome"] == "same", "a late repeat does not bring it back"
    assert on_hand(get) == before
    found = get("movements/m-1/evidence")
    first, back = found["entries"]
    assert (found["holds"], first["reverses"], back["reverses"]) == (False, None, "m-1")
    assert (back["at"], back["reason"], back["actor"]) == (first["at"], "wrong counter", "ben")
    assert get(f"movements/{back['id']}/evidence")["named"] == ["person:ben"]
    assert get(f"movements/{back['id']}/evidence")["person"] == "ben"
    assert site.client.put(f"/api/v1/movements/{back['id']}", json=MOVE).status_code == 409
    with read(site.book) as tx:
        assert first_broken(ledger.entries_of(tx)) is None
    assert not [each.name for each in verify(site.book) if not each.ok and "ledger" in each.name]


@pytest.mark.parametrize(("later", "status"), [(30 * DAY, 201), (30 * DAY + 1, 400)])
def test_after_some_days_it_is_too_late(site: Any, send: Callable[..., Any], later: int, status: int) -> None:
    send("PUT", "movements/m-1", MOVE)
    with write(site.book) as tx:
        tx.execute(
            schema.movement.update().where(schema.movement.c.id == "m-1").values(recorded_at=NOW - later)
        )  # as if it had been recorded then
    found = send("POST", "movements/m-1/reverse", WHY, status)
    assert status == 201 or "recorded in the last 30 days expected" in found["detail"]


def test_what_was_read_is_not_taken_back_by_a_person(site: Any, send: Callable[..., Any]) -> None:
    with read(site.book) as tx:
        of = schema.movement.c
        ident = tx.scalars(select(of.id).where(of.reason == "dock crossing")).first()
    found = send("POST", f"movements/{ident}/reverse", WHY, 400)
    assert "one that a person entered" in found["detail"].replace("a movement that", "one that")
    send("POST", "movements/none/reverse", WHY, 404)
    send("POST", "movements/none/reverse", {"by": "ben"}, 400)


def test_a_person_takes_no_more_than_there_is(get: Get, send: Callable[..., Any]) -> None:
    there = on_hand(get)
    found = send("PUT", "movements/m-1", MOVE | {"quantity": str(int(there) + 1)}, 400)
    assert f"at most the {there} of BOLT-M8" in found["detail"]
    send("PUT", "movements/m-1", MOVE | {"quantity": there})
    send("PUT", "movements/m-1", MOVE | {"quantity": there}, 200)
    send("PUT", "movements/m-2", MOVE | {"source": "supplier", "target": "desk", "quantity": "5"})
    send("PUT", "movements/m-3", MOVE | {"quantity": "4"})
    found = send("POST", "movements/m-2/reverse", WHY, 400)
    assert "at most the 1 of BOLT-M8" in found["detail"], "they have left again"


@pytest.mark.parametrize(
    ("place", "item", "status"),
    [
        (None, None, 400),
        (None, "allow", 201),
        ("allow", None, 201),
        ("allow", "refuse", 201),
        ("refuse", "allow", 400),
        ("refuse", None, 400),
        (None, "refuse", 400),
    ],
)
def test_place_or_item_may_allow_more(site: Any, send: Callable[..., Any], place: Any, item: Any, status: int) -> None:
    with write(site.book) as tx:
        for kind, ident, body in (
            ("locations", "desk", Location("Desk", negative=place)),
            ("items", "BOLT-M8", Item("Bolt", negative=item)),
        ):
            register.put(tx, kind, ident, body, valid_from=NOW, actor="test", now=NOW)
    send("PUT", "movements/m-1", MOVE | {"quantity": "99999"}, status)
