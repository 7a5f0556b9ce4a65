"""Teltonika GPS trackers: a listener that they all connect or send to, each a device `imei:<15 digits>`.

A tracker keeps its records until their number is sent back, so that is done only once they are durable here. Records
that can never be read are kept as a `bad_reading` and acknowledged too: a tracker sends the same frame until it is,
and everything behind it would wait for ever. The protocol has neither password nor encryption: let it be reached from
the trackers' own network only.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

from edge.address import host_port
from edge.drivers.teltonika_conversation import TeltonikaConversation
from edge.drivers.teltonika_datagram import heard_in
from edge.drivers.teltonika_frame import REFUSED
from edge.drivers.teltonika_io import table
from edge.drivers.tracker_datagrams import Datagrams, probe_datagrams
from edge.drivers.tracker_driver import TrackerDriver
from edge.drivers.tracker_keeping import Keeping
from edge.drivers.tracker_port import Imei, Knock, Listening

_EMPTY_LOGIN = bytes(2)


class TeltonikaSettings(Listening, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "teltonika"."""

    imeis: tuple[Imei, ...] = ()
    """The trackers that may log in, 15 digits each; empty: every tracker."""
    transport: Literal["tcp", "udp", "both"] = "tcp"
    """By what the trackers send; with "both" the same address has both. Datagrams do not count as connected."""
    io: dict[str, Any] = {}  # noqa: RUF012 - msgspec copies it
    """What an AVL id means, beside what is built in: one of input, meter, signal, field, ignore."""

    def __post_init__(self) -> None:
        Listening.__post_init__(self)
        table(self.io)


class TeltonikaDriver(TrackerDriver):
    """All trackers of one port."""

    knock = Knock(_EMPTY_LOGIN, REFUSED)

    def __init__(self, _device: str, settings: TeltonikaSettings) -> None:
        self._transport = settings.transport
        self._elements = table(settings.io)
        allowed = (f"imei:{imei}" for imei in settings.imeis)
        super().__init__(settings, lambda: TeltonikaConversation(self._elements), allowed)

    @asynccontextmanager
    async def serving(self, keeping: Keeping) -> AsyncGenerator[None, None]:
        """See TrackerPort."""
        async with AsyncExitStack() as stack:
            if self._transport != "udp":
                await stack.enter_async_context(super().serving(keeping))
            if self._transport != "tcp":
                datagrams = Datagrams(
                    lambda sent, at: heard_in(sent, self._elements, at), self._allowed, self._presence, keeping
                )
                await stack.enter_async_context(datagrams.listening(*host_port(self._settings.listen)))
            yield

    def probe(self) -> str:
        """See TrackerPort."""
        if self._transport == "tcp":
            return super().probe()
        found = probe_datagrams(*host_port(self._settings.listen))
        return found if self._transport == "udp" else f"{super().probe()}; {found}"
