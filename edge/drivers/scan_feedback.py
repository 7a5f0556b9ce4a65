"""What goes back to a scanner's person: a beep when the scan is stored, another when it is refused, and text.

Any thread may add to it; only the thread that reads the port takes from it and writes. It is bounded: of a scanner that
does not take its feedback, the oldest is dropped.
"""

import unicodedata
from collections import deque
from concurrent.futures import Future

from models.wire import Reply

TEXT = "{text}"
MAX_WAITING = 16
MAX_TEXT = 256


class Feedback:
    """The feedback that waits for one scanner. `ok` and `bad` are sent as they are; `text` is a template with TEXT."""

    def __init__(self, ok: str, bad: str, text: str) -> None:
        self._ok, self._bad, self._text = ok, bad, text
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)

    def stored(self, durable: "Future[None]") -> None:
        """The callback of what `put` returns: the scan is on the gateway's disk, or it never will be."""
        if not durable.cancelled() and durable.exception() is None:
            self._add(self._ok)

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
