"""A need is served from lots: what they are taken from is chosen and reserved in one transaction, once for each id."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from backend.book import locks, reservations
from backend.book.schema_lots import allocation as table
from models.errors import Clash, Refused
from models.ids import derived_id
from models.stock.allocation import RANKS, Pick, allocate
from models.stock.reservation import Purpose, Reservation
from models.units import quantity_text


class Need(Struct, frozen=True, kw_only=True):
    """So much of an item by a time (microseconds), for a reference; `within` a place, by one of RANKS.

    `partial`: what there is, where there is less. `reservation` is the demand that this serves, if one was made before.
    """

    id: str
    sku: str
    quantity: Decimal
    need_at: int
    purpose: Purpose
    reference: str
    rule: str = "fefo"
    within: str | None = None
    partial: bool = False
    reservation: str | None = None


class Reserved(Struct, frozen=True):
    """One line of an allocation, and the reservation that holds it."""

    reservation: str
    location: str
    lot: str | None
    quantity: str


class Answer(Struct, frozen=True):
    """What was reserved, and how much of the need it does not cover."""

    picks: list[Reserved]
    short: str


def serve(
    tx: Connection, need: Need, places: set[str] | None, shelf_life_days: int, stamp: tuple[str, int]
) -> tuple[Answer, bool]:
    """Reserve lots for a need, at these places or anywhere; whether that is new. The same again has the same answer.

    Raises Clash if the id asked for something else, Refused if less is available and that is not enough.
    """
    locks.number(tx)
    asked = msgspec.json.encode(need, order="deterministic")
    row = tx.execute(select(table).where(table.c.id == need.id)).one_or_none()
    if row is not None:
        if bytes(row.asked) != asked:
            msg = f"id: allocation {need.id} is there for another need"
            raise Clash(msg)
        return msgspec.json.decode(bytes(row.answer), type=Answer), False
    actor, now = stamp
    if need.reservation is not None:
        _check_demand(tx, need, need.reservation)
    answer = _serve(tx, need, places, shelf_life_days, stamp)
    values: dict[str, Any] = {"id": need.id, "asked": asked, "answer": msgspec.json.encode(answer)}
    tx.execute(insert(table).values(**values, actor=actor, made_at=now))
    return answer, True


def _serve(tx: Connection, need: Need, places: set[str] | None, shelf_life_days: int, stamp: tuple[str, int]) -> Answer:
    actor, now = stamp
    found = reservations.free(tx, need.sku, need.need_at, now, need.reservation)
    own = Decimal(0) if need.reservation is None else reservations.one(tx, need.reservation).left
    most = max(min(need.quantity, found.total), Decimal(0))
    offers = [each for each in found.offers if places is None or each.location in places]
    picked = allocate(offers, most, found.on, shelf_life_days, RANKS[need.rule])
    covered = sum((each.quantity for each in picked.picks), Decimal(0))
    if covered < need.quantity and not need.partial:
        msg = f"quantity: at most the {quantity_text(covered)} that are available by {found.on} expected"
        raise Refused(f"{msg}, got {quantity_text(need.quantity)}; or partial")
    if need.reservation is not None and min(own, covered) > 0:
        reservations.fulfil(tx, need.reservation, min(own, covered), actor, now)
    picks = [_reserve(tx, need, pick, stamp) for pick in picked.picks]
    return Answer(picks, quantity_text(need.quantity - covered))


def _reserve(tx: Connection, need: Need, pick: Pick, stamp: tuple[str, int]) -> Reserved:
    ident = derived_id("allocation", need.id, pick.location, pick.lot or "")
    made = Reservation(
        id=ident,
        sku=need.sku,
        quantity=pick.quantity,
        lot=pick.lot,
        location=pick.location,
        purpose=need.purpose,
        reference=need.reference,
        need_at=need.need_at,
    )
    reservations.record(tx, made, need.id, stamp)
    return Reserved(ident, pick.location, pick.lot, quantity_text(pick.quantity))


def _check_demand(tx: Connection, need: Need, ident: str) -> None:
    demand = reservations.one(tx, ident).reservation
    if (demand.sku, demand.location) != (need.sku, None):
        msg = f"reservation: a demand for {need.sku!r} without a place expected, {ident} is another"
        raise Refused(msg)
