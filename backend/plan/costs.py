"""Stock that nobody knows the cost of: it stands at 0 in the books until somebody says what it cost."""

import json
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import select

from backend.book.schema_costs import value_month
from backend.plan.rule import Rule, View
from models.alert import Alert

NAMED = 20


class Uncosted(Struct, frozen=True):
    """Movements of an item that stand at 0, the first of each month; and whether anything of it ever was worth more.

    Where nobody ever said what an item costs, nobody asks what it is worth: reports list it, and nothing is amiss.
    """

    sku: str
    movements: list[str]
    is_valued: bool


def load(view: View, skus: Sequence[str]) -> list[tuple[str, Uncosted]]:
    """What of these items has no cost."""
    found: dict[str, list[str]] = {sku: [] for sku in skus}
    query = select(value_month.c.sku, value_month.c.uncosted).where(value_month.c.sku.in_(skus))
    for sku, names in view.tx.execute(query.where(value_month.c.uncosted != "[]").order_by(value_month.c.month)):
        found[sku] += json.loads(names)
    worth = select(value_month.c.sku).where(value_month.c.sku.in_(skus), value_month.c.value != "0").distinct()
    valued = {*view.tx.scalars(worth)}
    return [(f"item:{sku}", Uncosted(sku, names, sku in valued)) for sku, names in found.items()]


def every_sku(view: View) -> list[str]:
    """Items of which something has no cost."""
    return [*view.tx.scalars(select(value_month.c.sku).where(value_month.c.uncosted != "[]").distinct())]


def uncosted(facts: Uncosted, _now: int) -> Alert | None:
    """Until every receipt has a price, or the item a supplier's."""
    if not facts.movements or not facts.is_valued:
        return None
    return Alert(
        rule=UNCOSTED.name,
        subject=f"item:{facts.sku}",
        severity="warning",
        title=f"{facts.sku}: nobody knows what {len(facts.movements)} of its movements cost; what came so stands at 0",
        detail=json.dumps({"movements": facts.movements[:NAMED]}),
    )


UNCOSTED = Rule(name="uncosted", of="item", load=load, judge=uncosted, everything=every_sku)
