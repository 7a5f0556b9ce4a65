"""A book with its valuer: movements of one shop, and what they are worth."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from backend.book import costs, ledger, register, value_ledger
from backend.book.db import read, write
from backend.book.schema_costs import value_month
from backend.book.value_ledger import sums_of
from backend.book.values import month_of_row
from backend.valuer import Valuer
from models.declared_stock import Item, Supply
from models.months import parse_month
from models.reading import micros
from models.stock.ledger import Movement
from models.stock.periods import Posting, Sum, together
from models.stock.prices import Cost
from models.units import quantity_text
from tests.backend.books import Template, Yard

D = Decimal
SKU = "BOLT-M8"


def when(text: str) -> int:
    """Microseconds of a day, or a minute of it, of 2026: "10-20", "10-20 09:30"."""
    return micros(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC))


def moved(ident: str, at: str, quantity: int | str, way: str = "in", **other: Any) -> Movement:
    """A movement of the shop: in, sold, back (from a customer), returned (to the supplier), or `source>target`."""
    ways = {"in": "supplier>desk", "sold": "desk>customer", "back": "customer>desk", "returned": "desk>supplier"}
    source, _, target = ways.get(way, way).partition(">")
    fields: dict[str, Any] = {"sku": SKU, "reason": "test", "evidence": [f"test:{ident}"]} | other
    return Movement(id=ident, at=when(at), quantity=D(quantity), source=source, target=target, **fields)


class Shop(Yard):
    """A yard whose stock is valued."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.valuer = Valuer(self.book, self.clock)

    @classmethod
    def opened(cls, template: Template, folder: Path, now: str, name: str = "shop") -> "Shop":
        yard = Yard.copy(template, folder / f"{name}.db", when(now))
        return cls(yard.book, yard.clock)

    def declare(self, since: str = "01-01", sku: str = SKU, **fields: Any) -> None:
        """An item as the register has it from a day on; `price` is its supplier's."""
        price = fields.pop("price", None)
        supplies = [] if price is None else [Supply("PUMPWORKS", price=D(price))]
        with write(self.book) as tx:
            body = Item(name=sku, supplies=supplies, **fields)
            register.put(tx, "items", sku, body, valid_from=when(since), actor="test", now=self.clock.now)

    def post(self, *movements: Movement, withdrawn: Sequence[str] = ()) -> None:
        with write(self.book) as tx:
            ledger.post(tx, movements, set(withdrawn), "test", self.clock.now)

    def cost(self, **fields: Any) -> str:
        with write(self.book) as tx:
            return costs.record(tx, Cost(**fields), "test", self.clock.now)

    def price(self, movement: str, amount: str, ident: str | None = None, **other: Any) -> str:
        """A receipt's price."""
        return self.cost(id=ident or f"price-{movement}", what="price", amount=D(amount), movement=movement, **other)

    def close(self, month: str) -> bool:
        return self.valuer.close(parse_month(month), "test", None)

    def value(self) -> dict[str, Any]:
        """Every item's months as they are stored, once all is settled."""
        self.valuer.settle_all()
        return {f"{row['sku']} {row['month']}": row for row in self.rows(value_month)}

    def sums(self, month: str, sku: str = SKU) -> dict[str, str]:
        """The values of an item's flows in a month, as text."""
        self.valuer.settle_all()
        with read(self.book) as tx:
            key = (value_month.c.sku == sku, value_month.c.month == parse_month(month))
            row = tx.execute(select(value_month).where(*key)).one_or_none()
        return {} if row is None else texts(month_of_row(row).sums())

    def posted(self, sku: str = SKU) -> list[Posting]:
        with read(self.book) as tx:
            return [posting for posting, _ in value_ledger.postings(tx) if posting.sku == sku]


def texts(sums: dict[str, Sum]) -> dict[str, str]:
    return {flow: quantity_text(each.value) for flow, each in sorted(sums.items())}


def said(postings: Sequence[Posting]) -> dict[str, str]:
    """What postings come to together, by flow."""
    found = together([sums_of(each) for each in postings])
    return texts({flow: each for flow, each in found.items() if each.value or each.quantity})
