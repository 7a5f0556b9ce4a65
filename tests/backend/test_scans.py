"""Scans that programs put: journalled once under the caller's id, as gateway `api`, with their effects."""

import threading
from datetime import datetime

import pytest

from backend.book import register
from backend.book.db import write
from backend.book.schema import api_scan, balance, gateway, journal, scan_act, stream
from backend.scans import ApiScans
from backend.verify import verify
from models import wire
from models.errors import BadReading, Clash
from models.reading import Input, Scan, from_micros
from models.register import Desk, Device
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


def test_scans_have_their_effects_late_ones_too(yard: Yard) -> None:
    scans = ApiScans()
    codes = [(1, "SY:RECEIVE"), (2, "SY:LOC:desk"), (4, "SY:QTY:5"), (3, f"01{BOLT}")]
    with write(yard.book) as tx:
        desk = Device("id:hand", desk=Desk("desk", "supplier", "customer"))
        register.put(tx, "devices", "id:hand", desk, valid_from=0, actor="test", now=MIDNIGHT)
    for n, (second, code) in enumerate(codes):
        scans.put(yard.book, f"s{n}", text(second, code), MIDNIGHT + n)
    assert [row["action"] for row in yard.rows(scan_act)] == ["refused"], "a quantity came before its item"
    yard.settle()
    assert [(row["action"], row["quantity"]) for row in yard.rows(scan_act)] == [("receive", "5")]
    assert {row["location"]: row["on_hand"] for row in yard.rows(balance)} == {"supplier": "-5", "desk": "5"}
    assert not [f for f in verify(yard.book) if not f.ok]


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
