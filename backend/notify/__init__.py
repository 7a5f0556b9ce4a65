"""What others are told: every event that a receiver wants, every alert that somebody answers for, at least once."""

from collections.abc import Callable, Mapping
from threading import Event

from sqlalchemy import Engine

from backend import threads
from backend.config import Mail, Webhook
from backend.notify.availability import Availability
from backend.notify.desk import Desk
from backend.notify.mail import Mailer
from backend.notify.telling import Ways
from backend.notify.webhooks import Webhooks


class Notifier:
    """The part `notifier`: what can be had of items, as events; all events to webhooks; alerts to people, by mail."""

    def __init__(self, book: Engine, clock: Callable[[], int], hooks: Mapping[str, Webhook], mail: Mail) -> None:
        ways = Ways(bool(mail.url), frozenset(hooks), mail.page)
        self._workers = {
            "availability": Availability(book, clock).run,
            "webhooks": Webhooks(book, clock, hooks).run,
            "desk": Desk(book, clock, ways).run,
        }
        if mail.url:
            self._workers["mail"] = Mailer(book, clock, mail).run

    def run(self, stop: Event) -> None:
        """Work until stop."""
        running = [threads.start(name, run, stop) for name, run in self._workers.items()]
        stop.wait()
        for each in running:
            each.join()
