"""The phones that are connected now: what becomes of a request, and when it is answered.

200 says that what was sent is durable, 400 what of it cannot be read, 403 that this one is not served, 503 that it
could not be made durable in time: the phone sends it again, and what is kept twice counts once.
"""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.driver import BadFrame
from edge.drivers import tracker_keeping
from edge.drivers.osmand_http import Gone, HttpSession, Refused, Request
from edge.drivers.osmand_json import from_json
from edge.drivers.osmand_request import Said, from_parameters, parameters
from edge.drivers.tracker_keeping import Keeping, NotKept
from edge.drivers.tracker_newcomers import Connections, listening
from edge.drivers.tracker_presence import AllowList, Presence
from edge.drivers.tracker_tasks import Tasks

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
        self._connections = Connections[HttpSession](limits.connections)  # strangers have sent nothing good
        self._tasks = Tasks("a connection")

    def listening(self, host: str, port: int) -> AbstractAsyncContextManager[None]:
        """Serve phones meanwhile. Raises OSError if the address cannot be listened on."""
        return listening(self._live, self._tasks, host, port)

    async def _live(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection's life. What goes wrong in it ends it, and nothing else."""
        session = HttpSession(reader, writer)
        try:
            self._connections.enter(session)
            while True:
                await self._next(session)
        except Refused as error:
            await self._refuse(session, error)
        except Gone as error:
            log.debug("%s: %s", session.name, error)
        finally:
            self._connections.leave(session)
            session.hang_up()

    async def _next(self, session: HttpSession) -> None:
        request = await session.request(self._limits.idle_s)
        self._connections.heard(session)
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
        self._connections.welcome(session)
        if (wait_s := self._keeping.wait_s(said.device)) > self._limits.answer_s:
            return UNAVAILABLE, "more than it may send: send it later again"
        await asyncio.sleep(wait_s)
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
        task = self._tasks.start(self._keep(said))
        await asyncio.wait({task}, timeout=max(0.0, until - asyncio.get_running_loop().time()))
        return task.done() and not task.cancelled() and task.exception() is None and task.result()

    async def _keep(self, said: Said) -> bool:
        try:
            await self._keeping.keep(said.device, said.readings, said.wrong)
        except NotKept:
            return False
        finally:
            self._in_hand.release()
        return True

    async def _refuse(self, session: HttpSession, error: Refused) -> None:
        try:
            await session.answer(error.status, str(error), last=True)
            await session.end()
        except Gone:
            session.hang_up()
        await self._keeping.keep(session.name, (), (f"HTTP: {error}",))


def read(request: Request, received_at: datetime, speed_mps: float) -> Said:
    """What a request says. A body is JSON if it begins so, else a form, read together with the query.

    Raises BadFrame naming the parameter.
    """
    body = request.body.lstrip()
    if body[:1] in {b"{", b"["}:
        values = parameters(request.query)
        return from_json(body, values.get("id", values.get("deviceid")), received_at)
    both = b"&".join(part for part in (request.query, body.rstrip()) if part)
    return from_parameters(parameters(both), received_at, speed_mps)
