"""What people did with scanners: the list of acts, and what lies on pallets."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items_scans
from backend.api.answers import documented, page
from backend.api.items import Page
from backend.api.queries import scans
from backend.api.services import Use
from backend.book.db import read

router = APIRouter(tags=["scans"])


@router.get("/scans", responses=documented(Page[items_scans.Scanned]))
def list_scans(services: Use, ask: Annotated[scans.ScanAsk, Query()]) -> Response:
    """Acts of scanners, refusals too, by n."""
    with read(services.book) as tx:
        found = scans.scans(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, found[-1].n if found else None, whole)


@router.get("/packs", responses=documented(Page[items_scans.Packed]))
def list_packs(services: Use, ask: Annotated[scans.PackAsk, Query()]) -> Response:
    """What lies on a pallet, or on any, at a time; `after` is how many to leave out."""
    with read(services.book) as tx:
        found = scans.packs(tx, ask)
        whole = services.complete_to(tx, services.clock())
    return page(found, ask.limit, ask.after + len(found), scans.as_of(ask.as_of, whole))
