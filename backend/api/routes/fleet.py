"""Assets in use: where each is, what its meters counted, where it stayed, its trips, stops and days, its track."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items, items_fleet
from backend.api.answers import Ask, When, answer, documented, page
from backend.api.queries import days, fleet
from backend.api.services import Services, Use
from backend.book import places
from backend.book.db import read
from models.errors import NotFound, Refused
from models.reading import micros
from models.register import Register

router = APIRouter(tags=["assets"])
Ident = Annotated[str, Path(max_length=64)]
DAY_US = 86_400_000_000
MOST_SPAN_DAYS = 400


class Span(Ask, frozen=True):
    """From when to when; default the last day."""

    since: When | None = None
    until: When | None = None


class MetersAsk(Span, frozen=True):
    """And whether for the whole span or for each UTC day of it."""

    by: str | None = Field(None, pattern="^day$")


class DaysAsk(Span, frozen=True):
    """And whose days: a time zone's."""

    tz: str = Field("UTC", max_length=64, description="a name such as Europe/Brussels")


class TrackAsk(Span, frozen=True):
    """And how many positions at most, the newest."""

    limit: int = Field(1000, ge=1, le=10_000)


def span_of(services: Services, ask: Span, most_days: int = MOST_SPAN_DAYS) -> tuple[int, int]:
    """In microseconds. Raises Refused if it is longer than so many days."""
    until = services.clock() if ask.until is None else micros(ask.until)
    since = until - DAY_US if ask.since is None else micros(ask.since)
    if not until - most_days * DAY_US <= since <= until:
        msg = f"since: at most {most_days} days before until expected, and not after it"
        raise Refused(msg)
    return since, until


def known_asset(register: Register, ident: str, now: int) -> str:
    """The asset's id. Raises NotFound if the register does not have it."""
    if register.get("assets", ident, now) is None:
        msg = f"assets: nothing of id {ident[:64]!r}"
        raise NotFound(msg)
    return ident


@router.get("/fleet", responses=documented(items.Page[items_fleet.AssetNow]))
def list_fleet(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """Every asset as it stands: place, hours, odometer."""
    now = services.clock()
    with read(services.book) as tx:
        found = fleet.fleet(tx, services.registers.current(tx), now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/assets/{ident:path}/now", responses=documented(items_fleet.AssetNow))
def asset_now(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One asset as it stands."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        (found,) = fleet.fleet(tx, register, now, [known_asset(register, ident, now)])
    return answer(found)


@router.get("/assets/{ident:path}/meters", responses=documented(items.Page[items_fleet.MeterUse]))
def asset_meters(services: Use, ident: Ident, ask: Annotated[MetersAsk, Query()]) -> Response:
    """What each meter counted, between bounds."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        found = fleet.meters(
            tx, register, known_asset(register, ident, now), span_of(services, ask), by_day=ask.by is not None
        )
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/assets/{ident:path}/visits", responses=documented(items.Page[items_fleet.Visit]))
def asset_visits(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """Its stays in zones."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        found = fleet.visits(tx, register, known_asset(register, ident, now), span_of(services, ask), now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/assets/{ident:path}/trips", responses=documented(items.Page[items_fleet.Journey]))
def asset_trips(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """Its trips."""
    return _journeys(services, ident, ask, "trip")


@router.get("/assets/{ident:path}/stops", responses=documented(items.Page[items_fleet.Journey]))
def asset_stops(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """Where it stood, and how long."""
    return _journeys(services, ident, ask, "stop")


@router.get("/assets/{ident:path}/transported", responses=documented(items.Page[items_fleet.Journey]))
def asset_transported(services: Use, ident: Ident, ask: Annotated[Span, Query()]) -> Response:
    """When it moved with its engine off."""
    return _journeys(services, ident, ask, "transported")


def _journeys(services: Services, ident: str, ask: Span, what: str) -> Response:
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        rows = places.journeys(tx, register, known_asset(register, ident, now), span_of(services, ask), now, what)
        found = [fleet.journey(each) for each in rows]
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/assets/{ident:path}/days", responses=documented(items.Page[items_fleet.Day]))
def asset_days(services: Use, ident: Ident, ask: Annotated[DaysAsk, Query()]) -> Response:
    """What it did on each local day that the span reaches into."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        known = known_asset(register, ident, now)
        found = days.days(tx, register, known, span_of(services, ask, days.MOST_CELL_DAYS), (ask.tz, now))
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/assets/{ident:path}/track", responses=documented(items.Page[items_fleet.TrackPoint]))
def asset_track(services: Use, ident: Ident, ask: Annotated[TrackAsk, Query()]) -> Response:
    """Its positions as they were sent."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        known_asset(register, ident, now)
        whole = services.complete_to(tx, now)
    if services.telemetry is None:
        return page(list[items_fleet.TrackPoint](), 1, None, whole)
    found = fleet.track(services.telemetry, register, ident, span_of(services, ask), ask.limit)
    return page(found, len(found) + 1, None, whole, services.telemetry.complete_from())
