"""What tags did: passes of doors, and which are at which shelf, crib or gate."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api.answers import documented, page
from backend.api.items import Crossing, Page, Present
from backend.api.queries import moves, presence
from backend.api.services import Use
from backend.book.db import read

router = APIRouter(tags=["presence"])


@router.get("/crossings", responses=documented(Page[Crossing]))
def list_crossings(services: Use, ask: Annotated[moves.CrossingAsk, Query()]) -> Response:
    """Passes decided, `direction: none` too, by n."""
    with read(services.book) as tx:
        found = moves.crossings(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, found[-1].n if found else None, whole)


@router.get("/presence", responses=documented(Page[Present]))
def list_presence(services: Use, ask: Annotated[presence.PresenceAsk, Query()]) -> Response:
    """Tags that readers of presence hold for present, at a time; `after` is how many to leave out."""
    with read(services.book) as tx:
        found = presence.present(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, ask.after + len(found), whole)
