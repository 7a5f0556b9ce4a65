"""Where assets are and were, who has them, and what they are promised for: custody, bookings, transfers, reuse.

Until there is sign-in a body's `by` says who acts; without it, it is the API's own actor.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from backend import reusable
from backend.api import items
from backend.api import items_custody as shapes
from backend.api.answers import Ask, Body, When, answer, documented, documented_body, page, parse_body, time_of
from backend.api.queries import custody as queries
from backend.api.routes.fleet import Ident, Span, known_asset, span_of
from backend.api.routes.warehouse import declared, named, stamp
from backend.api.services import Services, Use
from backend.book import bookings, custody, relocations
from backend.book.db import read, write
from backend.book.schema_custody import asset_booking, asset_transfer
from models.assets.booking import Booking, Transfer
from models.assets.custody import Entry
from models.reading import micros

router = APIRouter(tags=["custody"])
Own = Annotated[str, Path(max_length=64)]
_declared = documented(items.Declared, 201)
Like = Annotated[str | None, Field(min_length=1, max_length=64)]


class ReusableAsk(Ask, frozen=True):
    """What is wanted, where, and for when: now and for good where nothing is said."""

    category: Like = None
    model: Like = None
    site: Like = None
    since: Annotated[When | None, Field(alias="from")] = None
    until: When | None = None


class Cancelled(Ask, frozen=True):
    """Why."""

    reason: Annotated[str | None, Field(max_length=400)] = None


@router.get("/assets/reusable", responses=documented(items.Page[shapes.Reusable]))
def list_reusable(services: Use, ask: Annotated[ReusableAsk, Query()]) -> Response:
    """Assets like this that are free, to be had before another is bought, each with the reason."""
    since, until = (None if at is None else micros(at) for at in (ask.since, ask.until))
    need = reusable.Need(ask.category, ask.model, ask.site, since, until)
    with read(services.book) as tx:
        found = reusable.reusable(tx, services.registers.current(tx), need, services.clock())
    told = [
        shapes.Reusable(
            each.id,
            each.asset.name,
            each.asset.category,
            each.asset.model,
            each.asset.state,
            each.why,
            each.place,
            each.site,
        )
        for each in found
    ]
    return page(told, len(told) + 1, None)


@router.get("/assets/missing", responses=documented(items.Page[shapes.Missing]))
def list_missing(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """Assets in use that nobody saw for too long, those that are worth most first."""
    with read(services.book) as tx:
        found = queries.missing(tx, services.registers.current(tx), services.clock())
    return page(found, len(found) + 1, None)


@router.get("/assets/last-seen", responses=documented(items.Page[shapes.LastSeen]))
def list_last_seen(services: Use, ask: Annotated[queries.SeenAsk, Query()]) -> Response:
    """Where the planner last saw each asset, by id."""
    with read(services.book) as tx:
        found = queries.last_seen(tx, services.registers.current(tx), ask, services.clock())
    return page(found, ask.limit, found[-1].asset if found else None)


@router.get("/assets/{ident:path}/place", responses=documented(shapes.AssetPlace))
def get_place(services: Use, ident: Ident, ask: Annotated[queries.AtAsk, Query()]) -> Response:
    """Where an asset is, or was, by all that is known now; with the readings that say so."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        asset = known_asset(register, ident, now)
        return answer(queries.place(tx, register, asset, now if ask.at is None else micros(ask.at)))


@router.get("/assets/{ident:path}/relocations", responses=documented(items.Page[shapes.Relocation]))
def list_relocations(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """Every change of place in a span, in order, with the readings that say so."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        moved = relocations.history(tx, register, known_asset(register, ident, now), span_of(services, ask))
        whole = services.complete_to(tx, now)
    return page([queries.relocation(each) for each in moved], len(moved) + 1, None, whole)


@router.get("/assets/{ident:path}/dwell", responses=documented(shapes.Dwell))
def get_dwell(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """How long an asset was at each place, yard and site in a span, and on the way."""
    with read(services.book) as tx:
        register = services.registers.current(tx)
        asset = known_asset(register, ident, services.clock())
        return answer(queries.dwell(tx, register, asset, span_of(services, ask)))


@router.get("/assets/{ident:path}/custody", responses=documented(shapes.CustodyChain))
def get_chain(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """Every hand-over of an asset as a chain of hashes, who has it now, and what the chain does not explain."""
    with read(services.book) as tx:
        return answer(queries.chain(tx, known_asset(services.registers.current(tx), ident, services.clock())))


@router.get("/custody", responses=documented(items.Page[shapes.Custody]))
def list_custody(services: Use, ask: Annotated[queries.CustodyAsk, Query()]) -> Response:
    """Entries of custody by n, of all assets."""
    with read(services.book) as tx:
        found = queries.entries(tx, ask)
    return page([each for _, each in found], ask.limit, found[-1][0] if found else None)


@router.get("/holders", responses=documented(items.Page[shapes.Holding]))
def list_holders(services: Use, ask: Annotated[queries.HoldersAsk, Query()]) -> Response:
    """Who has what now."""
    with read(services.book) as tx:
        found = queries.holders(tx, ask.holder)
    return page(found, len(found) + 1, None)


@router.put("/custody/{ident:path}", responses=_declared, openapi_extra=documented_body(shapes.CustodyBody))
def put_custody(services: Use, ident: Own, body: Body) -> Response:
    """Check an asset out or in, or hand it over; the same id again is harmless, with other content 409."""
    said = parse_body(body, shapes.CustodyBody)
    by = stamp(services, said.by)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        if said.place is not None:
            bookings.check_place(register, "place", said.place, by.now)
        at = custody.happened_at(tx, ident) if said.at is None else time_of("at", said.at)
        entry = Entry(
            id=named(ident),
            asset=said.asset,
            what=said.what,
            at=by.now if at is None else at,
            holder=said.holder,
            giver=said.giver,
            place=said.place,
            why=said.why,
            project=said.project,
            due_at=None if said.due_at is None else time_of("due_at", said.due_at),
            signed=said.signed,
            evidence=tuple(said.evidence),
            booking=said.booking,
        )
        outcome = custody.record(tx, register, entry, by)
    return declared(ident, outcome)


@router.get("/bookings", responses=documented(items.Page[shapes.Booking]))
def list_bookings(services: Use, ask: Annotated[queries.OrderAsk, Query()]) -> Response:
    """Bookings by n, also those that are over."""
    with read(services.book) as tx:
        found = queries.booked(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put("/bookings/{ident:path}", responses=_declared, openapi_extra=documented_body(shapes.BookingBody))
def put_booking(services: Use, ident: Own, body: Body) -> Response:
    """Promise an asset to somebody for a span in which nobody else has it booked, else 409."""
    said = parse_body(body, shapes.BookingBody)
    begin, end = time_of("begin", said.begin), time_of("end", said.end)
    wanted = Booking(
        id=named(ident), asset=said.asset, holder=said.holder, begin_at=begin, end_at=end, purpose=said.purpose
    )
    with write(services.book) as tx:
        outcome = bookings.book(tx, services.registers.current(tx), wanted, stamp(services, said.by))
    return declared(ident, outcome)


@router.delete("/bookings/{ident:path}", responses=documented(shapes.Booking))
def delete_booking(services: Use, ident: Own, ask: Annotated[Cancelled, Query()]) -> Response:
    """It is not wanted any more; it stays in the list. Harmless when repeated."""
    with write(services.book) as tx:
        bookings.close(tx, asset_booking, ident, "cancelled", (ask.reason, stamp(services, None)))
        return answer(queries.one_booking(tx, ident))


@router.get("/transfers", responses=documented(items.Page[shapes.Transfer]))
def list_transfers(services: Use, ask: Annotated[queries.OrderAsk, Query()]) -> Response:
    """Orders to transfer assets by n, also those that are over, each with when it left and arrived."""
    with read(services.book) as tx:
        found = queries.transfers(tx, services.registers.current(tx), ask, services.clock())
    return page(found, ask.limit, found[-1].n if found else None)


@router.put("/transfers/{ident:path}", responses=_declared, openapi_extra=documented_body(shapes.TransferBody))
def put_transfer(services: Use, ident: Own, body: Body) -> Response:
    """Order that an asset goes elsewhere: until it has arrived it may leave. Done when it is seen at its target."""
    said = parse_body(body, shapes.TransferBody)
    begin, end = time_of("begin", said.begin), time_of("end", said.end)
    wanted = Transfer(
        id=named(ident),
        asset=said.asset,
        source=said.source,
        target=said.target,
        begin_at=begin,
        end_at=end,
        why=said.why,
    )
    with write(services.book) as tx:
        outcome = bookings.order(tx, services.registers.current(tx), wanted, stamp(services, said.by))
    return declared(ident, outcome)


@router.post("/transfers/{ident:path}/complete", responses=documented(shapes.Transfer))
def complete_transfer(services: Use, ident: Own, ask: Annotated[Cancelled, Query()]) -> Response:
    """A person says that it has arrived. Harmless when repeated."""
    return _close_transfer(services, ident, "done", ask.reason)


@router.delete("/transfers/{ident:path}", responses=documented(shapes.Transfer))
def delete_transfer(services: Use, ident: Own, ask: Annotated[Cancelled, Query()]) -> Response:
    """It is not to go any more; the order stays in the list. Harmless when repeated."""
    return _close_transfer(services, ident, "cancelled", ask.reason)


def _close_transfer(
    services: Services, ident: str, state: Literal["done", "cancelled"], reason: str | None
) -> Response:
    with write(services.book) as tx:
        by = stamp(services, None)
        bookings.close(tx, asset_transfer, ident, state, (reason, by))
        return answer(queries.one_transfer(tx, services.registers.current(tx), ident, by.now))
