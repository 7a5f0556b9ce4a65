"""What goes back to a scanner's person: a beep when the scan is stored, another when it is refused, and text.

Any thread may add to it; only the thread that reads the port takes from it and writes. It is bounded: of a scanner that
does not take its feedback, the oldest is dropped.
"""

import unicodedata
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from models.wire import Reply

TEXT = "{text}"
MAX_WAITING = 16
MAX_TEXT = 256


class Feedback:
    """The feedback that waits for one scanner. `ok` and `bad` are sent as they are; `text` is a template with TEXT."""

    def __init__(self, ok: str, bad: str, text: str) -> None:
        self._ok, self._bad, self._text = ok, bad, text
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._lock = Lock()
        self._opened = self._pending = self._owed = 0

    def taken(self) -> "Callable[[Future[None]], None]":
        """A scan was taken: the callback of what `put` returns for it.

        Its beep waits until all that were taken are on the gateway's disk: a person believes one of the scan just made.
        """
        with self._lock:
            self._pending += 1
            opened = self._opened

        def settled(durable: "Future[None]") -> None:
            with self._lock:
                if opened != self._opened:
                    return
                self._pending -= 1
                self._owed += not durable.cancelled() and durable.exception() is None
                if self._pending:
                    return
                owed, self._owed = self._owed, 0
            for _ in range(owed):
                self._add(self._ok)

        return settled

    def refused(self) -> None:
        """The scan was refused, here or by the backend."""
        self._add(self._bad)

    def reply(self, reply: Reply) -> None:
        """What the backend says of a scan. Its text may hold anything."""
        if not reply.ok:
            self.refused()
        if self._text:
            self._add(self._text.replace(TEXT, plain(reply.text)))

    def take(self) -> bytes:
        """The oldest, or b"" if nothing waits."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return b""

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def begin(self) -> None:
        """A new connection: what was scanned on an earlier one never beeps on this one."""
        with self._lock:
            self._opened += 1
            self._pending = self._owed = 0
            self._waiting.clear()

    def _add(self, text: str) -> None:
        if text:
            self._waiting.append(text.encode("latin-1"))


def plain(text: str) -> str:
    r"""The text in printable ASCII: accents and control characters are taken off, other characters become "?".

    >>> plain("40 Übergröße\x1b[2J received")
    '40 Ubergro?e[2J received'
    """
    spaced = " ".join(text[:MAX_TEXT].split())
    kept = (
        each if " " <= each <= "~" else "?"
        for each in unicodedata.normalize("NFKD", spaced)
        if not unicodedata.combining(each) and not unicodedata.category(each).startswith("C")
    )
    return "".join(kept)[:MAX_TEXT]
