"""Accounting months, which stock and assets close together: what was posted in them, and closing one."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_costs as shapes
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body
from backend.api.queries import accounts
from backend.api.services import Use
from backend.asset_valuer import AssetValuer
from backend.book.db import read
from backend.book.value_marks import closed_to
from backend.valuer import Valuer
from models.months import check_open, parse_month

router = APIRouter(tags=["accounting periods"])
Month = Annotated[str, Path(max_length=7)]


class NoQuestion(Ask, frozen=True):
    """Nothing is asked beside the path."""


@router.get("/periods", responses=documented(items.Page[shapes.Period]))
def list_periods(services: Use, _ask: Annotated[NoQuestion, Query()]) -> Response:
    """Months, from the first that anything is valued in."""
    with read(services.book) as tx:
        found = accounts.periods(tx, services.clock())
    return page(found, len(found) + 1, None)


@router.get("/periods/{month}", responses=documented(shapes.PeriodFigures))
def get_period(services: Use, month: Month, _ask: Annotated[NoQuestion, Query()]) -> Response:
    """What a month moved by account, and what became known too late for the month that it belongs to."""
    with read(services.book) as tx:
        found = accounts.figures(tx, month, services.clock())
    return answer(found)


@router.put("/periods/{month}", responses=documented(items.Declared), openapi_extra=documented_body(shapes.PeriodBody))
def put_period(services: Use, month: Month, body: Body) -> Response:
    """Close a month of stock and assets, and those before it; repeated it is harmless.

    A closed month is not opened again: 409.
    """
    wanted, number = parse_body(body, shapes.PeriodBody), parse_month(month)
    if wanted.state == "open":
        with read(services.book) as tx:
            check_open(number, closed_to(tx))
        return answer(items.Declared(month, "same"))
    assets = AssetValuer(services.book, services.clock) if "assets" in services.modules else None
    is_new = Valuer(services.book, services.clock, assets).close(number, services.actor, wanted.note)
    return answer(items.Declared(month, "changed" if is_new else "same"))
