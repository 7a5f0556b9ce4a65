"""Reservations: what of the stock is promised; and needs that are served from lots."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items
from backend.api import items_lots as shapes
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body
from backend.api.queries import lots as queries
from backend.api.queries.stock import places_within
from backend.api.routes.catalogue import Ident, checked_id, counted, time_of
from backend.api.services import Use
from backend.book import allocations, entries
from backend.book import reservations as book
from backend.book.db import read, write
from models.stock.reservation import Reservation

router = APIRouter(tags=["reservations"])


class Cancelled(Ask, frozen=True):
    """Why."""

    reason: Annotated[str | None, Field(max_length=400)] = None


@router.get("/reservations", responses=documented(items.Page[shapes.Reservation]))
def list_reservations(services: Use, ask: Annotated[queries.ReservationAsk, Query()]) -> Response:
    """Reservations by n, also those that are over."""
    with read(services.book) as tx:
        found = queries.reserved(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/reservations/{ident}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(shapes.ReservationBody),
)
def put_reservation(services: Use, ident: Ident, body: Body) -> Response:
    """Promise stock: what lies at a location, at most what is available there; or, without one, of the item."""
    asked, now = parse_body(body, shapes.ReservationBody), services.clock()
    need_at = time_of("need_at", asked.need_at)
    with write(services.book) as tx:
        known = services.registers.current(tx)
        if asked.location is not None:
            entries.check_places(known, now, location=asked.location)
        wanted = Reservation(
            id=checked_id(ident),
            sku=asked.sku,
            quantity=counted(known, asked.sku, (asked.quantity, asked.unit), now),
            lot=asked.lot,
            location=asked.location,
            purpose=asked.purpose,
            reference=asked.reference,
            need_at=need_at,
        )
        outcome = book.reserve(tx, wanted, services.actor, now)
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.delete("/reservations/{ident}", responses=documented(shapes.Reservation))
def delete_reservation(services: Use, ident: Ident, ask: Annotated[Cancelled, Query()]) -> Response:
    """What is left of it is promised no more; it stays in the list. Harmless when repeated."""
    with write(services.book) as tx:
        book.cancel(tx, ident, ask.reason, services.actor, services.clock())
        found = queries.one_reservation(tx, ident)
    return answer(found)


@router.post(
    "/allocations", responses=documented(shapes.Allocated, 201), openapi_extra=documented_body(shapes.NeedBody)
)
def post_allocation(services: Use, body: Body) -> Response:
    """Reserve the lots that expire first (or came first) for a need; the same id again has the same answer."""
    asked, now = parse_body(body, shapes.NeedBody), services.clock()
    need_at = time_of("need_at", asked.need_at)
    with write(services.book) as tx:
        known = services.registers.current(tx)
        item = entries.item_of(known, asked.sku, now)
        need = allocations.Need(
            id=asked.id,
            sku=asked.sku,
            quantity=counted(known, asked.sku, (asked.quantity, asked.unit), now),
            need_at=need_at,
            purpose=asked.purpose,
            reference=asked.reference,
            rule=asked.rule,
            within=asked.within,
            partial=asked.partial,
            reservation=asked.reservation,
        )
        if asked.within is not None:
            entries.check_places(known, now, within=asked.within)
        places = None if asked.within is None else places_within(tx, asked.within, now)
        found, is_new = allocations.serve(tx, need, places, item.min_shelf_life_days, (services.actor, now))
    shape = shapes.Allocated(need.id, need.sku, found.picks, found.short)
    return answer(shape, 201 if is_new else 200)
