"""What sealing and pruning a book costs and gives: pages that are free again, and for how long a writer waits for it.

`STOCKYARD_PRUNED=2000000` takes so many readings; else 200,000.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, event

from backend.book.locks import WRITER
from backend.book.migrations import migrate
from backend.book.schema import stream
from backend.keeping.sealed_days import Sealer
from backend.verify import verify
from models.reading import Fix, Tag, from_micros
from tests.backend.books import DAY, SECOND, Clock, Yard, fill, open_quick
from tests.backend.stories import MIDNIGHT

READINGS = int(os.environ.get("STOCKYARD_PRUNED", "200000"))
DAYS, KEPT, BATCH = 120, 30, 500
WAITED_S = 0.25


def sizes(yard: Yard, file: Path) -> tuple[float, float]:
    """MB of the file, and of its pages that hold something."""
    with yard.book.connect() as book:
        book.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, size = (
            book.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
    return file.stat().st_size / 1e6, (pages - free) * size / 1e6


def grown(file: Path) -> Yard:
    """A hundred and twenty days of a truck's fixes and of cartons at a door."""
    yard = Yard(open_quick(file), Clock(MIDNIGHT))
    migrate(yard.book)
    fill(yard.book)
    every = DAYS * DAY // READINGS
    for low in range(0, READINGS, BATCH):
        times = [MIDNIGHT + (low + k) * every for k in range(BATCH)]
        yard.clock.now = times[-1]
        yard.send([_reading(k, at) for k, at in enumerate(times)], "A" * 12)
    yard.settle(DAY)
    return yard


def _reading(k: int, at: int) -> Fix | Tag:
    if k % 20:
        return Fix(
            "imei:356307042441013", from_micros(at), 51.06 + k * 1e-5, 3.73, speed_mps=3.0, satellites=9, valid=True
        )
    return Tag(
        "door-1", from_micros(at), f"30{at // (300 * SECOND) % 10_000:022x}", 1 + k // 2 % 4, rssi_dbm=-55.0, count=3
    )


@pytest.mark.timeout(3600)
def test_a_book_that_is_pruned(tmp_path: Path, measure: Any) -> None:
    yard = grown(tmp_path / "book.db")
    before = sizes(yard, tmp_path / "book.db")
    held: list[float] = []
    began: list[float] = []

    def begins(_: Connection) -> None:
        began.append(time.monotonic())

    def commits(tx: Connection) -> None:
        if tx.get_execution_options().get(WRITER):
            held.append(time.monotonic() - began[-1])

    event.listen(yard.book, "begin", begins)
    event.listen(yard.book, "commit", commits)
    yard.clock.now = MIDNIGHT + DAYS * DAY
    start = time.monotonic()
    assert Sealer(yard.book, yard.clock, KEPT).all(Event()) > 0
    took, turns = time.monotonic() - start, len(held)
    gone = yard.rows(stream)[0]["pruned_to"]
    after = sizes(yard, tmp_path / "book.db")
    with closing(sqlite3.connect(tmp_path / "book.db", isolation_level=None)) as book:
        book.execute("VACUUM")
    vacuumed = sizes(yard, tmp_path / "book.db")
    assert all(each.ok for each in verify(yard.book))
    print(
        f"\n{READINGS:,} readings, {gone:,} of them gone in {took:.1f} s and {turns} transactions; "
        f"file {before[0]:.1f} MB, in use {before[1]:.1f}; then {after[0]:.1f}, in use {after[1]:.1f}; "
        f"after VACUUM {vacuumed[0]:.1f}"
    )
    row = {"group": "ingest", "check": "book in use after three quarters of its readings went", "unit": "of before"}
    measure(row | {"value": after[1] / before[1], "bound": "<= 0.6"}, ok=after[1] <= 0.6 * before[1])
    row = {"group": "ingest", "check": "longest transaction of sealing and pruning", "unit": "s"}
    measure(row | {"value": max(held), "bound": f"<= {WAITED_S}"}, ok=max(held) <= WAITED_S)
    yard.book.dispose()
