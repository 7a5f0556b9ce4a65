"""What shops are told of an item: when it changes, once, and after a restart what changed meanwhile."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from backend.book import ledger, register, reservations
from backend.book.db import read, write
from backend.book.schema import event
from backend.notify.availability import Availability
from models.declared import Lot
from models.reading import from_micros
from models.stock.availability import IN_ALL, Line, Standing, standings
from models.stock.ledger import Movement
from models.stock.reservation import Reservation
from tests.backend.books import DAY, SECOND, Yard

ON_BOTH = True


def move(yard: Yard, quantity: int, source: str, target: str, lot: str | None = None) -> None:
    with write(yard.book) as tx:
        ident = f"{yard.clock.now}-{quantity}-{target}-{lot}"
        each = Movement(
            id=ident[:36],
            at=yard.clock.now,
            sku="BOLT-M8",
            lot=lot,
            quantity=Decimal(quantity),
            source=source,
            target=target,
            reason="x",
            evidence=[],
        )
        ledger.post(tx, [each], (), "test", yard.clock.now)
    yard.clock.now += SECOND


def told(yard: Yard) -> list[dict[str, Any]]:
    with read(yard.book) as tx:
        bodies = tx.scalars(select(event.c.body).where(event.c.kind == "availability").order_by(event.c.n))
        return [msgspec.json.decode(body) for body in bodies]


def test_a_movement_is_told_once_with_places_and_sum(yard: Yard) -> None:
    worker = Availability(yard.book, yard.clock)
    worker.step()
    move(yard, 40, "supplier", "warehouse")
    assert worker.step() == 1
    assert worker.step() == 0
    place = {"location": "warehouse", "on_hand": "40", "available": "40"}
    assert told(yard) == [{"sku": "BOLT-M8", "on_hand": "40", "available": "40", "places": [place]}]
    move(yard, 10, "warehouse", "customer")
    move(yard, 10, "customer", "warehouse")
    assert worker.step() == 0, "it stands as it was told"


def test_what_is_promised_or_may_not_be_used_cannot_be_had(yard: Yard) -> None:
    worker = Availability(yard.book, yard.clock)
    move(yard, 40, "supplier", "warehouse", "A")
    worker.step()
    need = yard.clock.now + DAY
    wanted = Reservation(
        id="r1",
        sku="BOLT-M8",
        quantity=Decimal(15),
        lot="A",
        location="warehouse",
        purpose="order",
        reference="o1",
        need_at=need,
    )
    with write(yard.book) as tx:
        reservations.reserve(tx, wanted, "test", yard.clock.now)
    worker.step()
    assert told(yard)[-1]["available"] == "25"
    lot = Lot(status="quarantined", note="look")
    with write(yard.book) as tx:
        register.put(tx, "lots", "BOLT-M8/A", lot, valid_from=yard.clock.now, actor="test", now=yard.clock.now)
    worker.step()
    assert (told(yard)[-1]["on_hand"], told(yard)[-1]["available"]) == ("40", "0")


def test_a_lot_expires_at_midnight(yard: Yard) -> None:
    lot = Lot(expires=from_micros(yard.clock.now).date())
    with write(yard.book) as tx:
        register.put(tx, "lots", "BOLT-M8/A", lot, valid_from=yard.clock.now, actor="test", now=yard.clock.now)
    move(yard, 40, "supplier", "warehouse", "A")
    worker = Availability(yard.book, yard.clock)
    worker.step()
    yard.clock.now = (yard.clock.now // DAY + 1) * DAY
    worker.step()
    assert [each["available"] for each in told(yard)] == ["40", "0"]


def test_another_process_tells_what_changed_meanwhile_and_nothing_else(yard: Yard) -> None:
    move(yard, 40, "supplier", "warehouse")
    Availability(yard.book, yard.clock).step()
    assert Availability(yard.book, yard.clock).step() == 0
    move(yard, 1, "warehouse", "customer")
    assert Availability(yard.book, yard.clock).step() == 1
    assert [each["available"] for each in told(yard)] == ["40", "39"]


GOOD, BARRED = False, True


@pytest.mark.parametrize(
    ("lines", "promised", "expected"),
    [
        ([], {}, {IN_ALL: (0, 0)}),
        ([("a", "", -3, GOOD)], {}, {IN_ALL: (-3, 0), "a": (-3, 0)}),
        (
            [("a", "", 5, GOOD), ("b", "L", 7, BARRED)],
            {("a", None): 2, (None, None): 1},
            {IN_ALL: (12, 2), "a": (5, 3), "b": (7, 0)},
        ),
    ],
    ids=["nothing", "less than nothing", "promised, and a lot that may not be used"],
)
def test_what_can_be_had(lines: Any, promised: Any, expected: Any) -> None:
    held = [Line(place, lot, Decimal(quantity), barred) for place, lot, quantity, barred in lines]
    taken = {key: Decimal(quantity) for key, quantity in promised.items()}
    wanted = {place: Standing(Decimal(on_hand), Decimal(free)) for place, (on_hand, free) in expected.items()}
    assert standings(held, taken) == wanted
