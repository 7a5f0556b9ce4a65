"""What was spent on assets: each cost is classed by the rules when it is recorded, or by a person with a reason."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select

from backend.book import asset_facts, asset_marks, locks
from backend.book.schema_value import asset_cost, asset_cost_class
from models.assets.capital import Class, Nature, Spent, classify
from models.assets.policy import CENT
from models.declared import Asset
from models.errors import Clash, NotFound, Refused
from models.reading import from_micros
from models.register import Register

_CLASSES = (
    select(asset_cost_class)
    .where(asset_cost_class.c.cost_id.in_(bindparam("ids", expanding=True)))
    .order_by(asset_cost_class.c.n)
)


class Said(Struct, frozen=True):
    """What a person classed a cost as, and why."""

    as_: Class
    reason: str
    actor: str
    at: int


class AssetCost(Struct, frozen=True, kw_only=True):
    """One cost of an asset, by its day."""

    id: str
    asset: str
    at: date
    amount: Decimal
    nature: Nature
    extends_life: bool = False
    adds_capacity: bool = False
    document: str | None = None
    note: str | None = None


class Recorded(Struct, frozen=True, kw_only=True):
    """A cost with its number, what the rules class it as, and what people said of that later."""

    n: int
    cost: AssetCost
    by_rule: Class
    rule: str
    said: Sequence[Said]
    actor: str
    recorded_at: int

    @property
    def as_(self) -> Class:
        """What it is classed as now."""
        return self.said[-1].as_ if self.said else self.by_rule


def record(tx: Connection, known: Register, new: AssetCost, actor: str, now: int) -> Literal["created", "same"]:
    """Write a cost down; the same again is harmless. Raises Refused naming the field, or Clash."""
    locks.number(tx)
    asked = msgspec.json.encode(new, order="deterministic")
    row = tx.execute(select(asset_cost.c.asked).where(asset_cost.c.id == new.id)).one_or_none()
    if row is not None:
        if bytes(row.asked) != asked:
            msg = f"id: cost {new.id} is there with other content"
            raise Clash(msg)
        return "same"
    _check(known, new, now)
    spent = Spent(
        amount=new.amount,
        nature=new.nature,
        extends_life=new.extends_life,
        adds_capacity=new.adds_capacity,
        is_gone=_is_gone(tx, known, new, now),
    )
    classed = classify(spent)
    said = {"nature": new.nature, "as_": classed.as_, "reason": classed.reason, "actor": actor, "recorded_at": now}
    values = {"id": new.id, "asset": new.asset, "at": new.at.isoformat(), "amount": f"{new.amount:f}"}
    tx.execute(insert(asset_cost).values(**values, **said, asked=asked))
    asset_marks.mark(tx, [new.asset])
    return "created"


def reclassify(tx: Connection, known: Register, ident: str, said: Said) -> Recorded:
    """A person classes a cost, from when it was spent; the same again is harmless.

    Raises NotFound, or Refused where the asset that it should join was gone by then.
    """
    locks.number(tx)
    found = listed(tx, asset_cost.c.id == ident)
    if not found:
        msg = f"asset-costs: nothing of id {ident!r}"
        raise NotFound(msg)
    if found[0].as_ == said.as_:
        return found[0]
    if said.as_ == "capex" and _is_gone(tx, known, found[0].cost, said.at):
        msg = f"class: opex expected, {found[0].cost.asset} was gone by then"
        raise Refused(msg)
    values = {"cost_id": ident, "as_": said.as_, "reason": said.reason, "actor": said.actor, "recorded_at": said.at}
    tx.execute(insert(asset_cost_class).values(**values))
    asset_marks.mark(tx, [found[0].cost.asset])
    return listed(tx, asset_cost.c.id == ident)[0]


def listed(tx: Connection, *which: ColumnElement[bool], limit: int | None = None) -> list[Recorded]:
    """Costs by n."""
    rows = tx.execute(select(asset_cost).where(*which).order_by(asset_cost.c.n).limit(limit)).all()
    said: dict[str, list[Said]] = {}
    for each in tx.execute(_CLASSES, {"ids": [row.id for row in rows]}):
        said.setdefault(each.cost_id, []).append(Said(each.as_, each.reason, each.actor, each.recorded_at))
    return [_of_row(row, said.get(row.id, [])) for row in rows]


def _of_row(row: Row[Any], said: Sequence[Said]) -> Recorded:
    return Recorded(
        n=row.n,
        cost=msgspec.json.decode(row.asked, type=AssetCost),
        by_rule=row.as_,
        rule=row.reason,
        said=said,
        actor=row.actor,
        recorded_at=row.recorded_at,
    )


def _is_gone(tx: Connection, known: Register, cost: AssetCost, now: int) -> bool:
    facts = asset_facts.facts(tx, known, [cost.asset], now).get(cost.asset)
    return facts is not None and facts.left is not None and cost.at > facts.left.at


def _check(known: Register, new: AssetCost, now: int) -> None:
    body = known.get("assets", new.asset, now)
    if not isinstance(body, Asset) or body.acquired is None:
        msg = f"asset: one that was acquired expected, got {new.asset!r}"
        raise Refused(msg)
    if new.at > from_micros(now).date():
        msg = f"at: a day that has come expected, got {new.at}"
        raise Refused(msg)
    check_cents("amount", new.amount)
    if not new.amount:
        msg = "amount: not 0 expected; what is taken back is below"
        raise Refused(msg)


def check_cents(field: str, amount: Decimal) -> None:
    """Raises Refused for what is not an amount of at most 12 digits in whole cents."""
    if not amount.is_finite() or abs(amount).adjusted() >= 12 or amount != amount.quantize(CENT):  # noqa: PLR2004 - digits
        msg = f"{field}: whole cents of at most 12 digits expected, got {str(amount)[:40]}"
        raise Refused(msg)
