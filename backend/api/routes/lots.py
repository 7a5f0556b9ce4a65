"""Lots: what is on hand of them, where one came from and went, recall and quarantine; and write-offs."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_lots as shapes
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body
from backend.api.queries import lots as queries
from backend.api.routes.catalogue import Ident, checked_id, counted
from backend.api.services import Services, Use
from backend.book import entries, locks, recall, write_offs
from backend.book.db import read, write
from models.errors import NotFound
from models.stock.lot import Status, split
from models.stock.write_off import WriteOff

router = APIRouter(tags=["lots"])
LotIdent = Annotated[str, Path(max_length=128, description="ITEM/LOT")]


@router.get("/stock/lots", responses=documented(items.Page[shapes.LotOnHand]))
def list_lot_stock(services: Use, ask: Annotated[queries.LotAsk, Query()]) -> Response:
    """Lots on hand, those that expire first first; with `standing=expired` (quarantined, recalled) what is in the way.

    `after` is how many to leave out.
    """
    now = services.clock()
    with read(services.book) as tx:
        found = queries.on_hand(tx, ask, now)[ask.after : ask.after + ask.limit]
        whole = services.complete_to(tx, now)
    return page(found, ask.limit, ask.after + len(found), whole)


@router.get("/lots/{ident:path}/trace", responses=documented(shapes.Traced))
def trace_lot(services: Use, ident: LotIdent, _ask: Annotated[Ask, Query()]) -> Response:
    """Backward to the receipts and forward to every place, customer and project, with what is unaccounted for."""
    with read(services.book) as tx:
        found = queries.traced(tx, *split(ident), services.clock())
    if found is None:
        msg = f"lots: nothing of id {ident!r}"
        raise NotFound(msg)
    return answer(found)


_STATUS: dict[str, Any] = {"responses": documented(shapes.Stopped), "openapi_extra": documented_body(shapes.Why)}


@router.post("/lots/{ident:path}/recall", **_STATUS)
def recall_lot(services: Use, ident: LotIdent, body: Body) -> Response:
    """From now on nothing of it may be used: what was reserved of it is cancelled, and where all of it is."""
    return _set(services, ident, "recalled", body)


@router.post("/lots/{ident:path}/quarantine", **_STATUS)
def quarantine_lot(services: Use, ident: LotIdent, body: Body) -> Response:
    """The same until it is released."""
    return _set(services, ident, "quarantined", body)


@router.post("/lots/{ident:path}/release", **_STATUS)
def release_lot(services: Use, ident: LotIdent, body: Body) -> Response:
    """It may be used again, from now on."""
    return _set(services, ident, "available", body)


def _set(services: Services, ident: str, status: Status, body: bytes) -> Response:
    why, now = parse_body(body, shapes.Why).reason, services.clock()
    sku, lot = split(ident)
    with write(services.book) as tx:
        locks.own_register(tx)  # before it is read: two that share it would wait for each other
        entries.item_of(services.registers.current(tx), sku, now)
        cancelled = recall.set_status(tx, (sku, lot), status, why, (services.actor, now))
        trace = queries.traced(tx, sku, lot, now)
    return answer(shapes.Stopped(ident, status, cancelled, trace))


@router.get("/write-offs", responses=documented(items.Page[shapes.WriteOff]))
def list_write_offs(services: Use, ask: Annotated[queries.WriteOffAsk, Query()]) -> Response:
    """Write-offs by n: those that wait, and what was decided."""
    with read(services.book) as tx:
        found = queries.write_offs(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/write-offs/{ident}", responses=documented(items.Declared, 201), openapi_extra=documented_body(shapes.WriteOffBody)
)
def put_write_off(services: Use, ident: Ident, body: Body) -> Response:
    """Somebody asks for it; nothing leaves the stock before somebody else approves."""
    asked, now = parse_body(body, shapes.WriteOffBody), services.clock()
    with write(services.book) as tx:
        known = services.registers.current(tx)
        wanted = WriteOff(
            id=checked_id(ident),
            sku=asked.sku,
            lot=asked.lot,
            location=asked.location,
            quantity=counted(known, asked.sku, (asked.quantity, asked.unit), now),
            reason=asked.reason,
            by=asked.by,
        )
        outcome = write_offs.ask(tx, known, wanted, now)
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


_DECIDED: dict[str, Any] = {
    "responses": documented(shapes.WriteOff),
    "openapi_extra": documented_body(shapes.WriteOffDecision),
}


@router.post("/write-offs/{ident}/approve", **_DECIDED)
def approve_write_off(services: Use, ident: Ident, body: Body) -> Response:
    """Somebody else says yes: it leaves the stock now, to scrap."""
    return _decide(services, ident, "approved", body)


@router.post("/write-offs/{ident}/reject", **_DECIDED)
def reject_write_off(services: Use, ident: Ident, body: Body) -> Response:
    """It stays."""
    return _decide(services, ident, "rejected", body)


def _decide(services: Services, ident: str, verdict: Literal["approved", "rejected"], body: bytes) -> Response:
    said = parse_body(body, shapes.WriteOffDecision)
    stamp = (services.actor, services.clock())
    with write(services.book) as tx:
        known = services.registers.current(tx)
        write_offs.decide(tx, known, ident, verdict, by=said.by, note=said.note, stamp=stamp)
        found = queries.one_write_off(tx, ident)
    return answer(found)
