"""The reorder levels of items: measured from the ledger and the receipts, kept for a week, made anew if asked anew."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, or_, select

from backend.book import levels, receipts
from backend.book.levels import Measured
from backend.book.outside import Outside, outside
from backend.book.schema import movement
from models.declared import Item, Supplier
from models.declared_reorder import ReorderPolicy
from models.declared_stock import Supply
from models.register import Register
from models.stock import demand, lead_time, policy
from models.stock.demand import DAY_US, Out
from models.stock.lead_time import LeadTime
from models.stock.policy import Facts

REMEASURED_AFTER_US = 7 * DAY_US
LEAD_WINDOW_US = 730 * DAY_US
_FIXED = ReorderPolicy(method="min_max")
_FIRST = (
    select(movement.c.sku, func.min(movement.c.at))
    .where(movement.c.sku.in_(bindparam("skus", expanding=True)))
    .group_by(movement.c.sku)
)
_MOVED = select(
    movement.c.movement_id, movement.c.sku, movement.c.at, movement.c.quantity, movement.c.source, movement.c.target
).where(movement.c.sku.in_(bindparam("skus", expanding=True)), movement.c.at >= bindparam("since"))


class Terms(Struct, frozen=True):
    """Everything that the register says of an item's reordering: a level holds as long as this does."""

    policy: ReorderPolicy
    supplier: str | None
    pack: Decimal
    minimum_order: Decimal
    price: Decimal | None
    lead_days: int | None
    whole: bool
    minimum: Decimal | None
    maximum: Decimal | None


def terms(register: Register, item: Item, now: int) -> Terms:
    """An item's terms: of its own supplier's supply, else of the first."""
    supply = next((each for each in item.supplies if each.supplier == item.supplier), None)
    if supply is None and item.supplier is None:
        supply = next(iter(item.supplies), None)
    said = supply or Supply(item.supplier or "", item.pack_size)
    supplier = said.supplier or None
    known = register.get("suppliers", supplier, now) if supplier is not None else None
    lead_days = said.lead_time_days
    if lead_days is None and isinstance(known, Supplier):
        lead_days = known.lead_time_days
    return Terms(
        policy=item.reorder or _FIXED,
        supplier=supplier,
        pack=said.pack_size,
        minimum_order=said.minimum_order,
        price=said.price,
        lead_days=lead_days,
        whole=item.whole,
        minimum=item.reorder_min,
        maximum=item.reorder_max,
    )


def current(tx: Connection, register: Register, asked: Mapping[str, Terms], now: int) -> dict[str, Measured]:
    """The level of each item by its terms; measured now (and not kept) where what is kept is old or for other terms."""
    wanted = {sku: msgspec.json.encode(each) for sku, each in asked.items()}
    measuring = [sku for sku, each in asked.items() if each.policy.method != "min_max"]
    kept = levels.load(tx, measuring) if measuring else {}
    found = {sku: kept[sku] for sku in measuring if sku in kept and _is_fresh(kept[sku], wanted[sku], now)}
    stale = {sku: asked[sku] for sku in measuring if sku not in found}
    facts = _facts(tx, stale, outside(register, now), now)
    for sku, each in asked.items():
        if sku not in found:
            level = policy.level(each.policy, facts.get(sku) or _of_terms(sku, each))
            before = kept.get(sku)
            found[sku] = Measured(sku, wanted[sku], now, level, before.reviewed_at if before is not None else None)
    return found


def keep(tx: Connection, asked: Mapping[str, Terms], found: Mapping[str, Measured], now: int) -> None:
    """Write down what was measured just now."""
    new = [each for sku, each in found.items() if each.measured_at == now and asked[sku].policy.method != "min_max"]
    levels.save(tx, new)


def _is_fresh(kept: Measured, wanted: bytes, now: int) -> bool:
    return kept.asked == wanted and 0 <= now - kept.measured_at < REMEASURED_AFTER_US


def _of_terms(sku: str, asked: Terms, used: demand.Demand | None = None, lead: LeadTime | None = None) -> Facts:
    return Facts(
        sku=sku,
        demand=used,
        lead_time=lead,
        whole=asked.whole,
        pack=asked.pack,
        minimum_order=asked.minimum_order,
        unit_cost=asked.price,
        minimum=asked.minimum,
        maximum=asked.maximum,
    )


def _facts(tx: Connection, asked: Mapping[str, Terms], places: Outside, now: int) -> dict[str, Facts]:
    """What is measured of items."""
    if not asked:
        return {}
    longest = max(each.policy.window_days for each in asked.values())
    first: dict[str, int] = {row[0]: row[1] for row in tx.execute(_FIRST, {"skus": sorted(asked)})}
    used = used_of(tx, asked, places, now - longest * DAY_US)
    leads: dict[tuple[str | None, str, int | None], LeadTime | None] = {}
    found: dict[str, Facts] = {}
    for sku, each in asked.items():
        since = max(now - each.policy.window_days * DAY_US, first.get(sku, now))
        key = (each.supplier, "" if each.supplier is not None else sku, each.lead_days)
        if key not in leads:
            leads[key] = _lead_time(tx, each, sku, now)
        found[sku] = _of_terms(sku, each, demand.measure(used.get(sku, []), since, now), leads[key])
    return found


def _lead_time(tx: Connection, asked: Terms, sku: str, now: int) -> LeadTime | None:
    rows = tx.execute(receipts.spans(asked.supplier, sku, now - LEAD_WINDOW_US))
    spans = [row.last_at - row.ordered_at for row in rows]
    return lead_time.measure(spans, asked.lead_days)


def used_of(tx: Connection, skus: Collection[str], places: Outside, since: int) -> dict[str, list[tuple[int, Decimal]]]:
    """By item: the pieces that were asked for since a time; what was reversed was not."""
    ends = or_(movement.c.source.in_(places.users), movement.c.target.in_(places.users))
    sums: dict[tuple[str, int, str], Decimal] = {}
    for fact, sku, at, quantity, source, target in tx.execute(
        _MOVED.where(ends), {"skus": sorted(skus), "since": since}
    ):
        if source in places.all and target in places.all:
            continue
        sign = 1 if target in places.users else -1
        key = (sku, at, fact)
        sums[key] = sums.get(key, Decimal(0)) + sign * Decimal(quantity)
    outs: defaultdict[str, list[Out]] = defaultdict(list)
    for (sku, at, fact), quantity in sums.items():
        if quantity:
            outs[sku].append(Out(at, fact, quantity))
    return {sku: demand.pieces(each) for sku, each in outs.items()}
