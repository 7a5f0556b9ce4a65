"""Late data: keys that a late reading or a register change made dirty are folded anew from their last checkpoint.

One device's keys go together, day by day over the journal, until each is past its last late reading and its state
equals the checkpoint stored before; then everything after it stands. Derived rows are replaced, the ledger gets the
difference, in one transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from backend.apply import STEP_OF_NAME, Heard, checkpoint_rows, end_due, facts_of, pass_time, register_name, state_row
from backend.book import derived
from backend.book.db import read, write
from backend.book.journal import Arrival, short
from backend.book.schema import checkpoint, clock_tick, dirty, fold_state, journal
from backend.post import TABLES, post_new, replace
from backend.registers import Registers
from backend.step import DAY_US, Derived, Key, Step, advance, encode
from models import wire
from models.reading import Unknown
from models.register import Register

EVERY_S = 1.0
QUIET_US = 30_000_000
KEYS_A_TURN = 200


@dataclass(slots=True)
class Refold:
    """One dirty key on its way from `begin`, the day of its checkpoint, to where nothing differs any more."""

    key: Key
    begin: int
    until: int
    state: Any
    stored: dict[int, bytes]
    """Checkpoints as they were, by day."""
    last_at: int | None = None
    last: Arrival | None = None
    end: int | None = None
    """The day before which everything was folded anew; None: to the end."""
    new: list[Derived] = field(default_factory=list[Derived])
    checkpoints: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])

    @property
    def days(self) -> set[int]:
        """The days on which the key may have readings."""
        return {*self.stored, *range(self.begin, self.until + 1)}


class Deriver:
    """Takes dirty keys, and lets time pass for keys that have gone quiet."""

    def __init__(self, book: Engine, clock: Callable[[], int]) -> None:
        self._book = book
        self._clock = clock
        self._registers = Registers()

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            if not self.step():
                stop.wait(EVERY_S)

    def step(self) -> int:
        """One turn: at most KEYS_A_TURN dirty keys of one device, and one tick. How many keys changed."""
        return self._fold_dirty() + self._tick()

    def _fold_dirty(self) -> int:
        with read(self._book) as tx:
            first = tx.execute(select(dirty.c.step, dirty.c.device_id).order_by(dirty.c.since).limit(1)).one_or_none()
        if first is None:
            return 0
        with write(self._book) as tx:
            where = (dirty.c.step == first.step, dirty.c.device_id == first.device_id)
            query = select(dirty).where(*where).order_by(dirty.c.since).limit(KEYS_A_TURN).with_for_update()
            spans = {row.subject: (row.since, row.until) for row in tx.execute(query)}
            refold(tx, self._registers.current(tx), (STEP_OF_NAME[first.step], first.device_id), spans, self._clock())
            derived.clean(tx, first.step, first.device_id, spans)
        return len(spans)

    def _tick(self) -> int:
        now = self._clock()
        where = (fold_state.c.received_at < now - QUIET_US,)
        with read(self._book) as tx:
            if tx.scalar(select(fold_state.c.subject).where(*where, fold_state.c.due_at <= now).limit(1)) is None:
                return 0
        with write(self._book) as tx:
            new = pass_time(tx, self._registers.current(tx), where, Heard({}, now))
            post_new(tx, new, now)
            if new:
                tx.execute(clock_tick.insert().values(at=now, step="all", keys=len(new)))
        return len(new)


def refold(
    tx: Connection,
    register: Register,
    of: tuple[Step[Any, Any, Any], int],
    spans: dict[str, tuple[int, int]],
    now: int,
) -> None:
    """Fold keys of one (step, device) anew. `spans` gives (since, until) by subject."""
    step, device_id = of
    keys = fold_keys(tx, register, step, _begin(tx, of, spans))
    derived.save_checkpoints(tx, [row for k in keys for row in checkpoint_rows(step, k.key, k.checkpoints)])
    derived.save_states(tx, [_settle(tx, register, step, k, now) for k in keys if k.end is None and k.last is not None])
    table = TABLES[step.name].c
    new: list[Derived] = []
    old: list[tuple[str, str, str | None]] = []
    for k in keys:
        held = select(TABLES[step.name]).where(
            table.device_id == device_id, table.subject == k.key.subject, table.closed_at >= k.begin * DAY_US
        )
        if k.end is not None:
            held = held.where(table.closed_at < k.end * DAY_US)
        rows = {row["id"]: {name: row[name] for name in row if name != "n"} for row in tx.execute(held).mappings()}
        made = {each.id: each for each in k.new}
        new += [each for each in made.values() if rows.get(each.id) != each.row]
        old += [(step.name, i, row["movement"]) for i, row in rows.items() if i not in made or made[i].row != row]
    replace(tx, new, old, now)


def _settle(tx: Connection, register: Register, step: Step[Any, Any, Any], k: Refold, now: int) -> dict[str, Any]:
    """The key's row of `fold_state`; what time has ended already ends here too, not a moment later."""
    assert k.last is not None  # noqa: S101 - asked by the caller
    row = state_row(step, register, k.key, k.state, k.last)
    heard = select(func.max(journal.c.at)).where(
        journal.c.device_id == k.key.device_id, journal.c.stream_id == k.last.stream_id, journal.c.at >= k.last.at
    )
    to = now if k.last.received_at < now - QUIET_US else tx.scalar(heard)
    if to is not None:
        ended = end_due(step, register, k.key, row, min(to, now))
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
                boundary = [row for row in folded.rows if step.derive(register, k.key, row).closed_at < day * DAY_US]
                k.new += [step.derive(register, k.key, row) for row in boundary]
                k.end = day
                continue
            k.state, k.last, k.last_at = folded.state, arrivals[-1], arrivals[-1].at
            k.new += [step.derive(register, k.key, row) for row in folded.rows]
            k.checkpoints += folded.checkpoints
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
    wanted = {k.key.subject: k for k in keys}
    device_id = keys[0].key.device_id if keys else 0
    for day in sorted({day for k in keys for day in k.days}):
        open_keys = {subject for subject, k in wanted.items() if k.end is None and k.begin <= day}
        if not open_keys:
            return
        query = (
            select(journal)
            .where(journal.c.device_id == device_id, journal.c.kind == step.kind)
            .where(journal.c.at >= day * DAY_US, journal.c.at < (day + 1) * DAY_US)
            .order_by(journal.c.at)
        )
        by_subject: dict[str, list[Arrival]] = defaultdict(list)
        for row in tx.execute(query):
            reading = wire.decode(row.body)
            if not isinstance(reading, Unknown) and (subject := step.subject(reading)) in open_keys:
                arrival = Arrival(
                    row.stream_id,
                    row.seq,
                    device_id,
                    "",
                    reading,
                    wire.content_hash(reading),
                    row.at,
                    row.received_at,
                    row.body,
                )
                by_subject[subject].append(arrival)
        yield day, _once(tx, device_id, day, by_subject)


def _once(tx: Connection, device_id: int, day: int, by_subject: dict[str, list[Arrival]]) -> dict[str, list[Arrival]]:
    """In fold order, of repeats the first; one of an earlier day counts instead of any here."""
    once: dict[str, dict[bytes, Arrival]] = {}
    for subject, found in by_subject.items():
        first = once.setdefault(subject, {})
        for arrival in sorted(found, key=lambda a: a.order):
            first.setdefault(arrival.content, arrival)
    restamped = [short(a.content) for first in once.values() for a in first.values() if a.reading.device_at is not None]
    earlier: set[int] = set()
    for low in range(0, len(restamped), 5000):
        query = select(journal.c.content).where(
            journal.c.content.in_(restamped[low : low + 5000]),
            journal.c.device_id == device_id,
            journal.c.at < day * DAY_US,
        )
        earlier.update(tx.scalars(query))
    return {
        subject: [arrival for arrival in first.values() if short(arrival.content) not in earlier]
        for subject, first in once.items()
    }
