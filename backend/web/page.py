"""The routes of the page: the whole, each section as a fragment, and what is behind a figure."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import HTMLResponse, Response

from backend.api.services import Use
from backend.api.sse import newest, stream
from backend.book.db import read
from backend.web import yard
from backend.web.evidence import behind_crossing, behind_movement
from backend.web.live import Changes
from backend.web.rendering import rendered
from backend.web.sections import section_html, shown
from models.errors import NotFound

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def whole_page(request: Request, services: Use) -> Response:
    """Every section as of one moment; the stream resumes from the last event before it."""
    ask = request.query_params
    with read(services.book) as tx:
        html = {name: section_html(tx, services, name, ask) for name in shown(services)}
        after = newest(tx)
    context = {"sections": html, "after": after, "alert_filter": ask.get("alerts", "all")}
    return rendered("page.html", context | {"fragments": "/page/", "of": ""})


@router.get("/page/{name}")
def section(request: Request, services: Use, name: str) -> Response:
    """One section anew; nothing if the yard is as it was `seen`."""
    if name not in (there := shown(services)):
        msg = f"section: one of {', '.join(there)} expected, got {name!r}"
        raise NotFound(msg)
    ask = request.query_params
    with read(services.book) as tx:
        if name == "yard" and ask.get("seen") == yard.token(tx, services):
            return Response(status_code=204)
        return HTMLResponse(section_html(tx, services, name, ask))


@router.get("/page/movements/{ident}/evidence")
def movement_evidence(services: Use, ident: str) -> Response:
    """The crossing or scans, and the readings, behind a movement."""
    with read(services.book) as tx:
        return behind("evidence.html", behind_movement(tx, ident))


@router.get("/page/crossings/{ident}/readings")
def crossing_evidence(services: Use, ident: str) -> Response:
    """The readings behind a crossing."""
    with read(services.book) as tx:
        return behind("readings.html", behind_crossing(tx, ident))


def behind(template: str, found: dict[str, Any] | None) -> Response:
    """What stands behind a figure, or that it was decided anew."""
    return rendered("gone.html", {}) if found is None else rendered(template, found)


@router.get("/live")
async def live(
    services: Use,
    after: Annotated[int, Query(ge=0, lt=2**63)],
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> Response:
    """What changed, by kind; the page fetches the sections that show it."""
    return await stream(services, after if last_event_id is None else last_event_id, Changes(services.clock))
