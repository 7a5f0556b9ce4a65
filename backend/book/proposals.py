"""Reorder proposals in the book: made and withdrawn here by the planner, decided by a person."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import Connection, bindparam, func, insert, select, update

from backend.book import events, locks, schema
from models.stock.policy import Level
from models.stock.reorder import Proposal
from models.units import quantity_text

table = schema.proposal
ACTOR = "planner"
_NS = select(func.max(table.c.n)).where(table.c.sku.in_(bindparam("skus", expanding=True))).group_by(table.c.sku)
_NEWEST = select(table).where(table.c.n.in_(_NS))


@dataclass(frozen=True, slots=True)
class Last:
    """The newest proposal for an item."""

    id: str
    quantity: Decimal
    state: str
    made_at: int
    decided_at: int | None


def latest(tx: Connection, skus: Collection[str]) -> dict[str, Last]:
    """By item: the open proposal, or the one made last."""
    rows = tx.execute(_NEWEST, {"skus": sorted(skus)})
    return {row.sku: Last(row.id, Decimal(row.quantity), row.state, row.made_at, row.decided_at) for row in rows}


def make(tx: Connection, proposal: Proposal, level: Level, supplier: str | None, now: int) -> str:
    """A new open proposal; its id. The caller has seen that none of this item is open."""
    locks.number(tx)
    ident = str(uuid4())
    values = {
        "id": ident,
        "sku": proposal.sku,
        "quantity": quantity_text(proposal.quantity),
        "position": quantity_text(proposal.position),
        "reorder_min": quantity_text(level.reorder_point),
        "reorder_max": quantity_text(level.rule.maximum),
        "supplier": supplier,
        "reason": "; ".join([proposal.reason, *(level.reasons if level.method != "min_max" else [])]),
    }
    tx.execute(insert(table).values(**values, state="open", made_at=now))
    record(tx, ident, "made", (ACTOR, None), now)
    events.emit(tx, "proposal", {**values, "state": "open"}, now)
    return ident


def withdraw(tx: Connection, ident: str, reason: str, now: int) -> bool:
    """Take back an open proposal, saying why; False if a person was faster."""
    locks.number(tx)
    open_one = update(table).where(table.c.id == ident, table.c.state == "open")
    done = tx.execute(open_one.values(state="withdrawn", decided_at=now, decided_by=ACTOR))
    if done.rowcount == 1:
        record(tx, ident, "withdrawn", (ACTOR, reason), now)
        sku = tx.scalar(select(table.c.sku).where(table.c.id == ident))
        events.emit(tx, "proposal", {"id": ident, "sku": sku, "state": "withdrawn", "reason": reason}, now)
    return done.rowcount == 1


def record(tx: Connection, ident: str, what: str, by: tuple[str, str | None], now: int) -> None:
    """A step of a proposal's life, which nothing overwrites; `by` is who and why."""
    actor, note = by
    tx.execute(insert(schema.proposal_event).values(proposal_id=ident, at=now, what=what, actor=actor, note=note))
