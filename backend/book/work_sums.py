"""What a work order has cost: the sum of its lines and moves, frozen as text when it is done or cancelled."""

import json
from decimal import Decimal

from sqlalchemy import Connection, select

from backend.book import work_issues
from backend.book.schema_work import work_cost
from models.maintenance.work_costs import ZERO, Costs

MONEY = ("labour", "parts", "other")


def costs(tx: Connection, ident: str) -> Costs:
    """Labour and other lines that count, and what was issued less what came back."""
    own = select(work_cost.c.kind, work_cost.c.amount).where(work_cost.c.order_id == ident)
    sums = {"labour": ZERO, "other": ZERO}
    for kind, amount in tx.execute(own.where(work_cost.c.withdrawn_why.is_(None))):
        sums[kind] += Decimal(amount)
    moves = work_issues.standing(work_issues.moves(tx, ident))
    parts = sum((Decimal(each.cost) for each in moves if each.cost is not None), ZERO)
    uncosted = sum(each.cost is None and each.what == "issued" for each in moves)
    return Costs(sums["labour"], parts, sums["other"], uncosted)


def freeze(found: Costs) -> str:
    """Costs as the one text of them."""
    money = {name: f"{getattr(found, name):.2f}" for name in (*MONEY, "total")}
    return json.dumps({**money, "uncosted": found.uncosted}, sort_keys=True)


def thaw(text: str) -> Costs:
    """The costs again."""
    kept = json.loads(text)
    labour, parts, other = (Decimal(kept[name]) for name in MONEY)
    return Costs(labour, parts, other, kept["uncosted"])


def added(found: list[Costs]) -> Costs:
    """The costs of several orders."""
    labour, parts, other = (sum((getattr(each, name) for each in found), ZERO) for name in MONEY)
    return Costs(labour, parts, other, sum(each.uncosted for each in found))
