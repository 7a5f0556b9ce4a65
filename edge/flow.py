"""How fast one device may bring readings: beyond it a device that can wait is made to, and what cannot wait is thinned.

A driver that waits here stops reading its socket: the device, or the network before it, holds the rest. A reader's
radio goes on whatever we do, so of its sightings only so many are kept; how many were not is told as a reading of it.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event, Lock, Thread

from edge.driver import Put
from models.pace import Pace
from models.reading import DeviceEvent, Reading, Tag

READINGS_PER_S = 2000.0
"""More than any one device here has to tell: a reader hears about 1,000 tags a second, and tells each twice."""
BURST_S = 2.0
TELL_EVERY_S = 60.0
log = logging.getLogger(__name__)


class Flow:
    """`put` of one device. `stop` ends all waiting."""

    def __init__(self, device: str, put: Put, rate_per_s: float, stop: Event, *, waits: bool) -> None:
        self._device, self._put, self._rate, self._stop, self._waits = device, put, rate_per_s, stop, waits
        self._pace = Pace(rate_per_s, rate_per_s * BURST_S)
        self._lock = Lock()
        self._thinned = self._told = 0
        self._told_at = float("-inf")
        self._slowed = False
        self._teller: Thread | None = None

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        """As any `put`; returns when these readings' turn has come."""
        if not self._waits:
            return self._thin(readings)
        while (wait_s := self._pace.wait_s(time.monotonic())) and not self._stop.is_set():
            if not self._slowed:
                log.warning("%s: brings more than %g readings/s and is made to wait", self._device, self._rate)
            self._slowed = True
            self._stop.wait(wait_s)
        self._pace.take(len(readings), time.monotonic())
        return self._put(readings)

    def tell_beside(self) -> None:
        """As `tell`, for who must not wait: while the disk takes nothing, who tells waits with all others."""
        if self._is_due() and (self._teller is None or not self._teller.is_alive()):
            self._teller = Thread(target=self.tell, name=f"left out {self._device}", daemon=True)
            self._teller.start()

    def _is_due(self) -> bool:
        return self._thinned != self._told and time.monotonic() - self._told_at >= TELL_EVERY_S

    def tell(self, *, at_once: bool = False) -> None:
        """Tell how many were left out since the last time, at most once a minute."""
        with self._lock:
            new = self._thinned - self._told
            if not new or not (at_once or self._is_due()):
                return
            if not self._told:
                log.warning("%s: brings more than %g readings/s and is thinned", self._device, self._rate)
            self._told, self._told_at = self._thinned, time.monotonic()
        detail = f"{new} sightings left out: more than {self._rate:g} readings/s"
        self._put([DeviceEvent(self._device, datetime.now(UTC), "thinned", detail)])

    def _thin(self, readings: Sequence[Reading]) -> "Future[None]":
        """Of more sightings than there is room for, those that are kept are spread evenly; all else is kept."""
        now = time.monotonic()
        sightings = sum(isinstance(each, Tag) for each in readings)
        room = max(0, int(self._pace.left(now)) - (len(readings) - sightings))
        kept = readings
        if sightings > room:
            chosen = {number * sightings // room for number in range(room)} if room else set[int]()
            kept = _chosen(readings, chosen)
            with self._lock:
                self._thinned += sightings - room
        self._pace.take(len(kept), now)
        done = self._put(kept) if kept else _nothing()
        self.tell()
        return done


def _chosen(readings: Sequence[Reading], numbers: set[int]) -> list[Reading]:
    """All that are no sightings, and of the sightings those of these numbers."""
    kept: list[Reading] = []
    number = 0
    for each in readings:
        if not isinstance(each, Tag):
            kept.append(each)
            continue
        if number in numbers:
            kept.append(each)
        number += 1
    return kept


def _nothing() -> "Future[None]":
    done: Future[None] = Future()
    done.set_result(None)
    return done
