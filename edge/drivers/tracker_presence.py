"""Which trackers a listener knows, which are connected, and which have gone silent: the status's `trackers`.

Counted by when records came, not by their own times: a tracker that sends an old backlog is not silent. It is not kept
over a restart, so of trackers that no list names only those heard since are known.
"""

import logging
import time
from collections.abc import Iterable
from threading import Lock

MAX_KNOWN = 100_000
_MAX_REFUSED = 1000
log = logging.getLogger(__name__)


class Presence:
    """Silent is a known tracker `silent_s` after its last record. `expected` ones are known from the start.

    Trackers are named as the devices that they are: `imei:<15 digits>` or `id:<text>`.
    """

    def __init__(self, silent_s: float, expected: Iterable[str] = ()) -> None:
        self._silent_s = silent_s
        self._lock = Lock()
        self._connected: set[str] = set()
        self._heard = dict.fromkeys(expected, time.monotonic())

    def arrived(self, tracker: str) -> None:
        """It has logged in."""
        with self._lock:
            self._connected.add(tracker)
            if tracker not in self._heard:
                self._hear(tracker)

    def heard(self, tracker: str) -> None:
        """It has sent records, and they are kept."""
        with self._lock:
            self._hear(tracker)

    def left(self, tracker: str) -> None:
        """It is no longer connected."""
        with self._lock:
            self._connected.discard(tracker)

    def counts(self) -> dict[str, int]:
        """How many are connected, and how many are silent. Any thread may ask."""
        with self._lock:
            before = time.monotonic() - self._silent_s
            silent = sum(heard < before for heard in self._heard.values())
            return {"connected": len(self._connected), "silent": silent}

    def _hear(self, tracker: str) -> None:
        """Now; and forget the one heard longest ago where there are too many: anybody can make up a name."""
        self._heard.pop(tracker, None)
        self._heard[tracker] = time.monotonic()
        if len(self._heard) > MAX_KNOWN:
            del self._heard[next(iter(self._heard))]


class AllowList:
    """Which trackers are served: those named, or all if none is."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._named = frozenset(named)
        self._refused: set[str] = set()

    def admits(self, tracker: str, whence: str) -> bool:
        """Whether it is served. Of one that is not, a line is logged the first time."""
        if not self._named or tracker in self._named:
            return True
        if tracker not in self._refused and len(self._refused) < _MAX_REFUSED:
            self._refused.add(tracker)
            log.warning("%s from %s is not one of the trackers that are listed: refused", tracker, whence)
        return False
