"""Counts by people and scanners, and sweeps by radio: posted when another than who counted approves.

Until there is sign-in a body's `by` says who acts; without it, it is the API's own actor.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_warehouse as shapes
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body
from backend.api.queries import classes
from backend.api.queries import warehouse as queries
from backend.api.services import Services, Use
from backend.book import count_decisions, counts, sweep_findings, sweeps
from backend.book.counts import Put
from backend.book.db import read, write
from backend.book.work_log import Stamp
from models.declared import Id
from models.errors import Refused
from models.reading import micros
from models.stock.count import Count, Key, parse_counted
from models.stock.sweep import Sweep
from models.units import parse_quantity
from models.wire import NEWEST, OLDEST

router = APIRouter(tags=["warehouse"])
Ident = Annotated[str, Path(max_length=64)]
Number = Annotated[int, Path(ge=1, le=100_000)]
_declared = documented(items.Declared, 201)
_count = documented(shapes.CountWhole)
_sweep = documented(shapes.SweepWhole)


def stamp(services: Services, by: str | None) -> Stamp:
    """Who acts, and now."""
    return Stamp(by or services.actor, services.clock())


def named(ident: str) -> str:
    """An id that the caller made. Raises Refused."""
    try:
        return msgspec.convert(ident, Id)
    except msgspec.ValidationError as error:
        msg = f"id: letters, digits and ._:/- expected, got {ident!r}"
        raise Refused(msg) from error


def moment(field: str, at: datetime) -> int:
    """Microseconds. Raises Refused."""
    if not OLDEST <= at < NEWEST:
        msg = f"{field}: a time in 1970 ... 2199 expected, got {at}"
        raise Refused(msg)
    return micros(at)


def declared(ident: str, outcome: str) -> Response:
    """What a PUT did."""
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.get("/counts", responses=documented(items.Page[shapes.CountHead]))
def list_counts(services: Use, ask: Annotated[queries.CountAsk, Query()]) -> Response:
    """Counts by n."""
    with read(services.book) as tx:
        found = queries.count_heads(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/counts/accuracy", responses=documented(shapes.RecordAccuracy))
def get_accuracy(services: Use, ask: Annotated[queries.AccuracyAsk, Query()]) -> Response:
    """Record accuracy over what was counted and approved in a span, and the share of items within tolerance."""
    with read(services.book) as tx:
        return answer(queries.record_accuracy(tx, ask))


@router.get("/counts/{ident}", responses=_count)
def get_count(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One count with its lines; of a blind one that is open, without what the book says."""
    with read(services.book) as tx:
        return answer(queries.one_count(tx, ident))


@router.put("/counts/{ident}", responses=_declared, openapi_extra=documented_body(shapes.CountBody))
def put_count(services: Use, ident: Ident, body: Body) -> Response:
    """Begin a count; the same id again is harmless, with other content 409."""
    asked, who = parse_body(body, shapes.CountBody), named(ident)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        by = stamp(services, asked.by)
        begun = counts.begun(tx, who)
        at = moment("at", asked.at) if asked.at is not None else by.now if begun is None else begun
        scope = {"skus": asked.skus, "locations": asked.locations}
        count = Count(id=who, **scope, blind=asked.blind, classes={**asked.classes}, at=at)
        known = classes.measured(tx, register, at) if begun is None else {}
        outcome = counts.open_count(tx, register, count, by, known)
    return declared(ident, outcome)


@router.put("/counts/{ident}/lines/{line}", responses=_declared, openapi_extra=documented_body(shapes.CountedBody))
def put_count_line(services: Use, ident: Ident, line: Number, body: Body) -> Response:
    """What was counted; the same again is harmless, another figure of the same round 409."""
    said = parse_body(body, shapes.CountedBody)
    if (said.sku is None) != (said.location is None):
        msg = "sku, location: both of them expected, or neither"
        raise Refused(msg)
    key = Key(said.sku, said.location, said.lot) if said.sku is not None and said.location is not None else None
    at = None if said.at is None else moment("at", said.at)
    put = Put(parse_counted(said.quantity), at, key, said.evidence)
    with write(services.book) as tx:
        outcome = counts.put_line(tx, ident, line, put, stamp(services, said.by))
    return declared(f"{ident}/{line}", outcome)


@router.post(
    "/counts/{ident}/recount", responses=_count, openapi_extra=documented_body(shapes.RecountBody, required=False)
)
def recount(services: Use, ident: Ident, body: Body) -> Response:
    """Begin another round of some lines, or of those that are out of tolerance."""
    asked = parse_body(body or b"{}", shapes.RecountBody)
    with write(services.book) as tx:
        count_decisions.recount(tx, ident, asked.lines, stamp(services, asked.by))
        return answer(queries.one_count(tx, ident))


@router.post(
    "/counts/{ident}/submit", responses=_count, openapi_extra=documented_body(shapes.WorkDecisionBody, required=False)
)
def submit_count(services: Use, ident: Ident, body: Body) -> Response:
    """The counting is over; lines that were not counted need a reason, and stay as they are."""
    said = parse_body(body or b"{}", shapes.WorkDecisionBody)
    with write(services.book) as tx:
        count_decisions.submit(tx, ident, said.reason, stamp(services, said.by))
        return answer(queries.one_count(tx, ident))


@router.post(
    "/counts/{ident}/approve", responses=_count, openapi_extra=documented_body(shapes.WorkDecisionBody, required=False)
)
def approve_count(services: Use, ident: Ident, body: Body) -> Response:
    """Post what it found; by another than who counted. Harmless when repeated."""
    said = parse_body(body or b"{}", shapes.WorkDecisionBody)
    with write(services.book) as tx:
        count_decisions.approve(tx, ident, said.reason, stamp(services, said.by))
        return answer(queries.one_count(tx, ident))


@router.post("/counts/{ident}/reject", responses=_count, openapi_extra=documented_body(shapes.WorkReasonBody))
def reject_count(services: Use, ident: Ident, body: Body) -> Response:
    """Post nothing of it. Harmless when repeated."""
    said = parse_body(body, shapes.WorkReasonBody)
    with write(services.book) as tx:
        count_decisions.end(tx, ident, "rejected", said.reason, stamp(services, said.by))
        return answer(queries.one_count(tx, ident))


@router.post("/counts/{ident}/cancel", responses=_count, openapi_extra=documented_body(shapes.WorkReasonBody))
def cancel_count(services: Use, ident: Ident, body: Body) -> Response:
    """It is not gone on with. Harmless when repeated."""
    said = parse_body(body, shapes.WorkReasonBody)
    with write(services.book) as tx:
        count_decisions.end(tx, ident, "cancelled", said.reason, stamp(services, said.by))
        return answer(queries.one_count(tx, ident))


@router.get("/sweeps", responses=documented(items.Page[shapes.SweepHead]))
def list_sweeps(services: Use, ask: Annotated[queries.SweepAsk, Query()]) -> Response:
    """Sweeps by n."""
    with read(services.book) as tx:
        found = queries.sweep_heads(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/sweeps/{ident}", responses=_sweep)
def get_sweep(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """What a sweep found, as is known now: each tag with its verdict, and what that makes of each tagged item."""
    with read(services.book) as tx:
        return answer(queries.one_sweep(tx, services.registers.current(tx), ident, services.clock()))


@router.put("/sweeps/{ident}", responses=_declared, openapi_extra=documented_body(shapes.SweepBody))
def put_sweep(services: Use, ident: Ident, body: Body) -> Response:
    """Begin a sweep; the same id again is harmless, with other content 409."""
    asked, who = parse_body(body, shapes.SweepBody), named(ident)
    rates: dict[str, Decimal] = {name: parse_quantity(text) for name, text in asked.read_rates.items()}
    with write(services.book) as tx:
        register = services.registers.current(tx)
        by = stamp(services, asked.by)
        begun = sweeps.begun(tx, who)
        at = moment("at", asked.at) if asked.at is not None else by.now if begun is None else begun
        wanted = Sweep(id=who, place=asked.place, device=asked.device, read_rates=rates, at=at)
        outcome = sweeps.open_sweep(tx, register, wanted, by)
    return declared(ident, outcome)


@router.put("/sweeps/{ident}/passes/{number}", responses=_declared, openapi_extra=documented_body(shapes.PassBody))
def put_pass(services: Use, ident: Ident, number: Number, body: Body) -> Response:
    """One time over the place; the same again is harmless, with other content 409."""
    said = parse_body(body, shapes.PassBody)
    heard = sweeps.Pass(moment("begin", said.begin), moment("end", said.end), said.epcs)
    with write(services.book) as tx:
        outcome = sweeps.put_pass(tx, ident, number, heard, stamp(services, said.by))
    return declared(f"{ident}/{number}", outcome)


@router.post(
    "/sweeps/{ident}/close", responses=_sweep, openapi_extra=documented_body(shapes.SweepCloseBody, required=False)
)
def close_sweep(services: Use, ident: Ident, body: Body) -> Response:
    """The sweep ends; of a reader's sweep without passes, it was one."""
    said = parse_body(body or b"{}", shapes.SweepCloseBody)
    at = None if said.at is None else moment("at", said.at)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        sweeps.close(tx, ident, at, stamp(services, said.by))
        return answer(queries.one_sweep(tx, register, ident, services.clock()))


@router.post(
    "/sweeps/{ident}/approve", responses=_sweep, openapi_extra=documented_body(shapes.WorkDecisionBody, required=False)
)
def approve_sweep(services: Use, ident: Ident, body: Body) -> Response:
    """Post what it found; by another than who made it. Harmless when repeated."""
    said = parse_body(body or b"{}", shapes.WorkDecisionBody)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        sweep_findings.approve(tx, register, ident, said.reason, stamp(services, said.by))
        return answer(queries.one_sweep(tx, register, ident, services.clock()))


@router.post("/sweeps/{ident}/reject", responses=_sweep, openapi_extra=documented_body(shapes.WorkReasonBody))
def reject_sweep(services: Use, ident: Ident, body: Body) -> Response:
    """Post nothing of it. Harmless when repeated."""
    said = parse_body(body, shapes.WorkReasonBody)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        sweeps.end(tx, ident, "rejected", said.reason, stamp(services, said.by))
        return answer(queries.one_sweep(tx, register, ident, services.clock()))


@router.post("/sweeps/{ident}/cancel", responses=_sweep, openapi_extra=documented_body(shapes.WorkReasonBody))
def cancel_sweep(services: Use, ident: Ident, body: Body) -> Response:
    """It is not gone on with. Harmless when repeated."""
    said = parse_body(body, shapes.WorkReasonBody)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        sweeps.end(tx, ident, "cancelled", said.reason, stamp(services, said.by))
        return answer(queries.one_sweep(tx, register, ident, services.clock()))
