"""The book is away, full or locked: said once when it begins and when it is over, and then told in the book itself.

Ingest waits meanwhile with one group in hand; what comes after it waits in bounded lanes, and in the outboxes.
"""

import json
import logging
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from backend.book import alerts
from backend.book.db import write
from models.alert import Alert

log = logging.getLogger(__name__)
RULE, SUBJECT, ACTOR = "book_away", "book", "ingest"
NEWS_US = 5_000_000
"""Shorter than that it is in the log only: a lock held for long, a server that was started again."""


class Away:
    """Whether the book takes what ingest brings."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.since: int | None = None
        """When it began, microseconds; None while all is well."""
        self._why = ""

    def refused(self, error: OperationalError, messages: int) -> None:
        """It did not take a group. One log line with the trace, not one per try."""
        if self.since is None:
            self.since, self._why = self._clock(), str(error.orig)
            log.error("the book is away; %d messages wait: %s", messages, error.orig, exc_info=error)

    def taken(self, book: Engine) -> None:
        """It took a group: if it had been away, say so. Never raises OperationalError: then it is away again."""
        if self.since is None:
            return
        now = self._clock()
        away_s = round((now - self.since) / 1e6)
        try:
            if now - self.since >= NEWS_US:
                with write(book) as tx:
                    alerts.raise_alert(tx, _alert(away_s, self._why), now, ACTOR)
        except OperationalError as error:
            log.debug("the book is away again: %s", error.orig)
            return
        log.warning("the book takes readings again, after %d s", away_s)
        self.since = None


def _alert(away_s: int, why: str) -> Alert:
    title = f"The book took no readings for {away_s} s: {why[:120]}"
    detail = json.dumps({"seconds": away_s, "why": why[:500], "lost": "nothing: gateways kept what came meanwhile"})
    return Alert(RULE, SUBJECT, "critical", title, detail)
