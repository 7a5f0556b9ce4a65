"""What people do on the pages: acknowledge and snooze alerts, decide proposals. Each calls what the API calls.

The answer is the section, or the part of an asset's page, in which it was done; to a browser without scripts the page.
"""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Depends, Request
from msgspec.json import encode
from starlette.responses import HTMLResponse, RedirectResponse, Response

from backend.api.answers import Body
from backend.api.approval import Verdict
from backend.api.items_assets import Snooze
from backend.api.routes.alerts import acknowledge, snooze
from backend.api.routes.decisions import decided
from backend.api.routes.maintenance import put_service
from backend.api.routes.maintenance import withdraw_service as withdraw
from backend.api.services import Services, Use
from backend.book.db import read
from backend.web.asset_page import part_html
from backend.web.rendering import in_path
from backend.web.sections import section_html
from models.errors import Refused

MOST_FIELDS = 20
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def _form(body: Body) -> dict[str, str]:
    """The fields of a form, as browsers send them. Raises Refused."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        msg = "body: the fields of a form expected"
        raise Refused(msg) from error


Form = Annotated[dict[str, str], Depends(_form)]


@router.post("/page/alerts/{ident}/acknowledge")
def acknowledge_alert(request: Request, services: Use, ident: str, form: Form) -> Response:
    """A person has seen an alert."""
    return _answer(request, services, "alerts", form, lambda: acknowledge(services, ident))


@router.post("/page/alerts/{ident}/snooze")
def snooze_alert(request: Request, services: Use, ident: str, form: Form) -> Response:
    """Quiet for some hours, or until a time."""
    return _answer(request, services, "alerts", form, lambda: snooze(services, ident, _snooze(form)))


def _snooze(form: Form) -> Snooze:
    """Raises Refused."""
    asked = {field: form[field] for field in ("hours", "until") if field in form}
    try:
        return msgspec.convert(asked, Snooze, strict=False)
    except msgspec.ValidationError as error:
        msg = f"snooze: {error}"
        raise Refused(msg) from error


@router.post("/page/service/{ident:path}")
def record_service(request: Request, services: Use, ident: str, form: Form) -> Response:
    """Somebody did a service of a plan; `id` makes sure that sending it twice is one service."""
    body = {"asset": ident, "kind": "service"} | {
        field: form[field] for field in ("plan", "at", "note") if form.get(field)
    }
    at = {"asset": ident}
    return _answer(request, services, "due", at, lambda: put_service(services, form.get("id", ""), encode(body)))


@router.post("/page/withdraw/{ident:path}")
def withdraw_service(request: Request, services: Use, ident: str, form: Form) -> Response:
    """A service was recorded by mistake."""
    body = {"reason": form.get("reason", "")}
    return _answer(request, services, "due", form, lambda: withdraw(services, ident, encode(body)))


@router.post("/page/proposals/{ident}/approve")
def approve_proposal(request: Request, services: Use, ident: str, form: Form) -> Response:
    """Order it."""
    return _decide(request, services, ident, "approved", form)


@router.post("/page/proposals/{ident}/reject")
def reject_proposal(request: Request, services: Use, ident: str, form: Form) -> Response:
    """Do not order it."""
    return _decide(request, services, ident, "rejected", form)


def _decide(request: Request, services: Services, ident: str, verdict: Verdict, form: Form) -> Response:
    return _answer(request, services, "proposals", form, lambda: decided(services, ident, verdict, b""))


def _answer(request: Request, services: Services, name: str, form: Form, act: Callable[[], object]) -> Response:
    """Do it, and answer the section or part anew, with what was refused."""
    notice = None
    try:
        act()
    except Refused as error:
        notice = str(error)
    asset = form.get("asset")
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/#{name}" if asset is None else f"/assets/{in_path(asset)}#{name}", 303)
    with read(services.book) as tx:
        if asset is None:
            return HTMLResponse(section_html(tx, services, name, form, notice))
        return HTMLResponse(part_html(tx, services, name, asset, notice))
