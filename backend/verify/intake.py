"""What came in: the file, the numbers of every stream, the readings as they came."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, select

from backend.book.journal import short
from backend.book.schema import gap, journal, quarantine, stream
from backend.verify.folds import Seen
from models import wire
from models.errors import BadReading
from models.reading import micros

PAGE = 5000


def file_integrity(seen: Seen) -> tuple[str, list[str]]:
    """The database file is whole (SQLite; PostgreSQL answers for its own)."""
    tx = seen.tx
    if tx.dialect.name != "sqlite":
        return "not SQLite", []
    answers = [str(row[0]) for row in tx.exec_driver_sql("PRAGMA quick_check(10)")]
    return f"quick_check: {answers[0][:60]}", [] if answers == ["ok"] else answers


def streams_whole(seen: Seen) -> tuple[str, list[str]]:
    """Every seq in 1..mark is pruned, or in exactly one of journal, gap, quarantine (conflicts apart)."""
    tx = seen.tx
    wrong: list[str] = []
    total = 0
    for row in tx.execute(select(stream)).all():
        total += row.mark
        spans = [(row.from_seq, row.to_seq) for row in _gaps(tx, row.id)]
        spans += [(seq, seq) for seq in _numbers(tx, quarantine, row.id, quarantine.c.sort == "invalid")]
        spans += _runs(_numbers(tx, journal, row.id))
        expected = row.pruned_to + 1
        for low, high in sorted(spans):
            if low != expected:
                wrong.append(
                    f"stream {row.id}: seq {min(low, expected)} is {'missing' if low > expected else 'there twice'}"
                )
                break
            expected = high + 1
        else:
            if expected != row.mark + 1:
                wrong.append(f"stream {row.id}: mark {row.mark}, rows end at {expected - 1}")
    return f"{total} readings", wrong


def _gaps(tx: Connection, stream_id: int) -> Any:  # noqa: ANN401 - rows
    return tx.execute(select(gap.c.from_seq, gap.c.to_seq).where(gap.c.stream_id == stream_id)).all()


def _numbers(tx: Connection, table: Table, stream_id: int, *where: Any) -> Iterator[int]:  # noqa: ANN401 - clauses
    query = select(table.c.seq).where(table.c.stream_id == stream_id, *where).order_by(table.c.seq)
    yield from tx.execute(query).scalars().yield_per(PAGE)


def _runs(numbers: Iterator[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def readings_as_said(seen: Seen) -> tuple[str, list[str]]:
    """Every journalled reading decodes, and its columns say what its bytes say."""
    tx = seen.tx
    wrong: list[str] = []
    count = 0
    for row in tx.execute(select(journal)).yield_per(PAGE):
        count += 1
        try:
            reading = wire.decode(row.body)
            same = short(wire.content_hash(reading)) == row.content and micros(reading.at) == row.at
        except BadReading:
            same = False
        if not same:
            wrong.append(f"stream {row.stream_id} seq {row.seq}: the row differs from its reading")
    return f"{count} readings", wrong
