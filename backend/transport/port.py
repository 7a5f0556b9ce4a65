"""What carries messages between gateways and the backend, as ingest sees it. MQTT is the first (mqtt.py).

Whatever carries them promises little: a message may be lost, repeated or late. What is durable is said by receipts, and
what gets none is sent again by the edge. A clustered stream comes later as a second.
"""

from collections.abc import Collection
from typing import Protocol

from backend.fairness import Pressure
from backend.ingest import Message


class Transport(Protocol):
    """One connection, kept up for ever. Nothing of it raises while the other side is away."""

    def start(self) -> None:
        """Begin connecting; returns at once."""
        ...

    def stop(self) -> None:
        """Disconnect. What was not committed comes again from the edge."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the other side is reached now."""
        ...

    def follow(self, gateways: Collection[str] | None) -> None:
        """Deliver what these gateways send from now on, and nothing else; None is everything."""
        ...

    def take(self, wait_s: float, window_s: float, most: int, most_readings: int = 1 << 30) -> list[Message]:
        """Wait for a message, then gather what comes within the window; gateways in turn. Times are seconds.

        Up to `most` messages, and none after those that have about `most_readings`.
        """
        ...

    def pressure(self) -> dict[str, Pressure]:
        """By gateway: what was dropped, and how long its quota held it, since this was last asked."""
        ...

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send to a topic of the contract; False while that is not possible."""
        ...

    def delivered(self, wait_s: float) -> bool:
        """Whether the other side has what was published last, and so all before it; waits for a while."""
        ...
