"""The life of work orders in the book: one appended line for all that is done to an order, and the event of it.

Everything that changes an order comes through here with what it needs to work: so that who did it and when is never
left out.
"""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from backend.book import events, locks
from backend.book.schema_work import work_order, work_step
from models.errors import NotFound
from models.register import Register

TOLD = ("id", "asset", "plan", "kind", "priority", "state", "title")


class Bench(NamedTuple):
    """What work on an order needs: the book, the register, who acts, and when; `stock`: whether that module is on."""

    tx: Connection
    register: Register
    actor: str
    now: int
    stock: bool = True

    @property
    def stamp(self) -> tuple[str, int]:
        """Who says so, and when, as the other books take it."""
        return self.actor, self.now


class Said(NamedTuple):
    """A line of a life: what was done, why or what was said, of which part of the order, and its figures."""

    what: str
    note: str | None = None
    ref: str | None = None
    body: dict[str, Any] | None = None


class Lived(NamedTuple):
    """A line of a life, as it is kept."""

    n: int
    at: int
    state: str
    actor: str
    said: Said


def one(bench: Bench, ident: str) -> Row[Any]:
    """An order; nobody else changes one until a writer's transaction ends. Raises NotFound."""
    locks.number(bench.tx)
    row = bench.tx.execute(select(work_order).where(work_order.c.id == ident)).one_or_none()
    if row is None:
        msg = f"work orders: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def record(bench: Bench, ident: str, said: Said, **values: Any) -> Row[Any]:  # noqa: ANN401 - columns of the order
    """Append a line and set these columns of the order; the order as it is then. Others are told."""
    if values:
        bench.tx.execute(update(work_order).where(work_order.c.id == ident).values(values))
    row = one(bench, ident)
    line = {"order_id": ident, "at": bench.now, "what": said.what, "state": row.state, "actor": bench.actor}
    body = json.dumps(said.body or {}, sort_keys=True)
    bench.tx.execute(insert(work_step).values(**line, note=said.note, ref=said.ref, body=body))
    told = {field: getattr(row, field) for field in TOLD}
    events.emit(bench.tx, "work_order", {**told, "what": said.what, "ref": said.ref, "by": bench.actor}, bench.now)
    events.changed(bench.tx, f"asset:{row.asset}", bench.now)
    return row


def lived(tx: Connection, ident: str) -> list[Lived]:
    """The life of an order, in order."""
    query = select(work_step).where(work_step.c.order_id == ident).order_by(work_step.c.n)
    return [
        Lived(row.n, row.at, row.state, row.actor, Said(row.what, row.note, row.ref, json.loads(row.body)))
        for row in tx.execute(query)
    ]


def last(tx: Connection, ident: str, what: str, ref: str | None = None) -> Lived | None:
    """The last line of a life that is about something."""
    found = [each for each in lived(tx, ident) if each.said.what == what and ref in {None, each.said.ref}]
    return found[-1] if found else None
