"""What stock is worth: costs, valuation, cost of goods sold, the journal."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_costs as shapes
from backend.api.answers import Body, answer, decimal_of, documented, documented_body, page, parse_body
from backend.api.queries import accounts, values
from backend.api.queries import costs as queries
from backend.api.queries.stock import registered
from backend.api.services import Use
from backend.book import costs as book
from backend.book.db import read, write
from models import wire
from models.errors import Refused
from models.reading import micros
from models.stock.prices import Cost

router = APIRouter(tags=["stock value"])
Ident = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]


@router.get("/costs", responses=documented(items.Page[shapes.Cost]))
def list_costs(services: Use, ask: Annotated[queries.CostAsk, Query()]) -> Response:
    """Prices and landed costs by n, also those that others replaced."""
    with read(services.book) as tx:
        found = queries.listed(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/costs/{ident:path}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(shapes.CostBody),
)
def put_cost(services: Use, ident: Ident, body: Body) -> Response:
    """A price, or a cost that receipts share; the same id again is harmless, with other content 409.

    What has a price gets another one only by a cost that replaces it.
    """
    new = _cost(ident, parse_body(body, shapes.CostBody))
    now = services.clock()
    with write(services.book) as tx:
        if new.sku is not None and not registered(tx, "items", now, new.sku):
            msg = f"sku: one of the items of the register expected, got {new.sku!r}"
            raise Refused(msg)
        outcome = book.record(tx, new, services.actor, now)
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


def _cost(ident: str, body: shapes.CostBody) -> Cost:
    if body.since is not None and not wire.OLDEST <= body.since < wire.NEWEST:
        msg = f"since: a time in 1970 ... 2199 expected, got {body.since}"
        raise Refused(msg)
    return Cost(
        id=ident,
        what=body.what,
        amount=decimal_of("amount", body.amount),
        movement=body.movement,
        sku=body.sku,
        lot=body.lot,
        since=None if body.since is None else micros(body.since),
        share=body.share,
        receipts=body.receipts,
        weights=[decimal_of(f"weights[{k}]", each) for k, each in enumerate(body.weights)],
        replaces=body.replaces,
        note=body.note,
    )


@router.get("/valuation", responses=documented(shapes.Valuations))
def get_valuation(services: Use, ask: Annotated[values.ValuationAsk, Query()]) -> Response:
    """What every item is worth, by event time as is known now; of one item its layers too."""
    now = services.clock()
    with read(services.book) as tx:
        found = values.valuations(tx, services.registers.current(tx), ask, now)
    return answer(found)


@router.get("/cogs", responses=documented(shapes.CogsPage))
def get_cogs(services: Use, ask: Annotated[values.CogsAsk, Query()]) -> Response:
    """What sales cost: by event time as is known now, or as the books have it, closed months as they were closed."""
    now = services.clock()
    with read(services.book) as tx:
        found = values.cogs(tx, services.registers.current(tx), ask, now)
    return answer(found)


@router.get("/journal-entries", responses=documented(items.Page[shapes.JournalEntry]))
def list_journal(services: Use, ask: Annotated[accounts.JournalAsk, Query()]) -> Response:
    """Balanced entries of a month: what is posted in it, deltas too, and what an open month would post now."""
    with read(services.book) as tx:
        found = accounts.entries(tx, ask)
    return page(found, ask.limit, found[-1].id if found else None)
