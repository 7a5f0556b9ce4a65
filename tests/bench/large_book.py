"""A book as ten million readings over ten days leave it: made once, and kept in build/large-book.

    python -m tests.bench.large_book [READINGS]

A tenth is ingested. The days before it are made of it by large_book_days: the same cartons under other numbers. Whoever
ends this early, also by kill -9, goes on where it was: a note after each piece says how every gateway stands, and what
the note does not know of yet is sent again and drops out at the marks, as at any time. Nothing is synced to disk.
"""

import os
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from backend.app import clock
from backend.book.db import open_engine, read
from backend.book.migrations import migrate
from backend.deriver import Deriver
from backend.ingest import Ingest, Message
from backend.planner import Planner
from backend.telemetry import source
from models import wire
from tests.bench import large_book_days
from tests.bench.mixed_world import GATEWAYS, MESSAGE, Gateway, declare

READINGS = int(os.environ.get("STOCKYARD_START_READINGS", "10000000"))
KEPT = Path(__file__).parents[2] / "build" / "large-book"
DAYS = 10
PIECE, GROUPS = 25, 20
"""Messages of each gateway in a transaction, and transactions between two notes: 20,000 and 400,000 readings."""
WORLD_PER_S = 10_000
"""Readings of a second of the world: it begins so long ago that nothing is of the future."""
QUIET_US = 60_000_000
Line = tuple[Gateway, Iterator[tuple[int, bytes]]]


def make(folder: Path, readings: int = READINGS) -> Path:
    """The folder of the book with about so many readings, made or finished where there is none."""
    made = folder / f"{readings}.made"
    if made.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    book = _quick(folder / "book.db")
    migrate(book)
    if count(book) <= readings // DAYS:
        _ingest(book, folder / "gateways", readings // DAYS)
    large_book_days.add(book, readings)
    _settle(book, QUIET_US)
    book.dispose()
    made.touch()
    return folder


def count(book: Engine) -> int:
    """How many readings a book has, by its marks."""
    with read(book) as tx:
        return sum(mark for _, mark in source.marks(tx).values())


def _quick(file: Path) -> Engine:
    book = open_engine("sqlite", file)

    def configure(connection: Any, _entry: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")

    event.listen(book, "connect", configure)
    return book


def _ingest(book: Engine, note: Path, readings: int) -> None:
    lines = _lines(note, readings)
    if not count(book):
        declare(book, lines[0][0].begin)
    began, before = time.monotonic(), count(book)
    while (done := sum(gateway.sent for gateway, _ in lines)) < readings:
        ingest = Ingest(book, clock)
        for _ in range(min(GROUPS, -(-(readings - done) // (PIECE * MESSAGE * GATEWAYS)))):
            ingest.take([_next(each) for each in lines for _ in range(PIECE)])
        _settle(book, 0)
        note.with_suffix(".new").write_bytes(pickle.dumps([gateway for gateway, _ in lines]))
        note.with_suffix(".new").replace(note)
        now = count(book)
        print(f"{now:,} readings ingested, {(now - before) / (time.monotonic() - began):,.0f}/s", flush=True)
    _settle(book, QUIET_US)


def _lines(note: Path, readings: int) -> list[Line]:
    """Every gateway and the rest of what it says, from where the note has it."""
    if note.exists():
        gateways: list[Gateway] = pickle.loads(note.read_bytes())  # noqa: S301 - written here
    else:
        begin = clock() - (readings // WORLD_PER_S + 60) * 1_000_000
        gateways = [Gateway(number, begin, 1) for number in range(GATEWAYS)]
        note.write_bytes(pickle.dumps(gateways))
    return [(each, each.messages()) for each in gateways]


def _next(line: Line) -> Message:
    gateway, messages = line
    return Message(wire.topic(gateway.name, "readings"), next(messages)[1])


def _settle(book: Engine, later: int) -> None:
    """What runs beside ingest has nothing left to do, microseconds later."""
    deriver, planner = Deriver(book, lambda: clock() + later), Planner(book, clock)
    while deriver.step() or planner.step():
        pass


if __name__ == "__main__":
    make(KEPT, int(sys.argv[1]) if sys.argv[1:] else READINGS)
