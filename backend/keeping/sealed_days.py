"""Sealing: days past their time are closed, what every fold stood at then is kept, and then their readings go.

Each stage is in the book when it is done, so that whoever is killed goes on there. Closing is one short transaction
that nobody folds beside; afterwards nothing before the day can change, and everything else is read without a lock and
written some hundred rows at a time.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from hashlib import sha256
from threading import Event
from typing import Any, TypeVar

from sqlalchemy import Connection, Delete, Engine, Table, func, insert, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.apply import STEPS
from backend.book import locks, sealed
from backend.book.bulk import write_rows
from backend.book.db import read, repeated, write
from backend.book.schema import (
    checkpoint,
    device,
    dirty,
    fold_state,
    gateway,
    journal,
    seal,
    seal_step,
    seal_stream,
    sealed_state,
    stream,
)
from backend.keeping import prune
from backend.keeping.sealed_states import changed_states, columns_of, devices_of, rows_digest, rows_span, states_digest
from backend.registers import Registers
from backend.step import DAY_US
from backend.telemetry import source
from backend.telemetry.rows import Stream
from backend.telemetry.store import Progress
from models.reading import from_micros

log = logging.getLogger(__name__)
T = TypeVar("T")
DAYS_A_SEAL = 31
"""Of a book that was never sealed so many days at once, so that what is held of them in memory has a bound."""
ROWS_A_TURN = 500
LEAST_PAUSE_S = 0.02


class Sealer:
    """Seals what is older than `journal_days`, and lets its readings go once the telemetry store is past them."""

    def __init__(
        self, book: Engine, clock: Callable[[], int], journal_days: int, telemetry: Progress | None = None
    ) -> None:
        """With `journal_days` 0 nothing is sealed. Without a telemetry store none is waited for."""
        self._book = book
        self._clock = clock
        self._days = journal_days
        self._telemetry = telemetry
        self._registers = Registers()
        self._marks: Mapping[Stream, int] | None = None
        """Of the streams when the seal was made: up to there the store must have followed."""
        self._said = ""

    def all(self, stop: Event) -> int:
        """Seal and prune what is due; how many seals were finished. Stops after any transaction when it is told."""
        done = 0
        while not stop.is_set():
            with read(self._book) as tx:
                last = tx.execute(select(seal).order_by(seal.c.day.desc()).limit(1)).one_or_none()
            if last is None or last.pruned_at is not None:
                if not self._close(None if last is None else last.day):
                    break
            elif last.sealed_at is None:
                self._seal(last.day, stop)
            elif last.pruning_at is None:
                if not self._may_prune(last.day):
                    break
            else:
                done += self._prune(last.day, stop)
        return done

    # -- closing ------------------------------------------------------------------------------------------------
    def _close(self, before: int | None) -> bool:
        day = self._due(before)
        if day is None:
            return False

        def close() -> str:
            with write(self._book) as tx:
                locks.own_register(tx)
                reason = waits_for(tx, day * DAY_US, self._clock() - self._days * DAY_US)
                if not reason:
                    tx.execute(insert(seal).values(day=day, closed_at=self._clock()))
            return reason

        reason = repeated(close)
        if reason:
            self._say(f"{_name(day)} is not sealed: {reason}")
        return not reason

    def _due(self, before: int | None) -> int | None:
        """The day to be sealed next; None while no reading is past its time."""
        if not self._days:
            return None
        wanted = (self._clock() - self._days * DAY_US) // DAY_US + sealed.KEPT_DAYS
        with read(self._book) as tx:
            if (before is not None and wanted <= before) or not _has_before(tx, (wanted - sealed.KEPT_DAYS) * DAY_US):
                return None
            first = tx.scalar(select(func.min(checkpoint.c.day)))
        return wanted if first is None else min(wanted, max(first, before or first) + DAYS_A_SEAL)

    # -- sealing ------------------------------------------------------------------------------------------------
    def _seal(self, day: int, stop: Event) -> None:
        for step in STEPS:
            with read(self._book) as tx:
                devices = devices_of(tx, step)
            for device_id in devices:
                if stop.is_set():
                    return
                with read(self._book) as tx:
                    found = changed_states(tx, self._registers.current(tx), step, device_id, day)
                key = {"step": step.name, "device_id": device_id, "day": day}
                self._write_all(sealed_state, [{**key, "subject": subject, "state": text} for subject, text in found])
        prefixes = (each.row for each in prune.prefixes(self._book, (day - sealed.KEPT_DAYS) * DAY_US))
        self._write_all(seal_stream, [{**row, "day": day} for row in prefixes])
        with read(self._book) as tx:
            steps = list(_steps(tx, day))
        self._write_all(seal_step, steps)

        def finish() -> None:
            with write(self._book) as tx:
                made = {"sealed_at": self._clock(), "digest": digest_of(tx, day)}
                tx.execute(update(seal).where(seal.c.day == day, seal.c.sealed_at.is_(None)).values(made))

        repeated(finish)
        log.info("sealed what is before %s", _name(day))

    def _write_all(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Rows of one seal over what an interrupted sealing has written: it comes to the same."""
        statement = upsert(table)
        key = [column.name for column in table.primary_key]
        over: dict[str, Any] = {name: statement.excluded[name] for name in table.c.keys() if name not in key}  # noqa: SIM118 - columns
        statement = statement.on_conflict_do_update(index_elements=key, set_=over)
        for low in range(0, len(rows), ROWS_A_TURN):
            self._turn(partial(_write_unsealed, statement, rows[low : low + ROWS_A_TURN]))

    # -- pruning ------------------------------------------------------------------------------------------------
    def _may_prune(self, day: int) -> bool:
        """Whether the store has followed and rolled up all that goes: it is not asked for again."""
        before = (day - sealed.KEPT_DAYS) * DAY_US
        if self._telemetry is not None:
            if self._marks is None:
                with read(self._book) as tx:
                    self._marks = {of: mark for of, (_, mark) in source.marks(tx).items()}
            try:
                behind = _behind(self._telemetry, self._marks, before)
            except OSError as error:
                behind = str(error)
            if behind:
                self._say(f"the readings before {_name(day)} do not go yet: {behind}")
                return False
        self._marks = None
        self._turn(lambda tx: tx.execute(update(seal).where(seal.c.day == day).values(pruning_at=self._clock())))
        return True

    def _prune(self, day: int, stop: Event) -> int:
        before, gone = (day - sealed.KEPT_DAYS) * DAY_US, 0
        while more := self._turn(lambda tx: prune.readings_go(tx, day, before)):
            gone += more
            if stop.is_set():
                return 0
        for over in (prune.checkpoints_over, prune.states_over):
            for statement, rows in over(self._book, day):
                if stop.is_set():
                    return 0
                self._turn(partial(_go, statement, rows))
        self._turn(lambda tx: tx.execute(update(seal).where(seal.c.day == day).values(pruned_at=self._clock())))
        log.info("%d numbers of before %s are gone from the journal", gone, _name(day))
        self._said = ""
        return 1

    def _turn(self, work: Callable[[Connection], T]) -> T:
        """One transaction, and then as long for the others as it took."""

        def once() -> T:
            with write(self._book) as tx:
                return work(tx)

        begin = time.monotonic()
        done = repeated(once)
        time.sleep(max(LEAST_PAUSE_S, time.monotonic() - begin))
        return done

    def _say(self, what: str) -> None:
        """Once, while it is the same."""
        if what != self._said:
            log.warning("%s", what)
        self._said = what


def waits_for(tx: Connection, at: int, heard_since: int) -> str:
    """Why what is before a time cannot be sealed yet; "" if it can.

    A gateway whose backlog was not heard of since the second time is not waited for.
    """
    late = tx.execute(select(dirty).where(dirty.c.since < at).limit(1)).first()
    if late is not None:
        return f"the deriver has still to fold {late.step} {late.device_id} {late.subject}".rstrip()
    open_row = tx.execute(select(fold_state).where(fold_state.c.due_at < at).limit(1)).first()
    if open_row is not None:
        return (
            f"what ends of {open_row.step} {open_row.device_id} {open_row.subject}".rstrip() + " is still to be ended"
        )
    waiting = tx.execute(
        select(gateway.c.name, stream.c.listed_oldest)
        .join(stream, stream.c.gateway_id == gateway.c.id)
        .where(
            stream.c.listed_oldest < at, stream.c.mark < stream.c.listed_next_seq - 1, stream.c.listed_at >= heard_since
        )
        .limit(1)
    ).first()
    if waiting is not None:
        return f"{waiting.name} has still to send readings from {from_micros(waiting.listed_oldest):%F %T} on"
    return ""


def _has_before(tx: Connection, at: int) -> bool:
    """Whether any device has readings of before a time."""
    first = select(func.min(journal.c.at)).where(journal.c.device_id == device.c.id).correlate(device).scalar_subquery()
    return tx.execute(select(device.c.id).where(first < at).limit(1)).first() is not None


def _behind(store: Progress, marks: Mapping[Stream, int], before: int) -> str:
    followed = store.positions().streams
    gateways = sorted({of[0] for of, mark in marks.items() if followed.get(of, 0) < mark})
    if gateways:
        return f"the telemetry store has not followed {', '.join(gateways[:3])}"
    return "the telemetry store has still to roll them up" if store.stale(1, before) else ""


def _write_unsealed(statement: Insert, rows: Sequence[dict[str, Any]], tx: Connection) -> None:
    """Nothing if another process has made the seal meanwhile: its readings may be going already."""
    is_open = (seal.c.day == rows[0]["day"], seal.c.sealed_at.is_(None))
    if tx.execute(select(seal.c.day).where(*is_open).with_for_update()).first() is not None:
        write_rows(tx, statement, rows)


def _go(statement: Delete, rows: Sequence[dict[str, Any]], tx: Connection) -> None:
    tx.execute(statement, [*rows])


def _steps(tx: Connection, day: int) -> Iterator[dict[str, Any]]:
    span = rows_span(day, _seal_before(tx, day))
    for step in STEPS:
        columns = columns_of(step)
        kept, rows = states_digest(tx, step, day), rows_digest(tx, step.table, columns, span)
        yield {
            "day": day,
            "step": step.name,
            "states": kept.count,
            "states_digest": kept.digest,
            "row_columns": json.dumps(columns),
            "row_count": rows.count,
            "rows_digest": rows.digest,
        }


def _seal_before(tx: Connection, day: int) -> int | None:
    before: int | None = tx.scalar(select(func.max(seal.c.day)).where(seal.c.day < day))
    return before


def digest_of(tx: Connection, day: int) -> bytes:
    """Of a seal: over that of the seal before, and everything that this one says of steps and streams."""
    before = tx.scalar(select(seal.c.digest).where(seal.c.day == (_seal_before(tx, day))))
    told = sha256(b"" if before is None else bytes(before))
    told.update(b"%d" % day)
    for table, by in ((seal_step, seal_step.c.step), (seal_stream, seal_stream.c.stream_id)):
        for row in tx.execute(select(table).where(table.c.day == day).order_by(by)):
            told.update(repr([*row]).encode())
    return told.digest()


def _name(day: int) -> date:
    return sealed.date_of(day)
