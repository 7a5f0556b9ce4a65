"""The ingest loop: take messages, commit, then receipts; and the domain events to MQTT."""

import logging
from collections.abc import Callable
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from backend import metrics
from backend.away import Away
from backend.book import events
from backend.book.db import read, write
from backend.ingest import Ingest, Message, Outcome
from backend.post import is_late
from backend.transport.port import Transport
from models import wire
from models.reading import from_micros

log = logging.getLogger(__name__)
WINDOW_S = 0.02
MOST_MESSAGES, MOST_READINGS = 200, 5000
"""One commit takes what waits, and no more than this: its fixed costs are shared by many, and nobody waits for long."""
STORE_AWAY_S = 1.0
REPLY_US = 30_000_000
EVENTS_EVERY_S = 0.25
DELIVERED_WITHIN_S = 5.0


class IngestWorker:
    """Commits what the transport delivers."""

    def __init__(self, ingest: Ingest, transport: Transport, clock: Callable[[], int]) -> None:
        self._ingest = ingest
        self._transport = transport
        self._clock = clock
        self._away = Away(clock)
        self.beat: Callable[[], None] = _unwatched
        """Called each time the loop comes round, also while the book is away."""
        self.settled = Event()
        """Set once it has committed, or has waited and nothing came: whatever begins then keeps it from nothing."""

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            self.beat()
            is_reached = self._transport.connected
            taken = self._transport.take(0.2, WINDOW_S, MOST_MESSAGES, MOST_READINGS)
            if taken:
                self._commit(taken, stop)
            if taken or is_reached:
                self.settled.set()

    def _commit(self, taken: list[Message], stop: Event) -> None:
        """Commit, then tell. What is left without a receipt, by a bug or a stop, comes again from the edge."""
        while not stop.is_set():
            self.beat()
            try:
                with metrics.committing():
                    outcome = self._ingest.take(taken)
            except OperationalError as error:
                metrics.book_away()
                self._away.refused(error, len(taken))
                stop.wait(STORE_AWAY_S)
                continue
            metrics.committed(outcome.readings)
            self._away.taken(self._ingest.book)
            self._tell(outcome)
            return

    def _tell(self, outcome: Outcome) -> None:
        for gateway, receipt in outcome.receipts:
            self._transport.publish(wire.topic(gateway, "receipt"), wire.encode(receipt))
        now = self._clock()
        for each in outcome.derived:
            if each.step == "scan" and now - each.closed_at < REPLY_US and not is_late(each, now):
                device = str(each.row["device"])
                owner = outcome.heard_by.get(device) or (None if wire.is_global(device) else device.partition("/")[0])
                if owner is not None:
                    name = device.removeprefix(f"{owner}/")
                    reply = wire.Reply(name, from_micros(each.closed_at), ok=each.row["ok"], text=each.row["text"])
                    self._transport.publish(wire.topic(owner, "reply"), wire.encode(reply))


def _unwatched() -> None:
    """Nobody watches."""


class Announcer:
    """Publishes domain events; those of the time without a broker follow when it is back."""

    def __init__(self, book: Engine, transport: Transport) -> None:
        self._book = book
        self._transport = transport

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            if not self.step():
                stop.wait(EVENTS_EVERY_S)

    def step(self) -> int:
        """Publish one page of events; how many."""
        with read(self._book) as tx:
            waiting = events.unpublished(tx)
        sent = 0
        for n, kind, body in waiting:
            if not self._transport.publish(wire.topic("events", kind), body):
                break
            sent = n
        if sent and self._transport.delivered(DELIVERED_WITHIN_S):
            with write(self._book) as tx:
                events.published(tx, sent)
            return len(waiting)
        return 0
