"""The register as the workers hold it: loaded once per version."""

from sqlalchemy import Connection

from backend.book.register import load, version
from models.register import Register


class Registers:
    """The present register, read anew when an entry was added."""

    def __init__(self) -> None:
        self._held: tuple[int, Register] | None = None

    def current(self, tx: Connection) -> Register:
        """The register as this transaction sees it."""
        now = version(tx)
        if self._held is None or self._held[0] != now:
            self._held = (now, load(tx))
        return self._held[1]
