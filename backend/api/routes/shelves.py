"""Shelves: sets of alerts that are kept quiet for a time, with a reason; listed, and back by themselves."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection, select
from starlette.responses import Response

from backend.api import items
from backend.api.answers import Body, Paged, answer, documented, documented_body, page, parse_body, time_of
from backend.api.items_alerts import Shelf, Shelving
from backend.api.queries import alerting
from backend.api.services import Use
from backend.book import shelves
from backend.book.db import read, write
from backend.book.schema_desk import shelf
from backend.rules import NAMES
from models import shelving
from models.alert_defaults import OUTSIDE
from models.errors import Refused

router = APIRouter(tags=["alerts"])


class ShelfAsk(Paged, frozen=True):
    """Which shelves: that stand, or are over."""

    state: Literal["standing", "over"] | None = None


@router.get("/shelves", responses=documented(items.Page[Shelf]))
def list_shelves(services: Use, ask: Annotated[ShelfAsk, Query()]) -> Response:
    """Shelves by n."""
    with read(services.book) as tx:
        rows = shelves.listed(tx, ask.state, services.clock(), ask.after, ask.limit)
        found = [alerting.shelf(tx, row) for row in rows]
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/shelves/{ident}",
    responses=documented(Shelf) | documented(Shelf, 201),
    openapi_extra=documented_body(Shelving),
)
def put_shelf(services: Use, ident: str, body: Body) -> Response:
    """Keep quiet what stands and what comes, until a time. The same again is harmless, other content is 409."""
    asked = parse_body(body, Shelving)
    if unknown := sorted({*asked.rules} - NAMES - OUTSIDE):
        msg = f"rules: names of rules expected, got {', '.join(unknown)}"
        raise Refused(msg)
    until = time_of("until", asked.until)
    wanted = shelving.Shelf(asked.rules, asked.subjects, asked.reason, until, asked.most)
    with write(services.book) as tx:
        is_new = shelves.put(tx, ident, wanted, services.actor, services.clock())
        return answer(_one(tx, ident), 201 if is_new else 200)


@router.post("/shelves/{ident}/end", responses=documented(Shelf))
def end_shelf(services: Use, ident: str) -> Response:
    """What sleeps on it opens again now. Harmless when repeated, or when it is over."""
    with write(services.book) as tx:
        shelves.end(tx, ident, services.actor, services.clock())
        return answer(_one(tx, ident))


def _one(tx: Connection, ident: str) -> Shelf:
    return alerting.shelf(tx, tx.execute(select(shelf).where(shelf.c.id == ident)).one())
