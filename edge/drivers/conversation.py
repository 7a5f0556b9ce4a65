"""How one connection of one tracker is read and answered, in bytes: what a tracker protocol has to give.

The listener does everything else: who may connect, what is durable, when the answer goes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.reading import DeviceEvent, Reading

_MAX_DETAIL = 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """One whole message of a tracker."""

    tracker: str | None = None
    """A login: the device that it says it is, `imei:<15 digits>` or `id:<text>`; "" if it names none."""
    said: Sequence[Reading] = ()
    """What is kept of it; bytes that can never be read are a `bad_reading` of the tracker."""
    wrong: Sequence[str] = ()
    """What was skipped or could not be read, to be counted."""
    answer: bytes = b""
    """Sent once `said` is durable; a login's once the tracker is accepted."""


class Conversation(Protocol):
    """One connection, made anew for each. It remembers who logged in, and whatever else later messages need."""

    @property
    def begun(self) -> bool:
        """Whether a message has begun: one that does not end in time is not waited for. Noise between them is none."""
        ...

    @property
    def refused(self) -> bytes:
        """What to answer to a login that is refused; nothing where the protocol has no such answer."""
        ...

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        ...

    def next(self, received_at: datetime) -> Heard | None:
        """The next whole message, or None while there is none. It is asked again until None comes, then fed again.

        Raises BadFrame when the place in the stream is lost: the connection ends, what was not answered comes again.
        """
        ...


def bad_reading(tracker: str, at: datetime, detail: str, device_at: datetime | None = None) -> DeviceEvent:
    """What is kept of bytes that can never be read, as much as the wire carries; at their receipt, or a better time."""
    return DeviceEvent(tracker, at, "bad_reading", detail[:_MAX_DETAIL], device_at)
