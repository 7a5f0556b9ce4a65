"""Server-sent events: every domain event, resumable by Last-Event-ID."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from backend.api.answers import documented
from backend.api.items import Problem
from backend.api.services import Use
from backend.api.sse import each, stream

router = APIRouter(tags=["events"])
AfterEvent = Annotated[int | None, Query(ge=0, lt=2**63, description="n of the last event seen; default: from now on")]
LastEventId = Annotated[int | None, Header(ge=0, lt=2**63)]
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "crossing, movement, alert, proposal, gateway, scan, heartbeat",
    },
    "default": documented(Problem)["default"],
}


@router.get("/events", response_class=Response, responses=RESPONSES)
async def get_events(services: Use, after: AfterEvent = None, last_event_id: LastEventId = None) -> Response:
    """An open stream; `id` is the event's n. A heartbeat every 2 s has the clock and the time of the last commit."""
    return await stream(services, after if last_event_id is None else last_event_id, each)
