"""Items and assets that cannot be valued, a bug: each is left for ten minutes, with an alert, and holds up no other.

When what is left is tried again is in memory; a process that begins tries all that have such an alert.
"""

import json
import logging
from collections.abc import Callable, Collection
from typing import Literal

from sqlalchemy import Engine

from backend.book import alerts
from backend.book.db import is_bug, read, write
from models.alert import Alert
from models.months import BadPeriod

log = logging.getLogger(__name__)
ACTOR = "valuer"
NOT_VALUED = "not_valued"
LEFT_US = 600_000_000


class Unvalued:
    """Those of one kind."""

    def __init__(self, book: Engine, clock: Callable[[], int], kind: Literal["item", "asset"]) -> None:
        self._book = book
        self._clock = clock
        self._kind = kind
        self._left: dict[str, int] | None = None

    def still_left(self) -> list[str]:
        """Those that are not tried yet."""
        now = self._clock()
        return [ident for ident, until in self._known().items() if now < until <= now + LEFT_US]

    def is_any(self, idents: Collection[str]) -> bool:
        """Whether any of these failed when it was valued last."""
        return not self._known().keys().isdisjoint(idents)

    def retry(self) -> None:
        """All are tried at once."""
        self._left = dict.fromkeys(self._known(), 0)

    def check_none(self) -> None:
        """Raises BadPeriod while any is left: no month can be closed."""
        if failed := self.still_left():
            some = ", ".join(sorted(failed)[:5])
            msg = f"month: every {self._kind} valued expected, {some} cannot be: see the alerts"
            raise BadPeriod(msg)

    def attempt(self, ident: str, value: Callable[[str], None]) -> None:
        """Value one; if it fails it is left. Raises OperationalError: the store is away, no bug."""
        left, subject = self._known(), f"{self._kind}:{ident}"
        try:
            value(ident)
        except Exception as error:
            if not is_bug(error):
                raise
            if ident not in left:
                log.exception("%s cannot be valued; it is left for %d s", subject, LEFT_US // 1_000_000)
            left[ident] = self._clock() + LEFT_US
            title = f"{ident} cannot be valued, a fault of this program: {type(error).__name__}"
            said = Alert(NOT_VALUED, subject, "warning", title, json.dumps({"error": str(error)[:300]}))
            with write(self._book) as tx:
                alerts.raise_alert(tx, said, self._clock(), ACTOR)
        else:
            if left.pop(ident, None) is not None:
                log.warning("%s is valued again", subject)
                with write(self._book) as tx:
                    alerts.close(tx, NOT_VALUED, subject, self._clock(), ACTOR)

    def _known(self) -> dict[str, int]:
        """When each is tried again; what another process left at once."""
        if self._left is None:
            with read(self._book) as tx:
                told = [each.partition(":") for each in alerts.open_subjects(tx, NOT_VALUED)]
            self._left = {ident: 0 for kind, _, ident in told if kind == self._kind}
        return self._left
