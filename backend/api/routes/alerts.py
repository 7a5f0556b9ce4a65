"""Alerts: what stands, who has seen it, who is to answer it, and what is kept quiet until when."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api import items, items_assets
from backend.api.answers import Ask, Body, Paged, answer, documented, documented_body, page, parse_body
from backend.api.items_alerts import Assignment, Step
from backend.api.queries import alerting, decisions
from backend.api.services import Services, Use
from backend.book import alerts as alert_book
from backend.book.db import read, write
from backend.book.schema import alert
from models.declared_alerts import Contact
from models.errors import NotFound, Refused
from models.reading import micros

HOUR_US = 3_600_000_000
router = APIRouter(tags=["alerts"])


class AlertAsk(Paged, frozen=True):
    """Which alerts: in a state, of a subject."""

    state: Literal["open", "acknowledged", "snoozed", "closed"] | None = None
    subject: str | None = Field(None, max_length=200)


@router.get("/alerts", responses=documented(items.Page[items.Alert]))
def list_alerts(services: Use, ask: Annotated[AlertAsk, Query()]) -> Response:
    """Alerts by n."""
    where = [] if ask.state is None else [alert.c.state == ask.state]
    where += [] if ask.subject is None else [alert.c.subject == ask.subject]
    with read(services.book) as tx:
        found = decisions.alerts(tx, ask.after, ask.limit, where)
    return page(found, ask.limit, found[-1].n if found else None)


@router.post("/alerts/{ident}/acknowledge", responses=documented(items.Alert))
def acknowledge_alert(services: Use, ident: str) -> Response:
    """Somebody has seen it. Harmless when repeated."""
    return answer(acknowledge(services, ident))


@router.post("/alerts/{ident}/close", responses=documented(items.Alert))
def close_alert(services: Use, ident: str) -> Response:
    """It is over. Harmless when repeated; what is still true is raised anew."""
    return answer(_settled(services, ident, alert_book.close_one))


@router.post(
    "/alerts/{ident}/snooze", responses=documented(items.Alert), openapi_extra=documented_body(items_assets.Snooze)
)
def snooze_alert(services: Use, ident: str, body: Body) -> Response:
    """Quiet until a time, at most 90 days ahead; it opens again then, or before if it becomes graver."""
    return answer(snooze(services, ident, parse_body(body, items_assets.Snooze)))


@router.post("/alerts/{ident}/assign", responses=documented(items.Alert), openapi_extra=documented_body(Assignment))
def assign_alert(services: Use, ident: str, body: Body) -> Response:
    """A contact is to answer it, and is told; whoever assigns it has not answered. Harmless when repeated."""
    asked = parse_body(body, Assignment)

    def settle(tx: Connection, ident: str, actor: str, now: int) -> None:
        if not isinstance(services.registers.current(tx).get("contacts", asked.to, now), Contact):
            msg = f"to: one of the contacts expected, got {asked.to!r}"
            raise Refused(msg)
        alert_book.assign(tx, ident, asked.to, actor, now)

    return answer(_settled(services, ident, settle))


@router.get("/alerts/{ident}/history", responses=documented(items.Page[Step]))
def alert_history(services: Use, ident: str, _ask: Annotated[Ask, Query()]) -> Response:
    """Every step of an alert's life: raised, seen, assigned, escalated, shelved, closed; who and when."""
    with read(services.book) as tx:
        if decisions.one_alert(tx, ident) is None:
            msg = f"alerts: nothing of id {ident!r}"
            raise NotFound(msg)
        found = alerting.steps(tx, ident)
    return page(found, len(found) + 1, None)


def snooze(services: Services, ident: str, asked: items_assets.Snooze) -> items.Alert:
    """The alert, snoozed. Raises NotFound, Clash of one that is closed, or Refused for a time that cannot be."""

    def settle(tx: Connection, ident: str, actor: str, now: int) -> None:
        alert_book.snooze(tx, ident, _until(asked, now), actor, now)

    return _settled(services, ident, settle)


def _until(asked: items_assets.Snooze, now: int) -> int:
    """Microseconds. Raises Refused."""
    if (asked.until is None) == (asked.hours is None):
        msg = f"until, hours: one of them expected, got {'none' if asked.until is None else 'both'}"
        raise Refused(msg)
    return micros(asked.until) if asked.until is not None else now + round((asked.hours or 0) * HOUR_US)


def acknowledge(services: Services, ident: str) -> items.Alert:
    """The alert, acknowledged. Raises NotFound, or Clash of one that is closed."""
    return _settled(services, ident, alert_book.acknowledge)


def _settled(services: Services, ident: str, settle: Callable[[Connection, str, str, int], None]) -> items.Alert:
    with write(services.book) as tx:
        settle(tx, ident, services.actor, services.clock())
        seen = decisions.one_alert(tx, ident)
    assert seen is not None  # noqa: S101 - `settle` found it
    return seen
