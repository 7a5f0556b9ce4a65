"""Physical audits of assets by radio: what is where the register has it, what is missing, and what else is there.

Until there is sign-in a body's `by` says who acts; without it, it is the API's own actor.
"""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_audits as shapes
from backend.api.answers import Ask, Body, Paged, answer, documented, documented_body, page, parse_body, time_of
from backend.api.items_warehouse import WorkDecisionBody
from backend.api.queries import audits as queries
from backend.api.routes.warehouse import Number, declared, named, stamp
from backend.api.services import Services, Use
from backend.book import audits
from backend.book.db import read, write
from backend.book.sweeps import Pass
from models.assets.audit import Audit
from models.units import parse_quantity

router = APIRouter(tags=["audits"])
Ident = Annotated[str, Path(max_length=64)]
_declared = documented(items.Declared, 201)
_audit = documented(shapes.AuditWhole)
_decision = documented_body(WorkDecisionBody, required=False)


@router.get("/audits", responses=documented(items.Page[shapes.AuditHead]))
def list_audits(services: Use, ask: Annotated[Paged, Query()]) -> Response:
    """Audits by n."""
    with read(services.book) as tx:
        found = queries.heads(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/audits/{ident}", responses=_audit)
def get_audit(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """What an audit found, as is known now: each asset with its verdict."""
    with read(services.book) as tx:
        return answer(queries.one(tx, services.registers.current(tx), ident, services.clock()))


@router.put("/audits/{ident}", responses=_declared, openapi_extra=documented_body(shapes.AuditBody))
def put_audit(services: Use, ident: Ident, body: Body) -> Response:
    """Begin an audit; the same id again is harmless, with other content 409."""
    said = parse_body(body, shapes.AuditBody)
    by = stamp(services, said.by)
    rates: dict[str, Decimal] = {name: parse_quantity(rate) for name, rate in said.read_rates.items()}
    with write(services.book) as tx:
        begun = audits.begun(tx, ident) if said.at is None else time_of("at", said.at)
        at = by.now if begun is None else begun
        wanted = Audit(id=named(ident), place=said.place, device=said.device, read_rates=rates, at=at)
        outcome = audits.open_audit(tx, services.registers.current(tx), wanted, by)
    return declared(ident, outcome)


@router.put("/audits/{ident}/passes/{number}", responses=_declared, openapi_extra=documented_body(shapes.AuditPassBody))
def put_pass(services: Use, ident: Ident, number: Number, body: Body) -> Response:
    """One time over the place; the same again is harmless, with other content 409."""
    said = parse_body(body, shapes.AuditPassBody)
    heard = Pass(time_of("begin", said.begin), time_of("end", said.end), said.epcs)
    with write(services.book) as tx:
        outcome = audits.put_pass(tx, ident, number, heard, stamp(services, said.by))
    return declared(f"{ident}/{number}", outcome)


@router.post("/audits/{ident}/close", responses=_audit, openapi_extra=_decision)
def close_audit(services: Use, ident: Ident, body: Body) -> Response:
    """The audit ends now; of a reader's audit without passes, it was one."""
    said = parse_body(body or b"{}", WorkDecisionBody)
    with write(services.book) as tx:
        audits.close(tx, ident, stamp(services, said.by))
        return answer(queries.one(tx, services.registers.current(tx), ident, services.clock()))


@router.post("/audits/{ident}/approve", responses=_audit, openapi_extra=_decision)
def approve_audit(services: Use, ident: Ident, body: Body) -> Response:
    """What it found is where those assets are; by another than who made it. One that heard nothing is refused."""
    said = parse_body(body or b"{}", WorkDecisionBody)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        audits.approve(tx, register, ident, said.reason, stamp(services, said.by))
        return answer(queries.one(tx, register, ident, services.clock()))


@router.post("/audits/{ident}/reject", responses=_audit, openapi_extra=_decision)
def reject_audit(services: Use, ident: Ident, body: Body) -> Response:
    """It says nothing of where assets are."""
    return _end(services, ident, "rejected", body)


@router.post("/audits/{ident}/cancel", responses=_audit, openapi_extra=_decision)
def cancel_audit(services: Use, ident: Ident, body: Body) -> Response:
    """It was not made."""
    return _end(services, ident, "cancelled", body)


def _end(services: Services, ident: str, state: Literal["rejected", "cancelled"], body: bytes) -> Response:
    said = parse_body(body or b"{}", WorkDecisionBody)
    with write(services.book) as tx:
        audits.reject(tx, ident, state, said.reason, stamp(services, said.by))
        return answer(queries.one(tx, services.registers.current(tx), ident, services.clock()))
