"""Stock: crossings at the doors, the ledger, what is on hand."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api.answers import (
    Ask,
    Body,
    answer,
    documented,
    documented_body,
    page,
    parse_body,
    time_of,
)
from backend.api.items_evidence import Evidence, ReversalBody
from backend.api.queries import evidence, moves, stock
from backend.api.services import Use
from backend.book import entered, entries
from backend.book.db import read, write
from models.errors import NotFound
from models.reading import micros
from models.register import Register
from models.stock.ledger import Movement
from models.units import parse_quantity

router = APIRouter(tags=["stock"])
Ident = Annotated[str, Path(max_length=36)]


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
def put_movement(services: Use, ident: Ident, body: Body) -> Response:
    """A movement that a person enters; the same id again is harmless, with other content 409.

    More than is at a real place is refused, unless the place or the item allows it (`negative`).
    """
    said = parse_body(body, items.MovementBody)
    now = services.clock()
    with write(services.book) as tx:
        known = services.registers.current(tx)
        wanted = _entered(known, ident, said, now)
        entries.check_places(known, now, source=wanted.source, target=wanted.target)
        outcome = entered.put(tx, known, wanted, services.actor, now)
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.get("/movements/{ident}/evidence", responses=documented(Evidence))
def get_evidence(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """What an entry of the ledger rests on: its reversals, crossing or scans, and the readings, or the person."""
    with read(services.book) as tx:
        found = evidence.behind(tx, ident)
    if found is None:
        msg = f"movements: nothing of id {ident!r}"
        raise NotFound(msg)
    return answer(found)


@router.post(
    "/movements/{ident}/reverse",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(ReversalBody),
)
def reverse_movement(services: Use, ident: Ident, body: Body) -> Response:
    """Take back a movement that a person entered, within `undo_days`: a further entry, with the same event time.

    Harmless when repeated. What was read or scanned is corrected by what is read, or counted.
    """
    said, now = parse_body(body, ReversalBody), services.clock()
    with write(services.book) as tx:
        why = (said.reason, said.by or services.actor)
        outcome = entered.reverse(tx, services.registers.current(tx), ident, why, (now, services.undo_days))
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


def _entered(known: Register, ident: str, said: items.MovementBody, now: int) -> Movement:
    """What a person entered, in the item's own unit. Raises Refused where the item cannot move so."""
    item = entries.item_of(known, said.sku, now)
    entries.check_lot(known, item, (said.sku, said.lot), now)
    return Movement(
        id=ident,
        at=time_of("at", said.at),
        sku=said.sku,
        lot=said.lot,
        quantity=entries.counted(item, parse_quantity(said.quantity), said.unit),
        source=said.source,
        target=said.target,
        reason=said.reason,
        evidence=said.evidence,
    )


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
