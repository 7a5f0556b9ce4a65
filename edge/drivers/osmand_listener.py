"""The phones that are connected now: what becomes of a request, and when it is answered.

200 says that what was sent is durable, 400 what of it cannot be read, 403 that this one is not served, 503 that it
could not be made durable in time: the phone sends it again, and what is kept twice counts once.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.driver import BadFrame
from edge.drivers import tracker_keeping
from edge.drivers.osmand_http import Gone, HttpSession, Refused, Request
from edge.drivers.osmand_json import from_json
from edge.drivers.osmand_request import Said, from_parameters, parameters
from edge.drivers.tracker_keeping import Keeping, NotKept
from edge.drivers.tracker_presence import AllowList, Presence

BACKLOG = 1024
OK, BAD_REQUEST, FORBIDDEN, NOT_ALLOWED, UNAVAILABLE = 200, 400, 403, 405, 503
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Who may send, for how long a connection and an answer may wait, and the unit of a query's speed."""

    allowed: AllowList
    connections: int
    idle_s: float
    answer_s: float
    speed_mps: float


class Listener:
    """One run of the driver."""

    def __init__(self, limits: Limits, presence: Presence, keeping: Keeping) -> None:
        self._limits, self._presence, self._keeping = limits, presence, keeping
        self._in_hand = asyncio.Semaphore(tracker_keeping.MAX_IN_HAND)
        self._sessions: dict[HttpSession, bool] = {}  # the longest silent first; whether it has sent something good
        self._tasks: set[asyncio.Task[None]] = set()
        self._full = False
        self._last_bug = ""

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncGenerator[None, None]:
        """Serve phones meanwhile. Raises OSError if the address cannot be listened on."""
        server = await asyncio.start_server(self._arrived, host, port, backlog=BACKLOG)
        try:
            yield
        finally:
            server.close()

    def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._live(HttpSession(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A bug ends one connection and is said once, not at each of its repetitions."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            bug = f"{type(error).__name__}: {error}"
            log.log(logging.DEBUG if bug == self._last_bug else logging.ERROR, "a connection failed", exc_info=error)
            self._last_bug = bug

    async def _live(self, session: HttpSession) -> None:
        """One connection's life. What goes wrong in it ends it, and nothing else."""
        try:
            self._make_room()
            self._sessions[session] = False
            while True:
                await self._next(session)
        except Refused as error:
            await self._refuse(session, error)
        except Gone as error:
            log.debug("%s: %s", session.name, error)
        finally:
            self._sessions.pop(session, None)
            session.hang_up()

    async def _next(self, session: HttpSession) -> None:
        request = await session.request(self._limits.idle_s)
        if session in self._sessions:
            self._sessions[session] = self._sessions.pop(session)
        if request.method not in {"GET", "POST"}:
            await session.answer(NOT_ALLOWED, "method: GET or POST expected", last=True)
            return
        try:
            said = read(request, datetime.now(UTC), self._limits.speed_mps)
        except BadFrame as error:
            await session.answer(BAD_REQUEST, str(error))
            if not request.is_empty:
                await self._keeping.keep(session.name, (), (str(error),))
            return
        await session.answer(*await self._taken(session, said))

    async def _taken(self, session: HttpSession, said: Said) -> tuple[int, str]:
        """Return how to answer, once what was said is durable or cannot be in time."""
        if not self._limits.allowed.admits(said.device, session.name):
            return FORBIDDEN, "id: not one of the trackers that are served here"
        if session in self._sessions:
            self._sessions[session] = True
        if not await self._is_kept(said):
            return UNAVAILABLE, "not kept in time, send it again"
        self._presence.heard(said.device)
        return OK, f"kept as it is: {said.wrong[0]}" if said.wrong else "OK"

    async def _is_kept(self, said: Said) -> bool:
        """Whether it is durable in time. What is not yet then keeps its place among those in hand until it is."""
        until = asyncio.get_running_loop().time() + self._limits.answer_s
        try:
            async with asyncio.timeout_at(until):
                await self._in_hand.acquire()
        except TimeoutError:
            return False
        task = asyncio.get_running_loop().create_task(self._keeping.keep(said.device, said.readings, said.wrong))
        task.add_done_callback(self._kept)
        self._tasks.add(task)
        await asyncio.wait({task}, timeout=max(0.0, until - asyncio.get_running_loop().time()))
        return task.done() and not task.cancelled() and task.exception() is None

    def _kept(self, task: asyncio.Task[None]) -> None:
        self._in_hand.release()
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(task.exception(), NotKept):
            return
        self._ended(task)

    async def _refuse(self, session: HttpSession, error: Refused) -> None:
        try:
            await session.answer(error.status, str(error), last=True)
            await session.end()
        except Gone:
            session.hang_up()
        await self._keeping.keep(session.name, (), (f"HTTP: {error}",))

    def _make_room(self) -> None:
        """Close who waits longest without having sent anything good; if there is none, the longest silent.

        Never the newcomer: after an outage every phone comes back while its old connection still counts here.
        """
        if len(self._sessions) < self._limits.connections:
            return
        strangers = (each for each, good in self._sessions.items() if not good)
        victim = next(strangers, None) or next(iter(self._sessions))
        if self._sessions[victim] and not self._full:
            self._full = True
            log.warning("%d connections: the longest silent are closed for new ones", len(self._sessions))
        del self._sessions[victim]
        victim.hang_up()


def read(request: Request, received_at: datetime, speed_mps: float) -> Said:
    """What a request says. Parameters of its query come first; a body is JSON if it begins so, else a form.

    Raises BadFrame naming the parameter.
    """
    body = request.body.lstrip()
    if body[:1] in {b"{", b"["}:
        values = parameters(request.query)
        return from_json(body, values.get("id", values.get("deviceid")), received_at)
    return from_parameters(parameters(request.query or body.rstrip()), received_at, speed_mps)
