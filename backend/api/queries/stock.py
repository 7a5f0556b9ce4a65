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
from backend.book import bindings, proposals
from backend.book.schema import balance, movement, register_entry
from models.declared import Location, decode_body
from models.reading import from_micros, micros
from models.register import Entry, Register
from models.units import quantity_text

Key = tuple[str, str, str]
"""(sku, location, lot); without a lot, ""."""


WITHDRAWN = encode(bindings.WITHDRAWN)
"""The body of an entry that is as if nothing had been declared of its moment."""
Named = Annotated[str | None, Field(max_length=128)]


class StockAsk(BaseModel, frozen=True, extra="forbid"):
    """Which stock: of an item, at a place (a virtual one only if it is named), of a lot, at a time."""

    sku: Named = None
    location: Named = None
    lot: Named = None
    as_of: When | None = None
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


def stock(tx: Connection, ask: StockAsk, now: int) -> list[items.Stock]:
    """On hand by item, place and lot.

    Nothing is allocated: there are no reservations yet. On order is what was approved and has not been received since.
    """
    at = now if ask.as_of is None else micros(ask.as_of)
    held = _balances(tx, ask) if ask.as_of is None else _replayed(tx, ask, at)
    hidden = set[str]() if ask.location is not None else virtual_locations(tx, at)
    coming = _on_order(tx, now)
    return [
        items.Stock(
            sku=sku,
            location=location,
            lot=lot or None,
            on_hand=quantity_text(quantity),
            allocated="0",
            available=quantity_text(quantity),
            on_order=quantity_text(coming.get(sku, Decimal(0))),
        )
        for (sku, location, lot), quantity in sorted(held.items())
        if location not in hidden
    ]


def _balances(tx: Connection, ask: StockAsk) -> dict[Key, Decimal]:
    query = select(balance)
    for column, wanted in ((balance.c.sku, ask.sku), (balance.c.location, ask.location), (balance.c.lot, ask.lot)):
        if wanted is not None:
            query = query.where(column == wanted)
    return {(row.sku, row.location, row.lot): Decimal(row.on_hand) for row in tx.execute(query)}


def _replayed(tx: Connection, ask: StockAsk, as_of: int) -> dict[Key, Decimal]:
    query = select(movement.c.sku, movement.c.lot, movement.c.quantity, movement.c.source, movement.c.target).where(
        movement.c.at <= as_of
    )
    for column, wanted in ((movement.c.sku, ask.sku), (movement.c.lot, ask.lot)):
        if wanted is not None:
            query = query.where(func.coalesce(column, "") == wanted)
    sums: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for sku, lot, text, source, target in tx.execute(query):
        quantity = Decimal(text)
        sums[sku, target, lot or ""] += quantity
        sums[sku, source, lot or ""] -= quantity
    return {key: sums[key] for key in sums if ask.location in (None, key[1])}


def _on_order(tx: Connection, now: int) -> dict[str, Decimal]:
    devices = [
        Entry("devices", one.id, now, 0, decode_body("devices", bytes(one.body)))
        for one in registered(tx, "devices", now)
    ]
    return proposals.on_order(tx, proposals.suppliers(Register.of(devices), now))


def virtual_locations(tx: Connection, at: int) -> set[str]:
    """Places that stand for the world outside."""
    found: set[str] = set()
    for entry in registered(tx, "locations", at):
        body = decode_body("locations", bytes(entry.body))
        if isinstance(body, Location) and body.virtual:
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
