"""Orders to be picked, tasks of the warehouse and cross-docking, as they are answered."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Literal

import msgspec
from pydantic import Field
from sqlalchemy import Connection, Row, or_, select

from backend.api import items_tasks as items
from backend.api.answers import Paged
from backend.api.queries.warehouse import steps
from backend.book import outbound, tasks, virtual
from backend.book.schema import movement, presence
from backend.book.schema_warehouse import outbound_line, outbound_order, task_confirmation, warehouse_task
from models.place import CUSTOMER
from models.reading import from_micros
from models.stock.cross_dock import dwell_us
from models.stock.fulfilment import Line, Move, Part, fill
from models.units import plain, quantity_text

SECOND_US = 1_000_000
ENDED = ("closed", "cancelled")
"""What a person said of an order; else its state follows from what left."""
_evidence = msgspec.json.Decoder(list[str])
Named = str | None


class OutboundAsk(Paged, frozen=True):
    """Which orders: open, of which some or all has left, closed or cancelled."""

    state: Literal["open", "partly_shipped", "shipped", "closed", "cancelled"] | None = None


class TaskAsk(Paged, frozen=True):
    """Which tasks: of a place (from or to), in a state, of a kind, of an order."""

    place: Named = Field(None, max_length=64)
    state: Literal["open", "taken", "done", "cancelled"] | None = None
    kind: Literal["pick", "cross_dock", "put_away", "replenish"] | None = None
    order: Named = Field(None, max_length=64)


def task_list(tx: Connection, ask: TaskAsk) -> list[items.WorkTask]:
    """Tasks by n."""
    query = select(warehouse_task).where(warehouse_task.c.n > ask.after)
    own = warehouse_task.c
    for column, wanted in ((own.state, ask.state), (own.kind, ask.kind), (own.order_id, ask.order)):
        if wanted is not None:
            query = query.where(column == wanted)
    if ask.place is not None:
        query = query.where(or_(own.source == ask.place, own.target == ask.place))
    return [_task(row) for row in tx.execute(query.order_by(own.n).limit(ask.limit))]


def one_task(tx: Connection, ident: str) -> items.WorkTaskWhole:
    """A task with its confirmations. Raises NotFound."""
    row = tasks.one(tx, ident)
    query = select(task_confirmation).where(task_confirmation.c.task_id == ident)
    rows = tx.execute(query.order_by(task_confirmation.c.recorded_at, task_confirmation.c.id))
    return items.WorkTaskWhole(_task(row), [_confirmed(each) for each in rows], steps(tx, f"task:{ident}"))


def _task(row: Row[Any]) -> items.WorkTask:
    fields = ("id", "n", "kind", "state", "sku", "lot", "quantity", "done", "source", "target", "line", "why")
    return items.WorkTask(
        **{field: getattr(row, field) for field in fields},
        order=row.order_id,
        since=from_micros(row.since),
        made_at=from_micros(row.made_at),
        taken_by=row.taken_by,
        ended_at=None if row.ended_at is None else from_micros(row.ended_at),
    )


def _confirmed(row: Row[Any]) -> items.WorkConfirmed:
    fields = ("id", "sku", "lot", "quantity", "location", "epc", "movement")
    own = {field: getattr(row, field) for field in fields}
    return items.WorkConfirmed(**own, at=from_micros(row.at), evidence=_evidence.decode(row.evidence), by=row.actor)


def order_list(tx: Connection, ask: OutboundAsk) -> list[items.OutboundOrder]:
    """Orders by n."""
    query = select(outbound_order).where(outbound_order.c.n > ask.after)
    if ask.state is not None:
        query = query.where(outbound_order.c.state == (ask.state if ask.state in ENDED else "open"))
    rows = tx.execute(query.order_by(outbound_order.c.n)).all()
    found = (order for row in rows if ask.state in {None, (order := _order(tx, row)).state})
    return [*islice(found, ask.limit)]


def one_order(tx: Connection, ident: str) -> items.OutboundOrder:
    """An order with its lines. Raises NotFound."""
    outbound.in_state(tx, ident)
    return _order(tx, tx.execute(select(outbound_order).where(outbound_order.c.id == ident)).one())


def _order(tx: Connection, row: Row[Any]) -> items.OutboundOrder:
    order = outbound.of_row(tx, row)
    progress, staged = outbound.progress(tx, order), _staged(tx, order)
    gone = shipped(tx, order.stage, {each.sku for each in order.lines})
    lines: list[items.OutboundLine] = []
    for each in order.lines:
        at = progress[each.line]
        left = sum((part.quantity for part in gone[f"{order.id}/{each.line}"]), Decimal(0))
        reached = (
            ("shipped", left),
            ("staged", staged[each.line]),
            ("picked", at.picked),
            ("listed", at.listed + at.picked),
        )
        lines.append(
            items.OutboundLine(
                line=each.line,
                sku=each.sku,
                lot=each.lot,
                quantity=quantity_text(each.quantity),
                listed=quantity_text(at.listed),
                picked=quantity_text(at.picked),
                staged=quantity_text(staged[each.line]),
                shipped=quantity_text(left),
                left=quantity_text(at.left),
                state=next((name for name, much in reached if much >= each.quantity), "open"),
                price=None if each.price is None else quantity_text(each.price),
            )
        )
    return items.OutboundOrder(
        id=order.id,
        n=row.n,
        state=row.state if row.state in ENDED else _state(lines),
        customer=order.customer,
        stage=order.stage,
        due=from_micros(order.due_at),
        lines=lines,
        steps=steps(tx, f"order:{order.id}"),
    )


def _state(lines: Sequence[items.OutboundLine]) -> str:
    """What an order that nobody ended has come to, by what left."""
    if all(each.state == "shipped" for each in lines):
        return "shipped"
    return "partly_shipped" if any(Decimal(each.shipped) for each in lines) else "open"


def _staged(tx: Connection, order: outbound.Order) -> defaultdict[int, Decimal]:
    """By line, what was picked by its tag and read at the stage since; or by whose reading it was."""
    own = select(task_confirmation, warehouse_task.c.line).join(
        warehouse_task, warehouse_task.c.id == task_confirmation.c.task_id
    )
    picked = tx.execute(own.where(warehouse_task.c.order_id == order.id, task_confirmation.c.epc.is_not(None))).all()
    there = (presence.c.place == order.stage, presence.c.subject.in_([row.epc for row in picked]))
    last: dict[str, int] = {}
    for row in tx.execute(select(presence.c.subject, presence.c.closed_at).where(*there, presence.c.what != "depart")):
        last[row.subject] = max(last.get(row.subject, 0), row.closed_at)
    found: defaultdict[int, Decimal] = defaultdict(Decimal)
    for row in picked:
        if last.get(row.epc, 0) >= row.at or row.actor == "reader":
            found[row.line] += Decimal(row.quantity)
    return found


def shipped(tx: Connection, stage: str, skus: Collection[str]) -> defaultdict[str, list[Part]]:
    """By order/line, what went out from a stage for it: issues fill the oldest line of the item that suits."""
    found: defaultdict[str, list[Part]] = defaultdict(list)
    for part in fill(*waited_for(tx, stage, skus)):
        found[part.line or ""].append(part)
    return found


def waited_for(tx: Connection, stage: str, skus: Collection[str]) -> tuple[list[Line], list[Move]]:
    """The lines of orders at a stage, named order/line, and what left it for the world outside."""
    order = outbound_order.c
    query = select(outbound_line, order.recorded_at, order.customer, order.state).join(
        outbound_order, order.id == outbound_line.c.order_id
    )
    rows = tx.execute(query.where(outbound_order.c.stage == stage, outbound_line.c.sku.in_(sorted(skus)))).all()
    named = {row.customer for row in rows} - {CUSTOMER}
    over = outbound.ended_at(tx, {row.order_id for row in rows if row.state in ENDED})
    lines = [
        Line(
            f"{row.order_id}/{row.line}",
            row.sku,
            Decimal(row.quantity),
            row.recorded_at,
            over.get(row.order_id),
            party=row.customer if row.customer in named else None,
            lot=row.lot,
        )
        for row in rows
    ]
    return lines, _moves(tx, stage, skus, named)


def _moves(tx: Connection, stage: str, skus: Collection[str], named: Collection[str]) -> list[Move]:
    """What left a stage for the world outside, and what came back."""
    own = movement.c
    query = select(movement).where(own.sku.in_(sorted(skus)), or_(own.source == stage, own.target == stage))
    rows = tx.execute(query).all()
    others = {row.target if row.source == stage else row.source for row in rows}
    outside = virtual.kinds(tx, others, max((row.at for row in rows), default=0))
    found: list[Move] = []
    for row in rows:
        other, sign = (row.target, 1) if row.source == stage else (row.source, -1)
        if outside.get(other) in {CUSTOMER, virtual.OUTSIDE} or other in named:
            party = other if other in named else None
            found.append(Move(row.id, row.at, row.sku, sign * Decimal(row.quantity), party, row.lot))
    return found


def cross_docked(tx: Connection, ask: Paged) -> list[items.CrossDocked]:
    """What went from receiving to an order, by n, and how long it stood between the doors."""
    own = warehouse_task.c
    query = select(warehouse_task, outbound_order.c.stage).join(outbound_order, outbound_order.c.id == own.order_id)
    query = query.where(own.kind == "cross_dock", own.state != "cancelled", own.n > ask.after)
    found: list[items.CrossDocked] = []
    for row in tx.execute(query.order_by(own.n).limit(ask.limit)).all():
        staged = max(
            tx.scalars(select(task_confirmation.c.at).where(task_confirmation.c.task_id == row.id)), default=None
        )
        parts = shipped(tx, row.stage, [row.sku])[f"{row.order_id}/{row.line}"]
        gone = sum((part.quantity for part in parts), Decimal(0))
        left_at = max(part.at for part in parts) if parts and gone >= Decimal(row.quantity) else None
        dwell = dwell_us(row.since, left_at)
        found.append(
            items.CrossDocked(
                task=row.id,
                order=row.order_id,
                line=row.line,
                sku=row.sku,
                lot=row.lot,
                quantity=quantity_text(plain(Decimal(row.quantity))),
                came_at=from_micros(row.since),
                staged_at=None if staged is None else from_micros(staged),
                left_at=None if left_at is None else from_micros(left_at),
                dwell_s=None if dwell is None else dwell / SECOND_US,
            )
        )
    return found
