"""Trackers that send datagrams, each of which names its tracker: answered once it is durable, and else sent again.

Anybody can forge a sender, so an answer is never longer than what it answers, and what cannot be read has none. What
is in hand is bounded; more than that is dropped, as any network may drop it.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

from edge.driver import BadFrame, DeviceLost
from edge.drivers import tracker_keeping
from edge.drivers.conversation import Heard
from edge.drivers.tracker_keeping import Keeping, NotKept
from edge.drivers.tracker_presence import AllowList, Presence
from edge.drivers.tracker_tasks import Tasks

MAX_WAITING, MAX_WAITING_BYTES = 2000, 4 * 1024 * 1024
"""Datagrams that wait to be read or to be durable: those of 2000 trackers at once."""
_RECEIVE_BYTES = 4 * 1024 * 1024
log = logging.getLogger(__name__)


class Datagrams(asyncio.DatagramProtocol):
    """One run of a driver. `read` makes a message of a datagram; it raises BadFrame."""

    def __init__(
        self, read: Callable[[bytes, datetime], Heard], allowed: AllowList, presence: Presence, keeping: Keeping
    ) -> None:
        self._read, self._allowed, self._presence, self._keeping = read, allowed, presence, keeping
        self._in_hand = asyncio.Semaphore(tracker_keeping.MAX_IN_HAND)
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks = Tasks("a datagram")
        self._waiting: set[bytes] = set()
        self._waiting_bytes = 0
        self._full = False

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncGenerator[None, None]:
        """Serve trackers meanwhile. Raises OSError if the address cannot be listened on."""
        endpoint = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(host, port))
        transport = self._transport = endpoint[0]
        cast("socket.socket", transport.get_extra_info("socket")).setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES
        )
        try:
            yield
        finally:
            transport.abort()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take it in hand, once however often it comes meanwhile."""
        if data in self._waiting:
            return
        if len(self._waiting) >= MAX_WAITING or self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            if not self._full:
                log.warning("%d datagrams wait for the disk: more are dropped, to be sent again", len(self._waiting))
            self._full = True
            return
        self._full = self._full and bool(self._waiting)
        self._waiting.add(data)
        self._waiting_bytes += len(data)
        task = self._tasks.start(self._live(data, addr, datetime.now(UTC)))
        task.add_done_callback(lambda _: self._ended(data))

    def error_received(self, exc: Exception) -> None:
        """The network says that an answer did not arrive: its tracker sends again."""
        log.debug("a datagram's answer: %s", exc)

    def _ended(self, data: bytes) -> None:
        self._waiting.remove(data)
        self._waiting_bytes -= len(data)

    async def _live(self, data: bytes, addr: tuple[str, int], received_at: datetime) -> None:
        name = addr[0]
        async with self._in_hand:
            try:
                heard = self._read(data, received_at)
                name = heard.tracker or name
                if not heard.tracker or not self._allowed.admits(heard.tracker, addr[0]):
                    return
                if self._keeping.wait_s(heard.tracker):
                    log.debug("%s: sends more than it may; it is not answered, and sends again", heard.tracker)
                    return
                await self._keeping.keep(heard.tracker, heard.said, heard.wrong)
            except BadFrame as error:
                await self._keeping.keep(name, (), (str(error),))
                return
            except NotKept as error:
                log.debug("%s: %s", name, error)
                return
        if heard.said:
            self._presence.heard(heard.tracker)
        if self._transport is not None and 0 < len(heard.answer) <= len(data):
            self._transport.sendto(heard.answer, addr)


def probe_datagrams(host: str, port: int) -> str:
    """One line saying that the address is free; what has taken it cannot be seen. Raises DeviceLost."""
    listen = f"{host}:{port}"
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, number) as taken:
            taken.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            msg = f"listening on {listen}: {error.strerror or error}"
            raise DeviceLost(msg) from error
        return f"{listen} (UDP) is taken: by a gateway that runs, or by another program"
    return f"{listen} (UDP) is free for trackers to send to"
