"""Reorder proposals in the book: made and withdrawn here by the planner, decided by a person; and what is on order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, or_, select, update

from backend.book import events, locks, schema
from models.declared import Device
from models.register import Register
from models.stock.reorder import Proposal, Rule
from models.units import quantity_text

table = schema.proposal
ACTOR = "planner"


@dataclass(frozen=True, slots=True)
class Last:
    """The newest proposal for an item."""

    id: str
    quantity: Decimal
    state: str
    made_at: int
    decided_at: int | None


def last(tx: Connection, sku: str) -> Last | None:
    """The open proposal for an item, or the one made last."""
    row = tx.execute(select(table).where(table.c.sku == sku).order_by(table.c.n.desc()).limit(1)).one_or_none()
    return None if row is None else Last(row.id, Decimal(row.quantity), row.state, row.made_at, row.decided_at)


def make(tx: Connection, proposal: Proposal, rule: Rule, supplier: str | None, now: int) -> str:
    """A new open proposal; its id. The caller has seen that none of this item is open."""
    locks.number(tx)
    ident = str(uuid4())
    values = {
        "id": ident,
        "sku": proposal.sku,
        "quantity": quantity_text(proposal.quantity),
        "position": quantity_text(proposal.position),
        "reorder_min": quantity_text(rule.minimum),
        "reorder_max": quantity_text(rule.maximum),
        "supplier": supplier,
        "reason": proposal.reason,
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


def suppliers(register: Register, at: int) -> set[str]:
    """The locations that what is ordered comes from: named by the doors and the desks."""
    devices = [body for body in register.all("devices", at).values() if isinstance(body, Device)]
    doors = {device.door.outside_in for device in devices if device.door is not None}
    return doors | {device.desk.supplier for device in devices if device.desk is not None}


def on_order(tx: Connection, sources: Iterable[str]) -> dict[str, Decimal]:
    """By item: what was approved and has not come since. `sources` are the `suppliers`.

    What comes fills the oldest order first; what comes while nothing is on order fills none.
    """
    approved = select(table.c.sku, table.c.quantity, table.c.decided_at).where(table.c.state == "approved")
    moves: defaultdict[str, list[tuple[int, Decimal]]] = defaultdict(list)
    for sku, quantity, decided_at in tx.execute(approved):
        moves[sku].append((decided_at, Decimal(quantity)))
    from_there = set(sources)
    for sku, ordered in moves.items():
        received: defaultdict[int, Decimal] = defaultdict(Decimal)
        for row in _between(tx, sku, min(at for at, _ in ordered), from_there):
            sign = 1 if row.source in from_there else -1
            received[row.at] += sign * Decimal(row.quantity)
        ordered += [(at, -quantity) for at, quantity in received.items()]
    return {sku: outstanding(timeline) for sku, timeline in moves.items()}


def outstanding(timeline: Iterable[tuple[int, Decimal]]) -> Decimal:
    """What is left of orders (positive) after receipts (negative), in time; more than was ordered fills nothing.

    >>> outstanding([(1, Decimal(40)), (2, Decimal(-50)), (3, Decimal(40)), (4, Decimal(-10))])
    Decimal('30')
    """
    left = Decimal(0)
    for _, quantity in sorted(timeline, key=lambda step: (step[0], -step[1])):
        left = max(Decimal(0), left + quantity)
    return left


def _between(tx: Connection, sku: str, since: int, sources: set[str]) -> Sequence[Row[int, str, str]]:
    moved = schema.movement.c
    either = or_(moved.source.in_(sources), moved.target.in_(sources))
    received = select(moved.at, moved.quantity, moved.source).where(moved.sku == sku, moved.at >= since, either)
    return tx.execute(received).all()
