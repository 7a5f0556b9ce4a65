from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scan import Item, ScanAct, Scanned, Session, Workflow, due, expire, fold

S = 1_000_000
BOLT, GLOVE, PUMP, PACK = "09521321500013", "09521321500020", "19521321000107", "29521321500017"
ITEMS = {
    BOLT: Item("BOLT-M8", "Bolt M8 x 40", tagged=False),
    GLOVE: Item("GLOVE-L", "Work gloves, L", tagged=False),
    PUMP: Item("PUMP-40", "Pump", tagged=True),
    PACK: Item("BOLT-M8", "Bolt M8 x 40, pack", tagged=False, units=Decimal(100)),
}
DESK = Workflow("dock-a/scanner-1", ITEMS, {"desk": "desk", "9521321000001": "desk"})
START = ["SY:RECEIVE", "SY:LOC:desk"]


def scan(data: str, at: int) -> Scanned:
    symbology = "]E0" if data.isdecimal() and len(data) == 13 else "]C0" if data.startswith("SY:") else "]C1"
    return Scanned(at, data, symbology, f"{at:016x}")


def scans(*codes: str | int) -> list[Scanned]:
    """Codes a second apart; a number is a pause of so many seconds more."""
    at, made = 0, []
    for code in codes:
        at += S * code if isinstance(code, int) else S
        if isinstance(code, str):
            made.append(scan(code, at))
    return made


def acts(*codes: str | int) -> list[ScanAct]:
    """What these codes do, and then nothing for an hour."""
    made = scans(*codes)
    state, done = fold(DESK, None, made)
    return done + expire(DESK, state, made[-1].at + 3600 * S)[1]


def said(*codes: str | int) -> list[str]:
    return [act.text for act in acts(*codes)]


E_BOLT, E_GLOVE = BOLT[1:], GLOVE[1:]


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([*START, E_BOLT, "SY:QTY:40"], ["40 x BOLT-M8 received at desk"]),
        (["SY:ISSUE", "SY:LOC:DESK", E_BOLT, "sy:qty:2.50"], ["2.5 x BOLT-M8 issued from desk"]),
        ([*START, f"01{BOLT}10L7\x1d3012"], ["12 x BOLT-M8 received at desk"]),
        ([*START, f"02{BOLT}3712", E_GLOVE], ["12 x BOLT-M8 received at desk", "1 x GLOVE-L received at desk"]),
        ([*START, f"01{PACK}3003"], ["300 x BOLT-M8 received at desk"]),
        ([*START, E_BOLT, E_GLOVE, "SY:CONFIRM"], ["1 x BOLT-M8 received at desk", "1 x GLOVE-L received at desk"]),
        (
            [*START, E_BOLT, "SY:ISSUE", "SY:QTY:3"],
            ["1 x BOLT-M8 received at desk", "no item waits for a quantity: scan the item first"],
        ),
        ([*START, E_BOLT, "SY:CANCEL", "SY:CONFIRM"], []),
        ([*START, E_BOLT, "SY:LOC:desk", "SY:QTY:5"], ["5 x BOLT-M8 received at desk"]),
        (["SY:RECEIVE", "4149521321000001", E_BOLT], ["1 x BOLT-M8 received at desk"]),
        ([*START, E_BOLT, 58, "SY:QTY:5"], ["5 x BOLT-M8 received at desk"]),
        (
            [*START, E_BOLT, 59, "SY:QTY:5"],
            ["1 x BOLT-M8 received at desk", "no item waits for a quantity: scan the item first"],
        ),
        ([*START, 598, E_BOLT], ["1 x BOLT-M8 received at desk"]),
        ([*START, 599, E_BOLT], ["no mode: scan RECEIVE or ISSUE first"]),
        ([*START, f"01{PUMP}21S1"], ["PUMP-40 is tagged: the door moves it"]),
    ],
)
def test_workflows(codes: list[str | int], texts: list[str]) -> None:
    assert said(*codes) == texts


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([E_BOLT], "no mode: scan RECEIVE or ISSUE first"),
        (["SY:RECEIVE", E_BOLT], "no location: scan a location first"),
        (["SY:LOC:roof"], "unknown location 'roof'"),
        ([*START, "0109521321599994"], "unknown item 09521321599994"),
        ([*START, "00195213210000000428"], "unknown SSCC 195213210000000428"),
        ([*START, "10LOT7"], "unknown code without a GTIN"),
        ([*START, E_BOLT[:-1] + "9"], "barcode: Invalid GTIN check digit for '9521321500019': Expected 3, got 9."),
        ([*START, "SY:QTY:5"], "no item waits for a quantity: scan the item first"),
        ([*START, f"01{BOLT}300"], "quantity: a positive number expected, got '0'"),
        (
            [*START, "SY:DANCE"],
            "command: one of RECEIVE, ISSUE, CONFIRM, CANCEL, LOC, QTY expected after SY:, got 'DANCE'",
        ),
    ],
)
def test_refusals(codes: list[str | int], text: str) -> None:
    (act,) = acts(*codes)
    assert (act.action, act.ok, act.text, act.quantity) == ("refused", False, text, None)


def test_a_bad_quantity_leaves_the_item_waiting() -> None:
    assert said(*START, E_BOLT, "SY:QTY:0", "SY:QTY:7") == [
        "quantity: a positive number expected, got '0'",
        "7 x BOLT-M8 received at desk",
    ]


def test_the_quantity_of_a_torn_label_does_not_go_to_the_item_before() -> None:
    assert said(*START, E_BOLT, E_GLOVE[:-1] + "9", "SY:QTY:40")[::2] == [
        "1 x BOLT-M8 received at desk",
        "no item waits for a quantity: scan the item first",
    ]


def test_an_act_has_everything_it_rests_on() -> None:
    (act,) = acts(*START, f"01{BOLT}10L7\x1d21S9", "SY:QTY:4")
    made = scans(*START, "x", "y")
    assert act.evidence == [made[2].evidence, made[3].evidence, made[1].evidence, made[0].evidence]
    assert (act.device, act.at, act.action, act.ok) == ("dock-a/scanner-1", 4 * S, "receive", True)
    assert (act.sku, act.code, act.lot, act.serial) == ("BOLT-M8", BOLT, "L7", "S9")
    assert (act.quantity, act.location) == (Decimal(4), "desk")


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


CODES = [*START, "SY:ISSUE", "SY:CONFIRM", "SY:CANCEL", "SY:QTY:3", "SY:QTY:x", "SY:LOC:roof", E_BOLT, E_GLOVE, "bad"]
CODES += [f"01{BOLT}305", f"01{PUMP}"]
SCANS = st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from([1, 2, 30, 59, 60, 61, 599, 600, 601])), max_size=20)


def _timed(codes: list[tuple[str, int]]) -> list[Scanned]:
    at, made = 0, []
    for code, pause in codes:
        at += pause * S
        made.append(scan(code, at))
    return made


def _stored(state: Session | None) -> Session | None:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Session | None)


@given(SCANS, st.randoms(use_true_random=False))
def test_any_split_and_any_expiry_between_gives_the_same(codes: list[tuple[str, int]], chance: Random) -> None:
    made = _timed(codes)
    at_once, done = fold(DESK, None, made)
    state: Session | None = None
    bit_by_bit: list[ScanAct] = []
    while made:
        cut = chance.randint(1, len(made))
        state, some = fold(DESK, _stored(state), made[:cut])
        bit_by_bit += some
        made = made[cut:]
        if made:
            state, some = expire(DESK, _stored(state), chance.randint(0, made[0].at))
            bit_by_bit += some
    assert bit_by_bit == done
    assert msgspec.msgpack.encode(expire(DESK, state, 1 << 60)) == msgspec.msgpack.encode(
        expire(DESK, at_once, 1 << 60)
    )


@given(SCANS)
def test_every_item_acts_once_or_is_cancelled(codes: list[tuple[str, int]]) -> None:
    made = _timed(codes)
    state, done = fold(DESK, None, made)
    done += expire(DESK, state, 1 << 60)[1]
    items = [each.evidence for each, (code, _) in zip(made, codes, strict=True) if not code.startswith("SY:")]
    acted = [act.evidence[0] for act in done]
    assert len(acted) == len(set(acted))
    assert len({act.id for act in done}) == len(done)
    cancels = sum(code == "SY:CANCEL" for code, _ in codes)
    assert 0 <= len(set(items) - set(acted)) <= cancels
