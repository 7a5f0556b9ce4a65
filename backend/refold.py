"""Folding keys anew, from their last checkpoint before what came late.

One device's keys go together, day by day over the journal, until each is past its last late reading and its state
equals the checkpoint stored before; then everything after it stands. Folding only reads, so that nobody who writes
waits for it; posting replaces derived rows and gives the ledger the difference, in a transaction that first makes sure
that nothing that was folded has changed. A long history of one key is folded and posted in pieces of whole days.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, bindparam, func, select

from backend import journal_days
from backend.apply import checkpoint_rows, end_due, facts_of, state_row
from backend.book import derived
from backend.book.events import stir
from backend.book.journal import Arrival
from backend.book.schema import checkpoint, journal
from backend.post import replace
from backend.registers import register_name
from backend.step import DAY_US, Change, Derived, Key, Old, Step, advance, encode
from models.register import Register

QUIET_US = 30_000_000
NO_DAY = 1 << 30
IDS_A_QUERY = 5000
_CHECKPOINTS = select(checkpoint.c.subject, checkpoint.c.day, checkpoint.c.state).where(
    checkpoint.c.step == bindparam("step"),
    checkpoint.c.device_id == bindparam("device"),
    checkpoint.c.subject.in_(bindparam("subjects", expanding=True)),
)
Span = tuple[int, int]
"""(since, until)."""


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
    goes_on: bool = False
    """The rest, from `end` on, is another turn's: the key stays dirty."""
    readings: int = 0
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


@dataclass(frozen=True, slots=True)
class Folding:
    """Keys of one (step, device), folded anew and not yet posted, and what that rests on."""

    step: Step[Any, Any, Any]
    device_id: int
    spans: dict[str, Span]
    register: Register
    before: dict[derived.DeviceKey, Row[Any]]
    """Their rows of `fold_state`."""
    keys: Sequence[Refold]
    journalled: int
    """Readings of the device in the days that were folded."""

    @property
    def readings(self) -> int:
        """How many were folded."""
        return sum(k.readings for k in self.keys)

    @property
    def _of_device(self) -> set[derived.DeviceKey]:
        return {(self.device_id, subject) for subject in self.spans}

    def _same_spans(self, now: dict[str, Span]) -> bool:
        """Of a key that goes on, what comes after its piece may have become more."""
        if any(k.goes_on for k in self.keys):
            return {subject: since for subject, (since, _) in now.items()} == {
                subject: since for subject, (since, _) in self.spans.items()
            }
        return now == self.spans

    def holds(self, tx: Connection, register: Register) -> bool:
        """Whether a fold would come to the same now. Ask it where nobody else may write to these keys."""
        return (
            register is self.register
            and self._same_spans(derived.spans_of(tx, self.step.name, self.device_id, self.spans))
            and derived.load_states(tx, self.step.name, self._of_device) == self.before
            and _journalled(tx, self.device_id, self.keys) == self.journalled
        )


def fold(
    tx: Connection,
    register: Register,
    of: tuple[Step[Any, Any, Any], int],
    spans: dict[str, Span],
    most: int | None = None,
) -> Folding:
    """Fold keys of one (step, device) anew, in a transaction that sees one state of the book. Nothing is written.

    `spans` gives (since, until) by subject. Of one key alone about `most` readings are folded, in whole days.
    """
    step, device_id = of
    before = derived.load_states(tx, step.name, {(device_id, subject) for subject in spans})
    keys = fold_keys(tx, register, step, _begin(tx, of, spans), most)
    return Folding(step, device_id, spans, register, before, keys, _journalled(tx, device_id, keys))


def _journalled(tx: Connection, device_id: int, keys: Sequence[Refold]) -> int:
    begin = min((k.begin for k in keys), default=0)
    ends = [k.end for k in keys if k.end is not None]
    return journal_days.count(tx, device_id, begin, max(ends, default=begin) if len(ends) == len(keys) else None)


def post(tx: Connection, folding: Folding, now: int) -> None:
    """Write what was folded, clean its keys, and post the difference."""
    step, register, keys = folding.step, folding.register, folding.keys
    whole = [k.key.subject for k in keys if not k.goes_on]
    derived.clean(tx, step.name, folding.device_id, whole)  # before: what ends here may make them dirty again
    for k in keys:
        if k.goes_on and k.end is not None:
            derived.clean_before(tx, (step.name, folding.device_id, k.key.subject), k.end * DAY_US)
    derived.drop_checkpoints(tx, [(step.name, folding.device_id, k.key.subject, day) for k in keys for day in k.gone])
    derived.save_checkpoints(
        tx, [row for k in keys for row in checkpoint_rows(step, k.key, sorted(k.checkpoints.items()))]
    )
    states: list[dict[str, Any]] = []
    stirred: set[str] = set()
    for k in keys:
        if k.end is None and k.last is not None:
            was = folding.before.get((folding.device_id, k.key.subject))
            closed_to, state = (None, None) if was is None else (was.closed_to, step.decode(bytes(was.state)))
            states.append(_settle(register, step, k, _passed(tx, k, k.last, closed_to, now)))
            stirred |= step.stirs(state, k.state)
    derived.save_states(tx, states)
    stir(tx, stirred, now)
    _replace_rows(tx, register, step, keys, now)


@lru_cache(maxsize=64)
def _rows_of(table: Table) -> Select[Any]:
    """A key's derived rows of some days."""
    return select(table).where(
        table.c.device_id == bindparam("device"),
        table.c.subject == bindparam("subject"),
        table.c.day >= bindparam("begin"),
        table.c.day < bindparam("end"),
    )


@lru_cache(maxsize=64)
def _rows_after(table: Table) -> Select[Any]:
    """Derived rows of these ids and later days: what ended them was a much later reading, which is not the next now."""
    return select(table).where(table.c.id.in_(bindparam("ids", expanding=True)), table.c.day >= bindparam("end"))


def _replace_rows(
    tx: Connection, register: Register, step: Step[Any, Any, Any], keys: Sequence[Refold], now: int
) -> None:
    """Every row of what was folded anew, over those that were there: which of them differ, posting finds out."""
    new: list[Derived] = []
    old: list[Old] = []
    for k in keys:
        end = NO_DAY if k.end is None else k.end
        asked = {"device": k.key.device_id, "subject": k.key.subject, "begin": k.begin, "end": end}
        held = tx.execute(_rows_of(step.table), asked).mappings().all()
        if k.goes_on:
            ids = [each.id for each in k.new]
            for low in range(0, len(ids), IDS_A_QUERY):
                some = {"ids": ids[low : low + IDS_A_QUERY], "end": end}
                held = [*held, *tx.execute(_rows_after(step.table), some).mappings()]
        rows = {row["id"]: {name: row[name] for name in row if name != "n"} for row in held}
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
    tx: Connection,
    register: Register,
    step: Step[Any, Any, Any],
    keys: Sequence[Refold],
    most: int | None = None,
) -> Sequence[Refold]:
    """Fold keys of one device anew without writing: what they come to, up to where nothing differs any more.

    One key alone is left at the first day after about `most` readings; how it stands there is its checkpoint.
    """
    for day, by_subject in journal_days.days_of(tx, step, keys):
        for k in keys:
            arrivals = by_subject.get(k.key.subject, [])
            if k.end is not None or day < k.begin or not arrivals:
                continue
            k.goes_on = most is not None and len(keys) == 1 and k.readings >= most
            facts = facts_of(arrivals[:1] if k.goes_on else arrivals)
            k.readings += len(facts)
            folded = advance(step, register, k.key, (k.state, k.last_at), facts)
            same = day > k.until and k.stored.get(day) == folded.checkpoints[0][1]
            if same or k.goes_on:
                boundary = [step.derive(register, k.key, row, at) for row, at in folded.rows]
                k.new += [each for each in boundary if each.day < day]
                k.end, k.goes_on = day, not same
                if k.goes_on:
                    k.checkpoints[day] = folded.checkpoints[0][1]
                continue
            k.state, k.last, k.last_at = folded.state, arrivals[-1], arrivals[-1].at
            k.new += [step.derive(register, k.key, row, at) for row, at in folded.rows]
            k.checkpoints |= dict(folded.checkpoints)
    return keys


def _begin(tx: Connection, of: tuple[Step[Any, Any, Any], int], spans: dict[str, Span]) -> list[Refold]:
    step, device_id = of
    stored: dict[str, dict[int, bytes]] = defaultdict(dict)
    asked = {"step": step.name, "device": device_id, "subjects": sorted(spans)}
    for subject, day, state in tx.execute(_CHECKPOINTS, asked):
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
