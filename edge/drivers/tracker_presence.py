"""Which trackers a listener knows, which are connected, and which have gone silent: the status's `trackers`.

Counted by when records came, not by their own times: a tracker that sends an old backlog is not silent. It is not kept
over a restart, so of trackers that no list names only those heard since are known.
"""

import time
from collections.abc import Iterable
from threading import Lock

MAX_KNOWN = 100_000


class Presence:
    """Silent is a known tracker `silent_s` after its last record. `expected` ones are known from the start."""

    def __init__(self, silent_s: float, expected: Iterable[str] = ()) -> None:
        self._silent_s = silent_s
        self._lock = Lock()
        self._connected: set[str] = set()
        self._heard = dict.fromkeys(expected, time.monotonic())

    def arrived(self, imei: str) -> None:
        """It has logged in."""
        with self._lock:
            self._connected.add(imei)
            if imei not in self._heard:
                self._hear(imei)

    def heard(self, imei: str) -> None:
        """It has sent records, and they are kept."""
        with self._lock:
            self._hear(imei)

    def left(self, imei: str) -> None:
        """It is no longer connected."""
        with self._lock:
            self._connected.discard(imei)

    def counts(self) -> dict[str, int]:
        """How many are connected, and how many are silent. Any thread may ask."""
        with self._lock:
            before = time.monotonic() - self._silent_s
            silent = sum(heard < before for heard in self._heard.values())
            return {"connected": len(self._connected), "silent": silent}

    def _hear(self, imei: str) -> None:
        """Now; and forget the one heard longest ago where there are too many: anybody can make up an IMEI."""
        self._heard.pop(imei, None)
        self._heard[imei] = time.monotonic()
        if len(self._heard) > MAX_KNOWN:
            del self._heard[next(iter(self._heard))]
