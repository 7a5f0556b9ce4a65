"""The use of assets: what people say of meters, what stopped a machine; utilisation, duty, how reliable it is."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query
from msgspec import ValidationError, convert
from pydantic import Field
from starlette.responses import Response

from backend.api import items, items_use
from backend.api.answers import Body, Paged, answer, documented, documented_body, page, parse_body, time_of
from backend.api.items_assets import Withdrawal
from backend.api.queries import reliability
from backend.api.queries import use as queries
from backend.api.routes.fleet import Span, known_asset, span_of
from backend.api.services import Services, Use
from backend.book import downtime, meter_notes
from backend.book.db import read, write
from backend.book.meter_notes import MeterNote
from backend.usage import NAMED
from models.declared import Id
from models.errors import NotFound, Refused
from models.maintenance.stops import Stop

router = APIRouter(tags=["use"])
Ident = Annotated[str, Path(max_length=64)]
Positive = Annotated[Decimal, Field(ge=0, le=10**12, max_digits=18, decimal_places=6)]


class UtilisationAsk(Span, frozen=True):
    """And by which calendar; else the category's."""

    calendar: str | None = Field(None, max_length=64)


class OeeAsk(Span, frozen=True):
    """And how many pieces: what an hour makes at best, all that were made, and the good ones."""

    ideal_per_hour: Positive
    made: Positive
    good: Positive


@router.get("/assets/{ident:path}/meters/notes", responses=documented(items.Page[items_use.MeterNote]))
def list_meter_notes(services: Use, ident: Ident, ask: Annotated[Paged, Query()]) -> Response:
    """What people said of its meters, by n; also what was withdrawn."""
    with read(services.book) as tx:
        known_asset(services.registers.current(tx), ident, services.clock())
        found = queries.notes(tx, ident, ask.after, ask.limit)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/assets/{ident:path}/meters/notes/{note}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(items_use.MeterNoteBody),
)
def put_meter_note(services: Use, ident: Ident, note: Ident, body: Body) -> Response:
    """A reading, a count, a reset, a new meter, or a value that was wrong; figures follow from its time on."""
    said = parse_body(body, items_use.MeterNoteBody)
    value, before = (None if each is None else Decimal(each) for each in (said.value, said.before))
    noted = MeterNote(
        id=_id(note),
        asset=ident,
        meter=NAMED.get(said.meter, said.meter),
        at=time_of("at", said.at),
        kind=said.kind,
        value=value,
        before=before,
        reason=said.reason,
    )
    with write(services.book) as tx:
        outcome = meter_notes.record(tx, services.registers.current(tx), noted, (services.actor, services.clock()))
    return answer(items.Declared(note, outcome), 201 if outcome == "created" else 200)


@router.post(
    "/assets/{ident:path}/meters/notes/{note}/withdraw",
    responses=documented(items_use.MeterNote),
    openapi_extra=documented_body(Withdrawal),
)
def withdraw_meter_note(services: Use, ident: Ident, note: Ident, body: Body) -> Response:
    """It was a mistake: it counts no more, and stays in the list. Harmless when repeated."""
    why = parse_body(body, Withdrawal)
    with write(services.book) as tx:
        if meter_notes.one(tx, note).asset != ident:
            msg = f"note: one of {ident!r} expected, got {note!r}"
            raise NotFound(msg)
        stamp = (services.actor, services.clock())
        meter_notes.withdraw(tx, services.registers.current(tx), note, why.reason, stamp)
        found = queries.one_note(tx, note)
    return answer(found)


@router.get("/assets/{ident:path}/downtimes", responses=documented(items.Page[items_use.Stop]))
def list_downtimes(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """When it stood, the oldest first."""
    with read(services.book) as tx:
        known_asset(services.registers.current(tx), ident, services.clock())
        found = queries.stops(tx, ident, span_of(services, ask))
    return page(found, len(found) + 1, None)


@router.put(
    "/assets/{ident:path}/downtimes/{stop}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(items_use.StopBody),
)
def put_downtime(services: Use, ident: Ident, stop: Ident, body: Body) -> Response:
    """It stands, or stood; the same id again is harmless, with other content 409."""
    said = parse_body(body, items_use.StopBody)
    known = Stop(
        id=_id(stop),
        asset=ident,
        begin_at=time_of("begin", said.begin),
        end_at=None if said.end is None else time_of("end", said.end),
        planned=said.planned,
        reason=said.reason,
        work_order=said.work_order,
    )
    with write(services.book) as tx:
        known_asset(services.registers.current(tx), ident, services.clock())
        outcome = downtime.begin(tx, known, (services.actor, services.clock()))
    return answer(items.Declared(stop, outcome), 201 if outcome == "created" else 200)


@router.post(
    "/assets/{ident:path}/downtimes/{stop}/end",
    responses=documented(items.Declared),
    openapi_extra=documented_body(items_use.StopEnd),
)
def end_downtime(services: Use, ident: Ident, stop: Ident, body: Body) -> Response:
    """It runs again. Harmless when repeated."""
    at = time_of("at", parse_body(body, items_use.StopEnd).at)
    with write(services.book) as tx:
        downtime.end(tx, _mine(downtime.one(tx, stop), ident), at, (services.actor, services.clock()))
    return answer(items.Declared(stop, "changed"))


@router.post(
    "/assets/{ident:path}/downtimes/{stop}/withdraw",
    responses=documented(items.Declared),
    openapi_extra=documented_body(Withdrawal),
)
def withdraw_downtime(services: Use, ident: Ident, stop: Ident, body: Body) -> Response:
    """It was recorded by mistake: it counts no more. Harmless when repeated."""
    why = parse_body(body, Withdrawal)
    with write(services.book) as tx:
        downtime.withdraw(tx, _mine(downtime.one(tx, stop), ident), why.reason, (services.actor, services.clock()))
    return answer(items.Declared(stop, "changed"))


@router.get("/assets/{ident:path}/utilisation", responses=documented(items_use.Utilisation))
def asset_utilisation(services: Use, ident: Ident, ask: Annotated[UtilisationAsk, Query()]) -> Response:
    """How much it was used, of each base: all time, the shifts of its calendar, and the target."""
    with read(services.book) as tx:
        register = services.registers.current(tx)
        known = known_asset(register, ident, services.clock())
        found = queries.utilised(tx, register, known, _past(services, ask), ask.calendar)
    return answer(found)


@router.get("/assets/{ident:path}/availability", responses=documented(items_use.Availability))
def asset_availability(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """Availability, and the mean times between failures and to repair, by the stops that were recorded."""
    with read(services.book) as tx:
        register = services.registers.current(tx)
        known = known_asset(register, ident, services.clock())
        found = queries.available(tx, register, known, _past(services, ask))
    return answer(found)


@router.get("/assets/{ident:path}/oee", responses=documented(items_use.Oee))
def asset_oee(services: Use, ident: Ident, ask: Annotated[OeeAsk, Query()]) -> Response:
    """Overall equipment effectiveness by the recorded stops and the pieces that are given."""
    with read(services.book) as tx:
        register = services.registers.current(tx)
        known = known_asset(register, ident, services.clock())
        made = (ask.ideal_per_hour, ask.made, ask.good)
        found = queries.effectiveness(tx, register, known, _past(services, ask), made)
    return answer(found)


@router.get("/assets/{ident:path}/duty", responses=documented(items_use.HoistDuty))
def asset_duty(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """A crane's hoist: hours, debounced starts, and what is left of what it was designed for."""
    with read(services.book) as tx:
        register = services.registers.current(tx)
        found = queries.hoist(tx, register, known_asset(register, ident, services.clock()), _past(services, ask))
    return answer(found)


@router.get("/assets/{ident:path}/reliability", responses=documented(items_use.ComponentLife))
def asset_reliability(services: Use, ident: Ident, ask: Annotated[reliability.ReliabilityAsk, Query()]) -> Response:
    """How long a component lives by the repairs of the asset, its model or category, and when to replace it."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        found = reliability.component_life(tx, register, known_asset(register, ident, now), ask, now)
    return answer(found)


def _past(services: Services, ask: Span) -> tuple[int, int]:
    """What of a span is over. Raises Refused if nothing is."""
    since, until = span_of(services, ask)
    until = min(until, services.clock())
    if since >= until:
        msg = "since: a time that has come expected, before until"
        raise Refused(msg)
    return since, until


def _mine(stop: Stop, asset: str) -> str:
    if stop.asset != asset:
        msg = f"downtime: one of {asset!r} expected, got {stop.id!r}"
        raise NotFound(msg)
    return stop.id


def _id(text: str) -> str:
    try:
        return convert(text, Id)
    except ValidationError as error:
        msg = f"id: letters, digits and ._:/- expected, got {text!r}"
        raise Refused(msg) from error
