"""Which readings go behind a seal, and their going: a prefix of each stream, some hundred numbers at a time.

A stream is not sorted by the time of its readings, so of each only what comes before its first younger row goes. With
a reading's number go gaps and quarantine of the prefix, so that every number stays in exactly one place, or is pruned.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Engine, Table, bindparam, delete, func, or_, select, update

from backend.book.db import read
from backend.book.schema import (
    api_scan,
    checkpoint,
    gap,
    journal,
    quarantine,
    seal_stream,
    sealed_state,
    stream,
    too_late,
)
from backend.book.sealed import NOTHING

NUMBERS_A_TURN = 1000
ROWS_A_PAGE = 5000
KEYS_A_TURN = 500
INVALID = quarantine.c.sort == "invalid"
Deletion = tuple[Delete, Sequence[dict[str, Any]]]
"""A transaction's worth of going: the statement, and the parameters of each time."""


@dataclass(slots=True)
class Prefix:
    """The numbers from ... to of a stream, and what they were."""

    stream_id: int
    from_seq: int
    to_seq: int
    counts: Counter[str] = field(default_factory=Counter[str])
    digest: bytes = b""

    @property
    def row(self) -> dict[str, Any]:
        """As `seal_stream` has it, but for the day."""
        numbers = {"stream_id": self.stream_id, "from_seq": self.from_seq, "to_seq": self.to_seq}
        return {**numbers, "counts": json.dumps(dict(sorted(self.counts.items()))), "digest": self.digest}


def prefixes(book: Engine, before: int) -> Iterator[Prefix]:
    """Of each stream the numbers all of which are of before a time; what they are never changes any more."""
    with read(book) as tx:
        streams = tx.execute(select(stream.c.id, stream.c.pruned_to, stream.c.mark).order_by(stream.c.id)).all()
    for ident, pruned_to, mark in streams:
        with read(book) as tx:
            last = _last(tx, ident, (pruned_to, mark), before)
            found = told_of(tx, Prefix(ident, pruned_to + 1, last)) if last > pruned_to else None
        if found is not None:
            yield found


def told_of(tx: Connection, prefix: Prefix) -> Prefix:
    """The prefix with what its rows say."""
    table, told = journal.c, sha256()
    query = select(table.seq, table.kind, table.body).where(
        table.stream_id == prefix.stream_id, table.seq.between(prefix.from_seq, prefix.to_seq)
    )
    for seq, kind, body in tx.execute(query.order_by(table.seq)).yield_per(ROWS_A_PAGE):
        prefix.counts[kind] += 1
        told.update(b"%d %d " % (seq, len(body)))
        told.update(body)
    prefix.counts.update(_others(tx, prefix))
    prefix.digest = told.digest()
    return prefix


def _others(tx: Connection, prefix: Prefix) -> dict[str, int]:
    """How many numbers are gaps, in quarantine, and came too late."""

    def many(table: Table, *where: ColumnElement[bool]) -> int:
        mine = (table.c.stream_id == prefix.stream_id, table.c.seq.between(prefix.from_seq, prefix.to_seq))
        return tx.scalar(select(func.count()).select_from(table).where(*mine, *where)) or 0

    spans = select(func.sum(gap.c.to_seq - gap.c.from_seq + 1)).where(
        gap.c.stream_id == prefix.stream_id, gap.c.from_seq.between(prefix.from_seq, prefix.to_seq)
    )
    found = {"gap": int(tx.scalar(spans) or 0), "quarantine": many(quarantine, INVALID), "too_late": many(too_late)}
    return {name: count for name, count in found.items() if count}


def _last(tx: Connection, ident: int, span: tuple[int, int], before: int) -> int:
    """The last number of a stream before its first row that stays. What has no time of its own has its receipt's."""
    after, mark = span

    def first(table: Table, number: ColumnElement[int], *stays: ColumnElement[bool]) -> int:
        query = select(number).where(table.c.stream_id == ident, number > after, *stays)
        return tx.scalar(query.order_by(number).limit(1)) or mark + 1

    kept = (
        first(journal, journal.c.seq, journal.c.at >= before),
        first(too_late, too_late.c.seq, too_late.c.received_at >= before),
        first(quarantine, quarantine.c.seq, INVALID, quarantine.c.received_at >= before),
        first(gap, gap.c.from_seq, or_(gap.c.at >= before, gap.c.received_at >= before)),
    )
    return min(kept) - 1


def readings_go(tx: Connection, day: int, before: int) -> int:
    """The next numbers of a stream that go by the seal of a day; how many."""
    found = seal_stream.c
    query = select(found.stream_id, found.to_seq).join(stream, stream.c.id == found.stream_id)
    query = query.where(found.day == day, stream.c.pruned_to < found.to_seq).order_by(found.stream_id).limit(1)
    row = tx.execute(query).one_or_none()
    if row is None:
        return 0
    ident: int = row.stream_id
    held: int = tx.execute(select(stream.c.pruned_to).where(stream.c.id == ident).with_for_update()).scalar_one()
    upto: int = min(row.to_seq, held + NUMBERS_A_TURN)
    over = select(func.max(gap.c.to_seq)).where(gap.c.stream_id == ident, gap.c.from_seq <= upto)
    upto = max(upto, tx.scalar(over) or 0)
    for table in (journal, too_late, api_scan):
        tx.execute(delete(table).where(table.c.stream_id == ident, table.c.seq > held, table.c.seq <= upto))
    tx.execute(delete(gap).where(gap.c.stream_id == ident, gap.c.to_seq <= upto))
    old = or_(INVALID, quarantine.c.received_at < before)  # a conflict is of no number: it stays for its own time
    tx.execute(delete(quarantine).where(quarantine.c.stream_id == ident, quarantine.c.seq <= upto, old))
    tx.execute(update(stream).where(stream.c.id == ident, stream.c.pruned_to < upto).values(pruned_to=upto))
    return max(upto - held, 1)


def states_over(book: Engine, day: int) -> Iterator[Deletion]:
    """The sealed states in whose place the seal of a day has others, or nothing, in parts."""
    table = sealed_state.c
    query = select(table.step, table.device_id, table.subject, table.state).where(table.day == day)
    with read(book) as tx:
        keys = [((row.step, row.device_id, row.subject), bytes(row.state)) for row in tx.execute(query)]
    before = [_named(*key, day - 1) for key, _ in keys]
    yield from _parts(delete(sealed_state).where(*_key(sealed_state), table.day <= bindparam("of_day")), before)
    empty = [_named(*key, day) for key, state in keys if state == NOTHING]
    yield from _parts(delete(sealed_state).where(*_key(sealed_state), table.day == bindparam("of_day")), empty)


def checkpoints_over(book: Engine, day: int) -> Iterator[Deletion]:
    """The checkpoints of before a day, in parts: no fold begins there any more."""
    table = checkpoint.c
    with read(book) as tx:
        pairs = tx.execute(select(table.step, table.device_id).distinct()).all()
    for step, device_id in pairs:
        query = select(table.subject, func.max(table.day)).where(
            table.step == step, table.device_id == device_id, table.day < day
        )
        with read(book) as tx:
            keys = [_named(step, device_id, *row) for row in tx.execute(query.group_by(table.subject))]
        yield from _parts(delete(checkpoint).where(*_key(checkpoint), table.day <= bindparam("of_day")), keys)


def _named(step: str, device_id: int, subject: str, day: int) -> dict[str, Any]:
    return {"of_step": step, "of_device": device_id, "of_subject": subject, "of_day": day}


def _key(table: Table) -> list[ColumnElement[bool]]:
    names = {"step": "of_step", "device_id": "of_device", "subject": "of_subject"}
    return [table.c[name] == bindparam(parameter) for name, parameter in names.items()]


def _parts(statement: Delete, rows: Sequence[dict[str, Any]]) -> Iterator[Deletion]:
    for low in range(0, len(rows), KEYS_A_TURN):
        yield statement, rows[low : low + KEYS_A_TURN]
