"""Sends the mails that wait, each to one recipient: again until a server takes it, for three days.

What a server answered is written down after each of them. A process that ends between the two sends that mail again
with the same Message-ID: told at least once, and whoever gets it twice can tell.
"""

import json
import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy import Engine, Row
from sqlalchemy.exc import OperationalError

from backend.book import alerts, messages
from backend.book.db import read, repeated, write
from backend.book.messages import Tried
from backend.config import Mail
from backend.notify.smtp import Server, ServerAway, mail_of
from models.alert import Alert
from models.mail import AWAY_MOST_US, pause

log = logging.getLogger(__name__)
ACTOR = "notifier"
EVERY_S, AWAY_S = 0.2, 1.0
AT_ONCE = 50


class Mailer:
    """One worker; it holds the connection, and until when a server that is away is left alone."""

    def __init__(self, book: Engine, clock: Callable[[], int], config: Mail) -> None:
        self._book, self._clock, self._config = book, clock, config
        self._server = Server(config)
        self._silences = 0
        self._not_before = 0

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            try:
                is_idle = not self.step(stop)
            except OperationalError as error:
                log.warning("mail waits for the book: %s", error.orig)
                stop.wait(AWAY_S)
                continue
            if is_idle:
                self._server.close()
                stop.wait(EVERY_S)
        self._server.close()

    def step(self, stop: Event) -> int:
        """Send what is due; how many were tried. After a server's silence nothing, until its pause is over."""
        now = self._clock()
        if now < self._not_before:
            return 0
        with read(self._book) as tx:
            waiting = messages.due(tx, now, AT_ONCE)
        for number, row in enumerate(waiting):
            if stop.is_set():
                return number
            tried = self._try(row)
            repeated(partial(self._note, row, tried))
            if self._silences:
                return number + 1
        return len(waiting)

    def _try(self, row: Row[Any]) -> Tried:
        try:
            tried = self._server.send(mail_of(row, self._config.sender), row.recipient)
        except ServerAway as away:
            self._silences += 1
            self._not_before = self._clock() + pause(self._silences, AWAY_MOST_US)
            if self._silences == 1:
                log.warning("the mail server is away: %s", away)
            return Tried(None, str(away))
        if self._silences:
            log.info("the mail server is back")
        self._silences = 0
        return tried

    def _note(self, row: Row[Any], tried: Tried) -> None:
        now = self._clock()
        with write(self._book) as tx:
            if messages.note(tx, row, tried, now) == messages.DEAD:
                title = "Mails were never taken by the mail server: see the messages that are dead"
                said = json.dumps({"recipient": row.recipient, "problem": tried.problem})
                alerts.raise_alert(tx, Alert("mail_dead", "mail", "warning", title, said), now, ACTOR)
