"""What is announced to come or to leave (ASNs, shipments), and what came of it: matched, short, over, wrong."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_expected as shapes
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body, time_of
from backend.api.queries import expected as queries
from backend.api.queries.scans import name_of
from backend.api.routes.warehouse import Ident, declared, named, stamp
from backend.api.services import Use
from backend.book import entries
from backend.book import expected as book
from backend.book.db import read, write
from models.register import Register
from models.stock.expected import Expected, Line
from models.units import parse_quantity

router = APIRouter(tags=["expected"])


@router.get("/expected", responses=documented(items.Page[shapes.Expected]))
def list_expected(services: Use, ask: Annotated[queries.ExpectedAsk, Query()]) -> Response:
    """Announcements by n, each line with what came of it as is known now."""
    with read(services.book) as tx:
        found = queries.announcements(tx, services.registers.current(tx), ask, services.clock())
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/expected/{ident}", responses=documented(shapes.Expected))
def get_expected(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One announcement and how it stands."""
    with read(services.book) as tx:
        return answer(queries.one(tx, services.registers.current(tx), ident, services.clock()))


@router.put(
    "/expected/{ident}", responses=documented(items.Declared, 201), openapi_extra=documented_body(shapes.ExpectedBody)
)
def put_expected(services: Use, ident: Ident, body: Body) -> Response:
    """Announce a receipt or a shipment; the same id again is harmless, with other content 409."""
    said = parse_body(body, shapes.ExpectedBody)
    by = stamp(services, said.by)
    with write(services.book) as tx:
        known = services.registers.current(tx)
        new = Expected(
            id=named(ident),
            kind=said.kind,
            party=said.party,
            place=said.place,
            begin=time_of("begin", said.begin),
            end=time_of("end", said.end),
            lines=tuple(_line(known, n, line, by.now) for n, line in enumerate(said.lines, 1)),
        )
        outcome = book.put(tx, known, book.Announced(body=new, order=said.order, note=said.note), by)
    return declared(ident, outcome)


def _line(known: Register, n: int, said: shapes.ExpectedLineBody, now: int) -> Line:
    item = entries.item_of(known, said.sku, now)
    quantity = entries.counted(item, parse_quantity(said.quantity), said.unit)
    return Line(n, said.sku, quantity, said.lot, tuple(name_of(tag) for tag in said.tags))


@router.post(
    "/expected/{ident}/close",
    responses=documented(shapes.Expected),
    openapi_extra=documented_body(shapes.ClosingBody, required=False),
)
def close_expected(services: Use, ident: Ident, body: Body) -> Response:
    """It is over: what comes later is not of it, and what has not come is short. Harmless when repeated."""
    said = parse_body(body or b"{}", shapes.ClosingBody)
    by = stamp(services, said.by)
    at = by.now if said.at is None else time_of("at", said.at)
    with write(services.book) as tx:
        book.close(tx, ident, at, said.reason, by)
        return answer(queries.one(tx, services.registers.current(tx), ident, by.now))
