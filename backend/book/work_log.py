"""What people and rules decided in the warehouse: one line each, appended and never changed, and told to others."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from backend.book import events, locks
from backend.book.schema_warehouse import warehouse_event


class Stamp(NamedTuple):
    """Who says so, and when, in microseconds."""

    actor: str
    now: int


class Step(NamedTuple):
    """One line of the life of a count, sweep, order or task."""

    at: int
    what: str
    actor: str
    body: dict[str, Any]


def record(tx: Connection, subject: str, what: str, stamp: Stamp, body: dict[str, Any] | None = None) -> None:
    """A step of `subject` (count:ID, sweep:ID, order:ID, task:ID); others are told by the event `warehouse`."""
    locks.number(tx)
    detail = body or {}
    values = {"subject": subject, "at": stamp.now, "what": what, "actor": stamp.actor}
    tx.execute(insert(warehouse_event).values(**values, body=json.dumps(detail, sort_keys=True)))
    events.emit(tx, "warehouse", {"subject": subject, "what": what, "by": stamp.actor, **detail}, stamp.now)


def steps(tx: Connection, subject: str) -> list[Step]:
    """The life of a subject, in order."""
    query = select(warehouse_event).where(warehouse_event.c.subject == subject).order_by(warehouse_event.c.n)
    return [Step(row.at, row.what, row.actor, json.loads(row.body)) for row in tx.execute(query)]
