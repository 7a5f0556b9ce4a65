"""The book's engine and its two kinds of transaction: `write` (durable at commit) and `read` (one state of the book).

SQLite: WAL, synchronous=FULL, BEGIN IMMEDIATE for a writer, so that it waits for its turn instead of failing halfway.
PostgreSQL: writers are READ COMMITTED and take the locks of backend.book.locks, readers are REPEATABLE READ.
"""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from backend.book import locks
from backend.book.locks import WRITER

T = TypeVar("T")

CONFLICTS = {"40001", "40P01", "55P03"}
"""PostgreSQL's serialization_failure, deadlock_detected and lock_not_available."""
CANCELED = "57014"
READ_ONLY = "25006"
"""PostgreSQL is a standby, or was set so: for a writer it is away, though the driver calls it an internal error."""
CACHE_KB = 8_192
"""SQLite's own of each connection, of which every thread has one; the file is in the system's cache besides.

Twice as much saves neither time nor writes in a book of 11 million readings: its indexes are met at random.
"""
TURNS = 20
SESSION = {
    "statement_timeout": "60s",
    "lock_timeout": "30s",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
HELD_IDLE_S = 8
"""A process that stops within a transaction holds its locks no longer: others take over what it worked on."""


def open_engine(url: str, file: Path) -> Engine:
    """The engine of `url`: "sqlite" is the given file, anything else a PostgreSQL URL."""
    if url != "sqlite":
        return _open_postgres(url)
    file.parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": 60, "check_same_thread": False}
    engine = create_engine(f"sqlite:///{file}", connect_args=arguments, pool_size=20, pool_use_lifo=True)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _open_postgres(url: str) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    arguments = {"application_name": "stockyard", "connect_timeout": 5, "options": options}
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        connect_args=arguments,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
    )


def _configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"cache_size=-{CACHE_KB}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITER) else "BEGIN")


@contextmanager
def write(engine: Engine, *, of_one_moment: bool = False) -> Generator[Connection]:
    """A transaction that changes the book; committed at the end, rolled back by any exception.

    Raises OperationalError while the book is away, also where it can only be read.
    `of_one_moment`: all that it reads is of one state of the book, also where others write beside it; it then fails
    as a conflict if it changes what they changed meanwhile.
    """
    options: dict[str, Any] = {WRITER: True}
    if of_one_moment and engine.dialect.name != "sqlite":
        options["isolation_level"] = "REPEATABLE READ"
    try:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            locks.begin(connection, HELD_IDLE_S)
            yield connection
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == READ_ONLY and error.orig is not None:
            raise OperationalError(error.statement, error.params, error.orig) from error
        raise


@contextmanager
def read(engine: Engine) -> Generator[Connection]:
    """A transaction that sees one state of the book and changes nothing."""
    options: dict[str, Any] = {}
    if engine.dialect.name != "sqlite":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def repeated(work: Callable[[], T]) -> T:
    """What `work` returns; it is run again, at most TURNS times, while other transactions are in its way.

    `work` is a whole transaction. Raises OperationalError while the store is away.
    """
    alone = False
    for _ in range(TURNS):
        try:
            with locks.owning_register() if alone else nullcontext():
                return work()
        except locks.RegisterShared:
            alone = True
        except OperationalError as error:
            if not is_conflict(error):
                raise
    with locks.owning_register():
        return work()


def is_conflict(error: OperationalError) -> bool:
    """Whether only another transaction was in the way: the same again may succeed at once."""
    return isinstance(error, locks.RegisterShared) or getattr(error.orig, "sqlstate", None) in CONFLICTS


def took_too_long(error: OperationalError) -> bool:
    """Whether a statement was ended for its time: the store is there, and what was asked of it is to blame."""
    return getattr(error.orig, "sqlstate", None) == CANCELED


def is_bug(error: Exception) -> bool:
    """Whether it is no store that is away, locked or full."""
    return not isinstance(error, OperationalError) or took_too_long(error)
