"""Costs as they were recorded, and which of the movements that they name hold."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection, select

from backend.api import items_costs as items
from backend.api.answers import Paged
from backend.book import costs
from backend.book.schema_costs import cost, cost_receipt
from models.reading import from_micros
from models.units import quantity_text

Named = Annotated[str | None, Field(max_length=64)]


class CostAsk(Paged, frozen=True):
    """Of an item (shared ones too), or of a movement."""

    sku: Named = None
    movement: Named = None


def listed(tx: Connection, ask: CostAsk) -> list[items.Cost]:
    """Costs by n."""
    query = select(cost).where(cost.c.n > ask.after).order_by(cost.c.n).limit(ask.limit)
    if ask.sku is not None:
        shared = select(cost_receipt.c.cost_id).where(cost_receipt.c.sku == ask.sku)
        query = query.where((cost.c.sku == ask.sku) | cost.c.id.in_(shared))
    if ask.movement is not None:
        shared = select(cost_receipt.c.cost_id).where(cost_receipt.c.movement == ask.movement)
        query = query.where((cost.c.movement == ask.movement) | cost.c.id.in_(shared))
    rows = tx.execute(query).all()
    known = {each.id: each for each in costs.rows(tx, cost.c.id.in_([row.id for row in rows]))}
    later = select(cost.c.replaces, cost.c.id).where(cost.c.replaces.in_([*known]))
    replaced = {row.replaces: row.id for row in tx.execute(later)}
    named = {ident for each in known.values() for ident in (*each.receipts, each.movement) if ident is not None}
    holding = costs.holding_movements(tx, named)
    found: list[items.Cost] = []
    for row in rows:
        each = known[row.id]
        since = None if each.since is None else from_micros(each.since)
        names = [*each.receipts, *([each.movement] if each.movement is not None else [])]
        found.append(
            items.Cost(
                id=each.id,
                n=row.n,
                what=each.what,
                amount=quantity_text(each.amount),
                movement=each.movement,
                sku=row.sku,
                lot=each.lot,
                since=since,
                share=each.share,
                receipts=each.receipts,
                weights=[quantity_text(weight) for weight in each.weights],
                replaces=each.replaces,
                replaced_by=replaced.get(each.id),
                idle=[ident for ident in names if ident not in holding],
                note=each.note,
                actor=row.actor,
                recorded_at=from_micros(row.recorded_at),
            )
        )
    return found
