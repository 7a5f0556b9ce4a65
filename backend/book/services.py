"""Services and repairs in the book: recorded once, withdrawn with a reason if that was a mistake, never deleted.

What is withdrawn counts no more: neither for what is due nor as a failure.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book import events, locks, service_results
from backend.book.schema import service_done as table
from models.errors import Clash, NotFound
from models.maintenance.done import Done, check
from models.register import Register
from models.units import quantity_text

Outcome = Literal["created", "same"]
Stamp = tuple[str, int]
"""Who says so, and when."""
_DONE = (
    select(table.c.asset, table.c.plan, table.c.at, table.c.id)
    .where(
        table.c.asset.in_(bindparam("assets", expanding=True)),
        table.c.kind == "service",
        table.c.withdrawn_at.is_(None),
        table.c.at <= bindparam("until"),
    )
    .order_by(table.c.at, table.c.id)
)


def record(tx: Connection, register: Register, done: Done, stamp: Stamp) -> Outcome:
    """Somebody did this. The same again is harmless, also when it was withdrawn since: then it stays so.

    Raises Refused naming the field, or Clash if the id has other content.
    """
    locks.number(tx)
    if (row := _row(tx, done.id)) is not None:
        return _same(tx, row, done)
    actor, now = stamp
    check(done, register, now)
    values = {**_values(done), "actor": actor, "recorded_at": now}
    if tx.scalar(insert_or_ignore(table).values(values).on_conflict_do_nothing().returning(table.c.n)) is None:
        return _same(tx, tx.execute(_one(done.id)).one(), done)
    service_results.save(tx, done)
    _tell(tx, done.id, "recorded", stamp)
    return "created"


def withdraw(tx: Connection, ident: str, why: str, stamp: Stamp) -> None:
    """It was recorded by mistake. Again is harmless, the first reason stays. Raises NotFound."""
    locks.number(tx)
    row = _row(tx, ident)
    if row is None:
        msg = f"services: nothing of id {ident!r}"
        raise NotFound(msg)
    actor, now = stamp
    standing = update(table).where(table.c.id == ident, table.c.withdrawn_at.is_(None))
    values = {"withdrawn_at": now, "withdrawn_by": actor, "withdrawn_why": why}
    if tx.execute(standing.values(values)).rowcount == 1:
        _tell(tx, ident, "withdrawn", stamp)


def done_by_plan(tx: Connection, assets: Iterable[str], until: int) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """(at, id) of the services that count, by asset and plan, in order of time; `until` included."""
    found: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for asset, plan, at, ident in tx.execute(_DONE, {"assets": sorted(assets), "until": until}).all():
        found[asset, plan].append((at, ident))
    return dict(found)


def _one(ident: str) -> Select[Any]:
    return select(table).where(table.c.id == ident)


def _row(tx: Connection, ident: str) -> Row[Any] | None:
    return tx.execute(_one(ident).with_for_update()).one_or_none()


def _same(tx: Connection, row: Row[Any], done: Done) -> Outcome:
    if service_results.completed(tx, held(row)) != done:
        msg = f"service {done.id}: it is there with other content"
        raise Clash(msg)
    return "same"


def held(row: Row[Any]) -> Done:
    """What a row of the table says was done."""
    fields = ("id", "asset", "kind", "plan", "component", "at", "failed_at", "note")
    hours = None if row.hours is None else Decimal(row.hours)
    return Done(**{field: getattr(row, field) for field in fields}, hours=hours)


def _values(done: Done) -> dict[str, Any]:
    fields = ("id", "asset", "kind", "plan", "component", "at", "failed_at", "note")
    hours = None if done.hours is None else quantity_text(done.hours)
    return {field: getattr(done, field) for field in fields} | {"hours": hours}


def _tell(tx: Connection, ident: str, what: str, stamp: Stamp) -> None:
    actor, now = stamp
    row = tx.execute(_one(ident)).one()
    fields = ("id", "asset", "kind", "plan", "component", "at")
    events.emit(tx, "service", {field: getattr(row, field) for field in fields} | {"what": what, "by": actor}, now)
    events.changed(tx, f"asset:{row.asset}", now)
