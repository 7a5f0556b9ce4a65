"""Preventive maintenance: services and repairs that people record, and what is due."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items, items_assets
from backend.api.answers import Body, answer, documented, documented_body, page, parse_body
from backend.api.queries import maintenance as queries
from backend.api.services import Use
from backend.book import services as book
from backend.book.db import read, write
from models.declared import Id
from models.errors import Refused
from models.maintenance.done import Done
from models.reading import micros
from models.wire import NEWEST, OLDEST

router = APIRouter(tags=["maintenance"])
Ident = Annotated[str, Path(max_length=64)]


@router.get("/services", responses=documented(items.Page[items_assets.Service]))
def list_services(services: Use, ask: Annotated[queries.ServiceAsk, Query()]) -> Response:
    """Services and repairs by n, also what was withdrawn."""
    with read(services.book) as tx:
        found = queries.services(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/services/{ident:path}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(items_assets.ServiceBody),
)
def put_service(services: Use, ident: Ident, body: Body) -> Response:
    """What somebody did; the same id again is harmless, with other content 409."""
    done = _done(ident, parse_body(body, items_assets.ServiceBody))
    with write(services.book) as tx:
        outcome = book.record(tx, services.registers.current(tx), done, (services.actor, services.clock()))
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.post(
    "/services/{ident:path}/withdraw",
    responses=documented(items_assets.Service),
    openapi_extra=documented_body(items_assets.Withdrawal),
)
def withdraw_service(services: Use, ident: Ident, body: Body) -> Response:
    """It was recorded by mistake: it counts no more, and stays in the list. Harmless when repeated."""
    why = parse_body(body, items_assets.Withdrawal)
    with write(services.book) as tx:
        book.withdraw(tx, ident, why.reason, (services.actor, services.clock()))
        found = queries.one_service(tx, ident)
    return answer(found)


@router.get("/due", responses=documented(items.Page[items_assets.Due]))
def list_due(services: Use, ask: Annotated[queries.DueAsk, Query()]) -> Response:
    """How every plan of every active asset stands, what matters most first."""
    now = services.clock()
    with read(services.book) as tx:
        found = queries.due(tx, services.registers.current(tx), ask, now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/due/history", responses=documented(items.Page[items_assets.DoneService]))
def list_done(services: Use, ask: Annotated[queries.HistoryAsk, Query()]) -> Response:
    """Services of plans that were done, the newest first, and whether each came in time."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        found = queries.history(tx, register, ask, now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


def _done(ident: str, body: items_assets.ServiceBody) -> Done:
    try:
        msgspec.convert(ident, Id)
    except msgspec.ValidationError as error:
        msg = f"id: letters, digits and ._:/- expected, got {ident!r}"
        raise Refused(msg) from error
    return Done(
        id=ident,
        asset=body.asset,
        kind=body.kind,
        plan=body.plan,
        component=body.component,
        at=_time("at", body.at),
        failed_at=None if body.failed_at is None else _time("failed_at", body.failed_at),
        hours=None if body.hours is None else Decimal(body.hours),
        note=body.note,
        result=body.result,
        certificate=body.certificate,
        as_found=body.as_found,
        as_left=body.as_left,
    )


def _time(field: str, at: datetime) -> int:
    if not OLDEST <= at < NEWEST:
        msg = f"{field}: a time in 1970 ... 2199 expected, got {at}"
        raise Refused(msg)
    return micros(at)
