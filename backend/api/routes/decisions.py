"""Alerts, and reorder proposals that wait for a person's decision."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api import items, items_assets, items_purchases
from backend.api.answers import Body, Paged, answer, documented, documented_body, page, parse_body
from backend.api.approval import Edit, Verdict, decide
from backend.api.queries import decisions
from backend.api.services import Services, Use
from backend.book import alerts as alert_book
from backend.book.db import read, write
from backend.book.schema import alert, proposal
from models.errors import Refused
from models.reading import micros

HOUR_US = 3_600_000_000
router = APIRouter(tags=["decisions"])
_decided = documented(items.Proposal)
_reads_decision = documented_body(items.Decision, required=False)


class AlertAsk(Paged, frozen=True):
    """Which alerts: in a state, of a subject."""

    state: Literal["open", "acknowledged", "snoozed", "closed"] | None = None
    subject: str | None = Field(None, max_length=200)


class ProposalAsk(Paged, frozen=True):
    """Which proposals: in a state, of an item."""

    state: Literal["open", "approved", "rejected", "withdrawn"] | None = None
    sku: str | None = Field(None, max_length=200)


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


@router.get("/proposals", responses=documented(items.Page[items.Proposal]))
def list_proposals(services: Use, ask: Annotated[ProposalAsk, Query()]) -> Response:
    """Reorder proposals by n."""
    where = [] if ask.state is None else [proposal.c.state == ask.state]
    where += [] if ask.sku is None else [proposal.c.sku == ask.sku]
    with read(services.book) as tx:
        found = decisions.proposals(tx, ask.after, ask.limit, where)
    return page(found, ask.limit, found[-1].n if found else None)


@router.post(
    "/proposals/{ident}/approve",
    responses=_decided,
    openapi_extra=documented_body(items_purchases.Approval, required=False),
)
def approve_proposal(services: Use, ident: str, body: Body) -> Response:
    """Order it, as proposed or with what the body says: a purchase order is made of it.

    The same decision again is harmless; another one, or other changes, are 409.
    """
    return answer(decided(services, ident, "approved", body))


@router.post("/proposals/{ident}/reject", responses=_decided, openapi_extra=_reads_decision)
def reject_proposal(services: Use, ident: str, body: Body) -> Response:
    """Do not order it. The same decision again is harmless; the other one is 409."""
    return answer(decided(services, ident, "rejected", body))


def decided(services: Services, ident: str, verdict: Verdict, body: bytes) -> items.Proposal:
    """The proposal with the verdict; a body is an `Approval` or a `Decision`."""
    if verdict == "approved":
        asked = parse_body(body, items_purchases.Approval) if body else items_purchases.Approval()
        why, edit = asked.reason, Edit.of(asked)
    else:
        why, edit = (parse_body(body, items.Decision) if body else items.Decision()).reason, None
    with write(services.book) as tx:
        return decide(tx, ident, verdict, (services.actor, why, services.clock()), edit)
