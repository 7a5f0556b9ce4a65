"""Tasks of the warehouse in the book: made, taken by somebody, confirmed in parts, cancelled with a reason.

Every confirmation posts what it moves in the transaction that records it, and gives up the reservation that held the
goods for it: nothing is picked that was not promised, and nothing twice.
"""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select, update

from backend.book import ledger, locks, reservations, tag_places, virtual, work_log
from backend.book.schema_warehouse import tag_stay, task_confirmation, warehouse_task
from backend.book.work_log import Stamp
from backend.identities import identities
from models.errors import Clash, NotFound, Refused
from models.identity import identify
from models.register import Register
from models.stock import picking
from models.stock.ledger import Movement
from models.stock.picking import Given, Task, Wrong
from models.stock.sweep import where
from models.units import quantity_text

Outcome = Literal["created", "same"]
OPEN = ("open", "taken")


class Cause(NamedTuple):
    """Why a task is made: in words, since when (event time), for which order line, and what holds the goods."""

    why: str
    since: int
    order: tuple[str, int] | None = None
    reservation: str | None = None


def make(tx: Connection, task: Task, cause: Cause, stamp: Stamp) -> str:
    """A new open task; its id, which is a new one."""
    locks.number(tx)
    ident = str(uuid4())
    order_id, line = cause.order or (None, None)
    values = {"kind": task.kind, "sku": task.sku, "lot": task.lot, "source": task.source, "target": task.target}
    row: dict[str, Any] = {
        "id": ident,
        **values,
        "quantity": quantity_text(task.quantity),
        "done": "0",
        "state": "open",
    }
    row |= {"order_id": order_id, "line": line, "reservation": cause.reservation, "why": cause.why}
    tx.execute(insert(warehouse_task).values(**row, since=cause.since, made_at=stamp.now))
    told = {**values, "quantity": row["quantity"], "order": order_id, "why": cause.why}
    work_log.record(tx, f"task:{ident}", "made", stamp, told)
    return ident


def take(tx: Connection, ident: str, stamp: Stamp) -> None:
    """Somebody does it. Again is harmless. Raises NotFound, or Clash if another took it or it is over."""
    locks.number(tx)
    row = one(tx, ident)
    if (row.state, row.taken_by) == ("taken", stamp.actor):
        return
    if row.state != "open":
        msg = f"task {ident}: open expected, it is {row.state}" + (f" by {row.taken_by}" if row.taken_by else "")
        raise Clash(msg)
    _set(tx, ident, state="taken", taken_by=stamp.actor)
    work_log.record(tx, f"task:{ident}", "taken", stamp)


def confirm(tx: Connection, register: Register, ident: str, given: Given, stamp: Stamp) -> Outcome:
    """So much of it was done. The same id again is harmless.

    Raises Wrong for other goods or another place than expected, Refused for more than is left, NotFound, or Clash for
    an id with other content, or a task that is over.
    """
    locks.number(tx)
    row = one(tx, ident)
    if (known := _confirmed(tx, given.id)) is not None:
        if known.task_id != ident or _given(known) != given:
            msg = f"confirmation {given.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    if given.at > stamp.now:
        msg = "at: a time that has come expected"
        raise Refused(msg)
    before = of_row(row)
    after = picking.confirm(before, given)
    if given.epc is not None:
        _check_tag(tx, register, before, given, given.epc)
    moved = picking.movement(before, given)
    if given.location not in {before.source, before.target}:
        _check_place(tx, register, given)
    if row.reservation is not None:
        reservations.fulfil(tx, row.reservation, given.quantity, *stamp)
    _keep(tx, before, given, moved.id, stamp)
    if given.epc is not None:
        stay = {"source": f"task:{ident}/{given.id}", "epc": given.epc, "at": given.at, "how": "moved"}
        what = {"place": moved.target, "sku": moved.sku, "quantity": quantity_text(moved.quantity)}
        tx.execute(insert(tag_stay).values(**stay, **what, movement=moved.id))
    _set(tx, ident, done=quantity_text(after.done), state=after.state, **_ended(after, stamp))
    told = {"quantity": quantity_text(given.quantity), "at": given.at, "target": moved.target, "state": after.state}
    work_log.record(tx, f"task:{ident}", "confirmed", stamp, told)
    ledger.post(tx, [moved], (), stamp.actor, stamp.now)
    return "created"


def moved(tx: Connection, ident: str, given: Given) -> Movement:
    """What a confirmation would move; nothing is done. Raises as `confirm`, but for the tag and the place."""
    task = of_row(one(tx, ident))
    picking.confirm(task, given)
    return picking.movement(task, given)


def _check_tag(tx: Connection, register: Register, task: Task, given: Given, epc: str) -> None:
    """The tag stands for these goods, and the books have it where the task takes them from."""
    what = identify(epc, identities(register, given.at, epc))
    if what.kind != "stock" or (what.sku, what.quantity) != (given.sku, given.quantity):
        said = f"{quantity_text(what.quantity)} x {what.sku}" if what.quantity is not None else what.why
        msg = f"epc: a tag on {quantity_text(given.quantity)} x {given.sku} expected, {epc} is {said}"
        raise Wrong(msg)
    place = where(tag_places.in_ledger(tag_places.stays(tx, [epc]).get(epc, ())), given.at).place
    if place != task.source:
        msg = f"epc: a tag at {task.source} expected, {epc} is at {place or 'no place'}"
        raise Wrong(msg)


def _check_place(tx: Connection, register: Register, given: Given) -> None:
    known = register.get("locations", given.location, given.at) is not None
    if not known or virtual.kinds(tx, [given.location], given.at):
        msg = f"location: one of the real locations of the register expected, got {given.location!r}"
        raise Wrong(msg)


def end(tx: Connection, ident: str, what: str, reason: str, stamp: Stamp) -> Decimal:
    """Nothing more of it is done: `what` is cancelled or short; how much that leaves. Its reservation is given up.

    It is done if part of it was. Again is harmless. Raises NotFound, or Clash of one that is done.
    """
    locks.number(tx)
    row = one(tx, ident)
    if row.state not in OPEN:
        if any(step.what == what for step in work_log.steps(tx, f"task:{ident}")):
            return Decimal(0)
        msg = f"task {ident}: open expected, it is {row.state}"
        raise Clash(msg)
    task = of_row(row)
    state = "done" if task.done else "cancelled"
    _set(tx, ident, state=state, ended_at=stamp.now)
    if row.reservation is not None and reservations.one(tx, row.reservation).state == "open":
        reservations.cancel(tx, row.reservation, reason, *stamp)
    told = {"reason": reason, "left": quantity_text(task.left), "state": state}
    work_log.record(tx, f"task:{ident}", what, stamp, told)
    return task.left


def one(tx: Connection, ident: str) -> Row[Any]:
    """A task's row. Raises NotFound."""
    row = tx.execute(select(warehouse_task).where(warehouse_task.c.id == ident)).one_or_none()
    if row is None:
        msg = f"tasks: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def open_of(tx: Connection, sku: str) -> Sequence[Row[Any]]:
    """The tasks of an item that are not over, by n."""
    query = select(warehouse_task).where(warehouse_task.c.sku == sku, warehouse_task.c.state.in_(OPEN))
    return tx.execute(query.order_by(warehouse_task.c.n)).all()


def open_skus(tx: Connection) -> set[str]:
    """The items that some task is open of."""
    return {*tx.scalars(select(warehouse_task.c.sku).where(warehouse_task.c.state.in_(OPEN)).distinct())}


def open_to(tx: Connection, places: Iterable[str]) -> Sequence[Row[Any]]:
    """The tasks that bring something to these places and are not over."""
    query = select(warehouse_task).where(warehouse_task.c.state.in_(OPEN))
    return tx.execute(query.where(warehouse_task.c.target.in_(sorted(places)))).all()


def of_row(row: Row[Any]) -> Task:
    """A task from its row."""
    fields = ("id", "kind", "state", "sku", "lot", "source", "target")
    own = {field: getattr(row, field) for field in fields}
    return Task(**own, quantity=Decimal(row.quantity), done=Decimal(row.done))


def _ended(task: Task, stamp: Stamp) -> dict[str, Any]:
    return {"ended_at": stamp.now} if task.state == "done" else {}


def _set(tx: Connection, ident: str, **values: object) -> None:
    tx.execute(update(warehouse_task).where(warehouse_task.c.id == ident).values(values))


def confirmed_at(tx: Connection, ident: str) -> int | None:
    """When what a confirmation says was done, or None of no such confirmation."""
    return tx.scalar(select(task_confirmation.c.at).where(task_confirmation.c.id == ident))


def _confirmed(tx: Connection, ident: str) -> Row[Any] | None:
    return tx.execute(select(task_confirmation).where(task_confirmation.c.id == ident)).one_or_none()


def _keep(tx: Connection, task: Task, given: Given, moved: str, stamp: Stamp) -> None:
    fields = ("id", "at", "sku", "lot", "location", "epc")
    values = {field: getattr(given, field) for field in fields} | {"quantity": quantity_text(given.quantity)}
    kept = {"task_id": task.id, "evidence": json.dumps(given.evidence), "movement": moved}
    tx.execute(insert(task_confirmation).values(**values, **kept, actor=stamp.actor, recorded_at=stamp.now))


def _given(row: Row[Any]) -> Given:
    fields = ("id", "at", "sku", "lot", "location", "epc")
    own = {field: getattr(row, field) for field in fields}
    return Given(**own, quantity=Decimal(row.quantity), evidence=json.loads(row.evidence))
