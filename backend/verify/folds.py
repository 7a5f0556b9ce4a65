"""Derived facts: a fold of the whole journal from nothing gives the same rows, states and checkpoints.

Of a book that was sealed it begins at the states of the seal; rows of before are checked by the seal's digests.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, func, select

from backend import dock_verdict
from backend.apply import STEPS, end_due, state_row
from backend.book import sealed
from backend.book.register import load
from backend.book.schema import checkpoint, dirty, fold_state, journal, sealed_state
from backend.dock_step import DOCK
from backend.keeping.sealed_states import at_midnight
from backend.refold import Refold, fold_keys, last_of
from backend.registers import register_name
from backend.step import DAY_US, Key, Step, encode
from models import wire
from models.reading import Unknown
from models.register import Register

PAGE = 5000
Rows = dict[str, dict[str, Any]]
"""Rows by id."""


class Seen:
    """The book as one transaction sees it; the fold of its whole journal is made once for all that ask."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx

    @cached_property
    def register(self) -> Register:
        """Everything that was ever declared."""
        return load(self.tx)

    @cached_property
    def first_day(self) -> int | None:
        """The day at whose sealed states folds begin; None: at the first reading."""
        return sealed.first_day(self.tx)

    def sealed(self, step: Step[Any, Any, Any], device_id: int) -> dict[str, bytes]:
        """What a device's keys stood at when the seal was made, by subject."""
        return sealed.states(self.tx, step.name, device_id)

    @cached_property
    def rebuilt(self) -> list[tuple[Step[Any, Any, Any], int, list[Refold]]]:
        """Every key of every device, folded from nothing; time has passed for it as far as it has in the book."""
        return list(_rebuilt(self))


def derived_rebuilt(seen: Seen) -> tuple[str, list[str]]:
    """Crossings and scan acts are what a fold of the whole journal gives; dirty keys wait for the deriver."""
    wrong: list[str] = []
    count = 0
    for step, device_id, keys in seen.rebuilt:
        subjects = {k.key.subject for k in keys}
        query = select(step.table).where(step.table.c.device_id == device_id)
        rows = {row["id"]: {**row} for row in seen.tx.execute(query).mappings()}
        waiting = {
            ident: row
            for ident, row in rows.items()
            if row["subject"] not in subjects or row["day"] < (seen.first_day or 0)
        }
        made = _settled(seen, step, device_id, {each.id: each.stored for k in keys for each in k.new}, waiting)
        stored = {
            ident: {name: row[name] for name in row if name != "n"}
            for ident, row in rows.items()
            if ident not in waiting
        }
        count += len(stored)
        for ident in sorted({*made, *stored}):
            if made.get(ident) != stored.get(ident):
                what = "is missing" if ident not in stored else "does not follow from the readings"
                wrong.append(f"{step.name} {ident} {what}")
    return f"{count} derived rows", wrong


def _settled(seen: Seen, step: Step[Any, Any, Any], device_id: int, made: Rows, waiting: Rows) -> Rows:
    """Rows with their final verdicts, where a step has such: from nothing, but for the rows of dirty keys."""
    if step is not DOCK:
        return made
    found = dock_verdict.finals(seen.tx, seen.register, device_id, {**waiting, **made}, made)
    return {ident: row | found[ident].columns for ident, row in made.items()}


def states_rebuilt(seen: Seen) -> tuple[str, list[str]]:
    """What each key stands at is where the fold of its readings ends, and when it is due."""
    wrong: list[str] = []
    count = 0
    for step, device_id, keys in seen.rebuilt:
        stored = _states(seen.tx, step, device_id)
        for k in keys:
            count += 1
            row = stored.get(k.key.subject)
            if not _leads_on(seen, step, k, row):
                wrong.append(f"{step.name} {k.key.device} {k.key.subject}: another state than was sealed")
            made = None if k.last is None else (encode(k.state), k.last.at, k.last.content, k.due_at)
            kept = None if row is None else (row["state"], row["last_at"], row["last_hash"], row["due_at"])
            if made != kept:
                wrong.append(f"{step.name} {k.key.device} {k.key.subject}: another state")
    return f"{count} keys", wrong


def checkpoints_rebuilt(seen: Seen) -> tuple[str, list[str]]:
    """Every checkpoint is the state that a fold from nothing has before that day."""
    wrong: list[str] = []
    count = 0
    for step, device_id, keys in seen.rebuilt:
        made = {(k.key.subject, day): state for k in keys for day, state in k.checkpoints.items()}
        where = (checkpoint.c.step == step.name, checkpoint.c.device_id == device_id)
        subjects = {k.key.subject for k in keys}
        stored = {
            (row.subject, row.day): bytes(row.state)
            for row in seen.tx.execute(select(checkpoint).where(*where))
            if row.subject in subjects and row.day >= (seen.first_day or 0)
        }
        count += len(stored)
        wrong += [
            f"{step.name} {subject} day {day}: another state before it"
            for subject, day in sorted({*made, *stored})
            if made.get((subject, day)) != stored.get((subject, day))
        ]
    return f"{count} checkpoints", wrong


def _states(tx: Connection, step: Step[Any, Any, Any], device_id: int) -> dict[str, dict[str, Any]]:
    where = (fold_state.c.step == step.name, fold_state.c.device_id == device_id)
    return {row["subject"]: {**row} for row in tx.execute(select(fold_state).where(*where)).mappings()}


def _leads_on(seen: Seen, step: Step[Any, Any, Any], k: Refold, row: dict[str, Any] | None) -> bool:
    """Of a key without a reading since the seal: what it stands at was sealed."""
    if seen.first_day is None or (row is not None and row["last_at"] >= seen.first_day * DAY_US):
        return True
    state = None if row is None else step.decode(row["state"])
    text = at_midnight(step, seen.register, k.key, state, seen.first_day)
    return text == seen.sealed(step, k.key.device_id).get(k.key.subject, sealed.NOTHING)


def _rebuilt(seen: Seen) -> Iterator[tuple[Step[Any, Any, Any], int, list[Refold]]]:
    tx, register = seen.tx, seen.register
    for step in STEPS:
        heard = tx.scalars(select(journal.c.device_id).where(journal.c.kind.in_(step.kinds)).distinct()).all()
        served = {found for found in heard if step.serves(register, register_name(tx, found))}
        of_step = (
            select(fold_state.c.device_id).where(fold_state.c.step == step.name),
            select(step.table.c.device_id),
            select(sealed_state.c.device_id).where(sealed_state.c.step == step.name),
        )
        for device_id in sorted(served.union(*(tx.scalars(query.distinct()) for query in of_step))):
            yield step, device_id, _from_begin(seen, step, device_id)


def _from_begin(seen: Seen, step: Step[Any, Any, Any], device_id: int) -> list[Refold]:
    tx, register = seen.tx, seen.register
    held = seen.sealed(step, device_id)
    stored = _states(tx, step, device_id)
    subjects = _subjects(tx, step, device_id, {*stored, *held})
    ends = select(func.min(journal.c.at), func.max(journal.c.at)).where(journal.c.device_id == device_id)
    first, last = (at or 0 for at in tx.execute(ends).one())
    name = register_name(tx, device_id)
    begin = first // DAY_US if seen.first_day is None else seen.first_day
    keys = [
        Refold(Key(device_id, name, each), begin, last // DAY_US, step.decode(held.get(each, sealed.NOTHING)), {})
        for each in subjects
    ]
    for k in fold_keys(tx, register, step, keys):
        was = stored.get(k.key.subject)
        if k.last is None and was is not None and was["last_at"] < begin * DAY_US:
            k.state, k.last = step.decode(was["state"]), last_of(was)
        if k.last is None:
            continue
        row = state_row(step, register, k.key, k.state, k.last)
        closed_to = None if was is None else was["closed_to"]
        ended = end_due(step, register, k.key, row, -1 if closed_to is None else closed_to)
        k.state, k.due_at = ended.state, ended.due_at
        k.new += [each for each in ended.new if each.day >= begin]
    return keys


def _subjects(tx: Connection, step: Step[Any, Any, Any], device_id: int, stored: Iterable[str]) -> list[str]:
    """Every subject that the journal, the states or the rows know of this device; dirty ones wait for the deriver."""
    bodies = select(journal.c.body).where(journal.c.device_id == device_id, journal.c.kind.in_(step.kinds))
    readings = (wire.decode(body) for body in tx.execute(bodies).scalars().yield_per(PAGE))
    heard = {step.subject(reading) for reading in readings if not isinstance(reading, Unknown)}
    rows = tx.scalars(select(step.table.c.subject).where(step.table.c.device_id == device_id).distinct())
    waiting = tx.scalars(select(dirty.c.subject).where(dirty.c.step == step.name, dirty.c.device_id == device_id))
    return sorted({*heard, *stored, *rows}.difference(waiting))
