"""Work that follows from where goods are: received ones go to who waits for them, or to a bin; pick faces are filled.

The rules look at the present stock of an item, not at single movements: what is at a receiving place and on no task
gets one, and tasks whose goods are gone end. So a repeat, or a correction, makes no second task.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from sqlalchemy import func, select

from backend.book import allocations, outbound, picks, reservations, tasks
from backend.book.schema import balance, movement
from backend.book.tasks import Cause
from backend.book.work_log import Stamp
from backend.plan.items import every_sku
from backend.plan.rule import Rule, View
from models.alert import Alert
from models.declared import Bin, Device, Item, PickFace
from models.ids import derived_id
from models.stock import cross_dock, put_away, replenish
from models.stock.picking import Task
from models.stock.put_away import Room
from models.stock.reservation import Reservation
from models.units import quantity_text

ACTOR = "planner"


class Received(Struct, frozen=True):
    """What of an item and lot stands where goods come in, and how much of it is on no task and promised to nobody."""

    sku: str
    lot: str | None
    place: str
    loose: Decimal


class Docked(Struct, frozen=True):
    """One item at the receiving places; `homeless` is what no bin has room for, after the tasks were made."""

    sku: str
    received: list[Received]
    homeless: dict[str, str] = {}


def load_docked(view: View, skus: Sequence[str]) -> list[tuple[str, Docked]]:
    """Items at receiving places; none where the register has no bins: nobody puts away there."""
    if not view.register.all("bins", view.now):
        return [(f"item:{sku}", Docked(sku, [])) for sku in skus]
    places = receiving(view)
    return [(f"item:{sku}", Docked(sku, _received(view, sku, places))) for sku in skus]


def receiving(view: View) -> set[str]:
    """Where goods come in: inside of a door, at a desk; but no bin."""
    devices = [each for each in view.register.all("devices", view.now).values() if isinstance(each, Device)]
    doors = {each.door.inside for each in devices if each.door is not None}
    desks = {each.desk.location for each in devices if each.desk is not None}
    return (doors | desks) - {*view.register.all("bins", view.now)} - outbound.stages(view.tx)


def _received(view: View, sku: str, places: set[str]) -> list[Received]:
    under_way = tasks.open_of(view.tx, sku)
    promised = reservations.allocated(view.tx, [sku])
    rows = view.tx.execute(select(balance).where(balance.c.sku == sku).order_by(*balance.primary_key)).all()
    found: list[Received] = []
    for row in rows:
        lot = row.lot or None
        if row.location in places:
            held = [
                tasks.of_row(t).left for t in under_way if (t.source, t.lot, t.reservation) == (row.location, lot, None)
            ]
            busy = sum(held, promised.get((sku, row.location, lot), Decimal(0)))
            found.append(Received(sku, lot, row.location, Decimal(row.on_hand) - busy))
    return found


def settle_docked(view: View, facts: Docked) -> None:
    """Make tasks for what is loose, end those whose goods are gone; what fits nowhere is told by the alert."""
    stamp = Stamp(ACTOR, view.now)
    for each in facts.received:
        if each.loose > 0:
            got, rest = cross_dock.split(each.loose, each.lot, outbound.waiting(view.tx, each.sku))
            for line, quantity in got:
                rest += quantity - _cross_dock(view, each, line, quantity)
            rest -= _put_away(view, each, rest)
            if rest > 0:
                facts.homeless[each.place] = quantity_text(rest)
        elif each.loose < 0:
            _end_loose(view, each, stamp)


def _cross_dock(view: View, goods: Received, line: cross_dock.Waiting, wanted: Decimal) -> Decimal:
    """Held for the order, so that no pick list takes it meanwhile; how much: what may be promised, perhaps nothing."""
    stamp = Stamp(ACTOR, view.now)
    at = (goods.sku, goods.place, goods.lot)
    quantity = min(wanted, reservations.most(view.tx, at, line.due_at, view.now))
    if quantity <= 0:
        return Decimal(0)
    task = _task("cross_dock", goods, quantity, line.stage)
    ident = derived_id("cross_dock", line.order, str(line.line), goods.place, goods.lot or "", str(view.now))
    held = Reservation(
        id=ident,
        sku=goods.sku,
        quantity=quantity,
        lot=goods.lot,
        location=goods.place,
        purpose="order",
        reference=line.order,
        need_at=line.due_at,
    )
    reservations.reserve(view.tx, held, *stamp)
    cause = Cause(f"order {line.order} waits for it", _came_at(view, goods), (line.order, line.line), ident)
    tasks.make(view.tx, task, cause, stamp)
    return quantity


def _put_away(view: View, goods: Received, quantity: Decimal) -> Decimal:
    """How much of it was given a bin."""
    body = view.register.get("items", goods.sku, view.now)
    family = body.family if isinstance(body, Item) else None
    bins = put_away.suggest(quantity, family, _rooms(view, goods)) if quantity > 0 else []
    for place, part in bins:
        task = _task("put_away", goods, part, place)
        cause = Cause(f"received at {goods.place}", _came_at(view, goods))
        tasks.make(view.tx, task, cause, Stamp(ACTOR, view.now))
    return sum((part for _, part in bins), Decimal(0))


def _task(kind: Any, goods: Received, quantity: Decimal, target: str) -> Task:  # noqa: ANN401 - a literal
    return Task(id="", kind=kind, sku=goods.sku, lot=goods.lot, quantity=quantity, source=goods.place, target=target)


def _rooms(view: View, goods: Received) -> list[Room]:
    """The bins as they stand, with what is on its way to them."""
    bins = {ident: each for ident, each in view.register.all("bins", view.now).items() if isinstance(each, Bin)}
    there: dict[str, list[tuple[str, str | None, Decimal]]] = {ident: [] for ident in bins}
    for row in view.tx.execute(select(balance).where(balance.c.location.in_(sorted(bins)))):
        there[row.location].append((row.sku, row.lot or None, Decimal(row.on_hand)))
    for task in tasks.open_to(view.tx, bins):
        there[task.target].append((task.sku, task.lot, tasks.of_row(task).left))
    rooms: list[Room] = []
    for ident, body in bins.items():
        lots = {(sku, lot) for sku, lot, quantity in there[ident] if quantity > 0}
        held = sum((quantity for _, _, quantity in there[ident] if quantity > 0), Decimal(0))
        same = (any(sku == goods.sku for sku, _ in lots), (goods.sku, goods.lot) in lots)
        rooms.append(Room(ident, body.capacity, frozenset(body.families), held, *same))
    return rooms


def _came_at(view: View, goods: Received) -> int:
    """When the newest of these goods came there, by event time."""
    own = (
        movement.c.sku == goods.sku,
        movement.c.target == goods.place,
        movement.c.lot.is_not_distinct_from(goods.lot),
    )
    at: int | None = view.tx.scalar(select(func.max(movement.c.at)).where(*own))
    return view.now if at is None else at


def _end_loose(view: View, goods: Received, stamp: Stamp) -> None:
    """The newest first, and none that somebody has begun."""
    gone = -goods.loose
    for row in reversed(tasks.open_of(view.tx, goods.sku)):
        is_own = (row.source, row.lot, row.reservation) == (goods.place, goods.lot, None) and row.state == "open"
        if gone > 0 and is_own:
            gone -= tasks.end(view.tx, row.id, "cancelled", "the goods are no longer there", stamp)


def homeless(facts: Docked, _now: int) -> Alert | None:
    """Received, and no bin has room for it."""
    if not facts.homeless:
        return None
    places = ", ".join(f"{quantity} at {place}" for place, quantity in facts.homeless.items())
    detail = json.dumps({"sku": facts.sku, "places": facts.homeless})
    return Alert("no_bin", f"item:{facts.sku}", "warning", f"{facts.sku}: no bin has room for {places}", detail)


class Faces(Struct, frozen=True):
    """The pick faces of an item."""

    sku: str
    faces: list[PickFace]


def load_faces(view: View, skus: Sequence[str]) -> list[tuple[str, Faces]]:
    """The pick faces of items."""
    known = [each for each in view.register.all("faces", view.now).values() if isinstance(each, PickFace)]
    return [(f"item:{sku}", Faces(sku, [face for face in known if face.sku == sku])) for sku in skus]


def settle_faces(view: View, facts: Faces) -> None:
    """Fill those that are at their minimum, from the bins that are no face of the item."""
    for face in facts.faces:
        under_way = [row for row in tasks.open_of(view.tx, facts.sku) if row.target == face.bin]
        coming = sum((tasks.of_row(row).left for row in under_way), Decimal(0))
        wanted = replenish.need(face.minimum, face.maximum, _available(view, face), coming)
        if wanted is not None:
            _fill(view, facts, face, wanted)


def _available(view: View, face: PickFace) -> Decimal:
    rows = select(balance.c.on_hand).where(balance.c.sku == face.sku, balance.c.location == face.bin)
    held = sum((Decimal(text) for text in view.tx.scalars(rows)), Decimal(0))
    promised = reservations.allocated(view.tx, [face.sku])
    return held - sum((quantity for (_, place, _), quantity in promised.items() if place == face.bin), Decimal(0))


def _fill(view: View, facts: Faces, face: PickFace, wanted: Decimal) -> None:
    reserve = picks.sources(view.tx, view.register, view.now) - {each.bin for each in facts.faces} - receiving(view)
    offers = reservations.free(view.tx, face.sku, view.now, view.now).offers
    if not any(each.available > 0 and each.location in reserve for each in offers):
        return
    need = allocations.Need(
        id=derived_id("face", face.sku, face.bin, str(view.now)),
        sku=face.sku,
        quantity=wanted,
        need_at=view.now,
        purpose="pick",
        reference=face.bin,
        partial=True,
    )
    answer, _ = allocations.serve(view.tx, need, reserve, 0, (ACTOR, view.now))
    for each in answer.picks:
        quantity = Decimal(each.quantity)
        goods = Received(face.sku, each.lot, each.location, quantity)
        task = _task("replenish", goods, quantity, face.bin)
        cause = Cause(f"pick face at its minimum of {quantity_text(face.minimum)}", view.now, None, each.reservation)
        tasks.make(view.tx, task, cause, Stamp(ACTOR, view.now))


def no_alert(_facts: Faces, _now: int) -> Alert | None:
    """A face that cannot be filled is what reordering is for."""
    return None


PUT_AWAY = Rule("no_bin", "item", load_docked, homeless, everything=every_sku, settle=settle_docked)
REPLENISH = Rule("replenish", "item", load_faces, no_alert, everything=every_sku, settle=settle_faces)
