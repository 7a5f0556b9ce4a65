"""What an item is: the five questions, quantities in its units, and the spare that becomes an asset."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items
from backend.api import items_lots as shapes
from backend.api.answers import Ask, Body, Paged, answer, documented, documented_body, page, parse_body
from backend.api.queries import lots as queries
from backend.api.services import Use
from backend.book import capitalisations, entries, locks
from backend.book.db import read, write
from backend.identities import measures
from models import classification
from models.declared import Id
from models.declared_stock import Classified
from models.errors import Refused
from models.reading import micros
from models.register import Register
from models.stock.item import convert
from models.units import parse_quantity, quantity_text
from models.wire import NEWEST, OLDEST

router = APIRouter(tags=["catalogue"])
Ident = Annotated[str, Path(max_length=64)]
Named = Annotated[str, Field(min_length=1, max_length=64)]


class ConversionAsk(Ask, frozen=True):
    """A quantity of an item in one of its units, wanted in another; by default its own."""

    sku: Named
    quantity: Named
    unit: Named | None = None
    to: Named | None = None


@router.post("/classify", responses=documented(Classified), openapi_extra=documented_body(shapes.Questions))
def classify(body: Body) -> Response:
    """What five answers make of a thing: stock, an asset, or a spare that may be capitalised. Nothing is stored."""
    return answer(classification.classify(parse_body(body, shapes.Questions).answers))


@router.get("/conversions", responses=documented(shapes.Converted))
def get_conversion(services: Use, ask: Annotated[ConversionAsk, Query()]) -> Response:
    """A quantity in another unit of its item, exactly; refused where nothing is exactly that much."""
    now = services.clock()
    with read(services.book) as tx:
        body = entries.item_of(services.registers.current(tx), ask.sku, now)
    to = body.uom if ask.to is None else ask.to
    found = convert(measures(body), parse_quantity(ask.quantity), ask.unit or body.uom, to)
    return answer(shapes.Converted(ask.sku, quantity_text(found), to))


@router.get("/capitalisations", responses=documented(items.Page[shapes.Capitalisation]))
def list_capitalisations(services: Use, ask: Annotated[Paged, Query()]) -> Response:
    """Spares that became assets, by n."""
    with read(services.book) as tx:
        found = queries.capitalised(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/capitalisations/{ident}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(shapes.CapitalisationBody),
)
def put_capitalisation(services: Use, ident: Ident, body: Body) -> Response:
    """One unit leaves the stock and an asset begins, at `at`, both or neither."""
    asked = parse_body(body, shapes.CapitalisationBody)
    wanted = capitalisations.Capitalisation(
        id=checked_id(ident),
        sku=asked.sku,
        lot=asked.lot,
        location=asked.location,
        at=time_of("at", asked.at),
        asset=asked.asset,
        body=asked.body,
        epc=asked.epc,
    )
    with write(services.book) as tx:
        locks.own_register(tx)  # before it is read: two that share it would wait for each other
        known = services.registers.current(tx)
        outcome = capitalisations.capitalise(tx, known, wanted, services.actor, services.clock())
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


def checked_id(text: str) -> str:
    """An id that a caller made. Raises Refused."""
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError as error:
        msg = f"id: letters, digits and ._:/- expected, got {text[:64]!r}"
        raise Refused(msg) from error


def time_of(field: str, at: datetime) -> int:
    """A time of a body in microseconds. Raises Refused naming the field."""
    if not OLDEST <= at < NEWEST:
        msg = f"{field}: a time in 1970 ... 2199 expected, got {at}"
        raise Refused(msg)
    return micros(at)


def counted(known: Register, sku: str, said: tuple[str, str | None], at: int) -> Decimal:
    """A quantity, in one of its item's units if one is named, as the book counts it. Raises Refused."""
    quantity, unit = said
    return entries.counted(entries.item_of(known, sku, at), parse_quantity(quantity), unit)
