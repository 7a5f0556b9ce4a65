"""What stopped machines, in the book: told by people or work orders, withdrawn with a reason, never deleted."""

from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book import events, locks
from backend.book.schema_use import downtime as table
from models.errors import Clash, NotFound, Refused
from models.maintenance.stops import Stop
from models.reading import from_micros

Outcome = Literal["created", "same"]
Stamp = tuple[str, int]
"""Who says so, and when."""
_FIELDS = ("id", "asset", "begin_at", "end_at", "planned", "reason", "work_order")


def begin(tx: Connection, stop: Stop, stamp: Stamp) -> Outcome:
    """A machine stands, or stood. The same again is harmless, also once it has ended. Raises Refused, Clash."""
    if stop.end_at is not None and stop.end_at <= stop.begin_at:
        msg = f"end: a time after begin expected, got {from_micros(stop.end_at).isoformat()}"
        raise Refused(msg)
    locks.number(tx)
    actor, now = stamp
    values = {field: getattr(stop, field) for field in _FIELDS} | {"actor": actor, "recorded_at": now}
    if tx.scalar(insert_or_ignore(table).values(values).on_conflict_do_nothing().returning(table.c.n)) is None:
        kept = _held(_row(tx, stop.id))
        if stop not in {kept, _begun(kept)}:
            msg = f"downtime {stop.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    _tell(tx, stop.id, "begun" if stop.end_at is None else "recorded", stamp)
    return "created"


def end(tx: Connection, ident: str, at: int, stamp: Stamp) -> None:
    """It runs again. Harmless when repeated; another time is a Clash, a time not after its begin is Refused."""
    locks.number(tx)
    row = _row(tx, ident)
    if row.end_at == at:
        return
    if row.end_at is not None:
        msg = f"downtime {ident}: it ended at {from_micros(row.end_at).isoformat()}"
        raise Clash(msg)
    if at <= row.begin_at:
        msg = f"end: a time after {from_micros(row.begin_at).isoformat()} expected, got {from_micros(at).isoformat()}"
        raise Refused(msg)
    tx.execute(update(table).where(table.c.id == ident).values(end_at=at, ended_by=stamp[0]))
    _tell(tx, ident, "ended", stamp)


def withdraw(tx: Connection, ident: str, why: str, stamp: Stamp) -> None:
    """It was recorded by mistake. Again is harmless, the first reason stays. Raises NotFound."""
    locks.number(tx)
    if _row(tx, ident).withdrawn_at is None:
        values = {"withdrawn_at": stamp[1], "withdrawn_by": stamp[0], "withdrawn_why": why}
        tx.execute(update(table).where(table.c.id == ident).values(values))
        _tell(tx, ident, "withdrawn", stamp)


def one(tx: Connection, ident: str) -> Stop:
    """A stop by its id, withdrawn or not. Raises NotFound."""
    return _held(_row(tx, ident))


def of(tx: Connection, asset: str, since: int, until: int) -> list[Stop]:
    """The stops of an asset that reach into a window, the oldest first; what was withdrawn is left out."""
    return by_asset(tx, [asset], since, until)


def by_asset(tx: Connection, assets: Iterable[str], since: int, until: int) -> list[Stop]:
    """The same of several assets."""
    reaches = (table.c.begin_at < until, or_(table.c.end_at.is_(None), table.c.end_at > since))
    rows = select(table).where(table.c.asset.in_(sorted({*assets})), *reaches, table.c.withdrawn_at.is_(None))
    return [_held(row) for row in tx.execute(rows.order_by(table.c.begin_at, table.c.id))]


def _one(ident: str) -> Select[Any]:
    return select(table).where(table.c.id == ident)


def _row(tx: Connection, ident: str) -> Row[Any]:
    row = tx.execute(_one(ident).with_for_update()).one_or_none()
    if row is None:
        msg = f"downtime: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def _held(row: Row[Any]) -> Stop:
    return Stop(**{field: getattr(row, field) for field in _FIELDS})


def _begun(stop: Stop) -> Stop:
    """As it was before it ended."""
    return Stop(**{field: getattr(stop, field) for field in _FIELDS if field != "end_at"})


def _tell(tx: Connection, ident: str, what: str, stamp: Stamp) -> None:
    stop = _held(tx.execute(_one(ident)).one())
    fields = {field: getattr(stop, field) for field in _FIELDS}
    events.emit(tx, "downtime", fields | {"what": what, "by": stamp[0]}, stamp[1])
    events.changed(tx, f"asset:{stop.asset}", stamp[1])
