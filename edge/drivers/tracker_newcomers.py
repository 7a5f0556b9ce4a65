"""Who is connected to a port: newcomers are accepted a few at a time, and where it is full one is closed for each.

asyncio takes a file for each that waits, before anybody counts them, and without one not even the outbox can be opened.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from edge.drivers.tracker_tasks import Tasks

_AT_ONCE, _BACKLOG = 32, 1024
_READ_BYTES = 4096
"""A connection is read on only while no more than twice so much of it waits here; one read may bring 256 KiB."""
log = logging.getLogger(__name__)


class Connected(Protocol):
    """One connection."""

    def hang_up(self) -> None:
        """At once."""
        ...


_S = TypeVar("_S", bound=Connected)
Live = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Connections(Generic[_S]):
    """At most so many. Strangers are those that have not been welcomed yet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._welcome: dict[_S, bool] = {}  # the longest silent first
        self._full = False

    def enter(self, newcomer: _S) -> None:
        """Add one. If there is no room, the stranger is closed that waits longest, or else the longest silent.

        Never the newcomer: after an outage all come back while their old connections still count here.
        """
        if len(self._welcome) >= self._most:
            victim = self._victim()
            self.leave(victim)
            victim.hang_up()
        self._welcome[newcomer] = False

    def heard(self, session: _S) -> None:
        """It is the last now that has been silent."""
        if session in self._welcome:
            self._welcome[session] = self._welcome.pop(session)

    def welcome(self, session: _S) -> None:
        """It is no stranger."""
        if session in self._welcome:
            self._welcome[session] = True

    def leave(self, session: _S) -> None:
        """It is no longer here, if it was."""
        self._welcome.pop(session, None)

    def _victim(self) -> _S:
        strangers = (each for each, welcome in self._welcome.items() if not welcome)
        victim = next(strangers, None) or next(iter(self._welcome))
        if self._welcome[victim] and not self._full:
            self._full = True
            log.warning("%d connections: the longest silent are closed for new ones", len(self._welcome))
        return victim


@asynccontextmanager
async def listening(live: Live, tasks: Tasks, host: str, port: int) -> AsyncGenerator[None, None]:
    """Run `live` for each newcomer meanwhile. Raises OSError if the address cannot be listened on.

    asyncio accepts `backlog` of them in one go, and again before the first has been looked at: so few that SPARE holds
    them, however many come. The others wait in the network.
    """

    def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.start(live(reader, writer))

    server = await asyncio.start_server(arrived, host, port, backlog=_AT_ONCE, limit=_READ_BYTES)
    try:
        for each in server.sockets:
            with each.dup() as same:  # of one socket: asyncio's own cannot be told to listen again
                same.listen(_BACKLOG)
        yield
    finally:
        server.close()
