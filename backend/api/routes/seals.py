"""The seals of the journal."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items
from backend.api.answers import Ask, documented, page
from backend.api.items_seals import Seal
from backend.api.queries.seals import seals
from backend.api.services import Use
from backend.book.db import read

router = APIRouter(tags=["intake"])


class SealAsk(Ask, frozen=True):
    """Which seals: those after a day."""

    after: date | None = None
    limit: int = Field(100, ge=1, le=1000)


@router.get("/seals", responses=documented(items.Page[Seal]))
def list_seals(services: Use, ask: Annotated[SealAsk, Query()]) -> Response:
    """What was sealed of the journal, by day: digests, and which numbers of which streams went."""
    with read(services.book) as tx:
        found = seals(tx, ask.after, ask.limit)
    return page(found, ask.limit, found[-1].day.isoformat() if found else None)
