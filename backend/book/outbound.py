"""Orders to be picked, in the book: what customers wait for, and how far each line is."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, Row, insert, select, update

from backend.book import locks, tasks, work_log
from backend.book.schema_warehouse import outbound_line, outbound_order, warehouse_event, warehouse_task
from backend.book.work_log import Stamp
from models.declared import Item, Location
from models.errors import Clash, NotFound, Refused
from models.place import CUSTOMER
from models.register import Register
from models.stock.cross_dock import Waiting
from models.units import plain, quantity_text


class OrderLine(Struct, frozen=True, kw_only=True):
    """So much of an item, of one lot if it names one; `price` is what one is sold for, where it is not the item's."""

    line: int
    sku: str
    quantity: Decimal
    lot: str | None = None
    price: Decimal | None = None


class Order(Struct, frozen=True, kw_only=True):
    """What a customer waits for by `due_at` (microseconds), picked to the place `stage`."""

    id: str
    customer: str = CUSTOMER
    stage: str
    due_at: int
    lines: list[OrderLine]


class Progress(NamedTuple):
    """How far a line is: on a pick list, at the stage; what is left is on neither."""

    listed: Decimal
    picked: Decimal
    left: Decimal


def put(tx: Connection, register: Register, order: Order, stamp: Stamp) -> Literal["created", "same"]:
    """Take an order. Again is harmless. Raises Refused for what is not in the register, or Clash."""
    locks.number(tx)
    row = _row(tx, order.id)
    if row is not None:
        if of_row(tx, row) != order:
            msg = f"order {order.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    _check(register, order, stamp.now)
    head = {"id": order.id, "customer": order.customer, "stage": order.stage, "due_at": order.due_at}
    tx.execute(insert(outbound_order).values(**head, state="open", actor=stamp.actor, recorded_at=stamp.now))
    rows = [
        {
            "order_id": order.id,
            "line": n.line,
            "sku": n.sku,
            "lot": n.lot,
            "quantity": quantity_text(n.quantity),
            "price": None if n.price is None else quantity_text(n.price),
        }
        for n in order.lines
    ]
    tx.execute(insert(outbound_line), rows)
    work_log.record(tx, f"order:{order.id}", "taken", stamp)
    return "created"


def _check(register: Register, order: Order, now: int) -> None:
    stage = register.get("locations", order.stage, now)
    if not isinstance(stage, Location) or stage.is_virtual:
        msg = f"stage: one of the real locations of the register expected, got {order.stage!r}"
        raise Refused(msg)
    if not order.lines or len({each.line for each in order.lines}) < len(order.lines):
        msg = "lines: at least one, each with a number of its own, expected"
        raise Refused(msg)
    for each in order.lines:
        if not isinstance(register.get("items", each.sku, now), Item):
            msg = f"lines.sku: one of the items of the register expected, got {each.sku!r}"
            raise Refused(msg)


def end(tx: Connection, ident: str, state: Literal["closed", "cancelled"], reason: str, stamp: Stamp) -> None:
    """The customer waits no more: open tasks of it end, what was picked stays at the stage. Again is harmless."""
    locks.number(tx)
    if (row := _row(tx, ident)) is not None and row.state == state:
        return
    in_state(tx, ident, "open")
    own = select(warehouse_task.c.id).where(warehouse_task.c.order_id == ident, warehouse_task.c.state.in_(tasks.OPEN))
    for task in tx.scalars(own.order_by(warehouse_task.c.n)).all():
        tasks.end(tx, task, "cancelled", f"order {ident} was {state}: {reason}", stamp)
    tx.execute(update(outbound_order).where(outbound_order.c.id == ident).values(state=state))
    work_log.record(tx, f"order:{ident}", state, stamp, {"reason": reason})


def ended_at(tx: Connection, idents: Collection[str]) -> dict[str, int]:
    """When orders that are closed or cancelled were: what leaves later is of others."""
    event = warehouse_event.c
    wanted = (event.subject.in_([f"order:{each}" for each in sorted(idents)]), event.what.in_(("closed", "cancelled")))
    rows = tx.execute(select(event.subject, event.at).where(*wanted).order_by(event.n.desc()))
    return {subject.partition(":")[2]: at for subject, at in rows}


def progress(tx: Connection, order: Order) -> dict[int, Progress]:
    """By line, what is on a pick list, what is picked, and what is on neither."""
    listed: defaultdict[int, Decimal] = defaultdict(Decimal)
    picked: defaultdict[int, Decimal] = defaultdict(Decimal)
    for row in tx.execute(select(warehouse_task).where(warehouse_task.c.order_id == order.id)):
        task = tasks.of_row(row)
        listed[row.line] += task.left
        picked[row.line] += task.done
    return {
        each.line: Progress(
            listed[each.line], picked[each.line], plain(each.quantity - listed[each.line] - picked[each.line])
        )
        for each in order.lines
    }


def waiting(tx: Connection, sku: str) -> list[Waiting]:
    """The lines of an item that nothing is picked or reserved for yet, of open orders: all that ever were, at once."""
    served: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    of_orders = (warehouse_task.c.sku == sku, warehouse_task.c.order_id.is_not(None))
    for row in tx.execute(select(warehouse_task).where(*of_orders)):
        task = tasks.of_row(row)
        served[row.order_id, row.line] += task.left + task.done
    rows = tx.execute(
        select(outbound_line, outbound_order.c.due_at, outbound_order.c.stage)
        .join(outbound_order, outbound_order.c.id == outbound_line.c.order_id)
        .where(outbound_line.c.sku == sku, outbound_order.c.state == "open")
    )
    found = [
        Waiting(n.order_id, n.line, n.due_at, n.lot, plain(Decimal(n.quantity) - served[n.order_id, n.line]), n.stage)
        for n in rows
    ]
    return [each for each in found if each.quantity > 0]


def stages(tx: Connection) -> set[str]:
    """The places where goods wait for a truck."""
    return {*tx.scalars(select(outbound_order.c.stage).distinct())}


def in_state(tx: Connection, ident: str, *states: str) -> Order:
    """An order, if it is in one of these states, or in any. Raises NotFound or Clash."""
    row = _row(tx, ident)
    if row is None:
        msg = f"outbound: nothing of id {ident!r}"
        raise NotFound(msg)
    if states and row.state not in states:
        msg = f"order {ident}: {' or '.join(states)} expected, it is {row.state}"
        raise Clash(msg)
    return of_row(tx, row)


def _row(tx: Connection, ident: str) -> Row[Any] | None:
    return tx.execute(select(outbound_order).where(outbound_order.c.id == ident)).one_or_none()


def of_row(tx: Connection, row: Row[Any]) -> Order:
    """An order from its row, with its lines."""
    own = select(outbound_line).where(outbound_line.c.order_id == row.id).order_by(outbound_line.c.line)
    rows: Sequence[Row[Any]] = tx.execute(own).all()
    lines = [
        OrderLine(
            line=n.line,
            sku=n.sku,
            lot=n.lot,
            quantity=Decimal(n.quantity),
            price=None if n.price is None else Decimal(n.price),
        )
        for n in rows
    ]
    return Order(id=row.id, customer=row.customer, stage=row.stage, due_at=row.due_at, lines=lines)
