"""Teltonika GPS trackers: a listener that they all connect to, each a device `imei:<15 digits>`.

A tracker keeps its records until their number is sent back, so that is done only once they are durable here. Records
that can never be read are kept as a `bad_reading` and acknowledged too: a tracker sends the same frame until it is,
and everything behind it would wait for ever. The protocol has neither password nor encryption: let it be reached from
the trackers' own network only.
"""

import asyncio
import errno
import socket
from threading import Event
from typing import Annotated, Any

from msgspec import Meta, Struct

from edge.address import host_port
from edge.driver import DeviceLost, DeviceRefused, Health, Put
from edge.drivers.teltonika_frame import REFUSED
from edge.drivers.teltonika_io import table
from edge.drivers.teltonika_listener import Limits, Listener
from edge.drivers.tracker_presence import Presence
from edge.open_files import room_for
from models.wire import Reply

_PROBE_S = 5.0
_EMPTY_LOGIN = bytes(2)

Imei = Annotated[str, Meta(pattern=r"^[0-9]{15}$(?!\n)")]


class TeltonikaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "teltonika"."""

    listen: str
    """HOST:PORT that the trackers connect to; 0.0.0.0 or [::] as host: every address of this machine."""
    imeis: tuple[Imei, ...] = ()
    """The trackers that may log in, 15 digits each; empty: every tracker."""
    max_connections: Annotated[int, Meta(ge=1, le=50_000)] = 2000
    """Connections at once; for one more, one that has not logged in is closed, or else the longest silent."""
    idle_s: Annotated[float, Meta(ge=1, le=86_400)] = 1800.0
    """A connection without a byte for so long is closed; above the longest pause that the trackers make."""
    silent_s: Annotated[float, Meta(ge=1, le=2_678_400)] = 7200.0
    """So long after its last record a tracker counts as silent in the gateway's status."""
    io: dict[str, Any] = {}
    """What an AVL id means, beside what is built in: one of input, meter, signal, field, ignore."""

    def __post_init__(self) -> None:
        host_port(self.listen, key="listen")
        table(self.io)


class TeltonikaDriver:
    """All trackers of one port."""

    def __init__(self, device: str, settings: TeltonikaSettings) -> None:
        self._device = device
        self._settings = settings
        self._elements = table(settings.io)
        self._presence = Presence(settings.silent_s, settings.imeis)

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Serve trackers until stop. Raises DeviceLost when the address cannot be listened on."""
        settings = self._settings
        limits = Limits(frozenset(settings.imeis), room_for(settings.max_connections), settings.idle_s)
        listener = Listener(limits, self._elements, self._presence, put, health)
        try:
            asyncio.run(listener.serve(*host_port(settings.listen), stop))
        except OSError as error:
            msg = f"listening on {settings.listen}: {error.strerror or error}"
            raise DeviceLost(msg) from error
        finally:
            listener.close()

    def trackers(self) -> dict[str, int]:
        """How many are connected, and how many have gone silent."""
        return self._presence.counts()

    def reply(self, reply: Reply) -> None:
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
        if not _answers(*host_port(listen)):
            msg = f"{listen} is taken by a program that does not speak to trackers"
            raise DeviceRefused(msg)
        return f"a gateway is listening for trackers at {listen}"


async def _listen_once(host: str, port: int) -> None:
    server = await asyncio.start_server(_hang_up, host, port)
    server.close()
    await server.wait_closed()


def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def _answers(host: str, port: int) -> bool:
    """Whether a login without an IMEI is refused there as a gateway does it, which counts it nowhere."""
    try:
        with socket.create_connection((host, port), timeout=_PROBE_S) as connection:
            connection.sendall(_EMPTY_LOGIN)
            return connection.recv(1) == REFUSED
    except OSError:
        return False
