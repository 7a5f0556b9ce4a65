"""Costs in the book: what people and systems say that receipts cost, append-only, and what a receipt costs by it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, or_, select

from backend.book import locks, purchases, value_marks
from backend.book.ledger import IDS_A_QUERY
from backend.book.schema import movement
from backend.book.schema_costs import cost, cost_receipt
from backend.book.schema_orders import purchase_line
from backend.book.value_marks import FOR_EVER, Mark
from backend.book.value_places import Kinds
from models.declared import Item
from models.errors import Clash, Refused
from models.place import SUPPLIER
from models.register import Register
from models.stock.prices import Bears, Cost, dated, holding, spread
from models.stock.valuation import Costs, Moved
from models.units import quantity_text

_RECEIPTS = select(cost_receipt).where(cost_receipt.c.cost_id.in_(bindparam("ids", expanding=True)))
_IDS_OF = select(cost_receipt.c.cost_id).where(cost_receipt.c.sku.in_(bindparam("skus", expanding=True))).distinct()
_FACTS = select(
    movement.c.id, movement.c.movement_id, movement.c.at, movement.c.sku, movement.c.lot, movement.c.quantity,
    movement.c.source, movement.c.target, movement.c.reason,
).where(movement.c.movement_id.in_(bindparam("ids", expanding=True))).order_by(movement.c.n)  # fmt: skip


def record(tx: Connection, new: Cost, actor: str, now: int) -> Literal["created", "same"]:
    """Write a cost down, and let its items be valued anew. Raises Refused for what it names and nobody knows.

    Raises Clash if the id is there with other content, or what it prices has a price that it does not replace.
    """
    locks.number(tx)
    held = _one(tx, new.id)
    if held is not None:
        if held != new:
            msg = f"id: cost {new.id} is there with other content"
            raise Clash(msg)
        return "same"
    facts = {fact.movement_id: fact for fact in _facts(tx, {*new.receipts, *([new.movement] if new.movement else [])})}
    for ident in [*new.receipts, *([new.movement] if new.movement else [])]:
        if ident not in facts:
            field = "receipts" if new.receipts else "movement"
            msg = f"{field}: movements of the ledger expected, got {ident!r}"
            raise Refused(msg)
    before = _check_replaced(tx, new)
    sku = facts[new.movement].sku if new.movement else new.sku
    plain = {
        name: getattr(new, name) for name in ("id", "what", "movement", "lot", "since", "share", "replaces", "note")
    }
    values = plain | {"amount": quantity_text(new.amount), "sku": sku, "actor": actor, "recorded_at": now}
    tx.execute(insert(cost).values(**values))
    if new.receipts:
        weights = dict(zip(new.receipts, map(quantity_text, new.weights), strict=False))
        bears = [
            {"cost_id": new.id, "movement": ident, "sku": facts[ident].sku, "weight": weights.get(ident)}
            for ident in new.receipts
        ]
        tx.execute(insert(cost_receipt), bears)
    _mark(tx, new, before, sku, min((fact.at for fact in facts.values()), default=new.since or 0))
    return "created"


def _check_replaced(tx: Connection, new: Cost) -> Cost | None:
    """What is replaced is there, of the same thing, and holds; what is priced has no other price that holds."""
    target = ("what", "movement", "sku", "lot", "since")
    before = None
    if new.replaces is not None:
        before = _one(tx, new.replaces)
        names = target if new.what == "price" else target[:1]
        if before is None or any(getattr(before, name) != getattr(new, name) for name in names):
            msg = f"replaces: a {new.what} of the same receipts expected, got {new.replaces!r}"
            raise Refused(msg)
        if rows(tx, cost.c.replaces == new.replaces):
            msg = f"replaces: cost {new.replaces} is replaced already"
            raise Clash(msg)
    elif new.what == "price":
        of_movement = cost.c.movement == new.movement
        of_item = cost.c.movement.is_(None) & (cost.c.sku == new.sku) & (cost.c.since == new.since)
        others = rows(tx, of_movement if new.movement else of_item & cost.c.lot.is_not_distinct_from(new.lot))
        if others:
            msg = f"{'movement' if new.movement else 'since'}: cost {holding(others)[0].id} prices it: replace that"
            raise Clash(msg)
    return before


def _mark(tx: Connection, new: Cost, before: Cost | None, sku: str | None, since: int) -> None:
    cause = (f"cost:{new.id}",)
    if sku is not None:
        value_marks.mark(tx, {sku: Mark(since, FOR_EVER, cause)})
        value_marks.mark(tx, value_marks.shared(tx, cost_receipt.c.sku == sku))
    for ident in [new.id, *([before.id] if before else [])] if new.receipts else ():
        found = value_marks.shared(tx, cost_receipt.c.cost_id == ident)
        value_marks.mark(tx, {each: mark._replace(causes=cause) for each, mark in found.items()})


def _one(tx: Connection, ident: str) -> Cost | None:
    return next(iter(rows(tx, cost.c.id == ident)), None)


def rows(tx: Connection, *which: Any, limit: int | None = None) -> list[Cost]:  # noqa: ANN401 - conditions
    """Costs in the order in which they were recorded."""
    found = tx.execute(select(cost).where(*which).order_by(cost.c.n).limit(limit)).all()
    bears: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    landed = [row.id for row in found if row.what == "landed"]
    for row in tx.execute(_RECEIPTS, {"ids": landed}) if landed else ():
        bears[row.cost_id].append(row)
    return [of_row(row, bears[row.id]) for row in found]


def of_row(row: Row[Any], bears: Iterable[Row[Any]]) -> Cost:
    """A cost from its row and its receipts; a receipt's price does not name its item."""
    parts = sorted(bears, key=lambda each: each.movement)
    return Cost(
        id=row.id,
        what=row.what,
        amount=Decimal(row.amount),
        movement=row.movement,
        sku=row.sku if row.movement is None else None,
        lot=row.lot,
        since=row.since,
        share=row.share,
        receipts=[each.movement for each in parts],
        weights=[Decimal(each.weight) for each in parts if each.weight is not None],
        replaces=row.replaces,
        note=row.note,
    )


def _facts(tx: Connection, idents: Collection[str]) -> list[Row[Any]]:
    """The movements of these facts that hold: their entries are odd in number, each after the first takes back."""
    chains: defaultdict[str, list[Any]] = defaultdict(list)
    wanted = sorted(idents)
    for low in range(0, len(wanted), IDS_A_QUERY):
        for row in tx.execute(_FACTS, {"ids": wanted[low : low + IDS_A_QUERY]}):
            chains[row.movement_id].append(row)
    return [chain[0] for _, chain in sorted(chains.items()) if len(chain) % 2]


def holding_movements(tx: Connection, idents: Collection[str]) -> set[str]:
    """Those of these facts whose movement holds."""
    return {fact.movement_id for fact in _facts(tx, idents)}


def _landed(tx: Connection, idents: Sequence[str]) -> list[Cost]:
    """Of these costs those that hold."""
    found: dict[str, Cost] = {}
    for low in range(0, len(idents), IDS_A_QUERY):
        page = idents[low : low + IDS_A_QUERY]
        found |= {each.id: each for each in rows(tx, or_(cost.c.id.in_(page), cost.c.replaces.in_(page)))}
    return holding(found.values())


class Pricing:
    """What is known of the costs of some items' receipts, read once; `costs` is what valuation takes of one item."""

    def __init__(self, tx: Connection, register: Register, skus: Collection[str]) -> None:
        self._register = register
        shared = [*tx.scalars(_IDS_OF, {"skus": sorted(skus)})]
        landed = _landed(tx, shared)
        facts = {fact.movement_id: fact for fact in _facts(tx, {m for each in landed for m in each.receipts})}
        every = sorted({*skus, *(fact.sku for fact in facts.values())})
        prices = holding(rows(tx, cost.c.sku.in_(every)))
        self._own = {each.movement: each.amount for each in prices if each.movement is not None}
        self._dated: defaultdict[str, list[Cost]] = defaultdict(list)
        for each in prices:
            if each.sku is not None:
                self._dated[each.sku].append(each)
        ordered = [*tx.scalars(select(purchase_line.c.sku).where(purchase_line.c.sku.in_(every)).distinct())]
        self._ordered = purchases.prices(tx, ordered) if ordered else {}
        self._landed: defaultdict[str, Decimal] = defaultdict(Decimal)
        kinds = Kinds(register) if landed else None
        receipts = {ident: fact for ident, fact in facts.items() if kinds is not None and _came(kinds, fact)}
        for each in landed:
            self._spread(each, receipts)

    def _spread(self, landed: Cost, facts: dict[str, Row[Any]]) -> None:
        weights = dict(zip(landed.receipts, landed.weights, strict=True)) if landed.weights else {}
        bears: list[Bears] = []
        for ident in landed.receipts:
            if (fact := facts.get(ident)) is not None:
                moved = Moved(fact.at, ident, fact.lot, Decimal(fact.quantity), fact.source, fact.target, fact.reason)
                price = self._own.get(ident, self.usual(fact.sku, moved))
                bears.append(Bears(ident, moved.quantity, price, weights.get(ident)))
        for ident, part in spread(landed.amount, landed.share or "quantity", bears).items():
            self._landed[ident] += part

    def costs(self, sku: str) -> Costs:
        """What is known of one of the items."""
        return Costs(self._own, partial(self.usual, sku), self._landed)

    def usual(self, sku: str, moved: Moved) -> Decimal | None:
        """What one cost if nothing is declared of the receipt itself: declared of the item, ordered, as supplied."""
        price = dated(self._dated.get(sku, ()), moved.lot, moved.at)
        if price is None:
            price = self._ordered.get(moved.id)
        return price if price is not None else _supplied(self._register.get("items", sku, moved.at), moved.source)


def _came(kinds: Kinds, fact: Row[Any]) -> bool:
    """Whether a movement is a receipt: nothing else can bear what receipts cost, and its part would be lost."""
    kind = kinds.at(fact.at)
    return kind(fact.source) == SUPPLIER != kind(fact.target)


def _supplied(item: msgspec.Struct | None, source: str) -> Decimal | None:
    """The price of the supplier that it came from, else of the item's own supplier, else of the first with a price."""
    supplies = [each for each in item.supplies if each.price is not None] if isinstance(item, Item) else []
    for supplier in (source, item.supplier if isinstance(item, Item) else None):
        for each in supplies:
            if each.supplier == supplier:
                return each.price
    return supplies[0].price if supplies else None
