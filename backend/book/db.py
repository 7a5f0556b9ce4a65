"""The book's engine and its two kinds of transaction: `write` (one at a time, durable at commit) and `read`.

SQLite: WAL, synchronous=FULL, BEGIN IMMEDIATE for a writer, so that it waits for its turn instead of failing halfway.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

WRITER = "stockyard_writer"


def open_engine(url: str, file: Path) -> Engine:
    """The engine of `url`: "sqlite" is the given file, anything else a SQLAlchemy URL."""
    if url != "sqlite":
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 60, "check_same_thread": False}, pool_size=20)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITER) else "BEGIN")


@contextmanager
def write(engine: Engine) -> Generator[Connection]:
    """A transaction that changes the book; committed at the end, rolled back by any exception."""
    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        yield connection


@contextmanager
def read(engine: Engine) -> Generator[Connection]:
    """A transaction that sees one state of the book and changes nothing."""
    with engine.connect() as connection, connection.begin():
        yield connection
