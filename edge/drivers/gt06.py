"""GT06 GPS trackers (Concox, Jimi and the many that speak like them): a listener that they all connect to.

Each is a device `imei:<15 digits>`. A packet is acknowledged with its own type and serial number once what it says is
durable here. Packets that can never be read are kept as a `bad_reading` and acknowledged too, because a tracker sends
them until they are; of each type that is not known the first on a connection is kept, and every one counted. The
protocol has neither password nor encryption: let it be reached from the trackers' own network
only.
"""

import re
from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from edge.drivers.gt06_conversation import Gt06Conversation, Habits
from edge.drivers.tracker_driver import TrackerDriver
from edge.drivers.tracker_port import Imei, Listening

_ZONE = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")


class Gt06Settings(Listening, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "gt06"."""

    imeis: tuple[Imei, ...] = ()
    """The trackers that may log in, 15 digits each; empty: every tracker."""
    clock: Annotated[str, Meta(pattern=r"^(utc|login|[+-](0[0-9]|1[0-4]):[0-5][0-9])$(?!\n)")] = "utc"
    """What their times are: "utc", "login" for local time of the zone that each says at its login, or "+05:30"."""
    unchecked: bool = False
    """Take packets that have neither serial number nor CRC, as those of watches: line noise could be a position."""
    heartbeat_volts: bool = False
    """Their heartbeats have the external voltage, in whole volts, where those of others have an alert."""

    def habits(self) -> Habits:
        """What a conversation has to know."""
        return Habits(_ahead(self.clock), self.unchecked, self.heartbeat_volts)


class Gt06Driver(TrackerDriver):
    """All trackers of one port."""

    def __init__(self, _device: str, settings: Gt06Settings) -> None:
        habits = settings.habits()
        super().__init__(settings, lambda: Gt06Conversation(habits), (f"imei:{imei}" for imei in settings.imeis))


def _ahead(clock: str) -> timedelta | None:
    """How far such a clock is ahead of UTC; None: as the login says.

    >>> _ahead("-03:30") / timedelta(hours=1)
    -3.5
    """
    if (found := _ZONE.fullmatch(clock)) is None:
        return None if clock == "login" else timedelta()
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -ahead if found[1] == "-" else ahead
