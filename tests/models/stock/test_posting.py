from decimal import Decimal

import msgspec
import pytest

from models.identity import Identity, Kind
from models.scan import Action, ScanAct
from models.stock.posting import Places, Went, movement_of_crossing, movement_of_scan

CROSSING = Went("c1", "in", 9)
VALVES = Identity("stock", "VALVE-2IN", None, Decimal(12), "gtin")
PLACES = Places("warehouse")
ACT = ScanAct(
    id="a1",
    device="dock-a/scanner-1",
    at=9,
    action="receive",
    ok=True,
    text="",
    evidence=["aa", "bb"],
    sku="BOLT-M8",
    lot="L1",
    quantity=Decimal(40),
    location="desk",
)


def test_a_crossing_moves_the_carton_s_units() -> None:
    into = movement_of_crossing(CROSSING, VALVES, PLACES)
    out = movement_of_crossing(msgspec.structs.replace(CROSSING, direction="out"), VALVES, PLACES)
    assert into is not None
    assert out is not None
    assert (into.source, into.target, into.quantity, into.at) == ("supplier", "warehouse", Decimal(12), 9)
    assert (into.reason, into.evidence, into.lot, into.reverses) == ("dock crossing", ["crossing:c1"], None, None)
    assert (out.source, out.target) == ("warehouse", "customer")


@pytest.mark.parametrize(
    ("kind", "sku", "quantity"),
    [("asset", None, None), ("unknown", None, None), ("stock", None, None), ("stock", "A", None)],
)
def test_what_moves_no_stock(kind: Kind, sku: str | None, quantity: Decimal | None) -> None:
    assert movement_of_crossing(CROSSING, Identity(kind, sku, None, quantity, ""), PLACES) is None


def test_no_direction_and_no_other_side_move_nothing() -> None:
    assert movement_of_crossing(msgspec.structs.replace(CROSSING, direction="none"), VALVES, PLACES) is None
    assert movement_of_crossing(CROSSING, VALVES, Places("hall", "hall", "hall")) is None


def test_a_scan_receives_and_issues() -> None:
    received = movement_of_scan(ACT)
    issued = movement_of_scan(msgspec.structs.replace(ACT, action="issue"), "supplier", "site")
    assert received is not None
    assert issued is not None
    assert (received.source, received.target, received.reason) == ("supplier", "desk", "scan receive")
    assert (issued.source, issued.target, issued.reason) == ("desk", "site", "scan issue")
    assert (received.evidence, received.lot, received.quantity) == (["scan:aa", "scan:bb"], "L1", Decimal(40))


@pytest.mark.parametrize(
    ("action", "way"),
    [
        ("receive", ("vendor", "desk")),
        ("issue", ("desk", "site")),
        ("return", ("site", "desk")),
        ("move", ("desk", "shelf")),
    ],
)
def test_an_undo_moves_what_it_takes_back_the_other_way(action: Action, way: tuple[str, str]) -> None:
    act = msgspec.structs.replace(ACT, action=action, target="shelf" if action == "move" else None)
    undo = msgspec.structs.replace(act, id="u1", at=11, action="undo", undoes="a1", undone=action, undone_at=9)
    done, back = movement_of_scan(act, "vendor", "site"), movement_of_scan(undo, "vendor", "site")
    assert done is not None
    assert back is not None
    assert (done.source, done.target, done.reason) == (*way, f"scan {action}")
    assert (back.source, back.target, back.reason, back.at) == (*way[::-1], "scan undo", 11)
    assert (back.sku, back.lot, back.quantity, back.reverses) == (done.sku, done.lot, done.quantity, None)
    assert back.id != done.id


@pytest.mark.parametrize("action", ["match", "refused", "count", "assign", "pack"])
def test_what_scans_say_without_moving_stock(action: Action) -> None:
    assert movement_of_scan(msgspec.structs.replace(ACT, action=action)) is None
    assert movement_of_scan(msgspec.structs.replace(ACT, action="undo", undone=action)) is None


def test_a_move_to_where_it_is_moves_nothing() -> None:
    assert movement_of_scan(msgspec.structs.replace(ACT, action="move", target="desk")) is None


def test_whatever_changes_makes_another_movement() -> None:
    change = msgspec.structs.replace
    crossings = [
        movement_of_crossing(CROSSING, VALVES, PLACES),
        movement_of_crossing(change(CROSSING, id="c2"), VALVES, PLACES),
        movement_of_crossing(change(CROSSING, direction="out"), VALVES, PLACES),
        movement_of_crossing(CROSSING, change(VALVES, quantity=Decimal(24)), PLACES),
        movement_of_crossing(CROSSING, change(VALVES, sku="PUMP-40"), PLACES),
        movement_of_crossing(CROSSING, VALVES, Places("other")),
        movement_of_scan(ACT),
        movement_of_scan(change(ACT, lot=None)),
        movement_of_scan(change(ACT, at=10)),
    ]
    ids = [each.id for each in crossings if each is not None]
    assert len(set(ids)) == len(crossings)
    same = movement_of_crossing(CROSSING, change(VALVES, quantity=Decimal("12.0")), PLACES)
    assert same == crossings[0]
