"""The shape of answers about webhooks: who is told what, and what came of it."""

from datetime import datetime

from msgspec import Struct


class Webhook(Struct, frozen=True):
    """A receiver: what it wants, and how far it is. `waiting` have not been taken yet, `dead` never were."""

    name: str
    url: str
    kinds: list[str]
    waiting: int
    dead: int
    oldest_waiting: datetime | None
    last_delivered: datetime | None
    problem: str | None
    """Of the last try that failed and is still to be repeated."""


class Delivery(Struct, frozen=True):
    """One event on its way to a receiver; `id` is its `webhook-id`, the same over all tries."""

    n: int
    id: str
    kind: str
    state: str
    tries: int
    made_at: datetime
    due_at: datetime
    done_at: datetime | None
    status: int | None
    problem: str | None
