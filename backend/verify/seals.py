"""What was sealed stands: the seals follow each other, their digests are those of what they are over."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Row, select

from backend.apply import STEP_OF_NAME, STEPS
from backend.book import sealed
from backend.book.schema import (
    checkpoint,
    crossing,
    presence,
    run,
    scan_act,
    seal,
    seal_step,
    seal_stream,
    sealed_state,
    stream,
    travel,
)
from backend.keeping.prune import Prefix, told_of
from backend.keeping.sealed_days import digest_of
from backend.keeping.sealed_states import rows_digest, rows_span, states_digest
from backend.step import DAY_US
from backend.verify.folds import Seen

BEGINS = {
    crossing: crossing.c.first_at,
    scan_act: scan_act.c.at,
    run: run.c.begin_at,
    travel: travel.c.begin_at,
    presence: presence.c.closed_at,
}
"""When what a derived row tells of began: what is older than the seal may rest on readings that are gone."""


class Named(NamedTuple):
    """A reading that a derived row rests on."""

    device_id: int
    begin: int
    """When what the row tells of began."""
    content: str
    """The content hash, in hexadecimal."""


def seals_stand(seen: Seen) -> tuple[str, list[str]]:
    """Every seal follows from the one before, and its derived rows are as they were; the last one's states too."""
    seals = seen.tx.execute(select(seal).where(seal.c.sealed_at.is_not(None)).order_by(seal.c.day)).all()
    wrong: list[str] = []
    before: int | None = None
    for row in seals:
        name = f"seal of {sealed.date_of(row.day)}"
        if row.digest is None or bytes(row.digest) != digest_of(seen.tx, row.day):
            wrong.append(f"{name}: its digest does not follow from what it says and the seal before")
        wrong += [f"{name}: {problem}" for problem in _steps(seen, row.day, before, is_last=row is seals[-1])]
        before = row.day
    if seals:
        wrong += _checkpoints(seen, seals[-1].day)
    known = {row.day for row in seals}
    wrong += [f"a closed day {day} behind a seal" for day in _closed(seen) if known and day < max(known)]
    return f"{len(seals)} seals", wrong


def _closed(seen: Seen) -> list[int]:
    return [*seen.tx.scalars(select(seal.c.day).where(seal.c.sealed_at.is_(None)))]


def _steps(seen: Seen, day: int, before: int | None, *, is_last: bool) -> list[str]:
    rows = seen.tx.execute(select(seal_step).where(seal_step.c.day == day)).all()
    wrong = [f"nothing of step {name}" for name in sorted(STEP_OF_NAME.keys() - {row.step for row in rows})]
    for row in rows:
        step = STEP_OF_NAME[row.step]
        found = rows_digest(seen.tx, step.table, json.loads(row.row_columns), rows_span(day, before))
        if (found.count, found.digest) != (row.row_count, bytes(row.rows_digest)):
            wrong.append(f"{row.step}: other rows than were sealed")
        kept = states_digest(seen.tx, step, day) if is_last else None
        if kept is not None and (kept.count, kept.digest) != (row.states, bytes(row.states_digest)):
            wrong.append(f"{row.step}: other states than were sealed")
    return wrong


def _checkpoints(seen: Seen, day: int) -> list[str]:
    """A checkpoint of the day of the seal says what the seal says; of a key that waits for the deriver too."""
    wrong: list[str] = []
    for step in STEPS:
        table = checkpoint.c
        query = select(table.device_id, table.subject, table.state).where(table.step == step.name, table.day == day)
        held: dict[int, dict[str, bytes]] = {}
        for device_id, subject, state in seen.tx.execute(query):
            if device_id not in held:
                held[device_id] = seen.sealed(step, device_id)
            if held[device_id].get(subject, sealed.NOTHING) != bytes(state):
                wrong.append(f"{step.name} {subject}: its checkpoint of that day is another state")
    return wrong


def readings_gone(seen: Seen) -> tuple[str, list[str]]:
    """What is pruned of a stream a seal has named, its counts add up, and what it named and is still there is that."""
    wrong: list[str] = []
    last: dict[int, int] = {}
    rows = seen.tx.execute(select(seal_stream).order_by(seal_stream.c.day, seal_stream.c.stream_id)).all()
    pruned = {row.id: row.pruned_to for row in seen.tx.execute(select(stream.c.id, stream.c.pruned_to))}
    done = {*seen.tx.scalars(select(seal.c.day).where(seal.c.pruned_at.is_not(None)))}
    begun = {*seen.tx.scalars(select(seal.c.day).where(seal.c.pruning_at.is_not(None)))}
    for row in rows:
        name = f"stream {row.stream_id}, {row.from_seq} to {row.to_seq}"
        if row.from_seq != last.get(row.stream_id, 0) + 1:
            wrong.append(f"{name}: {last.get(row.stream_id, 0) + 1} on expected")
        if sum(json.loads(row.counts).values()) != row.to_seq - row.from_seq + 1:
            wrong.append(f"{name}: {row.counts} does not add up")
        upto = pruned.get(row.stream_id, 0)
        if (row.day in done and upto < row.to_seq) or (row.day not in begun and upto >= row.from_seq):
            wrong.append(f"{name}: the stream is pruned up to {upto}")
        if upto < row.from_seq and not _is_as_named(seen, row):
            wrong.append(f"{name}: other readings than were sealed")
        last[row.stream_id] = row.to_seq
    over = [(ident, to) for ident, to in pruned.items() if to > last.get(ident, 0)]
    wrong += [f"stream {ident}: pruned up to {to}, sealed up to {last.get(ident, 0)}" for ident, to in over]
    return f"{sum(pruned.values())} numbers pruned", wrong


def _is_as_named(seen: Seen, row: Row[Any]) -> bool:
    found = told_of(seen.tx, Prefix(row.stream_id, row.from_seq, row.to_seq))
    return (found.row["counts"], found.digest) == (row.counts, bytes(row.digest))


def is_sealed(seen: Seen, named: Named) -> bool:
    """Whether a reading that a row names may have gone.

    What the row tells of began before the seal, or a state that was sealed names the reading.
    """
    if seen.first_day is None or sealed.gone_before(seen.tx) == sealed.EVER:
        return False
    if named.begin < seen.first_day * DAY_US:
        return True
    states = seen.tx.scalars(select(sealed_state.c.state).where(sealed_state.c.device_id == named.device_id))
    content = (named.content.encode(), bytes.fromhex(named.content))
    return any(each in bytes(state) for state in states for each in content)
