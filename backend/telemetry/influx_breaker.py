"""Whoever waited in vain for an answer tells the others: for some seconds nobody else waits for that server.

A server that is stopped takes connections and answers nothing. Without this each page would hold a thread of the API
for as long as one waits for an answer, and sixteen pages all of them.
"""

import time
from collections.abc import Callable


class Breaker:
    """Closed at first. Opened by a time-out; then one at a time may see whether the server answers again."""

    def __init__(self, pause_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`pause_s` is how long nobody asks after a time-out."""
        self._pause_s = pause_s
        self._clock = clock
        self._until = 0.0

    def lets_through(self) -> bool:
        """Whether to ask. Who is let through after a pause is alone: for the others it begins again."""
        if not self._until:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._pause_s
        return True

    def timed_out(self) -> None:
        """No answer came in time."""
        self._until = self._clock() + self._pause_s

    def answered(self) -> None:
        """An answer came, whatever it was."""
        self._until = 0.0
