"""Tells systemd that we are ready and alive: its notification socket (sd_notify), spoken without a library.

Alive is said by the ingest loop itself, so that a loop that hangs is a service that is restarted; a thread of its own
would go on saying so.
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from time import monotonic

log = logging.getLogger(__name__)
SHARE = 4
"""So often within the time that systemd allows."""
SAY_S = 0.1


class Watchdog:
    """Whoever does the work calls `beat` again and again; without systemd all of this does nothing."""

    def __init__(self, environment: Mapping[str, str] | None = None, clock: Callable[[], float] = monotonic) -> None:
        given = os.environ if environment is None else environment
        self._address = given.get("NOTIFY_SOCKET", "")
        self._clock = clock
        allowed_us = int(given.get("WATCHDOG_USEC") or 0)
        is_ours = given.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every_s = allowed_us / 1e6 / SHARE if is_ours else 0.0
        self._next_s = 0.0

    def ready(self) -> None:
        """Everything is bound and running."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def beat(self) -> None:
        """The loop that matters has come round once more. Cheap: it says so only a few times in the time allowed."""
        if self._every_s and (now := self._clock()) >= self._next_s:
            self._next_s = now + self._every_s
            self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
                said.settimeout(SAY_S)
                said.connect(address)
                said.sendall(text.encode())
        except OSError as error:
            log.warning("systemd does not hear %s at %s: %s", text, self._address, error)
