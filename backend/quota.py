"""Gateways that send more than their share: what of theirs was dropped is counted, and somebody is told, once.

Nothing is lost by it: what got no receipt stays in the gateway's outbox and comes again. So the alert closes by itself
when the gateway keeps within its quota: the process closes it that takes the gateway's readings in.
"""

import json
import logging
from collections.abc import Callable, Collection
from threading import Event

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from backend.book import alerts, journal
from backend.book.db import read, write
from backend.fairness import Pressure
from models.alert import Alert

log = logging.getLogger(__name__)
RULE, ACTOR, SORT = "gateway_quota", "ingest", "quota"
EVERY_S = 5.0
HELD_S = 10.0
"""Less than that of waiting for its quota is a burst, and no news."""
OVER_US, LOOK_US = 600_000_000, 60_000_000
MOST_NAMED = 200
"""Gateways told of in one turn; a flood of invented names is one alert and one count."""


def _everyone() -> None:
    """All gateways are this process's."""


class QuotaWatch:
    """Asks the transport regularly what lanes had to bear."""

    def __init__(
        self,
        book: Engine,
        pressure: Callable[[], dict[str, Pressure]],
        clock: Callable[[], int],
        followed: Callable[[], Collection[str] | None] = _everyone,
    ) -> None:
        self._book = book
        self._pressure = pressure
        self._clock = clock
        self._followed = followed
        """The gateways that this process takes in now; None is all."""
        self._due: dict[str, Pressure] = {}
        """Not in the book yet."""
        self._last: dict[str, int] = {}
        """When a gateway with an open alert was last too much, as far as this process knows."""
        self._look_at = 0

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.wait(EVERY_S):
            try:
                self.step()
            except OperationalError as error:  # ingest says that the book is away; what is due waits
                log.debug("the book is away: %s", error)

    def step(self) -> None:
        """Count what was dropped since the last time, tell of it, and close what is over."""
        pressure = self._pressure()
        self._due = {name: due for name, due in self._due.items() if name in pressure or due.dropped}
        for gateway, more in pressure.items():
            self._add(gateway, more)
        now = self._clock()
        if now >= self._look_at:
            self._look(now)
        told = {name: due for name, due in self._due.items() if due.dropped or due.held_s >= HELD_S}
        over = [name for name, at in self._last.items() if name not in told and at < now - OVER_US]
        if not told and not over:
            return
        with write(self._book) as tx:
            for gateway, due in told.items():
                _tell(tx, gateway, due, now)
            for gateway in over:
                alerts.close(tx, RULE, f"gateway:{gateway}", now, ACTOR)
        self._last = {name: at for name, at in self._last.items() if name not in over} | dict.fromkeys(told, now)
        self._due = {name: due for name, due in self._due.items() if name not in told}

    def _look(self, now: int) -> None:
        """Which alerts are open of gateways that are this process's: it may be new, or the gateway may be."""
        with read(self._book) as tx:
            standing = [subject.partition(":")[2] for subject in alerts.open_subjects(tx, RULE)]
        ours = self._followed()
        mine = {name for name in standing if name in self._last or ours is None or name in ours}
        self._last = {name: self._last.get(name, now) for name in mine}
        self._look_at = now + LOOK_US

    def _add(self, gateway: str, more: Pressure) -> None:
        name = gateway if gateway in self._due or len(self._due) < MOST_NAMED else ""
        due = self._due.setdefault(name, Pressure())
        due.dropped += more.dropped
        # only what is held all the time is held: what adds up over days is a sum of bursts
        due.held_s = due.held_s + more.held_s if more.held_s >= EVERY_S / 2 else 0.0


def _tell(tx: Connection, gateway: str, due: Pressure, now: int) -> None:
    counted = journal.count_refused(tx, gateway, SORT, due.dropped, now)
    who = gateway or "gateways of many names, or of none,"
    title = f"{who} sends more than its quota: it waits, and the others do not"
    detail = json.dumps({"dropped_messages_today": counted, "why": "not lost: without a receipt they are sent again"})
    alerts.raise_alert(tx, Alert(RULE, f"gateway:{gateway}", "warning", title, detail), now, ACTOR)
