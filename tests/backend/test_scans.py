"""Scans that programs put: journalled once under the caller's id, as gateway `api`, with their effects."""

import threading
from datetime import datetime

import pytest

from backend.book import register
from backend.book.db import write
from backend.book.schema import api_scan, balance, gateway, journal, movement, register_entry, scan_act, stream
from backend.scans import ApiScans
from backend.verify import verify
from models import wire
from models.declared import Desk, Device
from models.errors import BadReading, Clash
from models.reading import Input, Scan, from_micros
from tests.backend.books import SECOND, Yard
from tests.backend.stories import BOLT, MIDNIGHT


def at(second: float) -> datetime:
    return from_micros(MIDNIGHT + round(second * SECOND))


def text(second: float, data: str, device: str = "id:hand") -> bytes:
    return wire.encode(Scan(device, at(second), data, "]C1"))


def test_a_scan_is_committed_once(yard: Yard) -> None:
    scans = ApiScans()
    assert scans.put(yard.book, "s1", text(1, "SY:RECEIVE"), MIDNIGHT)
    assert not scans.put(yard.book, "s1", text(1, "SY:RECEIVE"), MIDNIGHT + 9)
    assert not ApiScans().put(yard.book, "s1", text(1, "SY:RECEIVE"), MIDNIGHT + 9)
    with pytest.raises(Clash):
        scans.put(yard.book, "s1", text(1, "SY:ISSUE"), MIDNIGHT)
    assert [row["received_at"] for row in yard.rows(journal)] == [MIDNIGHT]
    assert [row["name"] for row in yard.rows(gateway)] == ["api"]
    assert not [f for f in verify(yard.book) if not f.ok]


def test_each_process_writes_an_epoch_of_its_own(yard: Yard) -> None:
    for k, scans in enumerate((ApiScans(), ApiScans(), ApiScans())):
        for n in range(k + 1):
            scans.put(yard.book, f"{k}-{n}", text(10 * k + n, "SY:CONFIRM"), MIDNIGHT)
    assert [row["mark"] for row in yard.rows(stream)] == [1, 2, 3]
    assert len({row["epoch"] for row in yard.rows(stream)}) == 3
    assert [row["seq"] for row in yard.rows(api_scan)] == [1, 1, 2, 1, 2, 3]
    assert not [f for f in verify(yard.book) if not f.ok]


@pytest.mark.parametrize(
    "body", [b"{}", b"", b"\xff", b'{"kind":"tide","device":"x","at":"2026-01-01T00:00:00Z"}', wire.encode(
        Input("eye", at(0), "photo_eye", on=True)
    )]
)  # fmt: skip
def test_what_is_no_scan_is_refused_and_leaves_nothing(body: bytes, yard: Yard) -> None:
    with pytest.raises(BadReading):
        ApiScans().put(yard.book, "s1", body, MIDNIGHT)
    assert not yard.rows(journal)
    assert not yard.rows(stream)


def hand(yard: Yard) -> None:
    """The handheld's desk."""
    desk = Device("id:hand", desk=Desk("desk", "supplier", "customer"))
    with write(yard.book) as tx:
        register.put(tx, "devices", "id:hand", desk, valid_from=0, actor="test", now=MIDNIGHT)


def test_scans_have_their_effects_late_ones_too(yard: Yard) -> None:
    scans = ApiScans()
    codes = [(1, "SY:RECEIVE"), (2, "SY:LOC:desk"), (4, "SY:QTY:5"), (3, f"01{BOLT}")]
    hand(yard)
    for n, (second, code) in enumerate(codes):
        scans.put(yard.book, f"s{n}", text(second, code), MIDNIGHT + n)
    assert [row["action"] for row in yard.rows(scan_act)] == ["refused"], "a quantity came before its item"
    yard.settle()
    assert [(row["action"], row["quantity"]) for row in yard.rows(scan_act)] == [("receive", "5")]
    assert {row["location"]: row["on_hand"] for row in yard.rows(balance)} == {"supplier": "-5", "desk": "5"}
    assert not [f for f in verify(yard.book) if not f.ok]


TAG, SSCC = "e280110000000000000000aa", "00095213210000000421"
EVERY_MODE = [
    "SY:BADGE:anna", "SY:RECEIVE", "SY:LOC:desk", f"01{BOLT}10L7\x1d309", "SY:ISSUE", f"01{BOLT}10L7\x1d302", "SY:UNDO",
    "SY:RETURN", f"01{BOLT}", "SY:QTY:3", "SY:MOVE", f"01{BOLT}10L7\x1d304", "SY:LOC:desk", "SY:LOC:warehouse",
    "SY:COUNT", f"01{BOLT}308", "SY:ASSIGN", f"SY:EPC:{TAG}", "SY:ASSET:crane-1", "SY:PACK", SSCC, f"SY:EPC:{TAG}",
]  # fmt: skip
ACTS = ["receive", "issue", "undo", "return", "move", "count", "assign", "pack"]


def check_every_mode(yard: Yard) -> None:
    """What those scans come to."""
    acts = sorted(yard.rows(scan_act), key=lambda row: row["at"])
    assert [row["action"] for row in acts] == ACTS
    assert {row["badge"] for row in acts} == {"anna"}
    assert [row["movement"] is not None for row in acts] == [True] * 5 + [False] * 3
    assert (acts[2]["undoes"], acts[4]["target"]) == (acts[1]["id"], "warehouse")
    assert (acts[6]["epc"], acts[6]["asset"]) == (TAG, "CRANE-1")
    assert (acts[7]["parent"], acts[7]["child"]) == ("(00)095213210000000421", TAG)
    levels = {(row["location"], row["lot"]): row["on_hand"] for row in yard.rows(balance) if row["on_hand"] != "0"}
    lots = {("supplier", "L7"): "-9", ("desk", "L7"): "5", ("warehouse", "L7"): "4"}
    assert levels == lots | {("customer", ""): "-3", ("desk", ""): "3"}
    reasons = [
        (row["reason"], row["source"], row["target"]) for row in sorted(yard.rows(movement), key=lambda m: m["at"])
    ]
    assert [each for each in reasons if each[0] in ("scan issue", "scan undo")] == [
        ("scan issue", "desk", "customer"), ("scan undo", "customer", "desk")
    ]  # fmt: skip
    assert [row["body"] for row in yard.rows(register_entry) if row["id"] == TAG] == [
        b'{"thing":"asset","asset":"CRANE-1"}'
    ]
    assert not [f for f in verify(yard.book) if not f.ok]


def test_a_handheld_goes_through_every_mode(yard: Yard) -> None:
    hand(yard)
    scans = ApiScans()
    for n, code in enumerate(EVERY_MODE):
        scans.put(yard.book, f"s{n}", text(n, code), MIDNIGHT + 60 * SECOND)
    check_every_mode(yard)


def test_an_undo_moves_back_to_where_it_came_from_whoever_supplies_the_desk_by_then(yard: Yard) -> None:
    hand(yard)
    with write(yard.book) as tx:
        other = Device("id:hand", desk=Desk("desk", "customer", "supplier"))
        since = MIDNIGHT + 4 * SECOND
        register.put(tx, "devices", "id:hand", other, valid_from=since, actor="test", now=MIDNIGHT)
    scans = ApiScans()
    for n, code in enumerate(["SY:RECEIVE", "SY:LOC:desk", f"01{BOLT}309", "SY:CONFIRM", "SY:CONFIRM", "SY:UNDO"]):
        scans.put(yard.book, f"s{n}", text(n, code), MIDNIGHT + 60 * SECOND)
    moves = [(row["source"], row["target"]) for row in yard.rows(movement)]
    assert moves == [("supplier", "desk"), ("desk", "supplier")]


def test_a_gateway_s_scans_of_an_outage_apply_later_between_others_and_at_their_time(yard: Yard) -> None:
    """A backlog comes in pieces, the newest first, while the handheld's live scans go on."""
    hand(yard)
    scans = ApiScans()
    backlog = [Scan("scanner-1", at(n), code, "]C1") for n, code in enumerate(EVERY_MODE)]
    scans.put(yard.book, "live", text(3600, "SY:CONFIRM"), MIDNIGHT + 3600 * SECOND)
    for epoch, piece in (("A" * 12, backlog[9:]), ("B" * 12, backlog[4:9]), ("C" * 12, backlog[:4])):
        yard.send(piece, epoch)
    yard.settle()
    check_every_mode(yard)
    assert {row["at"] // SECOND - MIDNIGHT // SECOND for row in yard.rows(scan_act)} <= {*range(len(EVERY_MODE))}


def test_scans_put_at_the_same_time_are_numbered_one_by_one(yard: Yard) -> None:
    scans = ApiScans()
    threads = [
        threading.Thread(target=scans.put, args=(yard.book, f"s{n % 20}", text(n % 20, "SY:CONFIRM"), MIDNIGHT))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row["seq"] for row in yard.rows(journal)) == list(range(1, 21))
    assert not [f for f in verify(yard.book) if not f.ok]
