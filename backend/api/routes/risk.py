"""Predictions: the risk of each asset with its reasons, and the cards of the models that say it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items, items_risk
from backend.api.answers import Ask, documented, page
from backend.api.queries import risk
from backend.api.services import Use
from backend.book.db import read
from models.errors import Refused

router = APIRouter(tags=["predictions"])


@router.get("/risk", responses=documented(items.Page[items_risk.Risk]))
def list_risks(services: Use, ask: Annotated[risk.RiskAsk, Query()]) -> Response:
    """The newest risk of every asset with a tracker, or all that were told of one asset since a time."""
    if ask.since is not None and ask.asset is None:
        msg = "since: with an asset expected"
        raise Refused(msg)
    with read(services.book) as tx:
        found = risk.asked(tx, ask)
    return page(found, ask.limit, ask.after + len(found))


@router.get("/models", responses=documented(items.Page[items_risk.Model]))
def list_models(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """The models that are kept, with their cards: what they learnt from, how good they are, when they alert."""
    found = risk.models(services.models)
    return page(found, len(found) + 1, None)
