"""Reservations in the book: what of the stock is promised, and every step by which it became more or less.

Whoever promises holds the lock of numbers to its commit, as whoever posts to the ledger does: so what is available is
counted and promised in one moment, and nothing is promised twice. The lines that it takes from are locked besides, in
the order of the ledger: number, head, balances.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from backend.book import events, locks, lots, virtual
from backend.book.schema import balance
from backend.book.schema_lots import reservation as table
from backend.book.schema_lots import reservation_step as steps
from models.errors import Clash, NotFound, Refused
from models.stock import reservation as rules
from models.stock.allocation import Offer, usable
from models.stock.lot import Known, lasts
from models.stock.reservation import Held, Reservation
from models.units import quantity_text

Place = tuple[str, str | None, str | None]
"""(sku, location, lot): without a location, a demand for the item; without a lot, what has none."""


class Free(NamedTuple):
    """What may be promised: by line; of the item, less what others wait for who need it no later; and for which day."""

    offers: list[Offer]
    total: Decimal
    on: date


FIELDS = ("id", "sku", "lot", "location", "purpose", "reference", "need_at")
_LINES = select(balance).where(balance.c.sku == bindparam("sku")).order_by(*balance.primary_key).with_for_update()
_OPEN: Select[Any] = select(table).where(table.c.state == "open", table.c.sku.in_(bindparam("skus", expanding=True)))
_THEN = (
    select(table.c.sku, table.c.location, table.c.lot, steps.c.quantity)
    .join_from(steps, table, steps.c.reservation_id == table.c.id)
    .where(steps.c.at <= bindparam("as_of"), table.c.sku.in_(bindparam("skus", expanding=True)))
)


def reserve(tx: Connection, wanted: Reservation, actor: str, now: int) -> Literal["created", "same"]:
    """Promise stock; the same id again is harmless, also when it is over since.

    Raises Clash if the id has other content; Refused if the lot may not be used on the day of need, or if less is
    available where it lies or of the item, where those who need it no later come first.
    """
    locks.number(tx)
    if (row := tx.execute(_one(wanted.id)).one_or_none()) is not None:
        if held(row).reservation != wanted:
            msg = f"id: reservation {wanted.id} is there with other content"
            raise Clash(msg)
        return "same"
    if wanted.location is not None:
        _check(tx, wanted, now)
    record(tx, wanted, None, (actor, now))
    return "created"


def record(tx: Connection, wanted: Reservation, allocation: str | None, stamp: tuple[str, int]) -> None:
    """A reservation that the caller has seen to be new and available; `stamp` is who makes it and when."""
    actor, now = stamp
    values = {field: getattr(wanted, field) for field in FIELDS}
    made = {"quantity": quantity_text(wanted.quantity), "fulfilled": "0", "state": "open", "allocation": allocation}
    tx.execute(insert(table).values(**values, **made, actor=actor, made_at=now))
    _step(tx, Held(wanted), ("made", wanted.quantity, None), actor, now)


def fulfil(tx: Connection, ident: str, quantity: Decimal, actor: str, now: int) -> Held:
    """So much of it went where it was promised. Raises NotFound, Clash if it is over, Refused if less is left."""
    present = one(tx, ident)
    after = rules.fulfil(present, quantity)
    _save(tx, after)
    _step(tx, after, ("fulfilled", present.fulfilled - after.fulfilled, None), actor, now)
    return after


def cancel(tx: Connection, ident: str, why: str | None, actor: str, now: int) -> Held:
    """What is left is promised no more; again is harmless. Raises NotFound, Clash if all of it was fulfilled."""
    present = one(tx, ident)
    after = rules.cancel(present)
    if present.state != "cancelled":
        _save(tx, after)
        _step(tx, after, ("cancelled", -present.left, why), actor, now)
    return after


def cancel_lot(tx: Connection, sku: str, lot: str, why: str, stamp: tuple[str, int]) -> list[str]:
    """Nothing of a lot is promised any more: the ids of what was."""
    locks.number(tx)
    of_lot = select(table.c.id).where(table.c.state == "open", table.c.sku == sku, table.c.lot == lot)
    found = [*tx.scalars(of_lot.order_by(table.c.n))]
    for ident in found:
        cancel(tx, ident, why, *stamp)
    return found


def allocated(tx: Connection, skus: Collection[str], as_of: int | None = None) -> dict[Place, Decimal]:
    """What is promised of some items: now, or of what had been recorded by a time (microseconds)."""
    sums: defaultdict[Place, Decimal] = defaultdict(Decimal)
    if as_of is not None:
        for sku, location, lot, quantity in tx.execute(_THEN, {"as_of": as_of, "skus": sorted(skus)}):
            sums[sku, location, lot] += Decimal(quantity)
    else:
        for row in tx.execute(_OPEN, {"skus": sorted(skus)}):
            sums[row.sku, row.location, row.lot] += held(row).left
    return {place: quantity for place, quantity in sums.items() if quantity}


def held(row: Row[Any]) -> Held:
    """A reservation from its row."""
    made = Reservation(**{field: getattr(row, field) for field in FIELDS}, quantity=Decimal(row.quantity))
    return Held(made, Decimal(row.fulfilled), row.state)


def one(tx: Connection, ident: str) -> Held:
    """A reservation by its id. Raises NotFound."""
    locks.number(tx)
    row = tx.execute(_one(ident)).one_or_none()
    if row is None:
        msg = f"reservations: nothing of id {ident!r}"
        raise NotFound(msg)
    return held(row)


def free(tx: Connection, sku: str, need_at: int, now: int, serving: str | None = None) -> Free:
    """What of an item may still be promised to a need at a time; `serving` is the demand that it is promised for.

    Lots that may not be used then count for nothing in the total; it is below zero where more is promised.
    """
    lines = {(row.location, row.lot): Decimal(row.on_hand) for row in tx.execute(_LINES, {"sku": sku})}
    outside = virtual.kinds(tx, {location for location, _ in lines}, now)
    known = lots.known(tx, sku, {lot for _, lot in lines if lot}, now)
    promised: defaultdict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    waiting = Decimal(0)
    for row in tx.execute(_OPEN, {"skus": [sku]}):
        left = held(row).left
        promised[row.location, row.lot or ""] += left
        is_before = row.location is None and row.need_at <= need_at and row.id != serving
        waiting += left if is_before else 0
    offers = [
        Offer(location, lot or None, quantity - promised[location, lot], known.get(lot, Known()))
        for (location, lot), quantity in lines.items()
        if location not in outside
    ]
    on = lots.day_of(max(now, need_at))
    total = sum((each.available for each in offers if usable(each, on)), Decimal(0))
    return Free(offers, total - waiting, on)


def most(tx: Connection, at: Place, need_at: int, now: int) -> Decimal:
    """How much of what lies at a place may be promised to a need at a time: of a lot that may not be used, nothing."""
    locks.number(tx)
    sku, location, lot = at
    found = free(tx, sku, need_at, now)
    offer = next((each for each in found.offers if (each.location, each.lot) == (location, lot)), None)
    if offer is None or not usable(offer, found.on):
        return Decimal(0)
    return max(min(offer.available, found.total), Decimal(0))


def _check(tx: Connection, wanted: Reservation, now: int) -> None:
    found = free(tx, wanted.sku, wanted.need_at, now)
    offer = next((each for each in found.offers if (each.location, each.lot) == (wanted.location, wanted.lot)), None)
    if offer is not None and offer.known.status != "available":
        msg = f"lot: one that may be used expected, {wanted.lot} is {offer.known.status}"
        raise Refused(msg)
    if offer is not None and not lasts(offer.known, found.on):
        msg = f"lot: one that lasts until {found.on} expected, {wanted.lot} expires on {offer.known.expires}"
        raise Refused(msg)
    most = Decimal(0) if offer is None else max(min(offer.available, found.total), Decimal(0))
    if wanted.quantity > most:
        what = f"{wanted.sku}{'' if wanted.lot is None else f' lot {wanted.lot}'} at {wanted.location}"
        available = f"at most the {quantity_text(most)} that are available of {what}"
        msg = f"quantity: {available} expected, got {quantity_text(wanted.quantity)}"
        raise Refused(msg)


def _one(ident: str) -> Select[Any]:
    return select(table).where(table.c.id == ident)


def _save(tx: Connection, after: Held) -> None:
    values = {"fulfilled": quantity_text(after.fulfilled), "state": after.state}
    tx.execute(update(table).where(table.c.id == after.reservation.id).values(values))


def _step(tx: Connection, after: Held, step: tuple[str, Decimal, str | None], actor: str, now: int) -> None:
    what, quantity, note = step
    made = after.reservation
    values = {"what": what, "quantity": quantity_text(quantity), "note": note}
    tx.execute(insert(steps).values(reservation_id=made.id, at=now, actor=actor, **values))
    told = {field: getattr(made, field) for field in FIELDS} | {"left": quantity_text(after.left)}
    events.emit(tx, "reservation", {**told, "what": what, "state": after.state, "by": actor}, now)
    events.changed(tx, f"item:{made.sku}", now)
