"""Domain events as server-sent events: read from the `event` table, so that any client can resume from any number.

Every POLL_S each stream asks for what is new; a heartbeat every 2 s carries the clock and the time of the last commit,
so that a page can tell that what it shows is stale.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

import msgspec
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection, func, select
from starlette.responses import Response, StreamingResponse

from backend.api.problems import problem
from backend.api.queries.intake import committed_at
from backend.api.services import Services
from backend.book.db import read
from backend.book.schema import event
from models.reading import from_micros

POLL_S = 0.1
HEARTBEAT_US = 2_000_000
BATCH = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the `event` table."""

    n: int
    at: int
    kind: str
    body: bytes


MAX_STREAMS = 64
Render = Callable[[list[Event]], Iterable[str]]
"""What to send for these new events; asked at every poll, also when there are none."""


async def stream(services: Services, after: int | None, render: Render) -> Response:
    """An open stream of what happens after event `after`, or from now on; a problem if too many are open.

    "Now" is before the answer begins: who has its headers misses nothing that happens from then on.
    """
    if len(services.streams) >= MAX_STREAMS:
        return problem("busy", 503, f"at most {MAX_STREAMS} open event streams expected")
    seen = await run_in_threadpool(_start, services, after)
    return StreamingResponse(_tail(services, seen, render), media_type="text/event-stream")


def message(kind: str, data: str, n: int | None = None) -> str:
    """One server-sent event."""
    lines = [] if n is None else [f"id: {n}"]
    lines += [f"event: {kind}", *(f"data: {line}" for line in data.splitlines() or [""])]
    return "\n".join(lines) + "\n\n"


def each(events: list[Event]) -> Iterable[str]:
    """Every event with its whole body."""
    return (message(one.kind, one.body.decode(), one.n) for one in events)


async def _tail(services: Services, seen: int, render: Render) -> AsyncIterator[str]:
    token = object()
    services.streams.add(token)
    try:
        async for text in _follow(services, seen, render):
            yield text
    finally:
        services.streams.discard(token)


async def _follow(services: Services, seen: int, render: Render) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    beat_at = 0
    while not services.stopping.is_set():
        now = services.clock()
        if not 0 <= now - beat_at < HEARTBEAT_US:
            beat_at = now
            yield message("heartbeat", await run_in_threadpool(_heartbeat, services, now))
        events = await run_in_threadpool(_since, services, seen)
        if events:
            seen = events[-1].n
        for text in render(events):
            yield text
        if len(events) < BATCH:
            await asyncio.sleep(POLL_S)


def _start(services: Services, after: int | None) -> int:
    """Where to begin: after a number that exists (a restored book may be behind what the client saw), else now."""
    with read(services.book) as tx:
        last = newest(tx)
    return last if after is None else min(after, last)


def newest(tx: Connection) -> int:
    """The number of the last event; a page made in this transaction shows everything up to it."""
    return tx.scalar(select(func.max(event.c.n))) or 0


def _since(services: Services, after: int) -> list[Event]:
    query = (
        select(event.c.n, event.c.at, event.c.kind, event.c.body)
        .where(event.c.n > after)
        .order_by(event.c.n)
        .limit(BATCH)
    )
    with read(services.book) as tx:
        return [Event(n, at, kind, bytes(body)) for n, at, kind, body in tx.execute(query)]


def _heartbeat(services: Services, now: int) -> str:
    with read(services.book) as tx:
        committed = committed_at(tx)
    return msgspec.json.encode({"at": from_micros(now), "committed_at": committed}).decode()
