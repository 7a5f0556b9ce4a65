"""Folding keys anew, from their last checkpoint before what came late.

One device's keys go together, day by day over the journal, until each is past its last late reading and its state
equals the checkpoint stored before; then everything after it stands. Derived rows are replaced, the ledger gets the
difference, in one transaction.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from backend.apply import checkpoint_rows, end_due, facts_of, state_row
from backend.book import derived
from backend.book.events import stir
from backend.book.journal import Arrival, short
from backend.book.schema import checkpoint, journal
from backend.post import replace
from backend.registers import register_name
from backend.step import DAY_US, Change, Derived, Key, Old, Step, advance, encode
from models import wire
from models.reading import Unknown
from models.register import Register

QUIET_US = 30_000_000
CONTENTS_A_QUERY = 5000


@dataclass(slots=True)
class Refold:
    """One key on its way from `begin`, the day of its checkpoint, to where nothing differs any more."""

    key: Key
    begin: int
    until: int
    state: Any
    stored: dict[int, bytes]
    """Checkpoints as they were, by day."""
    last_at: int | None = None
    last: Arrival | None = None
    due_at: int | None = None
    end: int | None = None
    """The day before which everything was folded anew; None: to the end."""
    new: list[Derived] = field(default_factory=list[Derived])
    checkpoints: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def next_day(self, day: int) -> int | None:
        """The first day at or after `day`, on which its device was heard, that it may have to be folded for."""
        if self.end is not None:
            return None
        if self.begin <= day <= self.until:
            return day
        return min((each for each in (*self.stored, self.begin) if each >= day), default=None)

    @property
    def gone(self) -> list[int]:
        """Days of stored checkpoints on which no reading counts any more."""
        return [day for day in self.stored if day not in self.checkpoints and (self.end is None or day < self.end)]


def refold(
    tx: Connection,
    register: Register,
    of: tuple[Step[Any, Any, Any], int],
    spans: dict[str, tuple[int, int]],
    now: int,
) -> None:
    """Fold keys of one (step, device) anew and post the difference. `spans` gives (since, until) by subject."""
    step, device_id = of
    before = derived.load_states(tx, step.name, {(device_id, subject) for subject in spans})
    keys = fold_keys(tx, register, step, _begin(tx, of, spans))
    derived.drop_checkpoints(tx, [(step.name, device_id, k.key.subject, day) for k in keys for day in k.gone])
    derived.save_checkpoints(
        tx, [row for k in keys for row in checkpoint_rows(step, k.key, sorted(k.checkpoints.items()))]
    )
    states: list[dict[str, Any]] = []
    stirred: set[str] = set()
    for k in keys:
        if k.end is None and k.last is not None:
            was = before.get((device_id, k.key.subject))
            closed_to, state = (None, None) if was is None else (was.closed_to, step.decode(bytes(was.state)))
            states.append(_settle(register, step, k, _passed(tx, k, k.last, closed_to, now)))
            stirred |= step.stirs(state, k.state)
    derived.save_states(tx, states)
    stir(tx, stirred, now)
    _replace_rows(tx, register, step, keys, now)


def _replace_rows(
    tx: Connection, register: Register, step: Step[Any, Any, Any], keys: Sequence[Refold], now: int
) -> None:
    """Every row of what was folded anew, over those that were there: which of them differ, posting finds out."""
    table = step.table.c
    new: list[Derived] = []
    old: list[Old] = []
    for k in keys:
        held = select(step.table).where(
            table.device_id == k.key.device_id, table.subject == k.key.subject, table.day >= k.begin
        )
        if k.end is not None:
            held = held.where(table.day < k.end)
        rows = {row["id"]: {name: row[name] for name in row if name != "n"} for row in tx.execute(held).mappings()}
        new += {each.id: each for each in k.new}.values()
        old += [Old(step.table, ident, row.get("movement"), row) for ident, row in rows.items()]
    replace(tx, register, Change(new, old), now)


def _passed(tx: Connection, k: Refold, last: Arrival, before: int | None, now: int) -> int | None:
    """Up to when time has passed for this key: never less far than it had."""
    if last.received_at < now - QUIET_US:
        return now
    heard = tx.scalar(
        select(func.max(journal.c.at)).where(
            journal.c.device_id == k.key.device_id, journal.c.stream_id == last.stream_id, journal.c.at >= last.at
        )
    )
    known = [at for at in (heard and min(heard, now), before) if at is not None]
    return max(known, default=None)


def _settle(register: Register, step: Step[Any, Any, Any], k: Refold, to: int | None) -> dict[str, Any]:
    """The key's row of `fold_state`; what time has ended already ends here too, not a moment later."""
    assert k.last is not None  # noqa: S101 - asked by the caller
    row = state_row(step, register, k.key, k.state, k.last)
    if to is not None:
        ended = end_due(step, register, k.key, row, to)
        k.new += ended.new
        row |= {"state": encode(ended.state), "due_at": ended.due_at, "closed_to": ended.closed_to}
    return row


def fold_keys(
    tx: Connection, register: Register, step: Step[Any, Any, Any], keys: Sequence[Refold]
) -> Sequence[Refold]:
    """Fold keys of one device anew without writing: what they come to, up to where nothing differs any more."""
    for day, by_subject in _days(tx, step, keys):
        for k in keys:
            arrivals = by_subject.get(k.key.subject, [])
            if k.end is not None or day < k.begin or not arrivals:
                continue
            folded = advance(step, register, k.key, (k.state, k.last_at), facts_of(arrivals))
            if day > k.until and k.stored.get(day) == folded.checkpoints[0][1]:
                boundary = [step.derive(register, k.key, row, at) for row, at in folded.rows]
                k.new += [each for each in boundary if each.day < day]
                k.end = day
                continue
            k.state, k.last, k.last_at = folded.state, arrivals[-1], arrivals[-1].at
            k.new += [step.derive(register, k.key, row, at) for row, at in folded.rows]
            k.checkpoints |= dict(folded.checkpoints)
    return keys


def _begin(tx: Connection, of: tuple[Step[Any, Any, Any], int], spans: dict[str, tuple[int, int]]) -> list[Refold]:
    step, device_id = of
    stored: dict[str, dict[int, bytes]] = defaultdict(dict)
    query = select(checkpoint.c.subject, checkpoint.c.day, checkpoint.c.state).where(
        checkpoint.c.step == step.name, checkpoint.c.device_id == device_id, checkpoint.c.subject.in_(sorted(spans))
    )
    for subject, day, state in tx.execute(query):
        stored[subject][day] = bytes(state)
    name = register_name(tx, device_id)
    keys: list[Refold] = []
    for subject, (since, until) in sorted(spans.items()):
        days = stored[subject]
        begin = max((day for day in days if day <= since // DAY_US), default=since // DAY_US)
        state = step.decode(days[begin]) if begin in days else None
        key = Key(device_id, name, subject)
        after = {day: text for day, text in days.items() if day >= begin}
        keys.append(Refold(key, begin, max(until // DAY_US, begin), state, after))
    return keys


def _days(
    tx: Connection, step: Step[Any, Any, Any], keys: Sequence[Refold]
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


def _heard_on(tx: Connection, device_id: int, day: int) -> int | None:
    """The first day from `day` on with readings of this device."""
    first: int | None = tx.scalar(
        select(func.min(journal.c.at)).where(journal.c.device_id == device_id, journal.c.at >= day * DAY_US)
    )
    return None if first is None else first // DAY_US


def _read(
    tx: Connection, step: Step[Any, Any, Any], device_id: int, day: int, subjects: set[str]
) -> dict[str, list[Arrival]]:
    query = (
        select(journal)
        .where(journal.c.device_id == device_id, journal.c.kind.in_(step.kinds))
        .where(journal.c.at >= day * DAY_US, journal.c.at < (day + 1) * DAY_US)
        .order_by(journal.c.at)
    )
    found: dict[str, list[Arrival]] = defaultdict(list)
    for row in tx.execute(query):
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
