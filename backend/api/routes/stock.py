"""Stock: crossings at the doors, the ledger, what is on hand."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection, select
from starlette.responses import Response

from backend.api import items
from backend.api.answers import (
    Body,
    answer,
    documented,
    documented_body,
    page,
    parse_body,
)
from backend.api.queries import moves, stock
from backend.api.services import Use
from backend.book import ledger
from backend.book.db import read, write
from backend.book.schema import movement
from models import wire
from models.errors import Clash, Refused
from models.reading import micros
from models.stock.ledger import Movement
from models.units import parse_quantity

router = APIRouter(tags=["stock"])


@router.get("/crossings", responses=documented(items.Page[items.Crossing]))
def list_crossings(services: Use, ask: Annotated[moves.CrossingAsk, Query()]) -> Response:
    """Passes decided, `direction: none` too, by n."""
    with read(services.book) as tx:
        found = moves.crossings(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, found[-1].n if found else None, whole)


@router.get("/movements", responses=documented(items.Page[items.Movement]))
def list_movements(services: Use, ask: Annotated[moves.MovementAsk, Query()]) -> Response:
    """Entries of the stock ledger with their evidence, by n."""
    with read(services.book) as tx:
        found = moves.movements(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, found[-1].n if found else None, whole)


@router.put(
    "/movements/{ident}", responses=documented(items.Declared, 201), openapi_extra=documented_body(items.MovementBody)
)
def put_movement(services: Use, ident: Annotated[str, Path(max_length=36)], body: Body) -> Response:
    """A movement that a person enters; the same id again is harmless, with other content 409."""
    entered = parse_body(body, items.MovementBody)
    if not wire.OLDEST <= entered.at < wire.NEWEST:
        msg = f"at: a time in 1970 ... 2199 expected, got {entered.at}"
        raise Refused(msg)
    wanted = Movement(
        id=ident,
        at=micros(entered.at),
        sku=entered.sku,
        lot=entered.lot,
        quantity=parse_quantity(entered.quantity),
        source=entered.source,
        target=entered.target,
        reason=entered.reason,
        evidence=entered.evidence,
    )
    now = services.clock()
    with write(services.book) as tx:
        _check_names(tx, wanted, now)
        _check_is_no_reversal(tx, ident)
        created = ledger.post(tx, [wanted], (), services.actor, now)
    return answer(items.Declared(ident, "created" if created else "same"), 201 if created else 200)


def _check_names(tx: Connection, wanted: Movement, now: int) -> None:
    known = {kind: {entry.id for entry in stock.registered(tx, kind, now)} for kind in ("items", "locations")}
    for field, kind in (("sku", "items"), ("source", "locations"), ("target", "locations")):
        if getattr(wanted, field) not in known[kind]:
            msg = f"{field}: one of the {kind} of the register expected, got {getattr(wanted, field)!r}"
            raise Refused(msg)


def _check_is_no_reversal(tx: Connection, ident: str) -> None:
    fact = tx.scalar(select(movement.c.movement_id).where(movement.c.id == ident))
    if fact not in (None, ident):
        msg = f"id: {ident} is an entry that the books made of movement {fact}"
        raise Clash(msg)


@router.get("/stock", responses=documented(items.Page[items.Stock]))
def list_stock(services: Use, ask: Annotated[stock.StockAsk, Query()]) -> Response:
    """On hand, allocated, available and on order, by item, place and lot; `after` is how many to leave out.

    With `as_of` the ledger is replayed up to that time. Virtual places only where `location` names one.
    """
    now = services.clock()
    with read(services.book) as tx:
        found = stock.stock(tx, ask, now)[ask.after : ask.after + ask.limit]
        whole = services.complete_to(tx, now)
    until = whole if ask.as_of is None else min(whole, micros(ask.as_of))
    return page(found, ask.limit, ask.after + len(found), until)
