"""A device's journalled readings, day by day in fold order, for the keys that are folded anew from them."""

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

    def next_day(self, day: int) -> int | None:
        """The first day at or after `day` that it may have to be folded for."""
        ...


def days_of(
    tx: Connection, step: Step[Any, Any, Any], keys: Sequence[Wanting]
) -> Iterator[tuple[int, dict[str, list[Arrival]]]]:
    """The device's readings of the keys, day by day, in fold order, each content once."""
    device_id = keys[0].key.device_id if keys else 0
    day = min((k.begin for k in keys), default=0)
    while (heard := _heard_on(tx, device_id, day)) is not None:
        wanted = [k.next_day(heard) for k in keys]
        day = min((each for each in wanted if each is not None), default=-1)
        if day < 0:
            return
        open_keys = {k.key.subject for k in keys if k.end is None and k.begin <= day}
        yield day, _once(tx, device_id, day, _read(tx, step, device_id, day, open_keys))
        day += 1


def count(tx: Connection, device_id: int, begin: int, end: int | None) -> int:
    """How many readings of a device are journalled in the days begin ... end - 1; None: to the end."""
    high = FOR_EVER if end is None else end * DAY_US
    return tx.execute(_COUNT, {"device": device_id, "low": begin * DAY_US, "high": high}).scalar_one()


def _heard_on(tx: Connection, device_id: int, day: int) -> int | None:
    """The first day from `day` on with readings of this device."""
    first: int | None = tx.scalar(_HEARD, {"device": device_id, "since": day * DAY_US})
    return None if first is None else first // DAY_US


def _read(
    tx: Connection, step: Step[Any, Any, Any], device_id: int, day: int, subjects: set[str]
) -> dict[str, list[Arrival]]:
    asked = {"device": device_id, "kinds": step.kinds, "low": day * DAY_US, "high": (day + 1) * DAY_US}
    found: dict[str, list[Arrival]] = defaultdict(list)
    for row in tx.execute(_READ, asked):
        reading = wire.decode(row.body)
        if not isinstance(reading, Unknown) and (subject := step.subject(reading)) in subjects:
            content = wire.content_hash(reading)
            times = (row.at, row.received_at)
            found[subject].append(Arrival(row.stream_id, row.seq, device_id, "", reading, content, *times, row.body))
    return found


def _once(tx: Connection, device_id: int, day: int, by_subject: dict[str, list[Arrival]]) -> dict[str, list[Arrival]]:
    """In fold order, of repeats the first; one of an earlier day counts instead of any here."""
    once: dict[str, dict[bytes, Arrival]] = {}
    for subject, found in by_subject.items():
        first = once.setdefault(subject, {})
        for arrival in sorted(found, key=lambda a: a.order):
            first.setdefault(arrival.content, arrival)
    restamped = [short(a.content) for first in once.values() for a in first.values() if a.reading.device_at is not None]
    earlier: set[int] = set()
    for low in range(0, len(restamped), CONTENTS_A_QUERY):
        query = select(journal.c.content).where(
            journal.c.content.in_(restamped[low : low + CONTENTS_A_QUERY]),
            journal.c.device_id == device_id,
            journal.c.at < day * DAY_US,
        )
        earlier.update(tx.scalars(query))
    return {
        subject: [arrival for arrival in first.values() if short(arrival.content) not in earlier]
        for subject, first in once.items()
    }
