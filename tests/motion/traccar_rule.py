"""Traccar's own rule, written anew as an oracle: what it makes of positions, one after the other as they arrive.

After the public sources of traccar/traccar (Apache-2.0), src/main/java/org/traccar: handler/EngineHoursHandler (hours
add up while the ignition was on at both ends), handler/DistanceHandler with helper/DistanceCalculator (haversine, R =
6378137 m, added to the total of the last position), handler/events/GeofenceEventHandler (enter and exit are the
differences of two sets of fences), handler/PostProcessHandler and handler/events/BasePositionEventHandler (the last
position moves only to one that is not older; an older one raises no event). Settings are those it is installed with.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

EARTH_M = 6_378_137.0


@dataclass(frozen=True)
class Position:
    """What a device sent, and what the handlers added to it."""

    at_ms: int
    lat: float
    lon: float
    ignition: bool
    hours_ms: int = 0
    total_m: float = 0.0
    fences: tuple[str, ...] = ()


@dataclass(frozen=True)
class FenceEvent:
    """A device entered or left a fence."""

    at_ms: int
    fence: str
    enters: bool


class Traccar:
    """One device in the server's memory."""

    def __init__(self, fences_at: Callable[[float, float], Iterable[str]]) -> None:
        self._fences_at = fences_at
        self.last: Position | None = None
        self.events: list[FenceEvent] = []

    def arrives(self, sent: Position) -> None:
        """Through the handlers, in their order."""
        last, fences = self.last, tuple(sorted(self._fences_at(sent.lat, sent.lon)))
        hours_ms, total_m = 0, 0.0
        if last is not None:
            total_m = last.total_m + distance_m(last, sent)
            hours_ms = last.hours_ms + (sent.at_ms - last.at_ms if last.ignition and sent.ignition else 0)
        position = Position(sent.at_ms, sent.lat, sent.lon, sent.ignition, hours_ms, total_m, fences)
        if last is not None and sent.at_ms < last.at_ms:
            return
        before = () if last is None else last.fences
        self.events += [FenceEvent(sent.at_ms, fence, enters=False) for fence in before if fence not in fences]
        self.events += [FenceEvent(sent.at_ms, fence, enters=True) for fence in fences if fence not in before]
        self.last = position


def distance_m(one: Position, other: Position) -> float:
    """The great circle between two positions."""
    across = sin(radians(other.lat - one.lat) / 2) ** 2
    across += cos(radians(one.lat)) * cos(radians(other.lat)) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(across))
