"""A person approves or rejects a reorder proposal: once; the same decision again is harmless, another is a clash.

What is approved, as it was proposed or with changes, is a purchase order in the same transaction.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, select, update

from backend.api import items
from backend.api.answers import time_of
from backend.api.items_purchases import Approval
from backend.api.queries.decisions import one_proposal
from backend.book import events, levels, locks, proposals, purchases
from backend.book.purchases import Order, OrderLine
from backend.book.schema import proposal
from backend.book.schema_orders import purchase_line, purchase_order
from models.errors import Clash, NotFound
from models.ids import derived_id
from models.stock.demand import DAY_US
from models.stock.policy import Level
from models.units import parse_quantity

Verdict = Literal["approved", "rejected"]


class Edit(Struct, frozen=True, kw_only=True):
    """What is ordered otherwise than proposed; times in microseconds."""

    quantity: Decimal | None = None
    supplier: str | None = None
    price: Decimal | None = None
    expected_at: int | None = None

    @classmethod
    def of(cls, asked: Approval) -> "Edit":
        """As a person asked for it. Raises Refused."""
        return cls(
            quantity=None if asked.quantity is None else parse_quantity(asked.quantity),
            supplier=asked.supplier,
            price=None if asked.price is None else Decimal(asked.price),
            expected_at=None if asked.expected_at is None else time_of("expected_at", asked.expected_at),
        )


def decide(
    tx: Connection, ident: str, verdict: Verdict, stamp: tuple[str, str | None, int], edit: Edit | None = None
) -> items.Proposal:
    """Record the verdict; `stamp` is who, why, and when.

    Raises NotFound, or Clash if it was decided otherwise, or approved with other changes.
    """
    actor, reason, now = stamp
    edit = edit or Edit()
    locks.number(tx)
    found = one_proposal(tx, ident)
    if found is None:
        msg = f"proposals: nothing of id {ident!r}"
        raise NotFound(msg)
    if found.state == verdict:
        _check_same(tx, ident, edit)
        return found
    values = {"state": verdict, "decided_at": now, "decided_by": actor}
    open_one = update(proposal).where(proposal.c.id == ident, proposal.c.state == "open")
    if tx.execute(open_one.values(values)).rowcount != 1:
        msg = f"proposal {ident}: open expected, it is {found.state}"
        raise Clash(msg)
    proposals.record(tx, ident, verdict, (actor, reason), now)
    if verdict == "approved":
        purchases.put(tx, _order(tx, found, edit, now), actor, now)
    events.emit(tx, "proposal", {"id": ident, "sku": found.sku, "state": verdict, "by": actor}, now)
    events.changed(tx, f"item:{found.sku}", now)
    decided = one_proposal(tx, ident)
    assert decided is not None  # noqa: S101 - updated just now
    return decided


def _order(tx: Connection, found: items.Proposal, edit: Edit, now: int) -> Order:
    """Expected when the measured lead time has passed, unless a person says otherwise."""
    kept = levels.load(tx, [found.sku]).get(found.sku)
    lead_time = kept.level.lead_time if kept is not None and isinstance(kept.level, Level) else None
    due = None if lead_time is None else now + round(lead_time.mean * DAY_US)
    line = OrderLine(
        sku=found.sku,
        quantity=edit.quantity or Decimal(found.quantity),
        price=edit.price,
        expected_at=edit.expected_at or due,
    )
    return Order(
        id=derived_id("purchase", found.id),
        supplier=edit.supplier or found.supplier,
        ordered_at=now,
        lines=[line],
        proposal=found.id,
    )


def _check_same(tx: Connection, ident: str, edit: Edit) -> None:
    joined = purchase_line.join(purchase_order, purchase_line.c.order_id == purchase_order.c.id)
    made = select(purchase_line, purchase_order.c.supplier).select_from(joined)
    row = tx.execute(made.where(purchase_order.c.proposal == ident)).one_or_none()
    if row is None:
        return
    ordered = {
        "quantity": Decimal(row.quantity),
        "supplier": row.supplier,
        "price": None if row.price is None else Decimal(row.price),
        "expected_at": row.expected_at,
    }
    for name, value in ordered.items():
        asked = getattr(edit, name)
        if asked is not None and asked != value:
            msg = f"{name}: {value} expected, as it was approved with it, got {asked}"
            raise Clash(msg)
