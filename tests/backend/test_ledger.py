"""The ledger in the book: appended, chained, its balances kept; a repeat is harmless and a clash is loud."""

from decimal import Decimal
from typing import Any

import pytest

from backend.book import ledger
from backend.book.db import read, write
from backend.book.schema import balance, event, ledger_head, movement
from backend.verify import verify
from models.errors import Clash
from models.stock.ledger import Movement, balances, first_broken, net
from tests.backend.books import Yard


def move(ident: str, quantity: str = "40", lot: str | None = None, at: int = 1) -> Movement:
    return Movement(
        id=ident,
        at=at,
        sku="BOLT-M8",
        lot=lot,
        quantity=Decimal(quantity),
        source="supplier",
        target="desk",
        reason="test",
        evidence=["scan:x"],
    )


def post(yard: Yard, wanted: list[Movement], withdrawn: set[str] | None = None) -> list[str]:
    """The reasons of the entries that it took."""
    with write(yard.book) as tx:
        return [e.movement.reason for e in ledger.post(tx, wanted, withdrawn or set(), "test", yard.clock.now)]


def on_hand(yard: Yard) -> dict[tuple[str, str], str]:
    return {(row["location"], row["lot"]): row["on_hand"] for row in yard.rows(balance)}


def test_redelivery_is_harmless_and_a_clash_is_loud(yard: Yard) -> None:
    assert post(yard, [move("m1")]) == ["test"]
    assert post(yard, [move("m1")]) == []
    with pytest.raises(Clash):
        post(yard, [move("m2"), move("m1", "41")])
    assert on_hand(yard) == {("supplier", ""): "-40", ("desk", ""): "40"}


def test_what_is_withdrawn_comes_again_as_the_reversal_of_its_reversal(yard: Yard) -> None:
    post(yard, [move("m1"), move("m2", "2.5", "L7")])
    corrected = "corrected by later readings"
    assert post(yard, [], {"m1"}) == [corrected]
    assert post(yard, [], {"m1", "never posted"}) == []
    assert on_hand(yard)["desk", ""] == "0"
    assert post(yard, [move("m1")]) == [corrected]
    assert post(yard, [move("m3", at=0)], {"m2"}) == [corrected, "test"]
    assert on_hand(yard) == {
        ("supplier", ""): "-80",
        ("desk", ""): "80",
        ("supplier", "L7"): "0",
        ("desk", "L7"): "0",
    }
    with read(yard.book) as tx:
        entries = list(ledger.entries_of(tx))
    assert [entry.n for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert first_broken(entries) is None
    assert [each.id for each in net(e.movement for e in entries)] == ["m3", "m1"]
    assert balances(e.movement for e in entries)["desk", "BOLT-M8", None] == Decimal(80)
    assert [row["movement_id"] for row in yard.rows(movement)] == ["m1", "m2", "m1", "m1", "m2", "m3"]
    (head,) = yard.rows(ledger_head)
    assert (head["n"], head["hash"]) == (6, entries[-1].hash)
    assert sum(row["kind"] == "movement" for row in yard.rows(event)) == 6


def test_a_transaction_that_fails_leaves_no_trace(yard: Yard) -> None:
    post(yard, [move("m1")])

    def fail() -> None:
        with write(yard.book) as tx:
            ledger.post(tx, [move("m2")], (), "test", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert post(yard, [move("m3")]) == ["test"]
    assert [row["n"] for row in yard.rows(movement)] == [1, 2]
    assert all(finding.ok for finding in verify(yard.book))


def test_nothing_to_post_takes_no_lock(yard: Yard) -> None:
    assert post(yard, []) == []
    assert not yard.rows(ledger_head)


def test_what_a_movement_costs_does_not_grow_with_the_lots_there_ever_were(yard: Yard) -> None:
    def steps(name: str) -> int:
        """Of SQLite's machine, in thousands."""
        found = 0

        def count() -> int:
            nonlocal found
            found += 1
            return 0

        with write(yard.book) as tx:
            driver: Any = tx.connection.driver_connection
            driver.set_progress_handler(count, 100)
            ledger.post(tx, [move(name, lot="L0")], set(), "test", yard.clock.now)
            driver.set_progress_handler(None, 0)
        return found

    post(yard, [move("first", lot="L0")])
    before = steps("second")
    post(yard, [move(f"m{n}", lot=f"L{n}") for n in range(2000)])
    assert steps("third") <= 2 * before
