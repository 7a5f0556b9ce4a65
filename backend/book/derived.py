"""Where folds keep what they know: states, checkpoints (one per key and day), dirty keys, and how far answers hold."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.bulk import write_rows
from backend.book.schema import checkpoint, dirty, fold_state, gateway, stream

DeviceKey = tuple[int, str]
"""(device_id, subject)."""
OVERDUE_US = 1_000_000
FOR_EVER = 1 << 62
"""`until` of what holds from a time on, whatever times readings have."""


def _of_keys(table: Table, *columns: Any) -> Select[Any]:  # noqa: ANN401 - columns, or the table
    """Of any of the devices and any of the subjects: a few more than are asked for, in one statement."""
    return select(*columns or (table,)).where(
        table.c.step == bindparam("step"),
        table.c.device_id.in_(bindparam("devices", expanding=True)),
        table.c.subject.in_(bindparam("subjects", expanding=True)),
    )


def _over(table: Table, *key: str) -> Insert:
    """Insert rows, each over the one of its key that was there."""
    statement = upsert(table)
    changed: dict[str, Any] = {name: statement.excluded[name] for name in table.c.keys() if name not in key}  # noqa: SIM118 - columns
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)


_STATES = _of_keys(fold_state)
_WAITING = _of_keys(dirty, dirty.c.device_id, dirty.c.subject)
_SPANS = _of_keys(dirty)
_SAVE_STATES = _over(fold_state, "step", "device_id", "subject")
_SAVE_CHECKPOINTS = _over(checkpoint, "step", "device_id", "subject", "day")


def load_states(tx: Connection, step: str, keys: Collection[DeviceKey]) -> dict[DeviceKey, Row[Any]]:
    """The stored rows of these keys."""
    rows = tx.execute(_STATES, _asked(step, keys))
    return {key: row for row in rows if (key := (row.device_id, row.subject)) in keys}


def save_states(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write states, over what was there."""
    write_rows(tx, _SAVE_STATES, rows)


def save_checkpoints(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write checkpoints, over what was there."""
    write_rows(tx, _SAVE_CHECKPOINTS, rows)


def drop_checkpoints(tx: Connection, keys: Sequence[tuple[str, int, str, int]]) -> None:
    """Forget checkpoints, by (step, device_id, subject, day)."""
    columns = (checkpoint.c.step, checkpoint.c.device_id, checkpoint.c.subject, checkpoint.c.day)
    for key in keys:
        tx.execute(delete(checkpoint).where(*(column == value for column, value in zip(columns, key, strict=True))))


def dirty_keys(tx: Connection, step: str, keys: Collection[DeviceKey]) -> set[DeviceKey]:
    """Which of these keys wait for the deriver."""
    return {(row.device_id, row.subject) for row in tx.execute(_WAITING, _asked(step, keys))}


def _asked(step: str, keys: Collection[DeviceKey]) -> dict[str, object]:
    devices = {device_id for device_id, _ in keys}
    return {"step": step, "devices": sorted(devices), "subjects": sorted({subject for _, subject in keys})}


def mark_dirty(tx: Connection, spans: Sequence[tuple[str, int, str, int, int]]) -> None:
    """(step, device_id, subject, since, until): the deriver folds these keys anew from `since`, at least to `until`."""
    if not spans:
        return
    columns = ("step", "device_id", "subject", "since", "until")
    statement = upsert(dirty)
    least, greatest = (func.min, func.max) if tx.dialect.name == "sqlite" else (func.least, func.greatest)
    wider = {
        "since": least(dirty.c.since, statement.excluded.since),
        "until": greatest(dirty.c.until, statement.excluded.until),
    }
    tx.execute(
        statement.on_conflict_do_update(index_elements=["step", "device_id", "subject"], set_=wider),
        [dict(zip(columns, span, strict=True)) for span in spans],
    )


def clean(tx: Connection, step: str, device_id: int, subjects: Iterable[str]) -> None:
    """These keys have been folded anew."""
    tx.execute(
        delete(dirty).where(dirty.c.step == step, dirty.c.device_id == device_id, dirty.c.subject.in_(sorted(subjects)))
    )


def clean_before(tx: Connection, key: tuple[str, int, str], since: int) -> None:
    """A key (step, device_id, subject) has been folded anew up to `since`, and waits for the rest."""
    columns = (dirty.c.step, dirty.c.device_id, dirty.c.subject)
    of_key = [column == value for column, value in zip(columns, key, strict=True)]
    tx.execute(update(dirty).where(*of_key).values(since=since))
    tx.execute(update(dirty).where(*of_key, dirty.c.until < since).values(until=since))


def spans_of(tx: Connection, step: str, device_id: int, subjects: Iterable[str]) -> dict[str, tuple[int, int]]:
    """(since, until) of those of these keys that are dirty, by subject."""
    rows = tx.execute(_SPANS, {"step": step, "devices": [device_id], "subjects": sorted(subjects)})
    return {row.subject: (row.since, row.until) for row in rows}


def complete_to(tx: Connection, now: int) -> int:
    """The time up to which answers rest on everything that was read.

    The earliest of: `since` of a dirty key, a gateway's oldest unreceipted reading, the end of a pass that is due and
    not yet applied; else now. Microseconds.
    """
    waiting: list[int | None] = [
        tx.scalar(select(func.min(dirty.c.since))),
        tx.scalar(
            select(func.min(stream.c.listed_oldest))
            .join(gateway, gateway.c.id == stream.c.gateway_id)
            .where(stream.c.listed_oldest.is_not(None), stream.c.mark < stream.c.listed_next_seq - 1)
        ),
        tx.scalar(select(func.min(fold_state.c.due_at)).where(fold_state.c.due_at < now - OVERDUE_US)),
    ]
    return min([now, *(at for at in waiting if at is not None)])
