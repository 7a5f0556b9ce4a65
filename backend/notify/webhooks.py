"""Sends each configured receiver the events that it wants: signed, in order while all goes well, again until taken.

A thread per receiver, so that one that hangs delays no other. A receiver that does not answer is asked with one event
only, until it answers again.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from backend import threads
from backend.book import alerts, webhooks
from backend.book.db import read, repeated, write
from backend.book.webhooks import Tried
from backend.config import Webhook
from backend.notify.http_post import Receiver
from models.alert import Alert
from models.webhook import key_of, signature

log = logging.getLogger(__name__)
ACTOR = "notifier"
EVERY_S = 0.1
AWAY_S = 1.0
AT_ONCE = 50
LONGEST_PROBLEM = 200


class Webhooks:
    """Everything that is configured, each on a thread of its own."""

    def __init__(self, book: Engine, clock: Callable[[], int], hooks: Mapping[str, Webhook]) -> None:
        self._book, self._clock, self._hooks = book, clock, hooks

    def run(self, stop: Event) -> None:
        """Work until stop."""
        if not self._begin(stop):
            return
        senders = {name: Sender(self._book, self._clock, name, hook) for name, hook in self._hooks.items()}
        running = [threads.start(f"webhook {name}", sender.run, stop) for name, sender in senders.items()]
        stop.wait()
        for each in running:
            each.join()

    def _begin(self, stop: Event) -> bool:
        while not stop.is_set():
            try:
                with write(self._book) as tx:
                    webhooks.begin(tx, [*self._hooks])
            except OperationalError as error:
                log.warning("webhooks wait for the book: %s", error.orig)
                stop.wait(AWAY_S)
            else:
                return True
        return False


class Sender:
    """One receiver."""

    def __init__(self, book: Engine, clock: Callable[[], int], name: str, hook: Webhook) -> None:
        self._book, self._clock, self._name, self._kinds = book, clock, name, frozenset(hook.kinds)
        self._key = key_of(Path(hook.secret_file).read_text(encoding="utf-8"))
        self._receiver = Receiver(hook.url)
        self._looked_at = -1
        self._is_away = False

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            try:
                is_idle = not self.step(stop)
            except OperationalError as error:
                log.warning("webhook %s waits for the book: %s", self._name, error.orig)
                stop.wait(AWAY_S)
                continue
            if is_idle:
                stop.wait(EVERY_S)
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._receiver.close()

    def step(self, stop: Event) -> int:
        """Queue what is new and send what is due; how many were tried."""
        now = self._clock()
        with read(self._book) as tx:
            is_new = webhooks.newest_event(tx) > self._looked_at
        if is_new:
            self._looked_at = repeated(partial(self._queue, now))
        with read(self._book) as tx:
            waiting = webhooks.due(tx, self._name, now, AT_ONCE)
        tried: list[Tried] = []
        for each in waiting:
            if stop.is_set():
                break
            tried.append(self._try(each.n, each.id, bytes(each.body), each.tries + 1))
            if self._is_away:
                break
        if tried:
            repeated(partial(self._note, tried))
        return len(tried)

    def _queue(self, now: int) -> int:
        with write(self._book) as tx:
            return webhooks.queue(tx, self._name, self._kinds, now)

    def _note(self, tried: list[Tried]) -> None:
        now = self._clock()
        with write(self._book) as tx:
            if dead := webhooks.note(tx, tried, now):
                title = f"The webhook {self._name} never took {dead} events: see its deliveries"
                alert = Alert("webhook_dead", f"webhook:{self._name}", "warning", title, json.dumps({"dead": dead}))
                alerts.raise_alert(tx, alert, now, ACTOR)

    def _try(self, n: int, ident: str, body: bytes, tries: int) -> Tried:
        at_s = int(time.time())
        headers = {
            "content-type": "application/json",
            "user-agent": "stockyard",
            "webhook-id": ident,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(self._key, ident, at_s, body),
        }
        try:
            status = self._receiver.post(body, headers)
        except (OSError, HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"[:LONGEST_PROBLEM]
            if not self._is_away:
                log.warning("webhook %s does not answer: %s", self._name, problem)
            self._is_away = True
            return Tried(n, tries, None, problem)
        if self._is_away:
            log.info("webhook %s answers again", self._name)
        self._is_away = False
        return Tried(n, tries, status, None if status < 300 else f"answered {status}")  # noqa: PLR2004
