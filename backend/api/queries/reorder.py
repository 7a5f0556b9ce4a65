"""Why an item is reordered when it is: its position, its level with all figures, and the service that was reached."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from pydantic import Field
from sqlalchemy import Connection, or_, select

from backend.api import items_purchases as shapes
from backend.api.answers import Ask
from backend.book.levels import Measured
from backend.book.outside import Outside, outside
from backend.book.schema import balance, movement
from backend.plan import items as plan
from backend.plan import levels
from backend.plan.rule import View
from models.declared import Item
from models.declared_reorder import ReorderPolicy
from models.reading import from_micros
from models.register import Register
from models.stock import cycles
from models.stock.cycles import Reached, Step
from models.stock.demand import DAY_US, Demand
from models.stock.policy import Level, Unknown
from models.units import quantity_text

YEAR_US = 365 * DAY_US


class ReorderAsk(Ask, frozen=True):
    """Which items: one, or those after a SKU, at most so many."""

    sku: str | None = Field(None, max_length=64)
    after: str = Field("", max_length=64, description="sku of the last item seen")
    limit: int = Field(100, ge=1, le=500, description="items at most")


def asked_for(register: Register, ask: ReorderAsk, now: int) -> list[str]:
    """Items of the register, by SKU."""
    if ask.sku is not None:
        return [ask.sku] if isinstance(register.get("items", ask.sku, now), Item) else []
    return [sku for sku in register.all("items", now) if sku > ask.after][: ask.limit]


def reorder(tx: Connection, register: Register, skus: Sequence[str], now: int) -> list[shapes.Reorder]:
    """How items stand; measured now where what the planner measured is older than a week. Nothing is written."""
    view = View(tx, register, now)
    items = {sku: body for sku in skus if isinstance(body := register.get("items", sku, now), Item)}
    known = set(tx.scalars(select(balance.c.sku).where(balance.c.sku.in_(skus))))
    asked = {sku: levels.terms(register, item, now) for sku, item in items.items() if sku in known}
    measured = levels.current(tx, register, asked, now)
    found = plan.positions(view, list(items), measured)
    reached = reached_of(tx, list(items), outside(register, now), now)
    return [_answer(found[sku], items[sku], measured.get(sku), reached[sku]) for sku in items]


def reached_of(tx: Connection, skus: Sequence[str], places: Outside, now: int) -> dict[str, Reached]:
    """By item: the replenishment cycles that ended in the last year."""
    real = (movement.c.source.not_in(places.all), movement.c.target.not_in(places.all))
    query = select(movement).where(movement.c.sku.in_(skus), or_(*real))
    sums: dict[tuple[str, int, str], tuple[Decimal, bool]] = {}
    for row in tx.execute(query):
        inward = row.source in places.all
        if inward == (row.target in places.all):
            continue
        key = (row.sku, row.at, row.movement_id)
        is_receipt = row.source in places.suppliers or row.target in places.suppliers
        before = sums.get(key, (Decimal(0), is_receipt))[0]
        sums[key] = (before + (Decimal(row.quantity) if inward else -Decimal(row.quantity)), is_receipt)
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    for (sku, at, _), (change, is_receipt) in sums.items():
        if change:
            steps[sku].append(Step(at, change, is_receipt))
    return {sku: cycles.reached(steps[sku], now - YEAR_US) for sku in skus}


def _answer(facts: plan.Position, item: Item, measured: Measured | None, reached: Reached) -> shapes.Reorder:
    there, level, policy = facts.holding, facts.level, item.reorder
    return shapes.Reorder(
        sku=facts.sku,
        name=facts.name,
        supplier=facts.supplier,
        on_hand=quantity_text(there.on_hand),
        on_order=quantity_text(there.on_order),
        reserved=quantity_text(there.reserved),
        position=quantity_text(there.position),
        method=None if level is None else level.method,
        reorder_point=None if level is None else quantity_text(level.reorder_point),
        order_up_to=None if level is None else quantity_text(level.rule.maximum),
        lot=None if level is None else quantity_text(level.lot),
        safety_stock=None if level is None or level.safety_stock is None else quantity_text(level.safety_stock),
        undershoot=None if level is None else level.undershoot,
        demand=None if level is None or level.demand is None else _demand(level.demand),
        lead_time=None if level is None else _lead_time(level),
        measured_at=None
        if measured is None or level is None or level.demand is None
        else from_micros(measured.measured_at),
        service=_service(policy, level, reached),
        proposal=facts.present.id if facts.present is not None and facts.present.state == "open" else None,
        reasons=[] if level is None else level.reasons,
        missing=_missing(measured),
    )


def _missing(measured: Measured | None) -> str | None:
    if measured is None:
        return "never seen at any place: nothing is known of its stock"
    return measured.level.reason if isinstance(measured.level, Unknown) else None


def _demand(used: Demand) -> shapes.DemandRead:
    return shapes.DemandRead(used.days, used.pieces, used.mean, used.sd, used.size, used.interval_days, used.croston)


def _lead_time(level: Level) -> shapes.LeadTimeRead | None:
    lead = level.lead_time
    return None if lead is None else shapes.LeadTimeRead(lead.mean, lead.sd, lead.samples, lead.source)


def _service(policy: ReorderPolicy | None, level: Level | None, reached: Reached) -> shapes.Service:
    aims = policy is not None and policy.method != "min_max"
    return shapes.Service(
        target=float(policy.service) if policy is not None and aims else None,
        of=policy.target if policy is not None and aims else None,
        expected_cycle=None if level is None else level.cycle_service,
        expected_fill=None if level is None else level.fill_rate,
        cycles=reached.cycles,
        empty=reached.empty,
        reached=reached.service,
    )
