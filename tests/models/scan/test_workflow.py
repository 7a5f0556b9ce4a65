"""The modes with places: what codes in a row do, and what refuses them."""

from decimal import Decimal

import msgspec
import pytest

from models.barcode import COMMANDS
from models.scan import MAX_TEXT, RULES, Item, due, expire, fold
from models.scan.commands import COMMANDS as HANDLERS
from tests.models.scan.scanning import BOLT, DESK, E_BOLT, E_GLOVE, GLOVE, PACK, PUMP, SAND, S, acts, said, scans

START = ["SY:RECEIVE", "SY:LOC:desk"]
NO_QUANTITY = "no item waits for a quantity: scan the item first"
NO_MODE = "no mode: scan RECEIVE, ISSUE, RETURN, MOVE or COUNT first"
NO_PLACE = f"item {BOLT}: no location: scan a location"


def test_every_command_has_a_handler_and_a_line_that_a_person_can_follow() -> None:
    assert HANDLERS.keys() == COMMANDS.keys()
    assert not [command for command in COMMANDS if command not in RULES]


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([*START, E_BOLT, "SY:QTY:40"], ["40 x BOLT-M8 received at desk"]),
        (["SY:ISSUE", "SY:LOC:DESK", E_BOLT, "sy:qty:2.50"], ["2.5 x BOLT-M8 issued from desk"]),
        (["SY:RETURN", "SY:LOC:desk", E_BOLT, "SY:QTY:3"], ["3 x BOLT-M8 returned to desk"]),
        (["SY:COUNT", "SY:LOC:desk", f"01{BOLT}307"], ["7 x BOLT-M8 counted at desk; a count moves nothing"]),
        ([*START, f"01{BOLT}10L7\x1d3012"], ["12 x BOLT-M8 received at desk"]),
        ([*START, f"02{BOLT}3712", E_GLOVE], ["12 x BOLT-M8 received at desk", "1 x GLOVE-L received at desk"]),
        ([*START, f"01{PACK}3003"], ["300 x BOLT-M8 received at desk"]),
        ([*START, E_BOLT, E_GLOVE, "SY:CONFIRM"], ["1 x BOLT-M8 received at desk", "1 x GLOVE-L received at desk"]),
        ([*START, E_BOLT, "SY:ISSUE", "SY:QTY:3"], ["1 x BOLT-M8 received at desk", NO_QUANTITY]),
        ([*START, E_BOLT, "SY:CANCEL", "SY:CONFIRM"], []),
        ([*START, E_BOLT, "SY:LOC:desk", "SY:QTY:5"], ["5 x BOLT-M8 received at desk"]),
        ([*START, E_BOLT, "SY:LOC:shelf", E_GLOVE], ["1 x BOLT-M8 received at desk", "1 x GLOVE-L received at shelf"]),
        (["SY:RECEIVE", "4149521321000001", E_BOLT], ["1 x BOLT-M8 received at desk"]),
        ([*START, E_BOLT, 58, "SY:QTY:5"], ["5 x BOLT-M8 received at desk"]),
        ([*START, E_BOLT, 59, "SY:QTY:5"], ["1 x BOLT-M8 received at desk", NO_QUANTITY]),
        ([*START, 598, E_BOLT], ["1 x BOLT-M8 received at desk"]),
        ([*START, 599, E_BOLT], [NO_MODE]),
        ([*START, f"01{PUMP}21S1"], ["PUMP-40 is tagged: the door moves it"]),
        (["SY:COUNT", "SY:LOC:desk", f"01{PUMP}21S1"], ["1 x PUMP-40 counted at desk; a count moves nothing"]),
    ],
)
def test_a_place_and_then_items(codes: list[str | int], texts: list[str]) -> None:
    assert said(*codes) == texts


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        (["SY:RECEIVE", E_BOLT, "SY:QTY:4", "SY:LOC:desk"], ["4 x BOLT-M8 received at desk"]),
        (["SY:RECEIVE", E_BOLT, "SY:LOC:desk", "SY:QTY:4"], ["4 x BOLT-M8 received at desk"]),
        (
            ["SY:ISSUE", f"01{BOLT}304", E_GLOVE, "SY:LOC:shelf", "SY:CONFIRM"],
            ["4 x BOLT-M8 issued from shelf", "1 x GLOVE-L issued from shelf"],
        ),
        (
            ["SY:RECEIVE", E_BOLT, "SY:LOC:desk", E_GLOVE],
            [f"1 x {sku} received at desk" for sku in ("BOLT-M8", "GLOVE-L")],
        ),
        (["SY:RECEIVE", E_BOLT], [NO_PLACE]),
        (
            ["SY:RECEIVE", f"01{BOLT}304", 57, E_BOLT, 58, "SY:LOC:desk"],
            [f"{n} x BOLT-M8 received at desk" for n in (4, 1)],
        ),
        (["SY:RECEIVE", f"01{BOLT}304", 60, "SY:LOC:desk"], [NO_PLACE]),
        (["SY:RECEIVE", E_BOLT, "SY:COUNT", "SY:LOC:desk"], [NO_PLACE]),
        (
            ["SY:RECEIVE", E_BOLT, E_BOLT, "SY:CONFIRM", "SY:LOC:desk"],
            ["2 items wait for a place: scan it", *["1 x BOLT-M8 received at desk"] * 2],
        ),
        (["SY:RECEIVE", E_BOLT, E_GLOVE, "SY:CANCEL", "SY:LOC:desk"], []),
    ],
)
def test_items_and_then_their_place(codes: list[str | int], texts: list[str]) -> None:
    assert said(*codes) == texts


MOVED = ["4 x BOLT-M8 moved from desk to shelf", "1 x GLOVE-L moved from desk to shelf"]


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        (["SY:MOVE", "SY:LOC:desk", f"01{BOLT}304", E_GLOVE, "SY:LOC:shelf"], MOVED),
        (["SY:MOVE", f"01{BOLT}304", E_GLOVE, "SY:LOC:desk", "SY:LOC:shelf"], MOVED),
        (["SY:MOVE", f"01{BOLT}304", "SY:LOC:desk", E_GLOVE, "SY:LOC:shelf"], MOVED),
        (["SY:MOVE", "SY:LOC:yard", "SY:LOC:desk", E_BOLT, "SY:QTY:4", "SY:LOC:shelf"], MOVED[:1]),
        (
            ["SY:LOC:yard", "SY:MOVE", E_BOLT, "SY:LOC:desk", "SY:LOC:shelf", "SY:COUNT", E_GLOVE],
            ["1 x BOLT-M8 moved from desk to shelf", "1 x GLOVE-L counted at yard; a count moves nothing"],
        ),
        (
            ["SY:MOVE", "SY:LOC:desk", E_BOLT, "SY:LOC:shelf", E_GLOVE, "SY:LOC:shelf", "SY:LOC:yard"],
            ["1 x BOLT-M8 moved from desk to shelf", "1 x GLOVE-L moved from shelf to yard"],
        ),
        (
            ["SY:MOVE", "SY:LOC:desk", E_BOLT, "SY:LOC:desk", "SY:LOC:shelf"],
            ["desk is where the items come from: scan where they go", "1 x BOLT-M8 moved from desk to shelf"],
        ),
        (["SY:MOVE", "SY:LOC:desk", E_BOLT, 60], [f"item {BOLT}: scan where to"]),
        (["SY:MOVE", E_BOLT, "SY:RECEIVE", "SY:LOC:desk"], [NO_PLACE]),
        (
            ["SY:MOVE", "SY:LOC:desk", E_BOLT, "SY:CONFIRM"],
            ["1 item waits for a place: scan it", f"item {BOLT}: scan where to"],
        ),
        (["SY:MOVE", f"01{PUMP}21S1"], ["PUMP-40 is tagged: the door moves it"]),
    ],
)
def test_moves(codes: list[str | int], texts: list[str]) -> None:
    assert said(*codes) == texts


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([*START, E_BOLT, "SY:+5", "SY:+2.5", "SY:CONFIRM"], ["8.5 x BOLT-M8 received at desk"]),
        (
            [*START, E_BOLT, "SY:+5", 58, "SY:+1", 58, E_GLOVE, "SY:QTY:2"],
            [f"{n} received at desk" for n in ("7 x BOLT-M8", "2 x GLOVE-L")],
        ),
        ([*START, E_BOLT, "SY:+5", "SY:QTY:2"], ["2 x BOLT-M8 received at desk"]),
        (["SY:RECEIVE", E_BOLT, "SY:+5", "SY:LOC:desk"], ["6 x BOLT-M8 received at desk"]),
        ([*START, "SY:+5"], [NO_QUANTITY]),
        ([*START, E_BOLT, "SY:+0"], ["quantity: a positive number expected, got '0'", "1 x BOLT-M8 received at desk"]),
        ([*START, f"01{SAND}3103012500"], ["12.5 x SAND received at desk"]),
        ([*START, f"01{SAND}310301250030" + "2"], ["12.5 x SAND received at desk"]),
        ([*START, f"01{BOLT}3103012500", "SY:CONFIRM"], ["1 x BOLT-M8 received at desk"]),
    ],
)
def test_quantities(codes: list[str | int], texts: list[str]) -> None:
    assert said(*codes) == texts


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([E_BOLT], NO_MODE),
        (["SY:LOC:roof"], "unknown location 'roof'"),
        ([*START, "0109521321599994"], "unknown item 09521321599994"),
        ([*START, "00195213210000000428"], "unknown SSCC 195213210000000428"),
        ([*START, "10LOT7"], "unknown code without a GTIN"),
        ([*START, E_BOLT[:-1] + "9"], "barcode: Invalid GTIN check digit for '9521321500019': Expected 3, got 9."),
        ([*START, "SY:QTY:5"], NO_QUANTITY),
        ([*START, f"01{BOLT}300"], "quantity: a positive number expected, got '0'"),
        ([*START, "SY:EPC:e2801160"], "an EPC is for ASSIGN and PACK: scan one of them first"),
        (["SY:PACK", "SY:ASSET:crane-1"], "an asset is not packed: scan CONFIRM or another mode first"),
        (["SY:BADGE:a b"], "badge: 1 to 64 letters, digits and ._- expected, got 'a b'"),
    ],
)
def test_refusals(codes: list[str | int], text: str) -> None:
    (act,) = acts(*codes)
    assert (act.action, act.ok, act.text, act.quantity) == ("refused", False, text, None)


def test_an_unknown_command_is_told_which_there_are() -> None:
    (text,) = said("SY:DANCE")
    assert text.startswith("command: one of RECEIVE, ISSUE, MOVE")
    assert len(text) <= MAX_TEXT


def test_a_bad_quantity_leaves_the_item_waiting() -> None:
    assert said(*START, E_BOLT, "SY:QTY:0", "SY:QTY:7") == [
        "quantity: a positive number expected, got '0'",
        "7 x BOLT-M8 received at desk",
    ]


def test_the_quantity_of_a_torn_label_does_not_go_to_the_item_before() -> None:
    assert said(*START, E_BOLT, E_GLOVE[:-1] + "9", "SY:QTY:40")[::2] == ["1 x BOLT-M8 received at desk", NO_QUANTITY]


def test_what_waits_has_limits() -> None:
    assert said("SY:RECEIVE", *[f"01{BOLT}302"] * 101)[0] == "100 items wait for a place: scan it first"
    assert said(*START, E_BOLT, *["SY:+1"] * 51) == [
        "50 additions to one item: scan CONFIRM",
        "51 x BOLT-M8 received at desk",
    ]


def test_an_act_has_everything_it_rests_on() -> None:
    (act,) = acts(*START, f"01{BOLT}10L7\x1d21S9", "SY:QTY:4")
    made = scans(*START, "x", "y")
    assert act.evidence == [made[2].evidence, made[3].evidence, made[1].evidence, made[0].evidence]
    assert (act.device, act.at, act.action, act.ok) == ("dock-a/scanner-1", 4 * S, "receive", True)
    assert (act.sku, act.code, act.lot, act.serial) == ("BOLT-M8", BOLT, "L7", "S9")
    assert (act.quantity, act.location) == (Decimal(4), "desk")


def test_a_move_rests_on_both_places_and_happens_when_the_last_was_scanned() -> None:
    (act,) = acts("SY:BADGE:anna", "SY:MOVE", "SY:LOC:desk", f"01{GLOVE}304", 5, "SY:LOC:shelf")
    who, mode, source, item, target = (each.evidence for each in scans("a", "b", "c", "d", 5, "e"))
    assert act.evidence == [item, target, source, mode, who]
    assert (act.at, act.location, act.target, act.badge) == (10 * S, "desk", "shelf", "anna")


def test_a_badge_is_on_what_was_scanned_after_it_until_the_silence() -> None:
    done = acts(*START, E_BOLT, "SY:BADGE:anna", E_GLOVE, "SY:BADGE:ben", "SY:QTY:2", "nonsense", 600, *START, E_BOLT)
    assert [act.badge for act in done] == [None, "anna", "ben", None]


def test_a_scanner_with_a_place_of_its_own_needs_no_location() -> None:
    desk = msgspec.structs.replace(DESK, location="shelf")
    _, done = fold(desk, None, scans("SY:RECEIVE", E_BOLT, "SY:QTY:2"))
    assert [act.text for act in done] == ["2 x BOLT-M8 received at shelf"]


def test_units_that_no_movement_can_hold_are_refused_and_do_not_raise() -> None:
    desk = msgspec.structs.replace(DESK, items={BOLT: Item("BOLT-M8", "Bolt", tagged=False, units=Decimal("1E+20"))})
    for last in ("SY:CONFIRM", "SY:QTY:5"):
        _, (act,) = fold(desk, None, scans(*START, E_BOLT, last))
        assert act.action == "refused"
        assert act.text.startswith("quantity: at most 12 digits expected")


def test_due_is_the_waiting_item_first_and_then_the_silence() -> None:
    state, _ = fold(DESK, None, scans(*START, E_BOLT))
    assert due(DESK, state) == 63 * S
    assert expire(DESK, state, 63 * S - 1) == (state, [])
    state, done = expire(DESK, state, 63 * S)
    assert [(act.at, act.quantity) for act in done] == [(63 * S, Decimal(1))]
    assert due(DESK, state) == 603 * S
    assert expire(DESK, state, 603 * S) == (None, [])
    assert due(DESK, None) is None


def test_a_label_that_may_lack_a_separator_acts_and_says_so() -> None:
    (text,) = said(*START, f"01{BOLT}3012\x1d10AB17261231")
    assert text.startswith("12 x BOLT-M8 received at desk; look at the label: ")
    assert "17261231 may be an element" in text
