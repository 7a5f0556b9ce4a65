"""Pick lists: what an order's lines are taken from, reserved, by what expires first or came in first.

What is short stays with the line: the next release asks for it again, or what comes in next serves it (cross-docking).
"""

from collections.abc import Collection
from decimal import Decimal

from sqlalchemy import Connection, select

from backend.book import allocations, locks, reservations, tasks, virtual, work_log
from backend.book.allocations import Need, Reserved
from backend.book.outbound import Order, OrderLine, in_state, progress, stages
from backend.book.schema_warehouse import warehouse_task
from backend.book.tasks import Cause
from backend.book.work_log import Stamp
from models.declared import Item
from models.errors import Refused
from models.ids import derived_id
from models.register import Register
from models.stock.allocation import RANKS, allocate
from models.stock.picking import Task
from models.stock.reservation import Reservation
from models.units import plain, quantity_text


def release(tx: Connection, register: Register, ident: str, rule: str, stamp: Stamp) -> dict[int, Decimal]:
    """Put what is on no pick list yet on one, and reserve it; by line, what is short. Raises NotFound or Clash."""
    locks.number(tx)
    order = in_state(tx, ident, "open")
    short: dict[int, Decimal] = {}
    for each in order.lines:
        left = progress(tx, order)[each.line].left
        if left > 0:
            missing = list_line(tx, register, (order, each), (left, rule, set()), stamp)
            short |= {each.line: missing} if missing else {}
    told = {str(line): quantity_text(quantity) for line, quantity in short.items()}
    work_log.record(tx, f"order:{ident}", "released", stamp, {"rule": rule, "short": told})
    return short


def list_line(
    tx: Connection,
    register: Register,
    line: tuple[Order, OrderLine],
    wanted: tuple[Decimal, str, Collection[str]],
    stamp: Stamp,
) -> Decimal:
    """Pick tasks for so much of a line, by a rule, from other places than some; what is short."""
    (order, each), (quantity, rule, but) = line, wanted
    body = register.get("items", each.sku, stamp.now)
    days = body.min_shelf_life_days if isinstance(body, Item) else 0
    places = sources(tx, register, stamp.now) - {*but}
    made = len(tx.scalars(select(warehouse_task.c.n).where(warehouse_task.c.order_id == order.id)).all())
    ident = derived_id("pick", order.id, str(each.line), str(made), str(stamp.now))
    if each.lot is not None:
        picks, short = _of_lot(tx, (order, each), quantity, places, stamp)
    else:
        need = Need(
            id=ident,
            sku=each.sku,
            quantity=quantity,
            need_at=order.due_at,
            purpose="pick",
            reference=order.id,
            rule=rule,
            partial=True,
        )
        answer, _ = allocations.serve(tx, need, places, days, stamp)
        picks, short = answer.picks, Decimal(answer.short)
    for pick in picks:
        task = Task(
            id="",
            kind="pick",
            sku=each.sku,
            lot=pick.lot,
            quantity=Decimal(pick.quantity),
            source=pick.location,
            target=order.stage,
        )
        tasks.make(tx, task, Cause(f"order {order.id}", stamp.now, (order.id, each.line), pick.reservation), stamp)
    return short


def _of_lot(
    tx: Connection, line: tuple[Order, OrderLine], quantity: Decimal, places: set[str], stamp: Stamp
) -> tuple[list[Reserved], Decimal]:
    """Reserve the one lot that will do."""
    order, each = line
    found = reservations.free(tx, each.sku, order.due_at, stamp.now)
    offers = [offer for offer in found.offers if offer.lot == each.lot and offer.location in places]
    got = allocate(offers, max(min(quantity, found.total), Decimal(0)), found.on, 0, RANKS["fefo"])
    picks: list[Reserved] = []
    for n, pick in enumerate(got.picks):
        ident = derived_id("pick", order.id, str(each.line), str(n), str(stamp.now))
        reserved = Reservation(
            id=ident,
            sku=each.sku,
            quantity=pick.quantity,
            lot=pick.lot,
            location=pick.location,
            purpose="pick",
            reference=order.id,
            need_at=order.due_at,
        )
        reservations.reserve(tx, reserved, *stamp)
        picks.append(Reserved(ident, pick.location, pick.lot, quantity_text(pick.quantity)))
    return picks, plain(quantity - sum((pick.quantity for pick in got.picks), Decimal(0)))


def short_pick(tx: Connection, register: Register, ident: str, reason: str, stamp: Stamp) -> Decimal:
    """There is less than the pick list says: the rest is taken from other places; what is short then.

    Again is harmless. Raises NotFound, Refused of a task that is no pick, or Clash of one that is done.
    """
    locks.number(tx)
    row = tasks.one(tx, ident)
    if row.kind != "pick":
        msg = f"task {ident}: a pick expected, it is a {row.kind}"
        raise Refused(msg)
    left = tasks.end(tx, ident, "short", reason, stamp)
    order = in_state(tx, row.order_id, "open")
    line = next(each for each in order.lines if each.line == row.line)
    return list_line(tx, register, (order, line), (left, "fefo", {row.source}), stamp) if left else left


def sources(tx: Connection, register: Register, now: int) -> set[str]:
    """The places that are picked from: the bins that are declared, else all real places; never a stage."""
    bins = {*register.all("bins", now)}
    places = {*register.all("locations", now)}
    return (bins or places - {*virtual.kinds(tx, places, now)}) - stages(tx)
