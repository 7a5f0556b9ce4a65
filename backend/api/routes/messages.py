"""What people are told of alerts, what came of it, once more what was never taken; and how many alerts that were."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from backend.alert_settings import teams_of
from backend.api import items
from backend.api.answers import Ask, Paged, When, answer, documented, page
from backend.api.items_alerts import AlarmRate, Message
from backend.api.queries import alerting
from backend.api.services import Use
from backend.book import messages
from backend.book.db import read, write
from backend.book.schema_desk import message
from models.alarm_rate import TEN_MINUTES_US
from models.errors import NotFound, Refused
from models.reading import micros

DAY_US = 86_400_000_000
LONGEST_US = 400 * DAY_US
router = APIRouter(tags=["alerts"])


class MessageAsk(Paged, frozen=True):
    """Which messages: in a state, of an alert, to a recipient."""

    state: Literal["waiting", "delivered", "dead", "dropped", "handed"] | None = None
    alert: str | None = Field(None, max_length=36)
    recipient: str | None = Field(None, max_length=254)


class RateAsk(Ask, frozen=True):
    """Of which time, in whole ten minutes; by default the last day."""

    since: When | None = None
    until: When | None = None


@router.get("/messages", responses=documented(items.Page[Message]))
def list_messages(services: Use, ask: Annotated[MessageAsk, Query()]) -> Response:
    """Messages by n."""
    wanted = {message.c.state: ask.state, message.c.alert_id: ask.alert, message.c.recipient: ask.recipient}
    where = [column == value for column, value in wanted.items() if value is not None]
    with read(services.book) as tx:
        found = alerting.listed_messages(tx, ask.after, ask.limit, where)
    return page(found, ask.limit, found[-1].n if found else None)


@router.post("/messages/{n}/retry", responses=documented(Message))
def retry_message(services: Use, n: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
    """Send one again at once that is dead or waits, under the same id. Harmless when it was delivered."""
    with write(services.book) as tx:
        messages.again(tx, n, services.clock())
        found = alerting.listed_messages(tx, n - 1, 1, [message.c.n == n])
    if not found:
        msg = f"no message {n}"
        raise NotFound(msg)
    return answer(found[0])


@router.get("/alerts/rate", responses=documented(items.Page[AlarmRate]))
def alarm_rate(services: Use, ask: Annotated[RateAsk, Query()]) -> Response:
    """How many alerts each team is told of in ten minutes, against under one; floods, and the worst rules."""
    now = services.clock()
    until = now if ask.until is None else micros(ask.until)
    until = until // TEN_MINUTES_US * TEN_MINUTES_US
    since = until - DAY_US if ask.since is None else micros(ask.since) // TEN_MINUTES_US * TEN_MINUTES_US
    if not 0 < until - since <= LONGEST_US:
        msg = "since, until: a span of ten minutes to 400 days expected"
        raise Refused(msg)
    with read(services.book) as tx:
        teams = [*teams_of(services.registers.current(tx), now)]
        found = alerting.rates(tx, teams, since, until)
    return page(found, len(found) + 1, None)
