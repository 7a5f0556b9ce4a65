"""Folding keys anew, from their last checkpoint before what came late, or from their halt.

One device's keys go together, day by day over the journal, until each is past its last late reading and its state
equals the checkpoint stored before; then everything after it stands. Folding only reads, so that nobody who writes
waits for it; posting (backend.refold_post) first makes sure that nothing that was folded has changed. A long history of
one key is folded and posted in pieces of whole days.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from backend import journal_days
from backend.apply import facts_of
from backend.book import derived, sealed
from backend.book.journal import Arrival
from backend.book.schema import checkpoint
from backend.halts import MOST_OF_KEY, STRIDE, Halt, HaltKey, Way
from backend.registers import register_name
from backend.step import DAY_US, Derived, Key, Step, advance, encode
from models.reading import Unknown, from_micros
from models.register import Register

_CHECKPOINTS = select(checkpoint.c.subject, checkpoint.c.day, checkpoint.c.state).where(
    checkpoint.c.step == bindparam("step"),
    checkpoint.c.device_id == bindparam("device"),
    checkpoint.c.subject.in_(bindparam("subjects", expanding=True)),
)
_NO_READING = Unknown("sealed", "", from_micros(0))
Span = tuple[int, int]
"""(since, until)."""
Stood = tuple[int, int, bytes, int]
"""What a halt begins with, and how many rows were made by then: their ids are many, and asked of the last ones only."""


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
    since: int = journal_days.FOR_EVER
    """How it stood from there on is to be remembered."""
    halt: Halt | None = None
    """Where it began, if not with its day."""
    stood: list[Stood] = field(default_factory=list[Stood])

    @property
    def from_at(self) -> int:
        """The first moment it is folded from, microseconds."""
        return self.begin * DAY_US if self.halt is None else self.halt.since

    def begin_at(self, step: Step[Any, Any, Any], halt: Halt) -> None:
        """Everything before the halt stands, its day's checkpoint too."""
        self.halt, self.state, self.last_at = halt, step.decode(halt.state), halt.last_at
        del self.stored[self.begin]

    def stand(self, day: int) -> None:
        """Everything of the day so far is folded; what comes late next may be of the moment after it."""
        if self.last_at is not None and day == self.begin == self.last_at // DAY_US:
            self.stood.append((self.last_at + 1, self.last_at, encode(self.state), len(self.new)))
            del self.stood[:-MOST_OF_KEY]

    def rows_by(self, made: int) -> frozenset[str]:
        """Ids of the rows of its first day up to where so many were made anew."""
        before = frozenset[str]() if self.halt is None else self.halt.rows
        return before.union(each.id for each in self.new[:made])

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
    halts: Mapping[HaltKey, Sequence[Halt]]

    @property
    def of_keys(self) -> list[HaltKey]:
        """Its keys."""
        return [(self.step.name, self.device_id, subject) for subject in self.spans]

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
    tx: Connection, register: Register, of: tuple[Step[Any, Any, Any], int], spans: dict[str, Span], way: Way
) -> Folding:
    """Fold keys of one (step, device) anew, in a transaction that sees one state of the book. Nothing is written.

    `spans` gives (since, until) by subject.
    """
    step, device_id = of
    before = derived.load_states(tx, step.name, {(device_id, subject) for subject in spans})
    begun = _begin(tx, of, spans)
    begun_with = {k.key.subject: k.stored.get(k.begin, b"") for k in begun}
    for k in begun:
        k.since = spans[k.key.subject][0]
        known = way.halts.get((step.name, device_id, k.key.subject), ())
        halt = next((each for each in reversed(known) if each.since <= k.since), None)
        if halt is not None and halt.holds(tx, register, device_id, (k.begin, begun_with[k.key.subject])):
            k.begin_at(step, halt)
    keys = fold_keys(tx, register, step, begun, way.most)
    halts: dict[HaltKey, Sequence[Halt]] = {}
    for k in keys:
        with_day = (register, begun_with[k.key.subject])
        of_key = [
            Halt(at, last_at, state, k.rows_by(made), *with_day, journal_days.count_before(tx, device_id, at))
            for at, last_at, state, made in k.stood
        ]
        if of_key and begun_with[k.key.subject] and not k.goes_on:
            halts[step.name, device_id, k.key.subject] = of_key
    return Folding(step, device_id, spans, register, before, keys, _journalled(tx, device_id, keys), halts)


def _journalled(tx: Connection, device_id: int, keys: Sequence[Refold]) -> int:
    begin = min((k.begin for k in keys), default=0)
    ends = [k.end for k in keys if k.end is not None]
    return journal_days.count(tx, device_id, begin, max(ends, default=begin) if len(ends) == len(keys) else None)


def last_of(row: Mapping[Any, Any]) -> Arrival:
    """The last reading of a key that has none since the seal, as far as its row of `fold_state` has it."""
    times, content = (row["last_at"], row["received_at"]), bytes(row["last_hash"])
    return Arrival(row["stream_id"], 0, row["device_id"], "", _NO_READING, content, *times, b"")


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
            arrivals = [each for each in by_subject.get(k.key.subject, ()) if each.at >= k.from_at]
            for part in _parts(arrivals, k.since):
                if k.end is None and day >= k.begin:
                    is_enough = most is not None and len(keys) == 1 and k.readings >= most
                    _take(step, register, k, part, is_enough=is_enough)
    return keys


def _parts(arrivals: Sequence[Arrival], since: int) -> Iterator[Sequence[Arrival]]:
    """What is before `since`, and the rest in strides and where it is silent for longest; a moment is not parted.

    There a backlog that is still coming goes on, before what is live.
    """
    first = bisect_left(arrivals, since, key=lambda each: each.at)
    inner = range(first + 1, len(arrivals))
    cuts = {first, len(arrivals), *range(first + STRIDE, len(arrivals), STRIDE)[-MOST_OF_KEY + 2 :]}
    cuts |= {max(inner, key=lambda n: arrivals[n].at - arrivals[n - 1].at)} if inner else set()
    low = 0
    for cut in sorted(cuts):
        high = cut
        while 0 < high < len(arrivals) and arrivals[high].at == arrivals[high - 1].at:
            high += 1
        if low < high:
            yield arrivals[low:high]
            low = high


def _take(
    step: Step[Any, Any, Any], register: Register, k: Refold, arrivals: Sequence[Arrival], *, is_enough: bool
) -> None:
    """Fold arrivals of one day, the next of a key; `is_enough`: no further day may begin."""
    day = arrivals[0].at // DAY_US
    if arrivals[0].at >= k.since:
        k.stand(day)
    begins = k.last_at is None or k.last_at // DAY_US != day
    k.goes_on = is_enough and begins
    facts = facts_of(arrivals[:1] if k.goes_on else arrivals)
    k.readings += len(facts)
    folded = advance(step, register, k.key, (k.state, k.last_at), facts)
    same = begins and day > k.until and k.stored.get(day) == folded.checkpoints[0][1]
    rows = [step.derive(register, k.key, row, at) for row, at in folded.rows]
    if same or k.goes_on:
        k.new += [each for each in rows if each.day < day]
        k.end, k.goes_on = day, not same
        if k.goes_on:
            k.checkpoints[day] = folded.checkpoints[0][1]
        return
    k.state, k.last, k.last_at = folded.state, arrivals[-1], arrivals[-1].at
    k.new += rows
    k.checkpoints |= dict(folded.checkpoints)


def _begin(tx: Connection, of: tuple[Step[Any, Any, Any], int], spans: dict[str, Span]) -> list[Refold]:
    step, device_id = of
    stored: dict[str, dict[int, bytes]] = defaultdict(dict)
    asked = {"step": step.name, "device": device_id, "subjects": sorted(spans)}
    first = sealed.first_day(tx)
    for subject, day, state in tx.execute(_CHECKPOINTS, asked):
        if first is None or day >= first:
            stored[subject][day] = bytes(state)
    if first is not None:
        for subject, text in sealed.states(tx, step.name, device_id, spans).items():
            stored[subject].setdefault(first, text)
    name = register_name(tx, device_id)
    keys: list[Refold] = []
    for subject, (since, until) in sorted(spans.items()):
        days = stored[subject]
        from_day = since // DAY_US if first is None else max(since // DAY_US, first)
        begin = max((day for day in days if day <= from_day), default=from_day)
        state = step.decode(days[begin]) if begin in days else None
        key = Key(device_id, name, subject)
        after = {day: text for day, text in days.items() if day >= begin}
        keys.append(Refold(key, begin, max(until // DAY_US, begin), state, after))
    return keys
