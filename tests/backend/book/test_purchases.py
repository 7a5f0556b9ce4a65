"""Purchase orders on both stores: what receipts fill, whenever they become known; and what a line that is over does."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select

from backend.api.approval import decide
from backend.book import events, locks, purchases, receipts
from backend.book.db import open_engine, read, write
from backend.book.ledger import IDS_A_QUERY
from backend.book.migrations import migrate
from backend.book.outside import outside
from backend.book.schema import proposal
from models.declared import Location
from models.errors import Clash, NotFound, Refused
from models.stock.ledger import Movement
from tests.backend.books import open_quick
from tests.backend.plan.buying import Shop, at

ON_BOTH = True
D = Decimal


@pytest.fixture
def engine(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    if store == "sqlite":
        engine = open_quick(tmp_path / "book.db")
        migrate(engine)
    else:
        engine = open_engine(request.getfixturevalue("postgres_book_url"), Path())
    yield engine
    engine.dispose()


@pytest.fixture
def shop(engine: Engine) -> Shop:
    found = Shop(engine, day=30)
    found.item()
    return found


def on_order(shop: Shop) -> Decimal:
    with read(shop.book) as tx:
        return purchases.on_order(tx, ["X"]).get("X", D(0))


def test_an_order_is_placed_once(shop: Shop) -> None:
    assert shop.order("PO-1", 1, 40, 60, price="1.50") == "created"
    assert shop.order("PO-1", 1, 40, 60, price="1.50") == "same"
    for different in ({"price": "1.51"}, {"price": "1.50", "supplier": "zeta"}):
        with pytest.raises(Clash, match="PO-1 is there with other content"):
            shop.order("PO-1", 1, 40, 60, **different)
    with pytest.raises(Refused, match=r"lines: 1 \.\.\. 200 expected, got 0"):
        shop.order("PO-2", 1)
    assert on_order(shop) == 100


def test_receipts_close_a_line_and_one_taken_back_opens_it_again(shop: Shop) -> None:
    shop.order("PO-1", 1, 40, 60)
    shop.move("a", 5, 50, "in")
    shop.follow()
    assert shop.fills() == [("PO-1", 1, "40", "0", False), ("PO-1", 2, "10", "50", True)]
    shop.move("b", 4, 50, "acme")
    shop.follow()
    assert [each[2] for each in shop.fills()] == ["40", "60"]
    assert on_order(shop) == 0
    shop.take_back("a")
    shop.follow()
    assert shop.fills() == [("PO-1", 1, "40", "0", False), ("PO-1", 2, "10", "50", True)]
    assert shop.told() == [
        ("PO-1", None, "ordered"),
        ("PO-1", 1, "received"),
        ("PO-1", 2, "received"),
        ("PO-1", 2, "reopened"),
    ]
    shop.move("c", 6, 10, "back")
    shop.follow()
    assert shop.fills()[0][2:] == ("40", "0", False), "what went back came last"
    assert shop.fills()[1][2:] == ("0", "60", True)


def test_what_came_before_the_order_or_from_another_supplier_fills_nothing(shop: Shop) -> None:
    shop.move("early", 1, 40, "in")
    shop.order("PO-1", 2, 40, supplier="zeta")
    shop.move("other", 3, 40, "acme")
    shop.move("used", 3, 5, "out")
    shop.move("moved", 3, 5, "away")
    shop.follow()
    assert on_order(shop) == 40
    shop.move("unknown", 3, 30, "in")
    shop.follow()
    assert on_order(shop) == 10


def test_an_order_entered_after_its_receipt_is_filled_at_once(shop: Shop) -> None:
    shop.move("a", 5, 40, "in")
    shop.follow()
    shop.order("PO-1", 2, 40)
    assert on_order(shop) == 0


def test_what_is_cancelled_is_expected_no_more(shop: Shop) -> None:
    shop.order("PO-1", 1, 40, 60)
    shop.move("a", 5, 50, "in")
    shop.follow()
    shop.cancel("PO-1", 2)
    shop.cancel("PO-1", 2)
    assert shop.fills() == [("PO-1", 1, "40", "0", False), ("PO-1", 2, "10", "0", False)]
    shop.move("b", 31, 50, "in")
    shop.follow()
    assert shop.fills()[1][2] == "10", "it came too late"
    shop.move("c", 6, 5, "in")
    shop.follow()
    assert shop.fills()[1][2] == "15", "it came in time and is known late"
    with pytest.raises(Clash, match="everything has come"):
        shop.cancel("PO-1")
    with pytest.raises(NotFound, match="PO-1 line 3"):
        shop.cancel("PO-1", 3)
    assert [what for _, _, what in shop.told()].count("cancelled") == 1


def test_what_was_on_order_at_a_time(shop: Shop) -> None:
    shop.order("PO-1", 1, 40)
    shop.order("PO-2", 3, 60)
    shop.move("a", 5, 30, "in")
    shop.day = 8
    shop.cancel("PO-2")
    shop.day = 30
    shop.move("late", 2, 5, "in")
    shop.follow()

    def as_of(day: float) -> Decimal:
        with read(shop.book) as tx:
            return purchases.on_order_at(tx, ["X"], at(day)).get("X", D(0))

    assert [as_of(day) for day in (0, 1, 2, 3, 4.9, 5, 7.9, 8, 29)] == [0, 40, 35, 95, 95, 65, 65, 5, 5]
    assert as_of(30) == on_order(shop)
    shop.take_back("late")
    shop.follow()
    assert [as_of(day) for day in (2, 5, 8)] == [40, 70, 10]


def test_prices_of_receipts_are_those_of_the_lines_they_fill(shop: Shop) -> None:
    shop.order("PO-1", 1, 40, price="1.50")
    shop.order("PO-2", 2, 60, price="2.00")
    shop.order("PO-3", 3, 60)
    for name, quantity in (("a", 10), ("b", 60), ("c", 40), ("d", 5)):
        shop.move(name, 5 + ord(name) - ord("a"), quantity, "in")
    shop.follow()
    with read(shop.book) as tx:
        assert purchases.prices(tx, ["X"]) == {"a": D("1.5"), "b": D("1.75")}


def test_fills_are_the_same_in_every_order_of_arrival(shop: Shop) -> None:
    chance = Random(5)
    moves = [
        (f"m{n}", chance.uniform(0, 29), chance.randint(1, 30), chance.choice(["in", "acme", "back"]))
        for n in range(14)
    ]
    for n in range(4):
        shop.order(f"PO-{n}", 6 * n, 20, 15)
    for move in moves:
        shop.move(*move)
        shop.follow()
    for name in ("m2", "m5"):
        shop.take_back(name)
    shop.follow()
    step_by_step = shop.fills()
    shop.declare("locations", "quay", Location("Quay", kind="supplier"))
    shop.follow()
    assert shop.fills() == step_by_step, "made anew from the whole ledger"


def test_thousands_of_receipts_are_followed_at_once(shop: Shop, store: str) -> None:
    """A statement takes 65,535 parameters in PostgreSQL, 32,766 in SQLite; this one is told that it is fewer."""
    shop.order("PO-1", 1, 1)
    many = 2 * IDS_A_QUERY + 1
    for low in range(0, many, 1000):
        ways: dict[str, Any] = {"source": "supplier", "target": "hall", "reason": "test", "evidence": []}
        names = [f"m{n}" for n in range(low, min(low + 1000, many))]
        shop.post([Movement(id=name, at=at(2), sku="X", quantity=D(1), **ways) for name in names])
    with write(shop.book) as tx:
        if store == "sqlite":
            driver: Any = tx.connection.driver_connection
            driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, IDS_A_QUERY + 100)
        receipts.follow(tx, outside(shop.registers.current(tx), shop.now), shop.now)
    assert not on_order(shop)


def test_what_is_approved_while_the_planner_looks_is_not_proposed_again(
    shop: Shop, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store == "sqlite":
        pytest.skip("writers take turns")
    shop.item(reorder_min=D(10), reorder_max=D(50))
    shop.move("a", 29, 5, "in")
    shop.plan()
    looked, orders_of = [False], purchases.on_order

    def approved_after(tx: Any, skus: Any) -> Any:
        found = orders_of(tx, skus)
        if not looked[0]:
            looked[0] = True
            with read(shop.book) as other:
                ident = other.scalars(select(proposal.c.id)).one()
            with write(shop.book) as other:
                decide(other, ident, "approved", ("ann", "so", shop.now))
        return found

    monkeypatch.setattr(purchases, "on_order", approved_after)
    with write(shop.book) as tx:
        events.changed(tx, "item:X", shop.now)
    shop.plan()
    assert shop.proposals() == [("approved", "45")]


def test_two_that_follow_at_once_take_nothing_in_twice(shop: Shop, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planner and valuer both follow; whoever waits for the other's lock looks again at what is left to do."""
    if store == "sqlite":
        pytest.skip("writers take turns")
    shop.order("PO-1", 1, 40)
    shop.move("a", 5, 10, "in")
    shop.follow()
    shop.move("b", 6, 5, "in")
    looked, number = [False], locks.number

    def after_another(tx: Any) -> None:
        if not looked[0]:
            looked[0] = True
            shop.follow()
        number(tx)

    monkeypatch.setattr(locks, "number", after_another)
    shop.follow()
    assert shop.fills() == [("PO-1", 1, "15", "25", True)]
