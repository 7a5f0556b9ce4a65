"""What others are told: every event that a receiver wants, at least once, however long it was away."""

from collections.abc import Callable, Mapping
from threading import Event

from sqlalchemy import Engine

from backend import threads
from backend.config import Webhook
from backend.notify.availability import Availability
from backend.notify.webhooks import Webhooks


class Notifier:
    """The part `notifier`: what can be had of items, as events, and all events to webhooks."""

    def __init__(self, book: Engine, clock: Callable[[], int], hooks: Mapping[str, Webhook]) -> None:
        self._workers = {"availability": Availability(book, clock).run, "webhooks": Webhooks(book, clock, hooks).run}

    def run(self, stop: Event) -> None:
        """Work until stop."""
        running = [threads.start(name, run, stop) for name, run in self._workers.items()]
        stop.wait()
        for each in running:
            each.join()
