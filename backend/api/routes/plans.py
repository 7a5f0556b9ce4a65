"""Maintenance plans as a whole: the calendar of what is to come, and how services kept to their plans."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items, items_plans
from backend.api.answers import documented, page
from backend.api.queries import plan_calendar as queries
from backend.api.services import Use
from backend.book.db import read

router = APIRouter(tags=["maintenance"])


@router.get("/maintenance/calendar", responses=documented(items.Page[items_plans.Occurrence]))
def list_calendar(services: Use, ask: Annotated[queries.CalendarAsk, Query()]) -> Response:
    """Every service that is due and will be, by when it may be due first; a year ahead if nothing else is said."""
    now = services.clock()
    with read(services.book) as tx:
        found = queries.calendar(tx, services.registers.current(tx), ask, now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)


@router.get("/maintenance/compliance", responses=documented(items.Page[items_plans.Kept]))
def list_compliance(services: Use, ask: Annotated[queries.ComplianceAsk, Query()]) -> Response:
    """Services done in time of those that fell due, by asset, plan or month; of the last year if not said."""
    now = services.clock()
    with read(services.book) as tx:
        found = queries.kept(tx, services.registers.current(tx), ask, now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)
