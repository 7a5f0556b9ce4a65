"""What a driver is: the three things it is given and the two errors it may raise.

A driver owns one device and one thread. It reads until `stop`, hands readings to `put`, and leaves every question of
retrying, states and logging to the supervisor.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from models.reading import Reading
from models.wire import Reply

Put = Callable[[Sequence[Reading]], "Future[None]"]


class BadFrame(Exception):
    """Bytes that are not what the protocol says: skip them and count them."""


class DeviceLost(Exception):
    """The device no longer answers: the supervisor opens it again, at once first, then with backoff, for ever."""


class DeviceRefused(DeviceLost):
    """The device answers and says no: busy with another client, or a setting that it does not take."""


class SettingRefused(DeviceRefused):
    """The device cannot do what a key of its configuration asks; the message begins with the key."""


class Health(Protocol):
    """What a driver tells the supervisor about its device."""

    def reading(self) -> None:
        """The device answers and is set up."""

    def bad_frame(self, why: str) -> None:
        """One frame was skipped."""


class Driver(Protocol):
    """One device. Made once; `run` is called anew after each loss."""

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. `put(readings)` returns a future that resolves when they are durable.

        Whatever raises is opened again. Raises DeviceLost when the connection dies, DeviceRefused when told no.
        """

    def reply(self, reply: Reply) -> None:
        """Feedback for the person at the device. Called from another thread; must not block."""

    def probe(self) -> str:
        """One line saying what answers at the configured address. Raises DeviceLost saying why nothing does."""
        ...


@runtime_checkable
class Listens(Protocol):
    """What a driver has too that trackers connect to: they come and go without being devices of the configuration."""

    def trackers(self) -> dict[str, int]:
        """How many are `connected`, and how many `silent`. Called from another thread."""
        ...


@dataclass(frozen=True, slots=True)
class DriverKind:
    """A protocol: `driver = "name"` in the configuration, the settings it takes, and how one is made."""

    name: str
    settings: type[Struct]
    make: Callable[[str, Any], Driver]
    waits: bool = True
    """Whether what it does not read waits at the device or in the network; else it is thinned where it is too much."""
