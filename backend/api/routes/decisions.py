"""Reorder proposals that wait for a person's decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items, items_purchases
from backend.api.answers import Body, Paged, answer, documented, documented_body, page, parse_body
from backend.api.approval import Edit, Verdict, decide
from backend.api.queries import decisions
from backend.api.services import Services, Use
from backend.book.db import read, write
from backend.book.schema import proposal

router = APIRouter(tags=["decisions"])
_decided = documented(items.Proposal)
_reads_decision = documented_body(items.Decision, required=False)


class ProposalAsk(Paged, frozen=True):
    """Which proposals: in a state, of an item."""

    state: Literal["open", "approved", "rejected", "withdrawn"] | None = None
    sku: str | None = Field(None, max_length=200)


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
