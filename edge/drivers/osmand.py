"""Phones and trackers that send their positions by HTTP, as OsmAnd and Traccar Client do: one port for all of them.

Each is a device `imei:<15 digits>` or `id:<text>`, by the identifier that it is set to send. A request is answered with
200 only once what it says is durable, so that a phone keeps it until then. The protocol has neither password nor
encryption: to be reached from outside, let it listen on 127.0.0.1 behind a reverse proxy that has a certificate and
asks for a password.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from msgspec import Meta

from edge.address import host_port
from edge.driver import BadFrame
from edge.drivers.osmand_listener import Limits, Listener
from edge.drivers.osmand_request import SPEEDS_MPS, device_of
from edge.drivers.tracker_keeping import Keeping
from edge.drivers.tracker_port import Listening, TrackerPort
from edge.open_files import room_for


class OsmandSettings(Listening, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "osmand"."""

    ids: tuple[str, ...] = ()
    """The identifiers that are served, as the phones send them; empty: every one."""
    speed_unit: Literal["kn", "km/h", "m/s", "mph"] = "kn"
    """Of the speed in a query or a form; in JSON it is m/s always."""
    idle_s: Annotated[float, Meta(ge=1, le=86_400)] = 120.0
    """A connection without a request for so long is closed."""
    answer_s: Annotated[float, Meta(ge=0.1, le=600)] = 20.0
    """What is not durable within this time is answered with 503; below the time for which the phones wait."""

    def __post_init__(self) -> None:
        Listening.__post_init__(self)
        _devices(self.ids)


class OsmandDriver(TrackerPort):
    """All phones of one port."""

    def __init__(self, _device: str, settings: OsmandSettings) -> None:
        super().__init__(settings, _devices(settings.ids))
        self._osmand = settings

    @asynccontextmanager
    async def serving(self, keeping: Keeping) -> AsyncGenerator[None, None]:
        """See TrackerPort."""
        settings = self._osmand
        speed_mps = SPEEDS_MPS[settings.speed_unit]
        with room_for(settings.max_connections) as room:
            limits = Limits(self._allowed, room, settings.idle_s, settings.answer_s, speed_mps)
            async with Listener(limits, self._presence, keeping).listening(*host_port(settings.listen)):
                yield


def _devices(ids: tuple[str, ...]) -> tuple[str, ...]:
    """The devices of identifiers. Raises ValueError."""
    try:
        return tuple(device_of(each) for each in ids)
    except BadFrame as error:
        msg = f"ids: {error}"
        raise ValueError(msg) from error
