"""Lots, units, variants, reservations, write-offs and capitalised spares through the API."""

from collections.abc import Callable
from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import select

from backend.book import ledger
from backend.book.db import read, write
from backend.book.register import load
from backend.book.schema import scan_act
from backend.verify.folds import Seen
from backend.verify.lots import left_stock_once, reservations_stepped
from models.stock.ledger import Movement
from tests.backend.api.test_writes import problem_of

NOW = 1_795_424_400_000_000
AT = "2026-11-23T08:59:00Z"
Get = Callable[..., dict[str, Any]]
SEAL = {"at": AT, "sku": "SEAL-2K", "quantity": "40", "source": "supplier", "target": "warehouse", "reason": "receipt"}
SEAL_B = SEAL | {"lot": "B2417"}


@pytest.fixture
def put(site: Any) -> Callable[..., Any]:
    def send(path: str, body: dict[str, Any]) -> Any:
        return site.client.put(f"/api/v1/{path}", json=body)

    return send


@pytest.fixture
def post(site: Any) -> Callable[..., Any]:
    def send(path: str, body: dict[str, Any]) -> Any:
        return site.client.post(f"/api/v1/{path}", json=body)

    return send


def line(get: Get, **ask: object) -> dict[str, Any]:
    (found,) = get("stock", **ask)["items"]
    return found


def sound(site: Any) -> None:
    with read(site.book) as tx:
        for check in (reservations_stepped, left_stock_once):
            assert check(Seen(tx))[1] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "lot: expected, as SEAL-2K is kept by lots"),
        ({"lot": "B9"}, "declare lots/SEAL-2K/B9 with expires, got 'B9'"),
        ({"sku": "GOGGLES"}, "a variant of GOGGLES expected (GOGGLES-CLEAR), the item itself has no stock"),
        ({"sku": "PUMP-40", "quantity": "1.5"}, "a whole number of each expected, 1.5 each is 3/2"),
        ({"sku": "PUMP-40", "unit": "box"}, "unit: one of each, pallet expected, got 'box'"),
    ],
)
def test_what_a_person_may_not_enter(put: Any, change: dict[str, str], says: str) -> None:
    found = problem_of(put("movements/m-9", SEAL | change), 400, "refused")
    assert says in found["detail"]


def test_quantities_in_any_unit(put: Any, get: Get, site: Any) -> None:
    before = Decimal(line(get, sku="PUMP-40", location="warehouse")["on_hand"])
    moved = SEAL | {"sku": "PUMP-40", "quantity": "1.5", "unit": "pallet"}
    assert put("movements/m-9", moved).status_code == 201
    assert Decimal(line(get, sku="PUMP-40", location="warehouse")["on_hand"]) == before + 36
    assert get("conversions", sku="PUMP-40", quantity="6", to="pallet")["quantity"] == "0.25"
    ask = {"sku": "PUMP-40", "quantity": "7", "to": "pallet"}
    found = problem_of(site.client.get("/api/v1/conversions", params=ask), 400, "refused")
    assert "7 each is 7/24 pallet, which no decimal is exactly" in found["detail"]


def test_stock_within_a_place(put: Any, get: Get) -> None:
    put("movements/m-1", SEAL_B)
    put("movements/m-2", SEAL_B | {"quantity": "15", "source": "warehouse", "target": "shelf-a", "reason": "put away"})
    assert line(get, sku="SEAL-2K", location="warehouse")["on_hand"] == "25"
    found = get("stock", sku="SEAL-2K", location="warehouse", within=True)["items"]
    assert {each["location"]: each["on_hand"] for each in found} == {"warehouse": "25", "shelf-a": "15"}


def test_promised_stock_is_not_available(put: Any, get: Get, post: Any, site: Any) -> None:
    put("movements/m-1", SEAL_B)
    asked = {"id": "a-1", "sku": "SEAL-2K", "quantity": "30", "purpose": "order", "reference": "O-1", "need_at": AT}
    done = post("allocations", asked)
    assert (done.status_code, done.json()["short"]) == (201, "0")
    (pick,) = done.json()["picks"]
    assert (pick["location"], pick["lot"], pick["quantity"]) == ("warehouse", "B2417", "30")
    assert post("allocations", asked).json() == done.json()
    demand = {
        "sku": "SEAL-2K",
        "quantity": "4",
        "purpose": "plan",
        "reference": "P-1",
        "need_at": "2027-01-01T00:00:00Z",
    }
    assert put("reservations/d-1", demand).status_code == 201
    assert put("reservations/d-1", demand).json()["outcome"] == "same"
    problem_of(put("reservations/d-1", demand | {"quantity": "5"}), 409, "clash")
    held = line(get, sku="SEAL-2K")
    assert [held[name] for name in ("on_hand", "allocated", "available", "reserved")] == ["40", "30", "10", "4"]
    too_much = demand | {"location": "warehouse", "lot": "B2417", "quantity": "11"}
    found = problem_of(put("reservations/d-2", too_much), 400, "refused")
    assert "at most the 6 that are available" in found["detail"], "an earlier demand comes first"
    over = site.client.delete(f"/api/v1/reservations/{pick['reservation']}", params={"reason": "changed"}).json()
    assert (over["state"], over["left"], over["allocation"]) == ("cancelled", "0", "a-1")
    assert line(get, sku="SEAL-2K")["available"] == "40"
    assert [each["id"] for each in get("reservations", state="open")["items"]] == ["d-1"]
    sound(site)


SITES = {"north": 80, "south": 70, "east": 50}


def test_a_recall_finds_every_unit_at_three_sites(put: Any, get: Get, post: Any, site: Any) -> None:
    for name in SITES:
        assert put(f"locations/{name}", {"name": name, "kind": "site"}).status_code == 201
        assert put(f"locations/{name}-bin", {"name": name, "kind": "bin", "parent": name}).status_code == 201
    steps = [("supplier", "warehouse", 200)]
    for name, quantity in SITES.items():
        steps += [("warehouse", name, quantity), (name, f"{name}-bin", quantity - 10)]
        steps += [(f"{name}-bin", "customer", 1)] * 20
    steps += [("north", "scrap", 4), ("south", "adjustment", 3)]
    with write(site.book) as tx:
        ledger.post(tx, [_moved(n, *step) for n, step in enumerate(steps)], (), "test", NOW)
        tx.execute(scan_act.insert(), _packs())
    asked = {"id": "a-1", "sku": "SEAL-2K", "quantity": "9", "purpose": "order", "reference": "O-1", "need_at": AT}
    assert post("allocations", asked | {"within": "north"}).status_code == 201
    began = perf_counter()
    done = post("lots/SEAL-2K/B2417/recall", {"reason": "glass found"}).json()
    assert perf_counter() - began < 2
    assert (done["status"], len(done["cancelled"])) == ("recalled", 2), "what lies in the bin and on the floor of north"
    trace = done["trace"]
    present = {each["location"]: int(each["quantity"]) for each in trace["present"]}
    assert present == {"north": 6, "north-bin": 50, "south": 7, "south-bin": 40, "east": 10, "east-bin": 20}
    gone = {each["location"]: int(each["quantity"]) for each in trace["gone"]}
    assert gone == {"customer": 60, "scrap": 4}
    assert (trace["received"], trace["unaccounted"]) == ("200", "3")
    assert sum(present.values()) + sum(gone.values()) + 3 == 200
    assert trace["why"] == ["3 missing, by count (adjustment)"]
    assert [each["evidence"] for each in trace["receipts"]] == [["scan:0"]]
    assert [(each["child"], each["parent"]) for each in trace["carried"]] == [("(00)1", "(00)2"), ("(00)2", "(00)3")]
    assert get("lots/SEAL-2K/B2417/trace") == trace
    problem_of(post("allocations", asked | {"id": "a-2"}), 400, "refused")
    blocked = get("stock/lots", standing="recalled")["items"]
    assert {each["location"] for each in blocked} == set(present)
    assert {each["available"] for each in get("stock", lot="B2417")["items"]} == {"0"}
    entry = get("lots/SEAL-2K/B2417")
    assert (entry["body"]["status"], entry["body"]["note"], entry["actor"]) == ("recalled", "glass found", "local")
    problem_of(site.client.get("/api/v1/lots/SEAL-2K/B1/trace"), 404, "not-found")
    sound(site)


def _moved(n: int, source: str, target: str, quantity: int) -> Movement:
    ends = {"source": source, "target": target, "reason": "test", "evidence": [f"scan:{n}"]}
    what = {"sku": "SEAL-2K", "lot": "B2417", "quantity": Decimal(quantity)}
    return Movement(id=f"t{n}", at=NOW - 1000 + n, **what, **ends)  # type: ignore[arg-type]


def _packs() -> list[dict[str, Any]]:
    of_act = {"device_id": 1, "subject": "", "device": "d", "closed_at": NOW, "day": 1, "ok": True, "text": "t"}
    row = of_act | {"action": "pack", "evidence": '["aa"]', "sku": None, "lot": None}
    return [
        row | {"id": "p1", "at": NOW, "child": "(00)1", "parent": "(00)2", "sku": "SEAL-2K", "lot": "B2417"},
        row | {"id": "p2", "at": NOW + 1, "child": "(00)2", "parent": "(00)3"},
        row | {"id": "p3", "at": NOW + 2, "child": "(00)9", "parent": "(00)8"},
    ]


def test_a_write_off_takes_two(put: Any, get: Get, post: Any, site: Any) -> None:
    put("movements/m-1", SEAL_B)
    asked = {"sku": "SEAL-2K", "location": "warehouse", "lot": "B2417", "quantity": "4", "reason": "dried", "by": "ann"}
    assert put("write-offs/w-1", asked).status_code == 201
    assert put("write-offs/w-1", asked).json()["outcome"] == "same"
    problem_of(put("write-offs/w-1", asked | {"quantity": "5"}), 409, "clash")
    assert "at most the 40" in problem_of(put("write-offs/w-2", asked | {"quantity": "41"}), 400, "refused")["detail"]
    assert line(get, sku="SEAL-2K")["on_hand"] == "40", "nothing leaves before somebody else says yes"
    problem_of(post("write-offs/w-1/approve", {"by": "ann"}), 400, "refused")
    done = post("write-offs/w-1/approve", {"by": "bob", "note": "seen"}).json()
    assert (done["state"], done["decided_by"], done["note"]) == ("approved", "bob", "seen")
    assert post("write-offs/w-1/approve", {"by": "bob"}).json() == done
    problem_of(post("write-offs/w-1/reject", {"by": "bob"}), 409, "clash")
    problem_of(post("write-offs/w-3/approve", {"by": "bob"}), 404, "not-found")
    assert line(get, sku="SEAL-2K")["on_hand"] == "36"
    (moved,) = [each for each in get("movements", sku="SEAL-2K")["items"] if each["id"] == done["movement"]]
    assert (moved["target"], moved["reason"], moved["evidence"]) == ("scrap", "write-off", ["write_off:w-1"])
    assert [each["id"] for each in get("write-offs", state="approved")["items"]] == ["w-1"]
    sound(site)


SPARE = {"sold_or_used_up": True, "placed_singly": False, "serviced": False, "capitalised": True, "stops_work": True}


def test_a_spare_becomes_an_asset_in_one_transaction(put: Any, get: Get, post: Any, site: Any) -> None:
    verdict = post("classify", {"answers": SPARE}).json()
    assert verdict["verdict"] == "capitalised_spare"
    gearbox = {"name": "Gearbox", "whole": True, "purpose": "spare", "classified": {"answers": SPARE}}
    assert put("items/GEARBOX", gearbox).status_code == 201
    assert get("items/GEARBOX")["body"]["classified"]["verdict"] == "capitalised_spare"
    put("movements/m-1", SEAL | {"sku": "GEARBOX", "quantity": "2"})
    body = {"name": "Gearbox of crane 1", "serial": "G-17", "category": "gearbox"}
    asked = {"sku": "GEARBOX", "location": "warehouse", "at": AT, "asset": "GB-17", "body": body, "epc": "e280aa"}
    assert put("capitalisations/c-1", asked).status_code == 201
    assert put("capitalisations/c-1", asked).json()["outcome"] == "same"
    problem_of(put("capitalisations/c-1", asked | {"asset": "GB-18"}), 409, "clash")
    problem_of(put("capitalisations/c-2", asked), 409, "clash")
    other = asked | {"asset": "GB-18", "body": body | {"serial": "G-18"}}
    problem_of(put("capitalisations/c-3", other | {"location": "desk"}), 400, "refused")
    found = problem_of(put("capitalisations/c-3", asked | {"asset": "GB-18"}), 409, "clash")
    assert found["detail"] == "body.serial: 'G-17' is the serial number of 'GB-17' already"
    found = problem_of(put("capitalisations/c-4", other | {"sku": "PUMP-40"}), 400, "refused")
    assert "an item that is a capitalised_spare expected, PUMP-40 is stock" in found["detail"]
    assert line(get, sku="GEARBOX")["on_hand"] == "1"
    assert line(get, sku="GEARBOX", location="capitalised")["on_hand"] == "1"
    entry = get("assets/GB-17")
    assert (entry["body"]["serial"], entry["valid_from"]) == ("G-17", AT)
    assert get("tags/e280aa")["body"] == {"thing": "asset", "asset": "GB-17"}
    assert [each["asset"] for each in get("capitalisations")["items"]] == ["GB-17"]
    with read(site.book) as tx:
        assert load(tx).get("assets", "GB-18", NOW) is None, "refused as a whole"
        assert tx.scalar(select(scan_act.c.id).where(scan_act.c.asset == "GB-18")) is None
    sound(site)


def test_an_item_whose_answers_say_asset_is_refused(put: Any) -> None:
    body = {"name": "Crane", "classified": {"answers": SPARE | {"sold_or_used_up": False}}}
    found = problem_of(put("items/CRANE", body), 400, "refused")
    assert "stock or capitalised_spare expected of an item, the answers say asset" in found["detail"]
    assert put("assets/CRANE-9", body | {"serial": "9"}).status_code == 201
