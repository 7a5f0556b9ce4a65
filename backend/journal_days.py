"""A device's journalled readings, day by day in fold order, for the keys that are folded anew from them.

A day comes in pages, so that a device that tells much is not in memory with all of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, func, select

from backend.book.journal import Arrival, short
from backend.book.schema import journal
from backend.step import DAY_US, Key, Step
from models import wire
from models.reading import Unknown

CONTENTS_A_QUERY = 5000
PAGE, ROWS = 5_000, 1_000
"""Readings of the keys that are held at a time, about, and rows that are fetched at once."""
_HEARD = select(func.min(journal.c.at)).where(
    journal.c.device_id == bindparam("device"), journal.c.at >= bindparam("since")
)
_BETWEEN = (
    journal.c.device_id == bindparam("device"),
    journal.c.at >= bindparam("low"),
    journal.c.at < bindparam("high"),
)
_READ = (
    select(journal.c.stream_id, journal.c.seq, journal.c.at, journal.c.received_at, journal.c.body)
    .where(*_BETWEEN, journal.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(journal.c.at)
)
_COUNT = select(func.count()).select_from(journal).where(*_BETWEEN)
FOR_EVER = 1 << 62


class Wanting(Protocol):
    """A key, and which days it is to be folded for."""

    key: Key
    begin: int
    end: int | None

    @property
    def from_at(self) -> int:
        """Nothing before it is wanted, microseconds."""
        ...

    def next_day(self, day: int) -> int | None:
        """The first day at or after `day` that it may have to be folded for."""
        ...


def days_of(
    tx: Connection, step: Step[Any, Any, Any], keys: Sequence[Wanting]
) -> Iterator[tuple[int, dict[str, list[Arrival]]]]:
    """The device's readings of the keys by day, a page or more of each, in fold order, each content once."""
    device_id = keys[0].key.device_id if keys else 0
    at = min((k.from_at for k in keys), default=0)
    while (heard := _heard_on(tx, device_id, at)) is not None:
        wanted = [k.next_day(heard) for k in keys]
        day = min((each for each in wanted if each is not None), default=-1)
        if day < 0:
            return
        open_keys = {k.key.subject for k in keys if k.end is None and k.begin <= day}
        span = (max(at, day * DAY_US), (day + 1) * DAY_US)
        for low, page in _pages(tx, step, device_id, span, open_keys):
            yield day, _once(tx, device_id, low, page)
        at = span[1]


def count(tx: Connection, device_id: int, begin: int, end: int | None) -> int:
    """How many readings of a device are journalled in the days begin ... end - 1; None: to the end."""
    high = FOR_EVER if end is None else end * DAY_US
    return tx.execute(_COUNT, {"device": device_id, "low": begin * DAY_US, "high": high}).scalar_one()


def count_before(tx: Connection, device_id: int, at: int) -> int:
    """How many readings of a device are journalled of the day of `at`, before it."""
    return tx.execute(_COUNT, {"device": device_id, "low": at // DAY_US * DAY_US, "high": at}).scalar_one()


def _heard_on(tx: Connection, device_id: int, at: int) -> int | None:
    """The first day with readings of this device from `at` on."""
    first: int | None = tx.scalar(_HEARD, {"device": device_id, "since": at})
    return None if first is None else first // DAY_US


def _pages(
    tx: Connection, step: Step[Any, Any, Any], device_id: int, span: tuple[int, int], subjects: set[str]
) -> Iterator[tuple[int, dict[str, list[Arrival]]]]:
    """When each page begins, and what it has by subject. What was at one moment is in one page: it is to be sorted."""
    asked = {"device": device_id, "kinds": step.kinds, "low": span[0], "high": span[1]}
    low, last, held = span[0], span[0], 0
    found: dict[str, list[Arrival]] = defaultdict(list)
    for row in tx.execute(_READ, asked, execution_options={"yield_per": ROWS}):
        if held >= PAGE and row.at != last:
            yield low, found
            low, held, found = row.at, 0, defaultdict[str, list[Arrival]](list)
        last = row.at
        reading = wire.decode(row.body)
        if not isinstance(reading, Unknown) and (subject := step.subject(reading)) in subjects:
            content = wire.content_hash(reading)
            times = (row.at, row.received_at)
            found[subject].append(Arrival(row.stream_id, row.seq, device_id, "", reading, content, *times, row.body))
            held += 1
    yield low, found


def _once(tx: Connection, device_id: int, low: int, by_subject: dict[str, list[Arrival]]) -> dict[str, list[Arrival]]:
    """In fold order, of repeats the first; one from before `low` counts instead of any here."""
    once: dict[str, dict[bytes, Arrival]] = {}
    for subject, found in by_subject.items():
        first = once.setdefault(subject, {})
        for arrival in sorted(found, key=lambda a: a.order):
            first.setdefault(arrival.content, arrival)
    restamped = [short(a.content) for first in once.values() for a in first.values() if a.reading.device_at is not None]
    earlier: set[int] = set()
    for first_of in range(0, len(restamped), CONTENTS_A_QUERY):
        query = select(journal.c.content).where(
            journal.c.content.in_(restamped[first_of : first_of + CONTENTS_A_QUERY]),
            journal.c.device_id == device_id,
            journal.c.at < low,
        )
        earlier.update(tx.scalars(query))
    return {
        subject: [arrival for arrival in first.values() if short(arrival.content) not in earlier]
        for subject, first in once.items()
    }
