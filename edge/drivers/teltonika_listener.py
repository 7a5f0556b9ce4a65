"""The trackers that are connected now: who may log in, what becomes of a frame, and when it is acknowledged.

One event loop serves them all, and nothing in it may block: `put` and the health, which wait while too many readings
wait for the disk, are called in one thread beside it, in the order of the frames.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import TypeVar, TypeVarTuple

from edge.driver import BadFrame, Health, Put
from edge.drivers.teltonika_frame import ACCEPTED, MESSAGES, REFUSED, answer, claimed, decode
from edge.drivers.teltonika_io import Table, readings
from edge.drivers.teltonika_session import Gone, Session
from edge.drivers.tracker_presence import Presence
from models.reading import DeviceEvent, Reading

MAX_IN_HAND = 64
"""Frames decoded and not yet durable, of all trackers: a frame may hold 255 records, and 2000 trackers may send one."""
BACKLOG = 1024
TICK_S = 0.2
_HEAD_BYTES, _MAX_DETAIL = 400, 1024
_MAX_REFUSED = 1000
log = logging.getLogger(__name__)
_T = TypeVar("_T")
_A = TypeVarTuple("_A")


@dataclass(frozen=True, slots=True)
class Limits:
    """Who may connect, and for how long."""

    imeis: frozenset[str]
    """Empty: every tracker."""
    connections: int
    idle_s: float


class Listener:
    """One run of the driver."""

    def __init__(self, limits: Limits, elements: Table, presence: Presence, put: Put, health: Health) -> None:
        self._limits, self._elements, self._presence, self._put, self._health = limits, elements, presence, put, health
        self._blocking = ThreadPoolExecutor(1, "trackers")
        self._in_hand = asyncio.Semaphore(MAX_IN_HAND)
        self._sessions: dict[Session, str | None] = {}  # the longest silent first; None: not logged in
        self._latest: dict[str, Session] = {}
        self._refused: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._full = False
        self._last_bug = ""

    async def serve(self, host: str, port: int, stop: Event) -> None:
        """Until stop. Raises OSError if the address cannot be listened on."""
        server = await asyncio.start_server(self._connected, host, port, backlog=BACKLOG)
        self._beside(self._health.reading)
        try:
            while not stop.is_set():  # noqa: ASYNC110 - set by a thread, not in this loop
                await asyncio.sleep(TICK_S)
        finally:
            server.close()

    def close(self) -> None:
        """After the loop's end. What is in the thread ends when the intake does; it is waited for by nobody."""
        self._blocking.shutdown(wait=False, cancel_futures=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._live(Session(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A bug ends one connection and is said once, not at each of its repetitions."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            bug = f"{type(error).__name__}: {error}"
            log.log(logging.DEBUG if bug == self._last_bug else logging.ERROR, "a connection failed", exc_info=error)
            self._last_bug = bug

    async def _live(self, session: Session) -> None:
        """One connection's life. What goes wrong in it ends it, and nothing else."""
        try:
            self._make_room()
            self._sessions[session] = None
            if (imei := await self._login(session)) is not None:
                await self._receive(imei, session)
        except BadFrame as error:
            session.hang_up()
            await self._beside(self._health.bad_frame, f"{session.name}: {error}")
        except Gone as error:
            log.debug("%s: %s", session.name, error)
        finally:
            self._forget(session)
            session.hang_up()

    def _make_room(self) -> None:
        """Close who waits longest without logging in; if there is none, the tracker that has been silent longest.

        Never the newcomer: after an outage every tracker comes back while its old connection still counts here.
        """
        if len(self._sessions) < self._limits.connections:
            return
        strangers = (each for each, imei in self._sessions.items() if imei is None)
        victim = next(strangers, None) or next(iter(self._sessions))
        if self._sessions[victim] is not None and not self._full:
            self._full = True
            log.warning("%d connections: the longest silent are closed for new ones", len(self._sessions))
        self._forget(victim)
        victim.hang_up()

    async def _login(self, session: Session) -> str | None:
        """The tracker's IMEI, or None if it was refused. Raises BadFrame, Gone."""
        try:
            imei = await session.login()
        except BadFrame:
            await session.answer(REFUSED)
            raise
        if not imei or (self._limits.imeis and imei not in self._limits.imeis):
            if imei and imei not in self._refused and len(self._refused) < _MAX_REFUSED:
                self._refused.add(imei)
                log.warning("imei:%s from %s is not one of the `imeis`: refused", imei, session.name)
            await session.answer(REFUSED)
            return None
        self._take_over(imei, session)
        await session.answer(ACCEPTED)
        return imei

    def _take_over(self, imei: str, session: Session) -> None:
        """A tracker that lost its network comes back before the old connection's end is known here: end that."""
        older = self._latest.pop(imei, None)
        if older is not None:
            older.hang_up()
        self._sessions[session] = imei
        self._latest[imei] = session
        session.name = f"imei:{imei}"
        self._presence.arrived(imei)

    def _forget(self, session: Session) -> None:
        imei = self._sessions.pop(session, None)
        if imei is not None and self._latest.get(imei) is session:
            del self._latest[imei]
            self._presence.left(imei)

    async def _receive(self, imei: str, session: Session) -> None:
        """Frame after frame: make it durable, then acknowledge it on the connection that it came by."""
        while True:
            data = await session.frame(self._limits.idle_s)
            if session in self._sessions:
                self._sessions[session] = self._sessions.pop(session)
            if data[0] in MESSAGES:
                await self._beside(self._health.bad_frame, f"{session.name}: codec {data[0]:#04x}, not records")
                continue
            async with self._in_hand:
                if session.is_over:
                    # It came back while its frame waited here, and sends it again: under load, once is enough.
                    return
                await self._keep(session.name, data)
            self._presence.heard(imei)
            await session.answer(answer(claimed(data)))

    async def _keep(self, device: str, data: bytes) -> None:
        """Return when what the frame says is durable. Raises Gone if that cannot be."""
        said, wrong = _said(device, data, self._elements)
        for why in wrong:
            await self._beside(self._health.bad_frame, f"{device}: {why}")
        if said and not await _is_durable(await self._beside(self._put, said)):
            msg = "its records could not be made durable"
            raise Gone(msg)

    def _beside(self, call: Callable[[*_A], _T], *arguments: *_A) -> "asyncio.Future[_T]":
        """Call it in the thread where things may block."""
        return asyncio.get_running_loop().run_in_executor(self._blocking, call, *arguments)


async def _is_durable(put: "Future[None]") -> bool:
    """Wait for it. Watched and not wrapped: a wrapped one would be cancelled with us, under the hands of the intake."""
    loop, settled = asyncio.get_running_loop(), asyncio.Event()

    def tell(_put: "Future[None]") -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            loop.call_soon_threadsafe(settled.set)

    put.add_done_callback(tell)
    await settled.wait()
    return not put.cancelled() and put.exception() is None


def _said(device: str, data: bytes, elements: Table) -> tuple[list[Reading], list[str]]:
    """A frame's readings, and what was wrong with it. What cannot be read is a reading too: `bad_reading`."""
    try:
        records = decode(data)
    except BadFrame as error:
        return [_bad_reading(device, f"{error}: {data[:_HEAD_BYTES].hex()}")], [str(error)]
    said: list[Reading] = []
    wrong: list[str] = []
    for record in records:
        try:
            said += readings(device, record, elements)
        except BadFrame as error:
            said.append(_bad_reading(device, f"{error}: {record}"))
            wrong.append(str(error))
    return said, wrong


def _bad_reading(device: str, detail: str) -> DeviceEvent:
    return DeviceEvent(device, datetime.now(UTC), "bad_reading", detail[:_MAX_DETAIL])
