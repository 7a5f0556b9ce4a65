"""What is due for an item: a reorder proposal with its alert, and the alert of a balance that cannot be."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlalchemy import bindparam, select

from backend.book import levels as kept_levels
from backend.book import lots, proposals, purchases, receipts, reservations, schema
from backend.book.levels import Measured
from backend.book.outside import outside
from backend.book.schema_lots import reservation
from backend.plan import levels
from backend.plan.rule import DAY_US, SECOND_US, Rule, View
from models.alert import Alert
from models.declared import Item
from models.stock import reorder
from models.stock.lot import standing
from models.stock.policy import Level
from models.stock.reorder import Holding
from models.units import quantity_text

REVISED_AFTER_US = 600 * SECOND_US
REJECTION_HOLDS_US = DAY_US
_PROMISED = select(reservation).where(
    reservation.c.state == "open", reservation.c.sku.in_(bindparam("skus", expanding=True))
)
_HELD = (
    select(schema.balance)
    .where(schema.balance.c.sku.in_(bindparam("skus", expanding=True)))
    .order_by(schema.balance.c.location)
)
Line = tuple[str, str, Decimal]
"""(location, lot or "", on hand)."""


class Position(Struct, frozen=True):
    """What there is of an item, on order and promised; its level, if there is one; and the proposal made last."""

    sku: str
    name: str
    holding: Holding
    measured: Measured | None
    supplier: str | None
    present: proposals.Last | None
    is_due: bool = True
    """Whether a decision may be made now: of method review, once in a period."""

    @property
    def level(self) -> Level | None:
        return self.measured.level if self.measured is not None and isinstance(self.measured.level, Level) else None

    @property
    def is_low(self) -> bool:
        return self.level is not None and self.holding.position <= self.level.reorder_point


class Shelf(Struct, frozen=True):
    """The places where the book says that less than nothing of an item is."""

    sku: str
    below: list[Line]


def load_positions(view: View, skus: Sequence[str]) -> list[tuple[str, Position]]:
    """The positions of items, after what has come for them was followed, and their levels, measured if it is time.

    One that never was at any place has none: nothing is known of its stock, which is not the same as none.
    """
    receipts.follow(view.tx, outside(view.register, view.now), view.now)
    held = _balances(view, skus)
    items = {sku: body for sku in skus if isinstance(body := view.register.get("items", sku, view.now), Item)}
    asked = {sku: levels.terms(view.register, items[sku], view.now) for sku in items if sku in held}
    measured = levels.current(view.tx, view.register, asked, view.now)
    levels.keep(view.tx, asked, measured, view.now)
    found = _positions(view, skus, held, measured)
    return [(f"item:{sku}", found[sku]) for sku in skus]


def positions(view: View, skus: Sequence[str], measured: Mapping[str, Measured]) -> dict[str, Position]:
    """The positions of items with these levels; nothing is written."""
    return _positions(view, skus, _balances(view, skus), measured)


def _positions(
    view: View, skus: Sequence[str], held: Mapping[str, list[Line]], measured: Mapping[str, Measured]
) -> dict[str, Position]:
    last = proposals.latest(view.tx, skus)  # before what is ordered: one that is approved meanwhile is still open here
    ordered, promised = purchases.on_order(view.tx, skus), _promised(view, skus, measured)
    found: dict[str, Position] = {}
    for sku in skus:
        body = view.register.get("items", sku, view.now)
        item = body if isinstance(body, Item) else Item(sku)
        holding = Holding(
            _usable(view, sku, held.get(sku, [])), ordered.get(sku, Decimal(0)), promised.get(sku, Decimal(0))
        )
        supplier = levels.terms(view.register, item, view.now).supplier
        level, present = measured.get(sku), last.get(sku)
        found[sku] = Position(sku, item.name, holding, level, supplier, present, _is_due(item, level, view.now))
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
    """At or below the reorder point, whatever was proposed; what is ordered counts as coming."""
    level = facts.level
    if level is None or not facts.is_low:
        return None
    there, what = facts.holding, "minimum" if level.method == "min_max" else "reorder point"
    title = f"{facts.name}: {quantity_text(there.position)} left, the {what} is {quantity_text(level.reorder_point)}"
    figures = {
        "sku": facts.sku,
        "on_hand": quantity_text(there.on_hand),
        "on_order": quantity_text(there.on_order),
        "reserved": quantity_text(there.reserved),
        "reorder_min": quantity_text(level.reorder_point),
        "reorder_max": quantity_text(level.rule.maximum),
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
    wanted, present, level = _wanted(facts), facts.present, facts.level
    if level is not None and level.method == "review" and facts.is_due:
        kept_levels.reviewed(view.tx, facts.sku, view.now)
    if present is not None and present.state == "open":
        if wanted is not None and (wanted.quantity == present.quantity or not _is_old(present, view.now)):
            return
        need = f"{facts.holding}: " + ("no longer needed" if wanted is None else "revised")
        if not proposals.withdraw(view.tx, present.id, need, view.now):
            return
    elif not facts.is_due or (present is not None and present.state == "rejected" and _stands(present, view.now)):
        return
    if wanted is not None and level is not None:
        proposals.make(view.tx, wanted, level, facts.supplier, view.now)


def _wanted(facts: Position) -> reorder.Proposal | None:
    return None if facts.level is None else reorder.proposal(facts.level.rule, facts.holding, is_open=False)


def _is_old(proposal: proposals.Last, now: int) -> bool:
    return now - proposal.made_at >= REVISED_AFTER_US


def _stands(rejected: proposals.Last, now: int) -> bool:
    return rejected.decided_at is not None and now - rejected.decided_at < REJECTION_HOLDS_US


def _is_due(item: Item, measured: Measured | None, now: int) -> bool:
    """Periods of a policy are counted from 1970, so that items of one period are decided about together."""
    days = None if item.reorder is None else item.reorder.review_days
    if days is None or measured is None or measured.reviewed_at is None:
        return True
    return measured.reviewed_at // (days * DAY_US) != now // (days * DAY_US)


def _balances(view: View, skus: Sequence[str]) -> dict[str, list[Line]]:
    """By item, of the places that are real."""
    virtual = outside(view.register, view.now).all
    found: dict[str, list[Line]] = {}
    for row in view.tx.execute(_HELD, {"skus": [*skus]}):
        if row.location not in virtual:
            found.setdefault(row.sku, []).append((row.location, row.lot, Decimal(row.on_hand)))
    return found


def _usable(view: View, sku: str, held: Sequence[Line]) -> Decimal:
    """On hand without the lots that are blocked or expired."""
    of_lots = {lot for _, lot, _ in held if lot}
    known = lots.known(view.tx, sku, of_lots, view.now) if of_lots else {}
    today = lots.day_of(view.now)
    blocked = {lot for lot, each in known.items() if standing(each, today) != "available"}
    return sum((quantity for _, lot, quantity in held if lot not in blocked), Decimal(0))


def _promised(view: View, skus: Sequence[str], measured: Mapping[str, Measured]) -> dict[str, Decimal]:
    """What is reserved and needed before an order of today would be here; without a lead time, all."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in view.tx.execute(_PROMISED, {"skus": sorted(skus)}):
        known = measured.get(row.sku)
        days = known.level.covered_days if known is not None and isinstance(known.level, Level) else None
        if days is None or row.need_at <= view.now + days * DAY_US:
            found[row.sku] += reservations.held(row).left
    return dict(found)


REORDER = Rule("reorder", "item", load_positions, low, everything=every_sku, settle=settle_proposal)
NEGATIVE_STOCK = Rule("negative_stock", "item", load_shelves, negative, everything=every_sku)
