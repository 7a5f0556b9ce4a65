"""A sweep from its passes to what it posts: verdicts, moves meanwhile, late crossings, and who may approve."""

from backend.verify import verify
from models.declared import Asset
from models.reading import Tag, from_micros
from tests.backend.books import SECOND
from tests.backend.warehouse.floors import ASSET_TAG, PUMP, Floor

IN, OUT = (3, 3, 1, 1), (1, 1, 3, 3)


def whole(floor: Floor) -> None:
    assert not [f"{each.name}: {each.detail}" for each in verify(floor.yard.book) if not each.ok]


def verdicts(found: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {each["epc"]: each["verdict"] for each in found["tags"]}


def sweep(floor: Floor, ident: str, *passes: list[str]) -> None:
    """Begin a sweep of bin-1 and put its passes."""
    floor.put(f"sweeps/{ident}", place="bin-1", by="ann")
    for n, epcs in enumerate(passes, 1):
        floor.yard.clock.now += 10 * SECOND
        now = from_micros(floor.yard.clock.now).isoformat()
        floor.put(f"sweeps/{ident}/passes/{n}", begin=now, end=now, epcs=epcs, by="ann")


def test_found_missing_misplaced_unexpected_unknown_and_assets_apart(floor: Floor) -> None:
    floor.declare("assets", "drill-1", Asset("Drill", "S1", giai="urn:epc:id:giai:9521321.4711"))
    floor.pass_door("door-9", PUMP[:4], IN)
    floor.pass_door("door-8", PUMP[4:6], IN)
    floor.pass_door("door-9", PUMP[6:7], IN)
    floor.pass_door("door-9", PUMP[6:7], OUT)
    assert floor.held("PUMP-40") == {"bin-1": "4", "stage": "2"}
    stranger = "e28011000000000000000099"
    heard = [*PUMP[:3], PUMP[4], PUMP[6], PUMP[7], stranger, ASSET_TAG]
    sweep(floor, "s1", heard)
    found = floor.get("sweeps/s1")
    assert found["valid"] is True
    assert verdicts(found) == {
        PUMP[0]: "found",
        PUMP[1]: "found",
        PUMP[2]: "found",
        PUMP[3]: "unseen",
        PUMP[4]: "misplaced",
        PUMP[6]: "unexpected",
        PUMP[7]: "unexpected",
        stranger: "unknown",
        ASSET_TAG: "asset",
    }
    now = from_micros(floor.yard.clock.now).isoformat()
    floor.put("sweeps/s1/passes/2", begin=now, end=now, epcs=[*PUMP[:3]], by="ann")
    seen = floor.post("sweeps/s1/close", by="ann")
    assert verdicts(seen)[PUMP[3]] == "missing"
    assert seen["tallies"] == [{"sku": "PUMP-40", "location": "bin-1", "book": "4", "counted": "6", "variance": "2"}]
    floor.post("sweeps/s1/approve", 400, by="ann")
    assert floor.held("PUMP-40") == {"bin-1": "4", "stage": "2"}
    done = floor.post("sweeps/s1/approve", by="bob")
    assert floor.post("sweeps/s1/approve", by="bob") == done
    assert floor.held("PUMP-40") == {"bin-1": "6", "stage": "1"}
    assert (verdicts(done), done["tallies"]) == (verdicts(seen), seen["tallies"]), "as it was judged"
    reasons = [(m["reason"], m["source"], m["target"], m["quantity"]) for m in floor.get("movements")["items"]][-2:]
    assert reasons == [("sweep", "stage", "bin-1", "1"), ("count", "adjustment", "bin-1", "1")]
    whole(floor)


def test_a_sweep_that_heard_nothing_says_nothing(floor: Floor) -> None:
    floor.pass_door("door-9", PUMP[:2], IN)
    sweep(floor, "s1", [], [], [])
    assert floor.post("sweeps/s1/close", by="ann")["valid"] is False
    assert "says nothing" in floor.post("sweeps/s1/approve", 400, by="bob")["detail"]
    floor.post("sweeps/s1/reject", by="bob", reason="the reader was off")
    assert floor.held("PUMP-40") == {"bin-1": "2"}


def test_what_moved_meanwhile_is_netted_and_what_is_told_late_corrects(floor: Floor) -> None:
    floor.pass_door("door-9", PUMP[:4], IN)
    before = floor.yard.clock.now
    floor.yard.clock.now += 100 * SECOND
    sweep(floor, "s1", PUMP[:1])
    floor.pass_door("door-9", PUMP[1:2], OUT)
    now = from_micros(floor.yard.clock.now).isoformat()
    floor.put("sweeps/s1/passes/2", begin=now, end=now, epcs=PUMP[:1], by="ann")
    seen = verdicts(floor.post("sweeps/s1/close", by="ann"))
    assert seen == {PUMP[0]: "found", PUMP[1]: "left", PUMP[2]: "missing", PUMP[3]: "missing"}
    floor.post("sweeps/s1/approve", by="bob")
    assert floor.held("PUMP-40") == {"bin-1": "1"}
    floor.pass_door("door-9", PUMP[2:3], OUT, at=before + 10 * SECOND)
    assert floor.held("PUMP-40") == {"bin-1": "1"}, "it had left by the door, and is not lost besides"
    assert floor.held("PUMP-40", location="adjustment") == {"adjustment": "1"}
    assert verdicts(floor.get("sweeps/s1")) == {PUMP[0]: "found", PUMP[1]: "left", PUMP[3]: "missing"}
    whole(floor)


def test_a_late_crossing_takes_a_misplaced_tag_from_where_it_was_really_booked(floor: Floor) -> None:
    floor.pass_door("door-8", PUMP[:2], IN)
    before = floor.yard.clock.now
    floor.yard.clock.now += 100 * SECOND
    sweep(floor, "s1", PUMP[:1])
    floor.post("sweeps/s1/close", by="ann")
    floor.post("sweeps/s1/approve", by="bob")
    assert floor.held("PUMP-40") == {"bin-1": "1", "stage": "1"}
    floor.pass_door("door-8", PUMP[:1], OUT, at=before + 10 * SECOND)
    assert floor.held("PUMP-40") == {"bin-1": "1", "stage": "1"}, "not taken from the stage twice"
    whole(floor)


def test_a_handheld_s_readings_between_begin_and_end_are_a_pass(floor: Floor) -> None:
    floor.pass_door("door-9", PUMP[:2], IN)
    floor.put("sweeps/s1", place="bin-1", device="dock-a/hand-1", read_rates={"PUMP-40": "0.99"}, by="ann")
    now = floor.yard.clock.now
    floor.yard.send([Tag("hand-1", from_micros(now), PUMP[0], 1, rssi_dbm=-50.0, count=3)])
    floor.yard.clock.now += SECOND
    seen = floor.post("sweeps/s1/close", by="ann")
    assert (seen["passes"], verdicts(seen)) == (1, {PUMP[0]: "found", PUMP[1]: "missing"})
    assert seen["accuracy"] == "0.5"
