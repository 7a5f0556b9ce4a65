"""The trackers that are connected now: who may log in, what becomes of a message, and when it is answered.

One event loop serves them all, whatever protocol they speak: one `Conversation` for each connection.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from edge.driver import BadFrame
from edge.drivers import tracker_keeping
from edge.drivers.conversation import Conversation, Heard
from edge.drivers.tracker_keeping import Keeping, NotKept
from edge.drivers.tracker_newcomers import Connections, listening
from edge.drivers.tracker_presence import AllowList, Presence
from edge.drivers.tracker_session import Gone, Session
from edge.drivers.tracker_tasks import Tasks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Who may connect, and for how long."""

    allowed: AllowList
    connections: int
    idle_s: float


class Listener:
    """One run of a driver."""

    def __init__(self, limits: Limits, talk: Callable[[], Conversation], presence: Presence, keeping: Keeping) -> None:
        self._limits, self._talk, self._presence, self._keeping = limits, talk, presence, keeping
        self._in_hand = asyncio.Semaphore(tracker_keeping.MAX_IN_HAND)
        self._connections = Connections[Session](limits.connections)
        self._latest: dict[str, Session] = {}
        self._tasks = Tasks("a connection")

    def listening(self, host: str, port: int) -> AbstractAsyncContextManager[None]:
        """Serve trackers meanwhile. Raises OSError if the address cannot be listened on."""
        return listening(self._live, self._tasks, host, port)

    async def _live(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection's life. What goes wrong in it ends it, and nothing else."""
        session = Session(reader, writer, self._talk())
        try:
            self._connections.enter(session)
            if (tracker := await self._login(session)) is not None:
                await self._receive(tracker, session)
        except BadFrame as error:
            session.hang_up()
            await self._keeping.keep(session.name, (), (str(error),))
        except (Gone, NotKept) as error:
            log.debug("%s: %s", session.name, error)
        finally:
            self._forget(session)
            session.hang_up()

    async def _login(self, session: Session) -> str | None:
        """The tracker's name, or None if it was refused. Raises BadFrame, Gone, NotKept."""
        try:
            tracker, heard = await session.login()
        except BadFrame:
            await session.refuse()
            raise
        if not tracker or not self._limits.allowed.admits(tracker, session.name):
            await session.refuse()
            return None
        self._take_over(tracker, session)
        await self._keep(tracker, heard)
        await session.answer(heard.answer)
        return tracker

    def _take_over(self, tracker: str, session: Session) -> None:
        """A tracker that lost its network comes back before the old connection's end is known here: end that."""
        older = self._latest.pop(tracker, None)
        if older is not None:
            older.hang_up()
        self._connections.welcome(session)
        self._latest[tracker] = session
        session.name = tracker
        self._presence.arrived(tracker)

    def _forget(self, session: Session) -> None:
        self._connections.leave(session)
        if self._latest.get(session.name) is session:
            del self._latest[session.name]
            self._presence.left(session.name)

    async def _receive(self, tracker: str, session: Session) -> None:
        """Message after message: make it durable, then answer it on the connection that it came by."""
        while True:
            await session.fed(self._limits.idle_s)
            self._connections.heard(session)
            await self._keeping.turn_of(tracker)
            async with self._in_hand:
                if session.is_over:
                    # It came back while its message waited here, and sends it again: under load, once is enough.
                    return
                if (heard := session.next()) is None:
                    continue
                if heard.tracker not in {None, tracker}:
                    msg = f"one tracker on a connection expected, got a login of {heard.tracker or 'none'}"
                    raise BadFrame(msg)
                await self._keep(tracker, heard)
            await session.answer(heard.answer)

    async def _keep(self, tracker: str, heard: Heard) -> None:
        """Return when what it says is durable. Raises NotKept."""
        await self._keeping.keep(tracker, heard.said, heard.wrong)
        if heard.said:
            self._presence.heard(tracker)
