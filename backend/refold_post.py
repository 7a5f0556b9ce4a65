"""Posting what was folded anew: derived rows are replaced, the ledger gets the difference, and the keys are clean."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, select

from backend.apply import checkpoint_rows, end_due, state_row
from backend.book import derived
from backend.book.events import hurry, stir
from backend.book.journal import Arrival
from backend.book.schema import fold_state, journal
from backend.post import replace
from backend.refold import Folding, Refold, last_of
from backend.step import DAY_US, Change, Derived, Old, Step, encode
from models.register import Register

QUIET_US = 30_000_000
NO_DAY = 1 << 30
STATE = tuple(fold_state.c.keys())
IDS_A_QUERY = 5000


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
        was = folding.before.get((folding.device_id, k.key.subject))
        if k.end is None and k.last is None and was is not None and was.last_at < k.begin * DAY_US:
            k.state, k.last = step.decode(bytes(was.state)), last_of(dict(zip(STATE, was, strict=True)))
        if k.end is None and k.last is not None:
            closed_to, state = (None, None) if was is None else (was.closed_to, step.decode(bytes(was.state)))
            states.append(_settle(register, step, k, _passed(tx, k, k.last, closed_to, now)))
            stirred |= step.stirs(register, k.key, state, k.state)
    derived.save_states(tx, states)
    (hurry if step.hurries else stir)(tx, stirred, now)
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
        made = {each.id: each for each in k.new}
        stand = frozenset[str]() if k.halt is None else k.halt.rows.difference(made)
        new += made.values()
        old += [Old(step.table, ident, row.get("movement"), row) for ident, row in rows.items() if ident not in stand]
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
        k.new += [each for each in ended.new if each.day >= k.begin]
        row |= {"state": encode(ended.state), "due_at": ended.due_at, "closed_to": ended.closed_to}
    return row
