"""What is on hand: the balances, or the ledger replayed up to a time; and what the register holds."""

from collections import defaultdict
from decimal import Decimal
from typing import Annotated

from msgspec import Raw
from msgspec.json import encode
from pydantic import BaseModel, Field
from sqlalchemy import Connection, func, select

from backend.api import items
from backend.api.answers import When
from backend.book import bindings, lots, purchases, reservations
from backend.book.schema import balance, movement, register_entry
from models.declared import Item, Location, decode_body
from models.place import VIRTUAL, within
from models.reading import from_micros, micros
from models.units import quantity_text

MOST_PLACES = 1000
"""More are sorted out here, not by the statement."""
Key = tuple[str, str, str]
"""(sku, location, lot); without a lot, ""."""


WITHDRAWN = encode(bindings.WITHDRAWN)
"""The body of an entry that is as if nothing had been declared of its moment."""
Named = Annotated[str | None, Field(max_length=128)]


class StockAsk(BaseModel, frozen=True, extra="forbid"):
    """Which stock: of an item, family or lot, at a place (a virtual one only if named) or within it, at a time."""

    sku: Named = None
    family: Named = None
    location: Named = None
    within: bool = False
    lot: Named = None
    as_of: When | None = None
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


def stock(tx: Connection, ask: StockAsk, now: int) -> list[items.Stock]:
    """On hand by item, place and lot.

    Available is what is not allocated of a lot that may be used then; reserved is what is promised of the item wherever
    it is. On order is what was ordered and has neither come nor been cancelled.
    """
    at = now if ask.as_of is None else micros(ask.as_of)
    places = _places(tx, ask, at)
    held = _balances(tx, ask, places) if ask.as_of is None else _replayed(tx, ask, at)
    if places is not None:
        held = {key: quantity for key, quantity in held.items() if key[1] in places}
    if ask.family is not None:
        family = of_family(tx, ask.family, at)
        held = {key: quantity for key, quantity in held.items() if key[0] in family}
    skus = {sku for sku, _, _ in held}
    promised = reservations.allocated(tx, skus, None if ask.as_of is None else at)
    barred = lots.barred(tx, {(sku, lot) for sku, _, lot in held if lot}, at)
    hidden = set[str]() if ask.location is not None else virtual_locations(tx, at)
    coming = purchases.on_order(tx, skus) if ask.as_of is None else purchases.on_order_at(tx, skus, at)
    return [
        items.Stock(
            sku=sku,
            location=location,
            lot=lot or None,
            on_hand=quantity_text(quantity),
            allocated=quantity_text(taken := promised.get((sku, location, lot or None), Decimal(0))),
            available="0" if (sku, lot) in barred else quantity_text(quantity - taken),
            on_order=quantity_text(coming.get(sku, Decimal(0))),
            reserved=quantity_text(promised.get((sku, None, None), Decimal(0))),
        )
        for (sku, location, lot), quantity in sorted(held.items())
        if location not in hidden
    ]


def of_family(tx: Connection, family: str, at: int) -> set[str]:
    """The items that are of a family at a time."""
    bodies = {each.id: decode_body("items", bytes(each.body)) for each in registered(tx, "items", at)}
    return {ident for ident, body in bodies.items() if isinstance(body, Item) and body.family == family}


def _places(tx: Connection, ask: StockAsk, at: int) -> set[str] | None:
    if ask.location is None:
        return None
    return places_within(tx, ask.location, at) if ask.within else {ask.location}


def places_within(tx: Connection, root: str, at: int) -> set[str]:
    """A location and everything that is in it at a time."""
    bodies = {each.id: decode_body("locations", bytes(each.body)) for each in registered(tx, "locations", at)}
    return within({ident: body.parent for ident, body in bodies.items() if isinstance(body, Location)}, root)


def _balances(tx: Connection, ask: StockAsk, places: set[str] | None) -> dict[Key, Decimal]:
    query = select(balance)
    for column, wanted in ((balance.c.sku, ask.sku), (balance.c.lot, ask.lot)):
        if wanted is not None:
            query = query.where(column == wanted)
    if places is not None and len(places) <= MOST_PLACES:
        query = query.where(balance.c.location.in_(sorted(places)))
    return {(row.sku, row.location, row.lot): Decimal(row.on_hand) for row in tx.execute(query)}


def _replayed(tx: Connection, ask: StockAsk, as_of: int) -> dict[Key, Decimal]:
    query = select(movement.c.sku, movement.c.lot, movement.c.quantity, movement.c.source, movement.c.target).where(
        movement.c.at <= as_of
    )
    if ask.sku is not None:
        query = query.where(movement.c.sku == ask.sku)
    if ask.lot is not None:
        query = query.where(func.coalesce(movement.c.lot, "") == ask.lot)
    sums: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for sku, lot, text, source, target in tx.execute(query):
        quantity = Decimal(text)
        sums[sku, target, lot or ""] += quantity
        sums[sku, source, lot or ""] -= quantity
    return dict(sums)


def virtual_locations(tx: Connection, at: int) -> set[str]:
    """Places that stand for the world outside."""
    found = set(VIRTUAL)
    for entry in registered(tx, "locations", at):
        body = decode_body("locations", bytes(entry.body))
        if isinstance(body, Location) and body.is_virtual:
            found.add(entry.id)
    return found


def registered(tx: Connection, kind: str, at: int, ident: str | None = None) -> list[items.Registered]:
    """What the register held of a kind at a time, by id."""
    entry = register_entry.c
    of_moment = func.row_number().over(partition_by=(entry.id, entry.valid_from), order_by=entry.n.desc())
    dated = select(register_entry, of_moment.label("moment")).where(entry.kind == kind, entry.valid_from <= at)
    if ident is not None:
        dated = dated.where(entry.id == ident)
    said = dated.subquery().c
    latest = func.row_number().over(partition_by=said.id, order_by=said.valid_from.desc()).label("back")
    held = select(*said, latest).where(said.moment == 1, said.body != WITHDRAWN).subquery()
    rows = tx.execute(select(held).where(held.c.back == 1).order_by(held.c.id))
    return [
        items.Registered(
            kind=row.kind,
            id=row.id,
            valid_from=from_micros(row.valid_from),
            recorded_at=from_micros(row.recorded_at),
            actor=row.actor,
            body=Raw(row.body),
        )
        for row in rows
    ]
