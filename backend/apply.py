"""The in-order effects of readings, in the transaction that journals them: STEPS is the whole list.

A reading that sorts before its key's last one makes the key dirty instead; `backend.deriver` folds it anew. Until then
further readings of that key wait for the deriver too.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, exists, select

from backend.book import derived, locks
from backend.book.events import hurry, stir
from backend.book.journal import Arrival, kind_of
from backend.book.schema import dirty, fold_state, journal
from backend.dock_step import DOCK
from backend.dock_verdict import breaks
from backend.heard import Heard, heard
from backend.hours_step import HOURS
from backend.motion_step import MOTION
from backend.post import replace
from backend.presence_step import PRESENCE
from backend.registers import register_id, register_name
from backend.scan_step import SCAN
from backend.step import DAY_US, Change, Derived, Fact, Key, Step, advance, encode
from models.reading import Unknown
from models.register import Register

log = logging.getLogger(__name__)
STEPS: tuple[Step[Any, Any, Any], ...] = (DOCK, SCAN, HOURS, MOTION, PRESENCE)
STEPS_OF_KIND: dict[str, list[Step[Any, Any, Any]]] = {
    kind: [step for step in STEPS if kind in step.kinds] for each in STEPS for kind in each.kinds
}
STEP_OF_NAME: dict[str, Step[Any, Any, Any]] = {step.name: step for step in STEPS}

Span = tuple[str, int, str, int, int]
"""(step, device_id, subject, since, until), as `derived.mark_dirty` takes it."""


FAILS = "what ended of key %s %d %s fails; its readings are kept, and the deriver tries again"
"""Logged once: a dirty key is not tried here again."""
KEYS_AT_ONCE = 100
"""So many keys end in one transaction, those first that are due longest: judging a pass takes milliseconds."""
_HEARD_BEFORE = select(journal.c.device_id, journal.c.content, journal.c.at).where(
    journal.c.content.in_(bindparam("contents", expanding=True))
)
_DIRTY = exists().where(
    dirty.c.step == fold_state.c.step,
    dirty.c.device_id == fold_state.c.device_id,
    dirty.c.subject == fold_state.c.subject,
)
_DUE = select(fold_state).where(fold_state.c.due_at <= bindparam("to"), ~_DIRTY)
"""Without an order, for which SQLite would walk the whole primary key instead of the few that are due."""
DUE_OF_STREAM = _DUE.where(fold_state.c.stream_id == bindparam("stream"))
DUE_OF_QUIET = _DUE.where(fold_state.c.received_at < bindparam("received_before"))


@dataclass(slots=True)
class Ended:
    """A key after time has passed."""

    state: object
    due_at: int | None
    closed_to: int | None
    new: list[Derived]


def apply(tx: Connection, register: Register, arrivals: Sequence[Arrival], now: int) -> list[Derived]:
    """Fold arrivals into the derived facts and post what follows. Call it before they are journalled."""
    locks.hold_devices(tx, {arrival.device_id for arrival in arrivals})
    new: list[Derived] = []
    spans: list[Span] = []
    groups: dict[str, list[Arrival]] = defaultdict(list)
    steps: dict[tuple[type, int], list[Step[Any, Any, Any]]] = {}
    for arrival in _first_heard(tx, register, arrivals, spans):
        key = (type(arrival.reading), arrival.device_id)
        if key not in steps:
            steps[key] = steps_of(register, arrival)
        for step in steps[key]:
            groups[step.name].append(arrival)
    for name, group in groups.items():
        new += _apply_step(tx, register, STEP_OF_NAME[name], group, spans)
    derived.mark_dirty(tx, spans)
    for stream_id, devices in heard(arrivals).items():
        new += pass_time(tx, register, stream_id, devices)
    replace(tx, register, Change(new, broken=breaks(register, arrivals)), now)
    return new


def steps_of(register: Register, arrival: Arrival) -> list[Step[Any, Any, Any]]:
    """The steps that fold this reading."""
    name = register_id(arrival.gateway, arrival.reading.device)
    steps = STEPS_OF_KIND[kind_of(arrival.reading)]
    return [step for step in steps if step.serves(register, name)]


def _folds(arrival: Arrival) -> bool:
    return not isinstance(arrival.reading, Unknown) and kind_of(arrival.reading) in STEPS_OF_KIND


def _first_heard(tx: Connection, register: Register, arrivals: Sequence[Arrival], spans: list[Span]) -> list[Arrival]:
    """Arrivals that count: of repeats (one device, one content) the first in fold order does.

    A repeat that sorts before the one that counted makes its key dirty.
    """
    folded = [arrival for arrival in arrivals if _folds(arrival)]
    seen: dict[tuple[int, int], int] = {}
    if folded:
        contents = [arrival.short for arrival in folded]
        for device_id, content, at in tx.execute(_HEARD_BEFORE, {"contents": contents}):
            seen[device_id, content] = min(at, seen.get((device_id, content), at))
    fresh: list[Arrival] = []
    for arrival in sorted(folded, key=lambda a: a.at):
        key = (arrival.device_id, arrival.short)
        if key not in seen:
            seen[key] = arrival.at
            fresh.append(arrival)
        elif arrival.at < seen[key]:
            spans += [
                (step.name, arrival.device_id, _subject(step, arrival), arrival.at, seen[key])
                for step in steps_of(register, arrival)
            ]
    return fresh


def _subject(step: Step[Any, Any, Any], arrival: Arrival) -> str:
    assert not isinstance(arrival.reading, Unknown)  # noqa: S101 - only folded kinds come here
    return step.subject(arrival.reading)


def _apply_step(
    tx: Connection, register: Register, step: Step[Any, Any, Any], group: Sequence[Arrival], spans: list[Span]
) -> list[Derived]:
    by_key: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
    for arrival in group:
        by_key[arrival.device_id, _subject(step, arrival)].append(arrival)
    states = derived.load_states(tx, step.name, by_key)
    waiting = derived.dirty_keys(tx, step.name, by_key)
    new: list[Derived] = []
    saved: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []
    stirred: set[str] = set()
    for (device_id, subject), items in sorted(by_key.items(), key=lambda each: each[0]):
        items.sort(key=lambda a: a.order)
        stored = states.get((device_id, subject))
        if (device_id, subject) in waiting or (stored is not None and _is_late(stored, items[0])):
            spans.append((step.name, device_id, subject, items[0].at, items[-1].at))
            continue
        key = Key(device_id, register_id(items[0].gateway, items[0].reading.device), subject)
        start = (None, None) if stored is None else (step.decode(stored.state), stored.last_at)
        folded = advance(step, register, key, start, facts_of(items))
        try:
            known = set[str]() if stored is None else ended_before(step, register, key, stored)
            new += [step.derive(register, key, row, at) for row, at in folded.rows if row.id not in known]
        except Exception:  # what has ended is about earlier readings and the register: this one is innocent
            log.exception(FAILS, *_key_name(step, key))
            spans.append((*_key_name(step, key), items[0].at, items[-1].at))
            continue
        saved.append(state_row(step, register, key, folded.state, items[-1]))
        checkpoints += checkpoint_rows(step, key, folded.checkpoints)
        stirred |= step.stirs(register, key, start[0], folded.state)
    derived.save_states(tx, saved)
    derived.save_checkpoints(tx, checkpoints)
    (hurry if step.hurries else stir)(tx, stirred, group[-1].received_at)
    return new


def _is_late(stored: Row[Any], first: Arrival) -> bool:
    closed_to = stored.closed_to
    return first.order <= (stored.last_at, bytes(stored.last_hash)) or (closed_to is not None and first.at < closed_to)


def facts_of(arrivals: Iterable[Arrival]) -> list[Fact]:
    """Arrivals as the facts that a fold takes."""
    return [Fact(a.at, a.content, a.reading) for a in arrivals if not isinstance(a.reading, Unknown)]


def state_row(step: Step[Any, Any, Any], register: Register, key: Key, state: object, last: Arrival) -> dict[str, Any]:
    """The row of `fold_state` after `last`."""
    params = step.params(register, key, last.at)
    return {
        **_key_row(step, key),
        "state": encode(state),
        "last_at": last.at,
        "last_hash": last.content,
        "stream_id": last.stream_id,
        "received_at": last.received_at,
        "due_at": None if params is None else step.due(params, state),
        "closed_to": None,
    }


def checkpoint_rows(step: Step[Any, Any, Any], key: Key, made: Iterable[tuple[int, bytes]]) -> list[dict[str, Any]]:
    """The rows of `checkpoint`."""
    return [{**_key_row(step, key), "day": day, "state": state} for day, state in made]


def _key_name(step: Step[Any, Any, Any], key: Key) -> tuple[str, int, str]:
    """(step, device_id, subject)."""
    return step.name, key.device_id, key.subject


def _key_row(step: Step[Any, Any, Any], key: Key) -> dict[str, Any]:
    return {"step": step.name, "device_id": key.device_id, "subject": key.subject}


def pass_time(tx: Connection, register: Register, stream_id: int, heard: Heard) -> list[Derived]:
    """End what time has ended among the keys of a stream; dirty keys are left to the deriver."""
    latest = max([heard.others, *heard.devices.values()])
    due = _due(tx, DUE_OF_STREAM, {"stream": stream_id, "to": latest})
    return _end_keys(tx, register, due, heard)


def pass_quiet(tx: Connection, register: Register, now: int, received_before: int) -> tuple[list[Derived], bool]:
    """End what time has ended among the keys that nothing was received of since; dirty keys are left.

    Also says whether there are more to end, KEYS_AT_ONCE after these.
    """
    due = _due(tx, DUE_OF_QUIET, {"to": now, "received_before": received_before})
    return _end_keys(tx, register, due, Heard({}, now)), len(due) > KEYS_AT_ONCE


def _due(tx: Connection, query: Select[Any], of: dict[str, int]) -> list[dict[str, Any]]:
    """What is due of devices that nobody else folds now; the others' is still due at the next look."""
    due = [{**row} for row in tx.execute(query, of).mappings()]
    devices = {row["device_id"] for row in due}
    if locks.are_held(tx, devices):
        return due
    free = locks.free_devices(tx, devices)
    return [{**row} for row in tx.execute(query, of).mappings() if row["device_id"] in free]


def _end_keys(tx: Connection, register: Register, due: Sequence[dict[str, Any]], heard: Heard) -> list[Derived]:
    new: list[Derived] = []
    saved: list[dict[str, Any]] = []
    failed: list[Span] = []
    names: dict[int, str] = {}
    over = sorted((row for row in due if row["due_at"] <= heard.of(row["device_id"])), key=lambda row: row["due_at"])
    for row in sorted(over[:KEYS_AT_ONCE], key=lambda each: (each["step"], each["device_id"], each["subject"])):
        device_id: int = row["device_id"]
        step = STEP_OF_NAME[row["step"]]
        name = names.get(device_id) or names.setdefault(device_id, register_name(tx, device_id))
        key = Key(device_id, name, row["subject"])
        try:
            ended = end_due(step, register, key, row, heard.of(device_id))
        except Exception:  # a key that cannot end must not fail the others, nor the reading that made time pass
            log.exception(FAILS, *_key_name(step, key))
            failed.append((*_key_name(step, key), row["last_at"], row["last_at"]))
            continue
        new += ended.new
        saved.append({**row, "state": encode(ended.state), "due_at": ended.due_at, "closed_to": ended.closed_to})
    derived.save_states(tx, saved)
    derived.mark_dirty(tx, failed)
    return new


def end_due(step: Step[Any, Any, Any], register: Register, key: Key, row: Mapping[str, Any], now: int) -> Ended:
    """What is due at or before `now` of one key, each at its own time; `row` is the key's row of `fold_state`.

    The state that is kept has ended only what was due on the day of the last fact: a checkpoint of the next day may
    still have to say what was open at midnight.
    """
    params = step.params(register, key, row["last_at"])
    ended = Ended(step.decode(row["state"]), row["due_at"], row["closed_to"], [])
    if params is None:
        return ended
    midnight = (row["last_at"] // DAY_US + 1) * DAY_US
    current, _ = step.expire(params, ended.state, -1 if ended.closed_to is None else ended.closed_to)
    while ended.due_at is not None and ended.due_at <= now:
        ended.closed_to = ended.due_at
        current, rows = step.expire(params, current, ended.due_at)
        ended.new += [step.derive(register, key, each, ended.due_at) for each in rows]
        if ended.due_at < midnight:
            ended.state = current
        ended.due_at = step.due(params, current)
    return ended


def ended_before(step: Step[Any, Any, Any], register: Register, key: Key, row: Row[Any]) -> set[str]:
    """Ids of derived rows that time has ended already though the kept state has them open."""
    closed_to: int | None = row.closed_to
    params = step.params(register, key, row.last_at)
    if params is None or closed_to is None:
        return set()
    _, rows = step.expire(params, step.decode(row.state), closed_to)
    return {each.id for each in rows}
