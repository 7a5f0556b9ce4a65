"""ASNs and shipments against what the doors read and people enter: each verdict, the alert, and what comes late."""

from typing import Any

import pytest
from sqlalchemy import event, select

from backend.book import ledger, schema
from backend.book.db import read, write
from models.declared import Location, Supplier
from models.reading import from_micros
from tests.backend.books import SECOND
from tests.backend.warehouse.floors import PUMP, Floor

ON_BOTH = True
HOUR = 3600 * SECOND
IN, OUT = (3, 3, 1, 1), (1, 1, 3, 3)
PALLET = "095213210000000421"


@pytest.fixture
def quay(floor: Floor) -> Floor:
    floor.declare("suppliers", "acme", Supplier("Acme"))
    floor.declare("locations", "acme", Location("Acme", kind="supplier"))
    return floor


def time(at: int) -> str:
    return from_micros(at).isoformat()


def body(floor: Floor, **how: Any) -> dict[str, Any]:
    now = floor.yard.clock.now
    lines = [{"sku": "PUMP-40", "quantity": "3"}, {"sku": "BOLT-M8", "quantity": "400"}]
    window = {"begin": time(now - HOUR), "end": time(now + HOUR)}
    return {"kind": "receipt", "lines": lines, **window} | how


def said(found: Any) -> str:
    lines = [f"{each['came']} {each['verdict']}" for each in found["lines"]]
    return ", ".join([found["state"], *lines, *(f"{each['quantity']} {each['sku']} wrong" for each in found["wrong"])])


def alert(floor: Floor) -> str | None:
    floor.plan()
    with read(floor.yard.book) as tx:
        of = schema.alert.c
        return tx.scalar(select(of.title).where(of.rule == "expected", of.state != "closed"))


def test_what_the_door_reads_matches_and_what_is_missing_is_told(quay: Floor) -> None:
    tags = [*PUMP[:3], PALLET]
    lines = [{"sku": "PUMP-40", "quantity": "3", "tags": tags}, {"sku": "BOLT-M8", "quantity": "400"}]
    asked = body(quay, place="dock-a/door-9", lines=lines)
    assert quay.put("expected/ASN-1", **asked)["outcome"] == "created"
    assert quay.put("expected/ASN-1", 200, **asked)["outcome"] == "same"
    quay.put("expected/ASN-1", 409, **asked | {"note": "other"})
    assert said(quay.get("expected/ASN-1")) == "open, 0 waiting, 0 waiting"
    quay.pass_door("door-9", PUMP[:2], IN)
    assert said(quay.get("expected/ASN-1")) == "open, 2 waiting, 0 waiting"
    assert alert(quay) is None
    quay.yard.clock.now += HOUR
    found = quay.get("expected/ASN-1")
    assert (said(found), found["closed_by"], found["matched"]) == ("closed, 2 short, 0 short", "window", False)
    assert found["lines"][0]["missing"] == ["(01)80614141123458(21)3", f"(00){PALLET}"]
    assert len(found["lines"][0]["movements"]) == 2
    assert alert(quay) == "receipt ASN-1: short 1 x PUMP-40, 400 x BOLT-M8; 2 tags not seen"
    assert [each["id"] for each in quay.get("expected", state="closed", kind="receipt")["items"]] == ["ASN-1"]
    assert quay.get("expected", state="open")["items"] == []


def test_what_becomes_known_late_or_is_taken_back_changes_the_verdict(quay: Floor) -> None:
    then = quay.yard.clock.now
    quay.put("expected/ASN-1", **body(quay, party="acme", lines=[{"sku": "BOLT-M8", "quantity": "400"}]))
    quay.yard.clock.now += 2 * HOUR
    assert alert(quay) == "receipt ASN-1: short 400 x BOLT-M8"
    quay.move("BOLT-M8", 400, ("acme", "bin-1"), at=then)
    assert said(quay.get("expected/ASN-1")) == "closed, 400 matched"
    assert alert(quay) is None
    quay.move("PUMP-40", 2, ("acme", "bin-1"), at=then)
    quay.move("BOLT-M8", 5, ("supplier", "bin-1"), at=then)
    assert said(quay.get("expected/ASN-1")) == "closed, 405 over, 2 PUMP-40 wrong"
    quay.move("BOLT-M8", 5, ("acme", "bin-1"), at=then + 2 * HOUR)
    with write(quay.yard.book) as tx:
        of = schema.movement.c
        back = tx.scalars(select(of.id).where(of.sku == "BOLT-M8", of.quantity == "400")).one()
        ledger.post(tx, [], {back}, "test", quay.yard.clock.now)
    assert said(quay.get("expected/ASN-1")) == "closed, 5 short, 2 PUMP-40 wrong"
    assert alert(quay) == "receipt ASN-1: short 395 x BOLT-M8; not announced 2 x PUMP-40"


def test_a_person_closes_and_what_came_before_still_counts(quay: Floor) -> None:
    then = quay.yard.clock.now
    quay.put("expected/ASN-1", **body(quay))
    quay.post("expected/ASN-1/close", 400, at=time(then + 9 * HOUR))
    quay.yard.clock.now += 60 * SECOND
    closed = quay.post("expected/ASN-1/close", reason="unloaded", by="ann")
    assert (said(closed), closed["closed_by"]) == ("closed, 0 short, 0 short", "ann")
    assert quay.post("expected/ASN-1/close", by="bob")["closed_by"] == "ann"
    quay.move("PUMP-40", 3, ("supplier", "bin-1"), at=then + 9 * SECOND)
    quay.move("BOLT-M8", 400, ("supplier", "bin-1"))
    assert said(quay.get("expected/ASN-1")) == "closed, 3 matched, 0 short"
    quay.post("expected/none/close", 404)


def test_a_shipment_leaves_to_its_customer_and_a_return_takes_it_back(quay: Floor) -> None:
    lines = [{"sku": "PUMP-40", "quantity": "2"}]
    quay.put("expected/SHIP-1", **body(quay, kind="shipment", party="customer", lines=lines))
    for sku, quantity, way in (
        ("PUMP-40", 3, ("supplier", "bin-1")),
        ("PUMP-40", 3, ("bin-1", "customer")),
        ("PUMP-40", 1, ("customer", "bin-1")),
        ("BOLT-M8", 1, ("bin-1", "customer")),
        ("BOLT-M8", 9, ("bin-1", "scrap")),
    ):
        quay.move(sku, quantity, way)
    assert said(quay.get("expected/SHIP-1")) == "open, 2 matched, 1 BOLT-M8 wrong"
    assert alert(quay) == "shipment SHIP-1: not announced 1 x BOLT-M8"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"party": "zeta"}, "party: one of the suppliers"),
    ({"kind": "shipment", "party": "acme-2"}, "party: a virtual location"),
    ({"place": "customer"}, "place: a real location, or a door"),
    ({"place": "dock-a/reader-1"}, "place: a real location, or a door"),
    ({"order": "PO-9"}, "order: one of the orders"),
    ({"end": "2020-01-01T00:00:00Z"}, "end: a time after begin"),
    ({"lines": [{"sku": "MOON", "quantity": "1"}]}, "sku: one of the items"),
    ({"lines": []}, "lines"),
]


def test_what_cannot_be_is_refused_by_its_field(quay: Floor) -> None:
    for how, says in REFUSED:
        assert says in quay.put("expected/ASN-1", 400, **body(quay, **how))["detail"]


def test_it_names_an_order_of_the_same_supplier(quay: Floor) -> None:
    lines = [{"sku": "BOLT-M8", "quantity": "400"}]
    now = time(quay.yard.clock.now)
    quay.put("purchase-orders/PO-1", ordered_at=now, supplier="acme", lines=lines)
    quay.put("expected/ASN-1", **body(quay, party="acme", order="PO-1", lines=lines))
    assert [each["id"] for each in quay.get("expected", order="PO-1", sku="BOLT-M8")["items"]] == ["ASN-1"]


def test_a_chain_of_windows_is_read_at_once(quay: Floor) -> None:
    """However long it is: each overlaps the next, as those of every day do."""

    def statements() -> int:
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            found.append(statement)

        event.listen(quay.yard.book, "before_cursor_execute", note)
        quay.get("expected/e0")
        event.remove(quay.yard.book, "before_cursor_execute", note)
        return len(found)

    now = quay.yard.clock.now
    counts: list[int] = []
    for n in range(8):
        window = {"begin": time(now - n * HOUR), "end": time(now + (2 - n) * HOUR)}
        quay.put(f"expected/e{n}", **body(quay, **window))
        counts.append(statements())
    assert counts[-1] == counts[0]
