"""A small book for tests of reordering: one item from one supplier, its planner, and a clock that the test moves."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine, select

from backend.api.approval import Edit, Verdict, decide
from backend.book import ledger, levels, purchases, receipts, register, schema
from backend.book.db import read, write
from backend.book.outside import outside
from backend.book.purchases import Order, OrderLine
from backend.book.schema_orders import purchase_event, purchase_fill
from backend.plan.items import REORDER
from backend.planner import Planner
from backend.registers import Registers
from models.declared import Item, Location, Lot, Supplier
from models.stock.ledger import Movement
from models.stock.policy import Level, Unknown

DAY = 86_400_000_000
START = 20_000 * DAY
D = Decimal
WAYS = {
    "in": ("supplier", "hall"),
    "back": ("hall", "supplier"),
    "acme": ("acme", "hall"),
    "out": ("hall", "customer"),
    "returned": ("customer", "hall"),
    "scrap": ("hall", "scrap"),
    "away": ("hall", "shop"),
}


@dataclass
class Shop:
    """What happens in it is said in days since START."""

    book: Engine
    day: float = 0.0
    registers: Registers = field(default_factory=Registers)

    def __post_init__(self) -> None:
        self.planner = Planner(self.book, lambda: self.now, [REORDER])
        for name in ("hall", "shop"):
            self.declare("locations", name, Location(name))
        self.declare("locations", "acme", Location("Acme", kind="supplier"))
        for name in ("acme", "zeta"):
            self.declare("suppliers", name, Supplier(name, lead_time_days=4))

    @property
    def now(self) -> int:
        return at(self.day)

    def declare(self, kind: str, ident: str, body: Struct) -> None:
        with write(self.book) as tx:
            register.put(tx, kind, ident, body, valid_from=min(START, self.now), actor="test", now=self.now)

    def item(self, **how: Any) -> None:
        self.declare("items", "X", Item("X", whole=True, **how))

    def blocked(self, lot: str) -> None:
        self.declare("lots", f"X/{lot}", Lot(expires=date(2199, 1, 1), status="quarantined"))

    def move(self, name: str, day: float, quantity: int, way: str, lot: str | None = None) -> None:
        source, target = WAYS[way]
        ends = {"source": source, "target": target, "reason": "test", "evidence": []}
        self.post([Movement(id=name, at=at(day), sku="X", lot=lot, quantity=D(quantity), **ends)])

    def post(self, moves: list[Movement], taken_back: tuple[str, ...] = ()) -> None:
        with write(self.book) as tx:
            ledger.post(tx, moves, taken_back, "test", self.now)

    def take_back(self, name: str) -> None:
        self.post([], (name,))

    def order(
        self, ident: str, day: float, *quantities: int, supplier: str | None = "acme", price: str | None = None
    ) -> str:
        of = None if price is None else D(price)
        lines = [OrderLine(sku="X", quantity=D(quantity), price=of) for quantity in quantities]
        with write(self.book) as tx:
            return purchases.put(
                tx, Order(id=ident, supplier=supplier, ordered_at=at(day), lines=lines), "ann", self.now
            )

    def cancel(self, ident: str, line: int | None = None) -> None:
        with write(self.book) as tx:
            purchases.cancel(tx, ident, line, "too late", ("ann", self.now))

    def follow(self) -> None:
        with write(self.book) as tx:
            receipts.follow(tx, outside(self.registers.current(tx), self.now), self.now)

    def fills(self) -> list[tuple[str, int, str, str, bool]]:
        """(order, line, received, outstanding, open)."""
        of = purchase_fill.c
        with read(self.book) as tx:
            rows = select(of.order_id, of.line, of.received, of.outstanding, of.is_open).order_by(of.order_id, of.line)
            return [tuple(row) for row in tx.execute(rows)]  # type: ignore[misc]

    def told(self) -> list[tuple[str, int | None, str]]:
        """(order, line, what) of every event, in order."""
        of = purchase_event.c
        with read(self.book) as tx:
            return [tuple(row) for row in tx.execute(select(of.order_id, of.line, of.what).order_by(of.n))]  # type: ignore[misc]

    def plan(self) -> None:
        while self.planner.step():
            pass

    def level(self) -> Level | Unknown:
        with read(self.book) as tx:
            return levels.load(tx, ["X"])["X"].level

    def proposals(self) -> list[tuple[str, str]]:
        """(state, quantity), oldest first."""
        of = schema.proposal.c
        with read(self.book) as tx:
            return [tuple(row) for row in tx.execute(select(of.state, of.quantity).order_by(of.n))]  # type: ignore[misc]

    def decide(self, verdict: Verdict, **edit: Any) -> str:
        """The open proposal; its id."""
        of = schema.proposal.c
        with write(self.book) as tx:
            ident: str = tx.scalars(select(of.id).where(of.state == "open")).one()
            decide(tx, ident, verdict, ("ann", "so", self.now), Edit(**edit))
        self.plan()
        return ident


def at(day: float) -> int:
    return START + round(day * DAY)
