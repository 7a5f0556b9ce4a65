"""The planner's alerts about lots: they open and close with what is on hand, the day, and what is declared."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select

from backend.book import ledger, recall, register, schema
from backend.book.db import read, write
from backend.planner import Planner
from backend.rules import RULES
from models.declared import Item, Lot
from models.reading import micros
from models.stock.ledger import Movement
from tests.backend.books import Yard

DAY = 86_400_000_000
NOW = micros(datetime(2026, 4, 1, 9, tzinfo=UTC))
NAMES = {"expiry", "blocked_lot", "lot_missing"}


class Watch:
    """A book of the example site and the planner of these rules."""

    def __init__(self, book: Engine) -> None:
        self.book, self.now, self._count = book, NOW, 0
        self._planner = Planner(book, lambda: self.now, [rule for rule in RULES if rule.name in NAMES])

    def move(self, quantity: int, source: str, target: str, lot: str | None = "B1", sku: str = "SEAL-2K") -> None:
        self._count += 1
        ends = {"source": source, "target": target, "reason": "test", "evidence": []}
        moved = Movement(id=f"m{self._count}", at=self.now, sku=sku, lot=lot, quantity=Decimal(quantity), **ends)  # type: ignore[arg-type]
        with write(self.book) as tx:
            ledger.post(tx, [moved], (), "test", self.now)

    def declare(self, kind: str, ident: str, body: Item | Lot) -> None:
        with write(self.book) as tx:
            register.put(tx, kind, ident, body, valid_from=self.now, actor="test", now=self.now)

    def open(self, days: int = 0) -> list[tuple[str, str, str]]:
        """After so many more days."""
        self.now += days * DAY
        while self._planner.step():
            pass
        table = schema.alert.c
        with read(self.book) as tx:
            rows = select(table.rule, table.subject, table.severity).where(table.state != "closed")
            return sorted((rule, subject, severity) for rule, subject, severity in tx.execute(rows))


@pytest.fixture
def watch(yard: Yard) -> Watch:
    return Watch(yard.book)


def test_a_lot_expires_and_leaves(watch: Watch) -> None:
    watch.declare("lots", "SEAL-2K/B1", Lot(expires=date(2026, 6, 10)))
    watch.move(40, "supplier", "warehouse")
    assert watch.open() == []
    assert watch.open(days=9) == [], "70 days before; the item says 60"
    assert watch.open(days=1) == [("expiry", "lot:SEAL-2K/B1", "warning")]
    assert watch.open(days=61) == [("expiry", "lot:SEAL-2K/B1", "critical")]
    watch.move(40, "warehouse", "scrap")
    assert watch.open() == [], "nothing of it is there any more"


def test_what_may_not_be_used_is_told_of_while_it_is_there(watch: Watch) -> None:
    watch.declare("lots", "SEAL-2K/B1", Lot(expires=date(2026, 4, 10)))
    watch.move(40, "supplier", "warehouse")
    assert watch.open() == [("expiry", "lot:SEAL-2K/B1", "warning")]
    with write(watch.book) as tx:
        recall.set_status(tx, ("SEAL-2K", "B1"), "recalled", "glass", ("test", watch.now))
    assert watch.open() == [("blocked_lot", "lot:SEAL-2K/B1", "critical")]
    with write(watch.book) as tx:
        recall.set_status(tx, ("SEAL-2K", "B1"), "available", "was another", ("test", watch.now))
    assert watch.open() == [("expiry", "lot:SEAL-2K/B1", "warning")]


def test_a_reading_without_a_lot_is_not_refused_but_told(watch: Watch) -> None:
    watch.move(5, "supplier", "warehouse", None)
    watch.move(5, "supplier", "warehouse", "B7")
    assert watch.open() == [("lot_missing", "item:SEAL-2K", "warning")]
    watch.move(5, "warehouse", "customer", None)
    assert watch.open() == [("lot_missing", "item:SEAL-2K", "warning")], "nobody knows when B7 expires"
    watch.declare("lots", "SEAL-2K/B7", Lot(expires=date(2028, 1, 1)))
    assert watch.open() == []
    watch.move(5, "supplier", "warehouse", None, "BOLT-M8")
    assert watch.open() == [], "bolts need no lots"
