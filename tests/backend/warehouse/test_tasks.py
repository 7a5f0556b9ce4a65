"""Received goods go to who waits for them, else to a bin; pick faces are filled; no task is made twice."""

from decimal import Decimal

from backend.verify import verify
from tests.backend.books import SECOND
from tests.backend.warehouse.floors import PUMP, Bin, Floor, PickFace

IN, OUT = (3, 3, 1, 1), (1, 1, 3, 3)
DUE = "2026-11-24T12:00:00Z"


def whole(floor: Floor) -> None:
    assert not [f"{each.name}: {each.detail}" for each in verify(floor.yard.book) if not each.ok]


def bins(floor: Floor) -> None:
    floor.declare("bins", "bin-1", Bin(capacity=Decimal(50)))
    floor.declare("bins", "bin-2", Bin(capacity=Decimal(30)))


def listed(floor: Floor, **ask: str) -> list[tuple[str, str, str, str, str]]:
    found = floor.get("tasks", **ask)["items"]
    return [(t["kind"], t["quantity"], t["source"], t["target"], t["state"]) for t in found]


def test_received_goods_are_put_away_where_the_same_lie_and_there_is_room(floor: Floor) -> None:
    bins(floor)
    floor.move("BOLT-M8", 20, ("supplier", "bin-1"))
    floor.plan()
    assert listed(floor) == []
    floor.move("BOLT-M8", 70, ("supplier", "desk"))
    floor.plan()
    floor.plan()
    assert listed(floor) == [
        ("put_away", "30", "desk", "bin-1", "open"),
        ("put_away", "30", "desk", "bin-2", "open"),
    ]
    (alert,) = [one for one in floor.get("alerts")["items"] if one["rule"] == "no_bin"]
    assert alert["title"] == "BOLT-M8: no bin has room for 10 at desk"
    first = floor.get("tasks")["items"][0]["id"]
    path = f"tasks/{first}/confirmations"
    assert "expected" in floor.put(f"{path}/a", 400, sku="GLOVE-L", location="bin-1", quantity="5")["detail"]
    assert "real locations" in floor.put(f"{path}/a", 400, sku="BOLT-M8", location="customer", quantity="5")["detail"]
    floor.put(f"{path}/a", sku="BOLT-M8", location="bin-3", quantity="5")
    floor.put(f"{path}/b", sku="BOLT-M8", location="bin-1", quantity="25")
    floor.plan()
    assert floor.held("BOLT-M8") == {"bin-1": "45", "bin-3": "5", "desk": "40"}
    assert listed(floor, state="open", place="desk")[0][1] == "30"
    whole(floor)


def test_goods_that_are_gone_need_no_task(floor: Floor) -> None:
    bins(floor)
    floor.move("BOLT-M8", 20, ("supplier", "desk"))
    floor.plan()
    floor.move("BOLT-M8", 20, ("desk", "customer"))
    floor.plan()
    floor.plan()
    assert listed(floor) == [("put_away", "20", "desk", "bin-1", "cancelled")]
    (task,) = floor.get("tasks")["items"]
    steps = floor.get(f"tasks/{task['id']}")["steps"]
    assert [(step["what"], step["by"]) for step in steps] == [("made", "planner"), ("cancelled", "planner")]
    assert steps[1]["detail"]["reason"] == "the goods are no longer there"


def test_what_somebody_waits_for_goes_to_the_stage_and_its_dwell_is_told(floor: Floor) -> None:
    floor.declare("bins", "bin-3", Bin())
    lines = [{"line": 1, "sku": "PUMP-40", "quantity": "2"}]
    floor.put("outbound/o1", stage="stage", due=DUE, lines=lines)
    floor.post("outbound/o1/release")
    came = floor.pass_door("door-1", PUMP[:3], IN)
    floor.plan()
    floor.plan()
    assert sorted(listed(floor)) == [
        ("cross_dock", "2", "warehouse", "stage", "open"),
        ("put_away", "1", "warehouse", "bin-3", "open"),
    ]
    (task,) = floor.get("tasks", kind="cross_dock")["items"]
    for tag in PUMP[:2]:
        floor.put(f"tasks/{task['id']}/confirmations/{tag}", epc=tag, location="warehouse")
    assert floor.get("cross-docks")["items"][0]["dwell_s"] is None
    floor.yard.clock.now = came + 600 * SECOND
    floor.pass_door("door-8", PUMP[:2], OUT)
    floor.plan()
    (told,) = floor.get("cross-docks")["items"]
    assert 590 < told["dwell_s"] < 610
    assert floor.get("outbound/o1")["lines"][0]["state"] == "shipped"
    assert floor.held("PUMP-40") == {"warehouse": "1"}
    whole(floor)


def test_a_pick_face_is_filled_once_from_the_other_bins(floor: Floor) -> None:
    bins(floor)
    floor.declare("faces", "face-1", PickFace("BOLT-M8", "bin-1", Decimal(5), Decimal(20)))
    floor.move("BOLT-M8", 12, ("supplier", "bin-2"))
    floor.plan()
    floor.plan()
    assert listed(floor) == [("replenish", "12", "bin-2", "bin-1", "open")]
    (task,) = floor.get("tasks")["items"]
    path = f"tasks/{task['id']}/confirmations"
    assert "location" in floor.put(f"{path}/a", 400, sku="BOLT-M8", location="bin-3", quantity="12")["detail"]
    floor.put(f"{path}/a", sku="BOLT-M8", location="bin-1", quantity="12")
    floor.plan()
    assert floor.held("BOLT-M8") == {"bin-1": "12"}
    assert listed(floor, state="open") == []
    floor.move("BOLT-M8", 30, ("supplier", "bin-2"))
    floor.plan()
    assert listed(floor, state="open") == [], "above its minimum"
    floor.move("BOLT-M8", 7, ("bin-1", "customer"))
    floor.plan()
    assert listed(floor, state="open") == [("replenish", "15", "bin-2", "bin-1", "open")]
    whole(floor)
