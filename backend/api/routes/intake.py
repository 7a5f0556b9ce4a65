"""What came in: gateways, the journal, gaps, quarantine; and scans of handhelds and other programs."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items
from backend.api.answers import Ask, Body, Paged, answer, documented, documented_body, page
from backend.api.items_seals import JournalPage
from backend.api.queries import intake
from backend.api.queries.seals import gone
from backend.api.services import Use
from backend.book.db import read
from models.errors import Refused
from models.reading import Scan
from models.wire import decode

MAX_ID = 64
router = APIRouter(tags=["intake"])


class GapAsk(Paged, frozen=True):
    """Which gaps: of a gateway; `after` is how many to leave out."""

    gateway: str | None = Field(None, max_length=63)


class QuarantineAsk(Paged, frozen=True):
    """Which part of the quarantine."""

    limit: int = Field(100, ge=1, le=1000)


@router.get("/gateways", responses=documented(items.Page[items.Gateway]))
def list_gateways(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """Every gateway with its streams and devices."""
    with read(services.book) as tx:
        found = intake.gateways(tx)
    return page(found, len(found) + 1, None)


@router.get("/journal", responses=documented(JournalPage))
def list_journal(services: Use, ask: Annotated[intake.JournalAsk, Query()]) -> Response:
    """Committed readings by stream and seq; `sealed` says which that were asked for are gone, and since which seal."""
    with read(services.book) as tx:
        found, cursor = intake.journal_entries(tx, ask)
        sealed = gone(tx, intake.streams(tx, ask), ask.after_seq) if ask.after is None else []
    return answer(JournalPage(found, cursor if len(found) >= ask.limit else None, sealed))


@router.get("/gaps", responses=documented(items.Page[items.Gap]))
def list_gaps(services: Use, ask: Annotated[GapAsk, Query()]) -> Response:
    """Numbers that outbox quotas forced out; `after` is how many to leave out."""
    with read(services.book) as tx:
        found = intake.gaps(tx, ask.gateway, ask.after, ask.limit)
    return page(found, ask.limit, ask.after + len(found))


@router.get("/quarantine", responses=documented(items.Page[items.Quarantined]))
def list_quarantine(services: Use, ask: Annotated[QuarantineAsk, Query()]) -> Response:
    """What could not be used, and why."""
    with read(services.book) as tx:
        found = intake.quarantined(tx, ask.after, ask.limit)
    return page(found, ask.limit, found[-1].id if found else None)


@router.put("/scans/{ident}", responses=documented(items.Declared, 201), openapi_extra=documented_body(Scan))
def put_scan(services: Use, ident: str, body: Body) -> Response:
    """One `scan` reading, journalled as gateway `api`; the same id again is harmless, with other content 409."""
    if not ident.isprintable() or len(ident) > MAX_ID:
        msg = f"id: at most {MAX_ID} printable characters expected"
        raise Refused(msg)
    if not isinstance(decode(body), Scan):
        msg = "kind: `scan` expected"
        raise Refused(msg)
    created = services.put_scan(services.book, ident, body, services.clock())
    return answer(items.Declared(ident, "created" if created else "same"), 201 if created else 200)
