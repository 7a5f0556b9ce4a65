"""The telemetry store on SQL: a SQLite file of its own, or a schema in the PostgreSQL of the book.

It can be made anew from the book, so that a commit need not wait for the disk (SQLite: synchronous NORMAL, PostgreSQL:
synchronous_commit off): after a power cut the position is as old as what was lost.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from backend.book import db
from backend.telemetry import schema, sql_last, sql_read, sql_rows, sql_sums, sql_write
from backend.telemetry.fleet_sums import Sum
from backend.telemetry.rows import (
    Last,
    LedgerPosition,
    Point,
    Positions,
    Readings,
    Rolled,
    Rollup,
    Seen,
    Span,
    Spot,
    Stale,
    Step,
    StockRow,
)
from backend.telemetry.store import StoreAway

SCHEMA = "telemetry"
UNDEFINED = ("42P01", "3F000")
"""What PostgreSQL says of a table, of a schema that is not there."""


class NotPrepared(StoreAway):
    """It has no tables, or not all."""


class SqlStore:
    """A `Store` on SQL. Every step is one transaction."""

    def __init__(self, engine: Engine, file: Path | None = None) -> None:
        self._engine = engine
        self._file = file
        self._inode: int | None = None
        self._known = sql_rows.Known()

    def prepare(self) -> None:
        with self._writing() as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            schema.about.create(tx, checkfirst=True)
            if not _is_ours(tx):
                schema.metadata.drop_all(tx)
                schema.metadata.create_all(tx)
                sql_write.begin_life(tx)

    def would_empty(self) -> bool:
        with self._reading() as tx:
            if not inspect(tx).has_table(schema.about.name, schema=schema.about.schema):
                return False
            return tx.execute(select(schema.about.c.version)).first() is not None and not _is_ours(tx)

    def positions(self) -> Positions:
        try:
            with self._reading() as tx:
                return sql_read.positions(tx)
        except NotPrepared:
            return Positions({}, LedgerPosition(0, b""))

    def stale(self, limit: int, before: int) -> list[Stale]:
        with self._reading() as tx:
            return sql_read.stale(tx, limit, before)

    def complete_from(self) -> int | None:
        with self._reading() as tx:
            return tx.scalar(select(schema.about.c.forgotten))

    def write(self, step: Step) -> None:
        with self._writing() as tx:
            sql_write.take_step(tx, self._known, step)

    def write_stock(self, rows: Sequence[StockRow], position: LedgerPosition, *, anew: bool) -> None:
        with self._writing() as tx:
            sql_write.put_stock(tx, rows, position, anew=anew)

    def replace(self, rolled: Sequence[Rolled]) -> None:
        with self._writing() as tx:
            sql_write.put_rolled(tx, self._known, rolled)

    def forget(self, before: int) -> None:
        with self._writing() as tx:
            sql_write.forget(tx, before)

    def clear(self) -> None:
        with self._writing() as tx:
            sql_write.begin_life(tx)

    def close(self) -> None:
        self._engine.dispose()

    def last(self, spans: Sequence[Span], names: Sequence[str]) -> list[Last]:
        with self._reading() as tx:
            return sql_last.last(tx, spans, names)

    def seen(self, spans: Sequence[Span]) -> list[Seen]:
        with self._reading() as tx:
            return sql_last.seen(tx, spans)

    def points(self, names: Sequence[str], devices: Sequence[str] | None, since: int, until: int) -> list[Point]:
        with self._reading() as tx:
            return sql_read.points(tx, names, devices, (since, until))

    def sums(self, signal: tuple[str, str], devices: Sequence[str], window: tuple[int, int]) -> list[Sum]:
        """As `backend.telemetry.fleet_sums.Adds` has it."""
        with self._reading() as tx:
            return sql_sums.sums(tx, signal, devices, window)

    def rolled(self, signal: tuple[str, str, bool], devices: Sequence[str], span: tuple[int, int, int]) -> list[Sum]:
        """As `backend.telemetry.fleet_sums.Adds` has it."""
        with self._reading() as tx:
            return sql_sums.rolled(tx, signal, devices, span)

    def firsts(self, span: Span, names: Sequence[str], width: int) -> dict[tuple[str, str], list[tuple[int, float]]]:
        with self._reading() as tx:
            return sql_read.firsts(tx, span, names, width)

    def track(self, span: Span, limit: int) -> list[Spot]:
        with self._reading() as tx:
            return sql_read.track(tx, span, limit)

    def rollups(
        self, names: Sequence[str] | None, devices: Sequence[str] | None, span: tuple[int, int, int]
    ) -> list[Rollup]:
        with self._reading() as tx:
            return sql_read.rollups(tx, names, devices, span)

    def readings(self, devices: Sequence[str] | None, span: tuple[int, int, int]) -> list[Readings]:
        with self._reading() as tx:
            return sql_read.readings(tx, devices, span)

    def digest(self) -> str:
        with self._reading() as tx:
            return sql_read.digest(tx)

    def _reopen(self) -> None:
        """Let go of a file that was removed or that another took the place of: an open one goes on without a name."""
        try:
            inode = None if self._file is None else self._file.stat().st_ino
        except FileNotFoundError:
            inode = None
        if inode != self._inode:
            self._engine.dispose()
            self._known.forget()
            self._inode = inode

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        self._reopen()
        with _told(), db.read(self._engine) as tx:
            yield tx

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        self._reopen()
        try:
            with _told(), db.write(self._engine) as tx:
                yield tx
        except BaseException:
            self._known.forget()
            raise


@contextmanager
def _told() -> Generator[None]:
    """What says that the database is not there, or cannot go on for now, as StoreAway."""
    try:
        yield
    except DBAPIError as error:
        said = f"telemetry: {error.orig}"
        if "no such table" in said or getattr(error.orig, "sqlstate", None) in UNDEFINED:
            raise NotPrepared(said) from error
        if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
            raise StoreAway(said) from error
        raise


def _is_ours(tx: Connection) -> bool:
    columns = {each["name"] for each in inspect(tx).get_columns(schema.about.name)}
    return "life" in columns and set(tx.scalars(select(schema.about.c.version))) == {schema.VERSION}


def on_file(file: Path) -> SqlStore:
    """The store in a SQLite file."""
    engine = db.open_engine("sqlite", file)
    event.listen(engine, "connect", _relax)
    return SqlStore(engine, file)


def _relax(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def on_postgres(url: str) -> SqlStore:
    """The store in schema `telemetry` of a PostgreSQL database."""
    session = db.SESSION | {"search_path": SCHEMA, "synchronous_commit": "off", "statement_timeout": "10min"}
    said = " ".join(f"-c {name}={value}" for name, value in session.items())
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    arguments = {"application_name": "stockyard telemetry", "connect_timeout": 5, "options": said}
    return SqlStore(create_engine(address, connect_args=arguments, pool_pre_ping=True))
