"""Reordering explained, and the classes of items."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items, items_purchases
from backend.api.answers import Ask, documented, page
from backend.api.queries import classes, reorder
from backend.api.services import Use
from backend.book.db import read

router = APIRouter(tags=["purchases"])


@router.get("/reorder", responses=documented(items.Page[items_purchases.Reorder]))
def list_reorder(services: Use, ask: Annotated[reorder.ReorderAsk, Query()]) -> Response:
    """Position, reorder point and service of items, with the reasons; `after` is the last SKU seen."""
    now = services.clock()
    with read(services.book) as tx:
        register = services.registers.current(tx)
        skus = reorder.asked_for(register, ask, now)
        found = reorder.reorder(tx, register, skus, now)
        whole = services.complete_to(tx, now)
    return page(found, ask.limit if ask.sku is None else 2, found[-1].sku if found else None, whole)


@router.get("/stock/classes", responses=documented(items.Page[items_purchases.Class]))
def list_stock_classes(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """ABC, XYZ, days on hand, overstock and cash tied up of every item, what is worth most first."""
    now = services.clock()
    with read(services.book) as tx:
        found = classes.classes_of(tx, services.registers.current(tx), now)
        whole = services.complete_to(tx, now)
    return page(found, len(found) + 1, None, whole)
