"""Risks in the book: what a model said of an asset at a time, one row for each (asset, model, time).

Beside them what they stand on: the repairs of the component, each the beginning of another life.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.schema import risk, service_done
from models.predict.alarm import Reason

COMPONENT = "gearbox"
_REASONS = msgspec.json.Decoder(tuple[Reason, ...])
_KEY = ("asset", "model", "at")


class Risk(Struct, frozen=True, kw_only=True):
    """One row. Times are microseconds."""

    asset: str
    model: str
    """Name and version: gearbox/failure/0123456789ab."""
    at: int
    state: str
    """`scored` or `not_enough_data`."""
    risk: float | None = None
    threshold: float | None = None
    reasons: tuple[Reason, ...] = ()
    missing: str | None = None
    """What is not enough, "n of m"."""
    overhauled_at: int | None = None
    """The last repair that this knew of."""
    complete_to: int


class Repair(Struct, frozen=True):
    """A repair of the component; `failed_at` is None where nothing had failed."""

    at: int
    failed_at: int | None


def save(tx: Connection, rows: Sequence[Risk]) -> None:
    """Write them. What was said of the same time before, by this model or another, is gone."""
    if rows:
        others = and_(risk.c.asset == bindparam("of"), risk.c.at == bindparam("then"), risk.c.model != bindparam("by"))
        tx.execute(delete(risk).where(others), [{"of": row.asset, "then": row.at, "by": row.model} for row in rows])
        statement = upsert(risk)
        changes = {column.name: statement.excluded[column.name] for column in risk.c if column.name not in _KEY}
        values = [msgspec.structs.asdict(row) | {"reasons": msgspec.json.encode(row.reasons).decode()} for row in rows]
        tx.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changes), values)


def newest(tx: Connection, assets: Sequence[str] | None = None) -> dict[str, Risk]:
    """The newest row of each asset, or of each of these, whichever model said it."""
    last = select(risk.c.asset, func.max(risk.c.at).label("at")).group_by(risk.c.asset)
    of = (last if assets is None else last.where(risk.c.asset.in_(assets))).subquery()
    same = and_(risk.c.asset == of.c.asset, risk.c.at == of.c.at)
    rows = tx.execute(select(risk).join(of, same).order_by(risk.c.asset)).mappings()
    return {row["asset"]: _risk(row) for row in rows}


def since(tx: Connection, asset: str, begin: int, limit: int) -> list[Risk]:
    """What was said of an asset from a time on, the oldest first, at most so much."""
    rows = select(risk).where(risk.c.asset == asset, risk.c.at >= begin).order_by(risk.c.at)
    return [_risk(row) for row in tx.execute(rows.limit(limit)).mappings()]


def repairs(tx: Connection, assets: Sequence[str], until: int) -> dict[str, list[Repair]]:
    """The repairs of the component up to a time that are not withdrawn, by asset, the oldest first."""
    table = service_done.c
    rows = select(table.asset, table.at, table.failed_at).where(
        table.asset.in_(assets),
        table.kind == "repair",
        table.component == COMPONENT,
        table.at <= until,
        table.withdrawn_at.is_(None),
    )
    found: dict[str, list[Repair]] = {asset: [] for asset in assets}
    for asset, at, failed_at in tx.execute(rows.order_by(table.at, table.n)):
        found[asset].append(Repair(at, failed_at))
    return found


def _risk(row: Mapping[Any, Any]) -> Risk:
    values: dict[str, Any] = {**row, "reasons": _REASONS.decode(row["reasons"])}
    return Risk(**values)
