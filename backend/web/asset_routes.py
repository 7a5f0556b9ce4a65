"""The routes of an asset's page: the whole, each part as a fragment, and what is behind its figures.

An id may have slashes: it is the last part of every path here.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from backend.api.services import Use
from backend.api.sse import newest
from backend.book.db import read
from backend.step import DAY_US
from backend.web import asset_hours, asset_page, yard
from backend.web.asset_page import PARTS, part_html
from backend.web.evidence import lines_of
from backend.web.page import behind
from backend.web.rendering import in_path, rendered
from models.errors import NotFound
from models.reading import from_micros

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Ident = Annotated[str, Path(max_length=64)]
LAST_DAY = 84_000
"""Days since 1970: what the readings can have."""


@router.get("/assets/{ident:path}")
def whole_asset(services: Use, ident: Ident) -> Response:
    """Every part as of one moment; the stream resumes from the last event before it."""
    with read(services.book) as tx:
        of = asset_page.find(tx, services, ident)
        if of is None:
            return rendered("nothing.html", {"ident": ident, "after": newest(tx)}, 404)
        shown = {name: part_html(tx, services, name, ident) for name in PARTS}
        context = {"ident": ident, "asset": of.asset, "sections": shown, "after": newest(tx)}
        return rendered("asset.html", context | {"fragments": "/page/asset/", "of": f"/{in_path(ident)}"})


@router.get("/page/asset/{name}/{ident:path}")
def part(request: Request, services: Use, name: str, ident: Ident) -> Response:
    """One part anew; nothing if the place is as it was `seen`."""
    if name not in PARTS:
        msg = f"part: one of {', '.join(PARTS)} expected, got {name!r}"
        raise NotFound(msg)
    with read(services.book) as tx:
        if name == "place" and request.query_params.get("seen") == yard.token(tx, services):
            return Response(status_code=204)
        return HTMLResponse(part_html(tx, services, name, ident))


@router.get("/page/day/{day}/{ident:path}")
def day_stretches(services: Use, day: Annotated[int, Path(ge=0, le=LAST_DAY)], ident: Ident) -> Response:
    """The stretches that the hours of a day are made of."""
    now = services.clock()
    with read(services.book) as tx:
        found = asset_hours.stretches(tx, services.registers.current(tx), ident, day, now)
    context = {"stretches": found, "date": from_micros(day * DAY_US).date(), "ident": ident}
    return rendered("asset/day.html", context)


@router.get("/page/stretch/{stretch}/{ident:path}")
def stretch_readings(services: Use, stretch: str, ident: Ident) -> Response:
    """The readings behind a stretch of use."""
    with read(services.book) as tx:
        hashes = asset_hours.behind(tx, services.registers.current(tx), ident, stretch, services.clock())
        return behind("asset/readings.html", None if hashes is None else {"readings": lines_of(tx, hashes)})


@router.get("/page/visit/{visit}/{ident:path}")
def visit_readings(services: Use, visit: str, ident: Ident) -> Response:
    """The readings behind a stay in a zone."""
    with read(services.book) as tx:
        hashes = asset_page.behind_visit(tx, services, ident, visit)
        return behind("asset/readings.html", None if hashes is None else {"readings": lines_of(tx, hashes)})
