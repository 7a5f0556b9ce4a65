"""Reservations and allocations in the book: nothing is promised twice, whoever asks at the same time."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select

from backend.book import allocations, ledger, recall, register, reservations
from backend.book.allocations import Need
from backend.book.db import read, repeated, write
from backend.book.schema_lots import reservation
from backend.verify.folds import Seen
from backend.verify.lots import reservations_stepped
from models.declared import Lot
from models.errors import Clash, NotFound, Refused
from models.reading import micros
from models.stock.ledger import Movement
from models.stock.reservation import Reservation
from tests.backend.books import Yard

ON_BOTH = True
D = Decimal
NOW = micros(datetime(2026, 4, 1, 9, tzinfo=UTC))
DAY = 86_400_000_000
LOTS = {
    "L1": (date(2026, 12, 31), date(2026, 1, 5), 40),
    "L2": (date(2026, 9, 30), date(2026, 2, 1), 25),
    "L3": (date(2026, 9, 30), date(2026, 1, 15), 10),
    "L4": (date(2026, 3, 1), date(2026, 1, 2), 15),
}
SKU = "SEAL-2K"
POSTERS = 8


@pytest.fixture
def book(yard: Yard) -> Engine:
    """The lots of the worked examples in the warehouse."""
    with write(yard.book) as tx:
        for lot, (expires, received, _) in LOTS.items():
            body = Lot(expires=expires, received=received)
            register.put(tx, "lots", f"{SKU}/{lot}", body, valid_from=1, actor="test", now=NOW)
        ledger.post(tx, [came(lot, quantity) for lot, (*_, quantity) in LOTS.items()], (), "test", NOW)
    return yard.book


def came(lot: str | None, quantity: int, sku: str = SKU) -> Movement:
    way = {"source": "supplier", "target": "warehouse", "reason": "receipt", "evidence": []}
    return Movement(id=f"in-{sku}-{lot}", at=NOW, sku=sku, lot=lot, quantity=D(quantity), **way)  # type: ignore[arg-type]


def wanted(ident: str, quantity: int, **fields: Any) -> Reservation:
    given = {"id": ident, "sku": SKU, "purpose": "order", "reference": "O-1", "need_at": NOW} | fields
    return Reservation(quantity=D(quantity), **given)


def need(ident: str, quantity: int, **fields: Any) -> Need:
    given = {"id": ident, "sku": SKU, "purpose": "order", "reference": "O-1", "need_at": NOW} | fields
    return Need(quantity=D(quantity), **given)


def reserve(book: Engine, asked: Reservation) -> str:
    with write(book) as tx:
        return reservations.reserve(tx, asked, "test", NOW)


def allocate(book: Engine, asked: Need, places: set[str] | None = None, days: int = 0) -> tuple[list[Any], str]:
    with write(book) as tx:
        found, _ = allocations.serve(tx, asked, places, days, ("test", NOW))
    return [(each.lot, each.quantity) for each in found.picks], found.short


def allocated(book: Engine) -> dict[Any, Decimal]:
    with read(book) as tx:
        assert reservations_stepped(Seen(tx))[1] == []
        now = reservations.allocated(tx, [SKU])
        assert reservations.allocated(tx, [SKU], NOW) == now, "the steps say what the rows do"
    return {(location, lot): quantity for (_, location, lot), quantity in now.items()}


def test_worked_examples_reserve_what_expires_first(book: Engine) -> None:
    assert allocate(book, need("a", 30)) == ([("L3", "10"), ("L2", "20")], "0")
    assert allocated(book) == {("warehouse", "L3"): 10, ("warehouse", "L2"): 20}
    assert allocate(book, need("a", 30)) == ([("L3", "10"), ("L2", "20")], "0"), "a repeat has the same answer"
    with pytest.raises(Clash, match="for another need"):
        allocate(book, need("a", 31))
    with pytest.raises(Refused, match="at most the 45 that are available by 2026-04-01 expected, got 50; or partial"):
        allocate(book, need("b", 50))
    assert allocate(book, need("b", 50, partial=True)) == ([("L2", "5"), ("L1", "40")], "5")


def test_a_shelf_life_and_a_place_are_asked_for(book: Engine) -> None:
    assert allocate(book, need("a", 30), days=200) == ([("L1", "30")], "0")
    assert allocate(book, need("b", 5, partial=True), places={"desk"}) == ([], "5")
    assert allocate(book, need("c", 5, rule="fifo")) == ([("L1", "5")], "0")


def test_a_demand_without_a_place_is_promised_before_later_needs_and_served_once(book: Engine) -> None:
    reserve(book, wanted("d", 70, need_at=NOW + DAY))
    assert allocate(book, need("now", 10)) == ([("L3", "10")], "0"), "a need of today is before one of tomorrow"
    with pytest.raises(Refused, match="at most the 0 that are available"):
        allocate(book, need("later", 1, need_at=NOW + 2 * DAY))
    picks, short = allocate(book, need("serve", 70, need_at=NOW + DAY, reservation="d", partial=True))
    assert (picks, short) == ([("L2", "25"), ("L1", "40")], "5")
    assert allocated(book)[None, None] == 5, "what could not be served waits on"


def test_where_it_lies_at_most_what_is_available(book: Engine) -> None:
    reserve(book, wanted("r1", 25, location="warehouse", lot="L2"))
    assert reserve(book, wanted("r1", 25, location="warehouse", lot="L2")) == "same"
    for refused, says in (
        (wanted("r1", 24, location="warehouse", lot="L2"), "with other content"),
        (wanted("r2", 1, location="warehouse", lot="L2"), "at most the 0 that are available of SEAL-2K lot L2"),
        (wanted("r2", 1, location="warehouse", lot="L4"), "lasts until 2026-04-01 expected, L4 expires on 2026-03-01"),
        (wanted("r2", 1, location="supplier", lot="L1"), "at most the 0"),
        (wanted("r2", 1, location="warehouse"), "at most the 0 that are available of SEAL-2K at warehouse"),
    ):
        with pytest.raises((Refused, Clash), match=says):
            reserve(book, refused)
    with write(book) as tx:
        assert reservations.fulfil(tx, "r1", D(5), "test", NOW).left == 20
        assert reservations.cancel(tx, "r1", "changed", "test", NOW).left == 0
        assert reservations.cancel(tx, "r1", "again", "test", NOW).fulfilled == 5
        with pytest.raises(NotFound):
            reservations.cancel(tx, "none", None, "test", NOW)
    assert allocated(book) == {}
    assert reserve(book, wanted("r3", 25, location="warehouse", lot="L2")) == "created"


def test_a_recalled_lot_is_promised_to_nobody(book: Engine) -> None:
    allocate(book, need("a", 15))
    with write(book) as tx:
        cancelled = recall.set_status(tx, (SKU, "L3"), "recalled", "glass found", ("test", NOW))
    assert len(cancelled) == 1
    assert allocated(book) == {("warehouse", "L2"): 5}
    assert allocate(book, need("b", 25)) == ([("L2", "20"), ("L1", "5")], "0")
    with pytest.raises(Refused, match="L3 is recalled"):
        reserve(book, wanted("r", 1, location="warehouse", lot="L3"))
    with write(book) as tx:
        recall.set_status(tx, (SKU, "L3"), "available", "was a mistake", ("test", NOW))
        held = register.held(tx, "lots", [f"{SKU}/L3"], NOW)[f"{SKU}/L3"]
    assert held == Lot(expires=date(2026, 9, 30), received=date(2026, 1, 15), note="was a mistake")
    assert reserve(book, wanted("r", 10, location="warehouse", lot="L3")) == "created"


def at_once(work: Callable[[int], None]) -> None:
    together = Barrier(POSTERS)

    def run(number: int) -> None:
        together.wait()
        work(number)

    threads = [Thread(target=run, args=(number,)) for number in range(POSTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_eight_at_once_never_promise_a_unit_twice(book: Engine) -> None:
    given: list[Decimal] = []

    def post(number: int) -> None:
        for turn in range(5):
            asked = need(f"n{number}-{turn}", 4, partial=turn % 2 == 1)
            try:
                picks, _ = repeated(lambda asked=asked: allocate(book, asked))  # type: ignore[misc]
            except Refused:
                continue
            given.extend(D(quantity) for _, quantity in picks)

    at_once(post)
    assert sum(given) == 75, "all that may be used, and no unit more"
    found = allocated(book)
    assert found == {("warehouse", "L1"): 40, ("warehouse", "L2"): 25, ("warehouse", "L3"): 10}


def test_eight_at_once_with_one_id_reserve_once(book: Engine) -> None:
    outcomes: list[str] = []
    at_once(lambda _: outcomes.append(repeated(lambda: reserve(book, wanted("r", 40, location="warehouse", lot="L1")))))
    assert sorted(outcomes) == ["created", *["same"] * (POSTERS - 1)]
    with read(book) as tx:
        assert tx.scalars(select(reservation.c.quantity)).all() == ["40"]
