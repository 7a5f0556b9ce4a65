"""A label that says until when its lot may be used declares it, wherever nobody else has; another date is an alert."""

from datetime import date, datetime

import pytest

from backend.book import alerts, register
from backend.book.db import read, write
from backend.planner import Planner
from backend.rules import OF_STOCK
from backend.verify import verify
from models.declared import Lot
from models.reading import Reading, Scan, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.stories import GLOVE, MIDNIGHT

LOT = "GLOVE-L/L1"
MARCH, APRIL, MAY = date(2027, 3, 31), date(2027, 4, 30), date(2027, 5, 31)
RULE = [each for each in OF_STOCK if each.name == "lot_label"]


def at(seconds: float) -> datetime:
    return from_micros(MIDNIGHT + round(seconds * SECOND))


def received(begin: float, expires: date, *more: str) -> list[Reading]:
    codes = ["SY:RECEIVE", "SY:LOC:desk", f"01{GLOVE}17{expires:%y%m%d}10L1\x1d305", *more]
    return [Scan("scanner-1", at(begin + i), code, "]C1") for i, code in enumerate(codes)]


def declare(yard: Yard, since: float, body: Lot) -> str:
    with write(yard.book) as tx:
        stamp = {"valid_from": MIDNIGHT + round(since * SECOND), "now": yard.clock.now}
        return register.put(tx, "lots", LOT, body, actor="anna", **stamp)


def held(yard: Yard, *seconds: float) -> list[date | None]:
    with read(yard.book) as tx:
        dated = register.load(tx)
        bodies = [dated.get("lots", LOT, MIDNIGHT + round(each * SECOND)) for each in seconds]
    return [body.expires if isinstance(body, Lot) else None for body in bodies]


def broken(yard: Yard) -> list[str]:
    return [f"{each.name}: {each.detail}" for each in verify(yard.book) if not each.ok and "assets" not in each.name]


@pytest.mark.parametrize("is_late", [False, True])
def test_the_first_label_declares_the_lot(yard: Yard, is_late: bool) -> None:  # noqa: FBT001 - a parameter
    groups = [received(10, MARCH), received(100, APRIL)]
    for group in groups[:: -1 if is_late else 1]:
        yard.send(group)
        yard.settle(60 * SECOND)
    assert held(yard, 5, 12, 500) == [None, MARCH, MARCH]
    assert not broken(yard)


def test_what_a_person_says_holds_and_what_they_leave_out_the_label_says(yard: Yard) -> None:
    yard.send(received(100, MARCH))
    yard.settle()
    assert declare(yard, 200, Lot(status="quarantined")) == "changed"
    assert held(yard, 150, 250) == [MARCH, MARCH]
    assert declare(yard, 300, Lot(MAY)) == "changed"
    assert held(yard, 250, 350) == [MARCH, MAY]
    assert declare(yard, 50, Lot(APRIL)) == "changed"
    assert held(yard, 60, 150, 250, 350) == [APRIL, APRIL, MARCH, MAY], "from 200 on nobody said a date"
    assert declare(yard, 300, Lot(MAY)) == "same"
    assert not broken(yard)


def test_what_a_scan_said_is_said_again_by_a_person_and_then_stays(yard: Yard) -> None:
    yard.send(received(100, MARCH))
    assert declare(yard, 200, Lot(MARCH)) == "changed"
    yard.send([Scan("scanner-1", at(101.5), "SY:CANCEL", "]C1"), Scan("scanner-1", at(99), "SY:COUNT", "]C1")])
    yard.send([Scan("scanner-1", at(100.5), f"01{GLOVE}1727043010L2", "]C1")])
    yard.settle()
    assert held(yard, 150, 250) == [MARCH, MARCH]
    assert not broken(yard)


def test_another_date_is_an_alert_until_somebody_decides(yard: Yard) -> None:
    planner = Planner(yard.book, yard.clock, RULE)

    def told() -> list[str]:
        planner.step()
        with read(yard.book) as tx:
            return alerts.open_subjects(tx, "lot_label")

    yard.send(received(10, MARCH))
    yard.settle()
    assert told() == []
    yard.send(received(100, APRIL, "SY:UNDO"))
    yard.settle()
    assert told() == [f"lot:{LOT}"]
    assert held(yard, 500) == [MARCH]
    declare(yard, 500, Lot(APRIL))
    assert told() == []
    yard.clock.now += DAY
    assert told() == []
