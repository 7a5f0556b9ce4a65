"""Orders picked by their pick list: first expired first, wrong ones refused, short ones taken elsewhere."""

from datetime import date
from typing import Any

from backend.verify import verify
from models.declared import Bin, Location
from models.declared import Item as ItemBody
from models.reading import Tag, from_micros
from tests.backend.books import SECOND
from tests.backend.warehouse.floors import PUMP, Floor, Lot

ON_BOTH = True
IN, OUT = (3, 3, 1, 1), (1, 1, 3, 3)
DUE = "2026-11-24T12:00:00Z"


def whole(floor: Floor) -> None:
    assert not [f"{each.name}: {each.detail}" for each in verify(floor.yard.book) if not each.ok]


def lots(floor: Floor) -> None:
    floor.declare("items", "GLOVE-L", ItemBody("Gloves", lot_required=True))
    for name, day in (("OLD", 20), ("NEW", 25), ("GONE", 1)):
        floor.declare("lots", f"GLOVE-L/{name}", Lot(expires=date(2026, 12 if name != "GONE" else 11, day)))
    floor.move("GLOVE-L", 5, ("supplier", "bin-1"), "NEW")
    floor.move("GLOVE-L", 4, ("supplier", "bin-2"), "OLD")
    floor.move("GLOVE-L", 9, ("supplier", "bin-3"), "GONE")


def order(floor: Floor, ident: str, *lines: tuple[str, str], lot: str | None = None) -> None:
    made = [{"line": n, "sku": sku, "quantity": much, "lot": lot} for n, (sku, much) in enumerate(lines, 1)]
    floor.put(f"outbound/{ident}", stage="stage", due=DUE, lines=made)
    floor.put(f"outbound/{ident}", 200, stage="stage", due=DUE, lines=made)
    floor.put(f"outbound/{ident}", 409, stage="bin-1", due=DUE, lines=made)


def open_tasks(floor: Floor) -> list[dict[str, str]]:
    return [one for one in floor.get("tasks")["items"] if one["state"] in {"open", "taken"}]


def line(floor: Floor, ident: str) -> dict[str, str]:
    found: dict[str, str] = floor.get(f"outbound/{ident}")["lines"][0]
    return {name: found[name] for name in ("listed", "picked", "staged", "shipped", "left", "state")}


def test_first_expired_first_and_a_wrong_one_is_refused_with_what_was_expected(floor: Floor) -> None:
    lots(floor)
    order(floor, "o1", ("GLOVE-L", "6"))
    floor.post("outbound/o1/release")
    floor.post("outbound/o1/release")
    one, two = open_tasks(floor)
    assert [(t["source"], t["lot"], t["quantity"], t["target"]) for t in (one, two)] == [
        ("bin-2", "OLD", "4", "stage"),
        ("bin-1", "NEW", "2", "stage"),
    ], "the expired lot is left alone"
    here: dict[str, Any] = {"sku": "GLOVE-L", "lot": "OLD", "location": "bin-2", "quantity": "3"}
    path = f"tasks/{one['id']}/confirmations"
    for change, says in (
        ({"sku": "BOLT-M8"}, "sku: 'GLOVE-L' expected, got 'BOLT-M8'"),
        ({"lot": "NEW"}, "lot: 'OLD' expected, got 'NEW'"),
        ({"location": "bin-1"}, "location: 'bin-2' expected, got 'bin-1'"),
        ({"quantity": "5"}, "quantity: at most the 4 that are left expected, got 5"),
    ):
        assert floor.put(f"{path}/x1", 400, **here | change)["detail"] == says
    floor.post(f"tasks/{one['id']}/take", by="ann")
    floor.post(f"tasks/{one['id']}/take", 409, by="bob")
    floor.put(f"{path}/x1", **here, evidence=["scan:aa"], by="ann")
    floor.put(f"{path}/x1", 200, **here, evidence=["scan:aa"], by="ann")
    floor.put(f"{path}/x1", 409, **here | {"quantity": "1"}, evidence=["scan:aa"], by="ann")
    assert line(floor, "o1") | {"state": ""} == {
        "listed": "3",
        "picked": "3",
        "staged": "0",
        "shipped": "0",
        "left": "0",
        "state": "",
    }
    moved = floor.get("movements")["items"][-1]
    assert (moved["reason"], moved["source"], moved["target"], moved["lot"]) == ("pick", "bin-2", "stage", "OLD")
    assert moved["evidence"] == [f"task:{one['id']}", "scan:aa"]
    assert floor.held("GLOVE-L") == {"bin-1/NEW": "5", "bin-2/OLD": "1", "bin-3/GONE": "9", "stage/OLD": "3"}
    whole(floor)


def test_a_short_pick_is_taken_elsewhere_and_what_is_short_waits(floor: Floor) -> None:
    floor.move("BOLT-M8", 5, ("supplier", "bin-1"))
    floor.move("BOLT-M8", 3, ("supplier", "bin-2"))
    order(floor, "o1", ("BOLT-M8", "5"))
    floor.post("outbound/o1/release")
    (task,) = open_tasks(floor)
    floor.put(f"tasks/{task['id']}/confirmations/c", sku="BOLT-M8", location="bin-1", quantity="1")
    done = floor.post(f"tasks/{task['id']}/short", reason="only one was there", by="ann")
    assert (done["task"]["state"], done["task"]["done"]) == ("done", "1")
    (other,) = open_tasks(floor)
    assert (other["source"], other["quantity"]) == ("bin-2", "3")
    assert line(floor, "o1") | {"state": ""} == {
        "listed": "3", "picked": "1", "staged": "0", "shipped": "0", "left": "1", "state": "",
    }  # fmt: skip
    floor.post(f"tasks/{task['id']}/short", reason="only one was there", by="ann")
    assert len(open_tasks(floor)) == 1
    floor.post("outbound/o1/cancel", reason="not wanted")
    assert not open_tasks(floor)
    assert floor.get("stock", sku="BOLT-M8", location="bin-2")["items"][0]["allocated"] == "0"
    whole(floor)


def test_an_order_for_one_lot_takes_no_other(floor: Floor) -> None:
    lots(floor)
    order(floor, "o1", ("GLOVE-L", "7"), lot="NEW")
    assert floor.post("outbound/o1/release")["lines"][0]["left"] == "2"
    assert [(t["lot"], t["quantity"]) for t in open_tasks(floor)] == [("NEW", "5")]
    order(floor, "o2", ("GLOVE-L", "7"))
    floor.post("outbound/o2/release")
    assert [(t["lot"], t["quantity"]) for t in open_tasks(floor)] == [("NEW", "5"), ("OLD", "4")], (
        "never promised twice"
    )


def test_a_tag_picks_for_what_it_is_and_from_where_it_is(floor: Floor) -> None:
    floor.declare("bins", "bin-1", Bin())
    floor.declare("bins", "bin-3", Bin())
    floor.pass_door("door-9", PUMP[:3], IN)
    order(floor, "o1", ("PUMP-40", "2"))
    floor.post("outbound/o1/release")
    (task,) = open_tasks(floor)
    path = f"tasks/{task['id']}/confirmations"
    assert "at no place" in floor.put(f"{path}/a", 400, epc=PUMP[8], location="bin-1")["detail"]
    floor.put(f"{path}/a", epc=PUMP[0], location="bin-1")
    assert "is at stage" in floor.put(f"{path}/b", 400, epc=PUMP[0], location="bin-1")["detail"]
    code: dict[str, Any] = {"code": "0119521321000107", "symbology": "]C1"}
    assert "BOLT" not in str(floor.put(f"{path}/b", **code, location="bin-1"))
    assert floor.held("PUMP-40") == {"bin-1": "1", "stage": "2"}
    assert line(floor, "o1")["state"] == "picked"
    whole(floor)


def test_a_reading_at_the_stage_or_going_out_advances_the_line(floor: Floor) -> None:
    floor.pass_door("door-9", PUMP[:3], IN)
    order(floor, "o1", ("PUMP-40", "2"))
    floor.post("outbound/o1/release")
    floor.yard.clock.now += 10 * SECOND
    at = floor.yard.clock.now
    floor.yard.send([Tag("reader-1", from_micros(at), PUMP[1], 1, rssi_dbm=-50.0, count=3)])
    floor.plan()
    floor.plan()
    assert line(floor, "o1") == {
        "listed": "1", "picked": "1", "staged": "1", "shipped": "0", "left": "0", "state": "listed",
    }  # fmt: skip
    floor.yard.clock.now += 10 * SECOND
    floor.pass_door("door-8", [PUMP[0]], OUT)
    floor.plan()
    assert line(floor, "o1") == {
        "listed": "0", "picked": "2", "staged": "2", "shipped": "1", "left": "0", "state": "staged",
    }  # fmt: skip
    floor.pass_door("door-8", [PUMP[1]], OUT)
    floor.plan()
    assert line(floor, "o1")["state"] == "shipped"
    assert floor.held("PUMP-40") == {"bin-1": "1"}
    whole(floor)


def test_what_is_typed_needs_the_book_to_have_it_and_what_is_scanned_does_not(floor: Floor) -> None:
    floor.move("BOLT-M8", 5, ("supplier", "bin-1"))
    order(floor, "o1", ("BOLT-M8", "5"))
    floor.post("outbound/o1/release")
    (task,) = open_tasks(floor)
    floor.move("BOLT-M8", 4, ("bin-1", "customer"))
    path = f"tasks/{task['id']}/confirmations"
    typed: dict[str, Any] = {"sku": "BOLT-M8", "location": "bin-1", "quantity": "2"}
    assert "at most the 1 of BOLT-M8" in floor.put(f"{path}/a", 400, **typed)["detail"]
    floor.declare("locations", "bin-1", Location("Bin 1", site="yard-1", negative="allow"))
    floor.put(f"{path}/a", **typed)
    floor.put(f"{path}/a", 200, **typed)
    whole(floor)
