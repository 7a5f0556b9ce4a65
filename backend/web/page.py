"""The routes of the page: the whole, each section as a fragment, what is behind a figure, and a person's decisions."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from backend.api.approval import Verdict
from backend.api.routes.decisions import acknowledge, decided
from backend.api.services import Services, Use
from backend.api.sse import newest, stream
from backend.book.db import read
from backend.web.evidence import behind_crossing, behind_movement
from backend.web.live import Changes
from backend.web.sections import SECTIONS
from models.errors import NotFound, Refused

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def whole_page(services: Use) -> Response:
    """Every section as of one moment; the stream resumes from the last event before it."""
    with read(services.book) as tx:
        shown = {name: _section(tx, services, name) for name in SECTIONS}
        after = newest(tx)
    return HTMLResponse(TEMPLATES.get_template("page.html").render(sections=shown, after=after))


@router.get("/page/{name}")
def section(services: Use, name: str) -> Response:
    """One section anew."""
    if name not in SECTIONS:
        msg = f"section: one of {', '.join(SECTIONS)} expected, got {name!r}"
        raise NotFound(msg)
    with read(services.book) as tx:
        return HTMLResponse(_section(tx, services, name))


def _section(tx: Connection, services: Services, name: str, notice: str | None = None) -> str:
    template = TEMPLATES.get_template(f"sections/{name}.html")
    return template.render(SECTIONS[name](tx, services), notice=notice)


@router.get("/page/movements/{ident}/evidence")
def movement_evidence(services: Use, ident: str) -> Response:
    """The crossing or scans, and the readings, behind a movement."""
    with read(services.book) as tx:
        return _behind("evidence.html", behind_movement(tx, ident))


@router.get("/page/crossings/{ident}/readings")
def crossing_evidence(services: Use, ident: str) -> Response:
    """The readings behind a crossing."""
    with read(services.book) as tx:
        return _behind("readings.html", behind_crossing(tx, ident))


def _behind(template: str, found: dict[str, Any] | None) -> Response:
    if found is None:
        return HTMLResponse(TEMPLATES.get_template("gone.html").render())
    return HTMLResponse(TEMPLATES.get_template(template).render(found))


@router.post("/page/alerts/{ident}/acknowledge")
def acknowledge_alert(request: Request, services: Use, ident: str) -> Response:
    """A person has seen an alert; answers the section anew."""
    notice = _refusal(lambda: acknowledge(services, ident))
    return _after_decision(request, services, "alerts", notice)


@router.post("/page/proposals/{ident}/approve")
def approve_proposal(request: Request, services: Use, ident: str) -> Response:
    """Order it; answers the section anew."""
    return _decide(request, services, ident, "approved")


@router.post("/page/proposals/{ident}/reject")
def reject_proposal(request: Request, services: Use, ident: str) -> Response:
    """Do not order it; answers the section anew."""
    return _decide(request, services, ident, "rejected")


def _decide(request: Request, services: Services, ident: str, verdict: Verdict) -> Response:
    notice = _refusal(lambda: decided(services, ident, verdict, b""))
    return _after_decision(request, services, "proposals", notice)


def _refusal(act: Any) -> str | None:  # noqa: ANN401 - a function of no arguments
    try:
        act()
    except Refused as error:
        return str(error)
    return None


def _after_decision(request: Request, services: Services, name: str, notice: str | None) -> Response:
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/#{name}", 303)
    with read(services.book) as tx:
        return HTMLResponse(_section(tx, services, name, notice))


@router.get("/live")
async def live(
    services: Use,
    after: Annotated[int, Query(ge=0, lt=2**63)],
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> Response:
    """What changed, by kind; the page fetches the sections that show it."""
    return stream(services, after if last_event_id is None else last_event_id, Changes(services.clock))
