"""What came in: the file, the numbers of every stream, the readings as they came."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, func, outerjoin, select

from backend.book.journal import DAY_US, ENVELOPES_KEPT_A_DAY, kind_of, short
from backend.book.schema import api_scan, device, gap, journal, quarantine, refused_count, stream, too_late
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
    """Every seq in 1..mark is pruned, or in exactly one of journal, gap, quarantine (conflicts apart).

    Of the journal in one of its two parts: what counts, and what came too late for the seal.
    """
    tx = seen.tx
    streams = tx.execute(select(stream)).all()
    named = {found for table in (journal, too_late, gap) for found in tx.scalars(select(table.c.stream_id).distinct())}
    wrong = [f"stream {found}: rows of a stream that is not there" for found in named - {row.id for row in streams}]
    for row in streams:
        spans = [(row.from_seq, row.to_seq) for row in _gaps(tx, row.id)]
        spans += [(seq, seq) for seq in _numbers(tx, quarantine, row.id, quarantine.c.sort == "invalid")]
        spans += _runs(_numbers(tx, journal, row.id))
        spans += _runs(_numbers(tx, too_late, row.id))
        expected = row.pruned_to + 1
        for low, high in sorted(spans):
            if low != expected:
                how = "missing" if low > expected else "there twice"
                wrong.append(f"stream {row.id}: seq {min(low, expected)} is {how}")
                break
            expected = high + 1
        else:
            if expected != row.mark + 1:
                wrong.append(f"stream {row.id}: mark {row.mark}, rows end at {expected - 1}")
    return f"{sum(row.mark for row in streams)} readings", wrong


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
    names: dict[int, str] = {row.id: row.name for row in tx.execute(select(device.c.id, device.c.name))}
    wrong: list[str] = []
    count = 0
    for row in (row for table in (journal, too_late) for row in tx.execute(select(table)).yield_per(PAGE)):
        count += 1
        try:
            reading = wire.decode(row.body)
            said = (kind_of(reading), reading.device, micros(reading.at), short(wire.content_hash(reading)))
        except BadReading:
            said = None
        if said != (row.kind, names.get(row.device_id), row.at, row.content):
            wrong.append(f"stream {row.stream_id} seq {row.seq}: the row differs from its reading")
    return f"{count} readings", wrong


def scans_journalled(seen: Seen) -> tuple[str, list[str]]:
    """Every scan that a program put under an id of its own is in the journal, with that content."""
    joined = outerjoin(
        api_scan, journal, (journal.c.stream_id == api_scan.c.stream_id) & (journal.c.seq == api_scan.c.seq)
    )
    rows = seen.tx.execute(
        select(api_scan.c.id, api_scan.c.content, journal.c.content.label("kept")).select_from(joined)
    )
    found = [(row.id, short(row.content) == row.kept) for row in rows]
    return f"{len(found)} scans", [f"scan {ident}: not in the journal as it was put" for ident, ok in found if not ok]


def refusals_counted(seen: Seen) -> tuple[str, list[str]]:
    """At most ten unreadable messages of a gateway and day are kept, and all of them counted."""
    tx = seen.tx
    day = quarantine.c.received_at // DAY_US
    envelopes = select(quarantine.c.gateway, day, func.count()).where(quarantine.c.sort == "envelope")
    counts = select(refused_count.c.gateway, refused_count.c.day, refused_count.c.count).where(
        refused_count.c.sort == "envelope"
    )
    counted: dict[tuple[str, int], int] = {(name, on): times for name, on, times in tx.execute(counts)}
    wrong = [
        f"{name or 'no gateway'}: {rows} unreadable messages of a day kept, {counted.get((name, on), 0)} counted"
        for name, on, rows in tx.execute(envelopes.group_by(quarantine.c.gateway, day))
        if rows > min(ENVELOPES_KEPT_A_DAY, counted.get((name, on), 0))
    ]
    return f"{sum(counted.values())} refused", wrong
