"""Presence: which tags are at which shelf, crib or gate."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api.answers import documented, page
from backend.api.items import Page, Present
from backend.api.queries import presence
from backend.api.services import Use
from backend.book.db import read

router = APIRouter(tags=["presence"])


@router.get("/presence", responses=documented(Page[Present]))
def list_presence(services: Use, ask: Annotated[presence.PresenceAsk, Query()]) -> Response:
    """Tags that readers of presence hold for present, at a time; `after` is how many to leave out."""
    with read(services.book) as tx:
        found = presence.present(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, ask.after + len(found), whole)
