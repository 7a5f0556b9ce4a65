"""What the page's event stream tells: that a kind of thing changed, once for many rows, and seldom for late ones.

A backlog of weeks comes in as thousands of crossings a minute that the page does not even show: fetching sections for
each would take from the backend what it needs for the backlog itself.
"""

from collections import Counter
from collections.abc import Callable

import msgspec
from msgspec import Struct

from backend.api.sse import Event, message

LATE_US = 300_000_000
LATE_EVERY_US = 4_000_000


class _Body(Struct):
    at: int | None = None
    late: bool = False


_body = msgspec.json.Decoder(_Body)


class Changes:
    """One open page: `Changes(clock)(events)` gives the server-sent events to send now; call it with none too."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._late: Counter[str] = Counter()
        self._told_at = 0
        self._n = 0

    def __call__(self, events: list[Event]) -> list[str]:
        changed: Counter[str] = Counter()
        for each in events:
            (self._late if is_late(each) else changed)[each.kind] += 1
            self._n = each.n
        now = self._clock()
        if self._late and now - self._told_at >= LATE_EVERY_US:
            changed += self._late
            self._late.clear()
            self._told_at = now
        return [message(kind, str(count), self._n) for kind, count in changed.items()]


def is_late(event: Event) -> bool:
    """Whether an event is about something that happened more than 5 minutes before it was known."""
    try:
        body = _body.decode(event.body)
    except msgspec.MsgspecError:
        return False
    return body.late or (body.at is not None and body.at < event.at - LATE_US)
