from decimal import Decimal

import msgspec
import pytest

from models.dock.portal import Crossing
from models.identity import Identity, Kind
from models.scan import ScanAct
from models.stock.posting import Places, movement_of_crossing, movement_of_scan

CROSSING = Crossing(
    id="c1",
    door="door-1",
    epc="00",
    first_at=1,
    last_at=9,
    closed_at=12,
    direction="in",
    score=0.9,
    reasons=["outside row first"],
    rule="portal-1",
    evidence=["ab"],
    evidence_count=1,
)
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


@pytest.mark.parametrize("action", ["match", "refused"])
def test_matches_and_refusals_move_nothing(action: str) -> None:
    assert movement_of_scan(msgspec.structs.replace(ACT, action=action)) is None


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
