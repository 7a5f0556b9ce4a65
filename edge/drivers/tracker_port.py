"""What all drivers that trackers connect to have: their settings, their run, and what a probe of their port finds."""

import asyncio
import errno
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from threading import Event
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from edge.address import host_port
from edge.driver import DeviceLost, DeviceRefused, Health, Put
from edge.drivers.tracker_keeping import Keeping
from edge.drivers.tracker_presence import AllowList, Presence
from models.wire import Reply

TICK_S = 0.2
_PROBE_S = 5.0

Imei = Annotated[str, Meta(pattern=r"^[0-9]{15}$(?!\n)")]


class Listening(Struct, frozen=True, forbid_unknown_fields=True):
    """What every `[[device]]` that trackers connect to has."""

    listen: str
    """HOST:PORT that the trackers connect to; 0.0.0.0 or [::] as host: every address of this machine."""
    max_connections: Annotated[int, Meta(ge=1, le=50_000)] = 2000
    """Connections at once; for one more, one that has not logged in is closed, or else the longest silent."""
    idle_s: Annotated[float, Meta(ge=1, le=86_400)] = 1800.0
    """A connection without a byte for so long is closed; above the longest pause that the trackers make."""
    silent_s: Annotated[float, Meta(ge=1, le=2_678_400)] = 7200.0
    """So long after its last record a tracker counts as silent in the gateway's status."""
    max_readings_per_s: Annotated[float, Meta(ge=1, le=1_000_000)] = 500.0
    """Of each tracker: one that sends more is answered later."""

    def __post_init__(self) -> None:
        host_port(self.listen, key="listen")


class Knock(NamedTuple):
    """How to see that a port is a gateway's: what to send, and the byte that it answers. It must count it nowhere."""

    sent: bytes
    answered: bytes


class TrackerPort(ABC):
    """All trackers of one port. `allowed` names those that are served, as devices; empty: every tracker."""

    knock: Knock | None = None
    """None: the protocol has no refusal, and what has taken the port cannot be seen."""

    def __init__(self, settings: Listening, allowed: Iterable[str] = ()) -> None:
        named = frozenset(allowed)
        self._settings = settings
        self._presence = Presence(settings.silent_s, named)
        self._allowed = AllowList(named)

    @abstractmethod
    def serving(self, keeping: Keeping) -> AbstractAsyncContextManager[None]:
        """Serve trackers meanwhile. Raises OSError if the address cannot be listened on."""

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Serve trackers until stop. Raises DeviceLost when the address cannot be listened on."""
        keeping = Keeping(put, health, self._settings.max_readings_per_s)
        try:
            asyncio.run(self._serve(keeping, stop))
        except OSError as error:
            msg = f"listening on {self._settings.listen}: {error.strerror or error}"
            raise DeviceLost(msg) from error
        finally:
            keeping.close()

    def trackers(self) -> dict[str, int]:
        """How many are connected, and how many have gone silent."""
        return self._presence.counts()

    def reply(self, reply: Reply) -> None:  # noqa: B027 - nothing to do is the rule
        """A tracker has no person before it."""

    def probe(self) -> str:
        """Listen and stop again; if the port is taken, see whether by a gateway. Raises DeviceLost, DeviceRefused."""
        listen = self._settings.listen
        try:
            asyncio.run(_listen_once(*host_port(listen)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                msg = f"listening on {listen}: {error.strerror or error}"
                raise DeviceLost(msg) from error
        else:
            return f"{listen} is free for trackers to connect to"
        if self.knock is None:
            return f"{listen} is taken: by a gateway that runs, or by another program"
        if not _answers(*host_port(listen), self.knock):
            msg = f"{listen} is taken by a program that does not speak to trackers"
            raise DeviceRefused(msg)
        return f"a gateway is listening for trackers at {listen}"

    async def _serve(self, keeping: Keeping, stop: Event) -> None:
        async with self.serving(keeping):
            keeping.listening()
            while not stop.is_set():  # noqa: ASYNC110 - set by a thread, not in this loop
                await asyncio.sleep(TICK_S)


async def _listen_once(host: str, port: int) -> None:
    server = await asyncio.start_server(_hang_up, host, port)
    server.close()
    await server.wait_closed()


def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def _answers(host: str, port: int, knock: Knock) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_PROBE_S) as connection:
            connection.sendall(knock.sent)
            return connection.recv(1) == knock.answered
    except OSError:
        return False
