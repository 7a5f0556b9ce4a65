"""The projector on the bench's site: readings per second of its own CPU, everything rolled up at the end.

The peer does the least that there is to do with the same journal, by sqlite3 alone: read each row, decode it, insert
its figures. It has neither rollups nor counts, and what comes late or twice is wrong in it.
"""

import itertools
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from backend import projector
from backend.book import journal, schema
from backend.book.db import open_engine, write
from backend.projector import Projector
from backend.telemetry import sql
from backend.telemetry.measured import KINDS, measured
from models import wire
from models.reading import micros
from tests.bench.mixed_world import GATEWAYS, Gateway

READINGS = 300_000
AT_LEAST = 10_000
BEGIN = 1_795_424_400_000_000
SECOND = 1_000_000


def fill(book: Engine, count: int) -> None:
    """Commit the first readings of all gateways to the journal, as ingest does."""
    schema.metadata.create_all(book)
    gateways = [Gateway(number, BEGIN, 1) for number in range(GATEWAYS)]
    messages = [(each, each.messages()) for each in gateways]
    known: dict[tuple[int, str], int] = {}
    for each, told in itertools.islice(itertools.cycle(messages), count // 500):
        with write(book) as tx:
            held = journal.lock_stream(tx, each.name, each.epoch)
            rows: list[journal.Arrival] = []
            for _, payload in itertools.islice(told, 10):
                batch, _ = wire.decode_batch(payload)
                for seq, text in enumerate(map(bytes, batch.readings), batch.seq):
                    said = wire.decode(text)
                    device = journal.device_id(tx, held.gateway_id, said.device, known)
                    content, at = wire.content_hash(said), micros(said.at)
                    rows.append(journal.Arrival(held.id, seq, device, each.name, said, content, at, at, text))
            journal.add(tx, rows)
            journal.raise_mark(tx, held, held.mark + len(rows))


def bare(book: Path, file: Path) -> float:
    """CPU seconds of the peer."""
    begin = time.process_time()
    source, target = sqlite3.connect(book), sqlite3.connect(file, isolation_level=None)
    target.execute("PRAGMA journal_mode=WAL")
    target.execute("PRAGMA synchronous=NORMAL")
    target.execute(
        "CREATE TABLE p(device, name, at, content, value, PRIMARY KEY(device, name, at, content)) WITHOUT ROWID"
    )
    rows = source.execute("SELECT kind, device_id, at, content, body FROM journal")
    while some := rows.fetchmany(5000):
        values = [
            (device, name, at, content, value)
            for kind, device, at, content, body in some
            if kind in KINDS
            for told, columns in (measured(body),)
            for (name, _), value in zip(columns.series, told, strict=True)
        ]
        target.execute("BEGIN")
        target.executemany("INSERT OR IGNORE INTO p VALUES (?, ?, ?, ?, ?)", values)
        target.execute("COMMIT")
    source.close()
    target.close()
    return time.process_time() - begin


@pytest.mark.timeout(600)
def test_the_projector_keeps_up(tmp_path: Path, measure: Any) -> None:
    book = open_engine("sqlite", tmp_path / "book.db")
    fill(book, READINGS)
    store = sql.on_file(tmp_path / "telemetry.db")
    now = BEGIN + 30 * SECOND
    begin = time.process_time()
    work = Projector(book, store, lambda: now + int((time.process_time() - begin) * SECOND))
    followed = 0
    while rows := work.step():
        followed += rows
    live = time.process_time() - begin
    now += projector.DAY_US
    while store.stale(1, projector.EVER):
        work.step()
    whole = time.process_time() - begin
    assert (followed, work.lag()) == (READINGS, 0)
    peer = bare(tmp_path / "book.db", tmp_path / "bare.db")
    store.close()
    book.dispose()
    row = {"group": "ingest", "unit": "readings per CPU-second", "peer": "sqlite3, bare points"}
    row |= {"peer_value": READINGS / peer}
    measure(row | {"check": "projector, as it follows", "value": READINGS / live}, ok=True)
    facts = {"check": "projector, everything rolled up", "value": READINGS / whole, "bound": f">= {AT_LEAST}"}
    measure(row | facts, ok=READINGS / whole >= AT_LEAST)
