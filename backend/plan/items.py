"""What is due for an item: a reorder proposal with its alert, and the alert of a balance that cannot be."""

import json
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from sqlalchemy import select

from backend.book import proposals, schema
from backend.plan.rule import DAY_US, SECOND_US, Rule, View
from models.alert import Alert
from models.declared import Item, Location
from models.stock import reorder
from models.units import quantity_text

REVISED_AFTER_US = 600 * SECOND_US
REJECTION_HOLDS_US = DAY_US


class Position(Struct, frozen=True):
    """What there is of an item and on order, and the minimum and maximum that the register gives it, if any."""

    sku: str
    name: str
    on_hand: Decimal
    on_order: Decimal
    rule: reorder.Rule | None
    supplier: str | None

    @property
    def is_low(self) -> bool:
        return self.rule is not None and self.on_hand + self.on_order <= self.rule.minimum


class Shelf(Struct, frozen=True):
    """The places where the book says that less than nothing of an item is."""

    sku: str
    below: list[tuple[str, str, Decimal]]
    """(location, lot or "", on hand)."""


def load_positions(view: View, skus: Sequence[str]) -> list[tuple[str, Position]]:
    """The positions of items. One that the register does not know has no minimum.

    Nor has one that never was at any place: nothing is known of its stock, which is not the same as none.
    """
    held = _balances(view, skus)
    ordered = proposals.on_order(view.tx, proposals.suppliers(view.register, view.now))
    found: list[tuple[str, Position]] = []
    for sku in skus:
        body = view.register.get("items", sku, view.now)
        item = body if isinstance(body, Item) else Item(sku)
        rule = _rule(sku, item) if sku in held else None
        on_hand = sum((quantity for _, _, quantity in held.get(sku, [])), Decimal(0))
        waiting = ordered.get(sku, Decimal(0))
        facts = Position(sku, item.name, on_hand, waiting, rule, item.supplier)
        found.append((f"item:{sku}", facts))
    return found


def load_shelves(view: View, skus: Sequence[str]) -> list[tuple[str, Shelf]]:
    """The negative balances of items."""
    held = _balances(view, skus)
    return [(f"item:{sku}", Shelf(sku, [line for line in held.get(sku, []) if line[2] < 0])) for sku in skus]


def every_sku(view: View) -> list[str]:
    """Items of the register and of the ledger."""
    moved = view.tx.scalars(select(schema.balance.c.sku).distinct())
    return sorted({*view.register.all("items", view.now), *moved})


def low(facts: Position, _now: int) -> Alert | None:
    """At or below the minimum, whatever was proposed; what is approved counts as coming."""
    if facts.rule is None or not facts.is_low:
        return None
    position = quantity_text(facts.on_hand + facts.on_order)
    title = f"{facts.name}: {position} left, the minimum is {quantity_text(facts.rule.minimum)}"
    figures = {
        "sku": facts.sku,
        "on_hand": quantity_text(facts.on_hand),
        "on_order": quantity_text(facts.on_order),
        "reorder_min": quantity_text(facts.rule.minimum),
        "reorder_max": quantity_text(facts.rule.maximum),
    }
    return Alert("reorder", f"item:{facts.sku}", "warning", title, json.dumps(figures))


def negative(facts: Shelf, _now: int) -> Alert | None:
    """More left a place than ever came to it: something was not read, or was counted wrongly."""
    if not facts.below:
        return None
    places = ", ".join(f"{quantity_text(quantity)} at {location}" for location, _, quantity in facts.below)
    lines = [{"location": at, "lot": lot or None, "on_hand": quantity_text(q)} for at, lot, q in facts.below]
    detail = json.dumps({"sku": facts.sku, "balances": lines})
    return Alert("negative_stock", f"item:{facts.sku}", "warning", f"{facts.sku}: {places}", detail)


def settle_proposal(view: View, facts: Position) -> None:
    """Propose what is needed, withdraw what no longer is, and revise an open proposal whose figures have moved on."""
    present = proposals.last(view.tx, facts.sku)
    if present is not None and present.state == "open":
        wanted = _wanted(facts)
        if wanted is not None and (wanted.quantity == present.quantity or not _is_old(present, view.now)):
            return
        position = quantity_text(facts.on_hand + facts.on_order)
        need = f"{position} on hand and on order: " + ("no longer needed" if wanted is None else "revised")
        if not proposals.withdraw(view.tx, present.id, need, view.now):
            return
    elif present is not None and present.state == "rejected" and _stands(present, view.now):
        return
    wanted = _wanted(facts)
    if wanted is not None and facts.rule is not None:
        proposals.make(view.tx, wanted, facts.rule, facts.supplier, view.now)


def _wanted(facts: Position) -> reorder.Proposal | None:
    if facts.rule is None:
        return None
    return reorder.proposal(facts.rule, facts.on_hand, facts.on_order, is_open=False)


def _is_old(proposal: proposals.Last, now: int) -> bool:
    return now - proposal.made_at >= REVISED_AFTER_US


def _stands(rejected: proposals.Last, now: int) -> bool:
    return rejected.decided_at is not None and now - rejected.decided_at < REJECTION_HOLDS_US


def _rule(sku: str, item: Item) -> reorder.Rule | None:
    if item.reorder_min is None or item.reorder_max is None or item.reorder_max <= item.reorder_min:
        return None
    return reorder.Rule(sku, item.reorder_min, item.reorder_max, item.pack_size)


def _balances(view: View, skus: Sequence[str]) -> dict[str, list[tuple[str, str, Decimal]]]:
    """(location, lot, on hand) by item, of the places that are real."""
    places = view.register.all("locations", view.now)
    virtual = {ident for ident, body in places.items() if isinstance(body, Location) and body.virtual}
    found: dict[str, list[tuple[str, str, Decimal]]] = {}
    rows = select(schema.balance).where(schema.balance.c.sku.in_(skus)).order_by(schema.balance.c.location)
    for row in view.tx.execute(rows):
        if row.location not in virtual:
            found.setdefault(row.sku, []).append((row.location, row.lot, Decimal(row.on_hand)))
    return found


REORDER = Rule("reorder", "item", load_positions, low, everything=every_sku, settle=settle_proposal)
NEGATIVE_STOCK = Rule("negative_stock", "item", load_shelves, negative, everything=every_sku)
