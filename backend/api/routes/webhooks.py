"""Webhooks: who is told of events, what waits for them, and once more what was never taken."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection, Row, case, func, select
from starlette.responses import Response

from backend.api import items
from backend.api.answers import Ask, Paged, answer, documented, page
from backend.api.items_webhooks import Delivery, Webhook
from backend.api.services import Use
from backend.book import webhooks
from backend.book.db import read, write
from backend.book.schema_notify import webhook_delivery
from models.errors import NotFound
from models.reading import from_micros

router = APIRouter(tags=["webhooks"])
_table = webhook_delivery.c
_COUNTS = select(_table.state, func.count()).group_by(_table.state)


class DeliveryAsk(Paged, frozen=True):
    """Which deliveries: in a state."""

    state: Literal["waiting", "delivered", "dead"] | None = None


@router.get("/webhooks", responses=documented(items.Page[Webhook]))
def list_webhooks(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """The receivers of the configuration."""
    with read(services.book) as tx:
        found = [
            Webhook(name, hook.url, [*hook.kinds], **_standing(tx, name)) for name, hook in services.webhooks.items()
        ]
    return page(found, len(found) + 1, None)


def _standing(tx: Connection, name: str) -> dict[str, Any]:
    mine = _table.webhook == name
    counts = {row.state: row[1] for row in tx.execute(_COUNTS.where(mine))}
    oldest, last = tx.execute(
        select(
            func.min(case((_table.state == webhooks.WAITING, _table.made_at))),
            func.max(case((_table.state == webhooks.DELIVERED, _table.done_at))),
        ).where(mine)
    ).one()
    failing = select(_table.problem).where(mine, _table.state == webhooks.WAITING, _table.problem.is_not(None))
    return {
        "waiting": counts.get(webhooks.WAITING, 0),
        "dead": counts.get(webhooks.DEAD, 0),
        "oldest_waiting": None if oldest is None else from_micros(oldest),
        "last_delivered": None if last is None else from_micros(last),
        "problem": tx.scalar(failing.order_by(_table.n.desc()).limit(1)),
    }


@router.get("/webhooks/{name}/deliveries", responses=documented(items.Page[Delivery]))
def list_deliveries(services: Use, name: str, ask: Annotated[DeliveryAsk, Query()]) -> Response:
    """What one receiver was told, or is still owed, by n."""
    query = select(webhook_delivery).where(_table.webhook == name, _table.n > ask.after)
    if ask.state is not None:
        query = query.where(_table.state == ask.state)
    with read(services.book) as tx:
        found = [_delivery(row) for row in tx.execute(query.order_by(_table.n).limit(ask.limit))]
    return page(found, ask.limit, found[-1].n if found else None)


@router.post("/webhook-deliveries/{n}/retry", responses=documented(Delivery))
def retry_delivery(services: Use, n: int) -> Response:
    """Send one again at once that is dead or waits. Harmless when it was delivered."""
    with write(services.book) as tx:
        webhooks.again(tx, n, services.clock())
        row = tx.execute(select(webhook_delivery).where(_table.n == n)).one_or_none()
    if row is None:
        msg = f"no delivery {n}"
        raise NotFound(msg)
    return answer(_delivery(row))


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        n=row.n,
        id=row.id,
        kind=row.kind,
        state=row.state,
        tries=row.tries,
        made_at=from_micros(row.made_at),
        due_at=from_micros(row.due_at),
        done_at=None if row.done_at is None else from_micros(row.done_at),
        status=row.status,
        problem=row.problem,
    )
