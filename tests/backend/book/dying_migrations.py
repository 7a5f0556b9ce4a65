"""Migrates a book again and again, each time killed one statement later, and looks at what is left.

Run as a program of its own, because it forks; it prints what it found as JSON.
"""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Boolean, Engine, Float, Integer, LargeBinary, MetaData, event, inspect, text
from sqlalchemy.types import TypeEngine

from backend.book import db, migrations
from backend.book.db import open_engine, read, write
from tests import engines

STEPS = ("dock", "scan", "hours", "motion")
DIED = 9
db.create_engine = engines.create_engine  # type: ignore[attr-defined]


def upgrade(engine: Engine, to: str) -> None:
    config = migrations._config()
    config.attributes["engine"] = engine
    command.upgrade(config, to)


def fill(engine: Engine) -> None:
    """A row for each step in every table that is empty, of values that every revision can read."""
    meta = MetaData()
    meta.reflect(engine)
    with write(engine) as tx:
        for table in meta.sorted_tables:
            if tx.execute(table.select().limit(1)).first() is not None:
                continue
            for k in range(len(STEPS)):
                row = {column.name: _value(column.name, column.type, k) for column in table.columns}
                tx.execute(table.insert().values({name: value for name, value in row.items() if value is not None}))


def _value(name: str, kind: TypeEngine[Any], k: int) -> Any:  # noqa: PLR0911 - a table
    if name in {"gateway_id", "n", "id"} and isinstance(kind, Integer):
        return k + 1
    if name == "kind" and k == 0:
        return "devices"
    if name == "step":
        return STEPS[k]
    if name == "state":
        return b"\x80" if isinstance(kind, LargeBinary) else f"open{k}"
    if isinstance(kind, Boolean):
        return bool(k % 2)
    if isinstance(kind, Integer):
        return 86_400_000_000 * (k + 1) if name in {"at", "since", "until", "last_at"} else k + 1
    if isinstance(kind, Float):
        return 0.5
    if isinstance(kind, LargeBinary):
        return b'{"tracker": {"asset": "crane-1"}}'
    if name in {"evidence", "reasons"}:
        return "[]"
    limit = getattr(kind, "length", None) or 40
    return f"{name}-{k}"[:limit] if limit > 8 else f"v{k}"


def everything(engine: Engine) -> dict[str, Any]:
    """Tables with columns and indexes, and every row."""
    looked = inspect(engine)
    found: dict[str, Any] = {}
    with read(engine) as tx:
        for table in sorted(looked.get_table_names()):
            columns = [(c["name"], str(c["type"]), c["nullable"]) for c in looked.get_columns(table)]
            indexes = sorted((i["name"], i["column_names"]) for i in looked.get_indexes(table))
            rows = sorted(repr(tuple(map(_plain, row))) for row in tx.execute(text(f'SELECT * FROM "{table}"')))  # noqa: S608
            found[table] = [columns, indexes, rows]
    return found


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def dying(engine: Engine, at: int) -> None:
    """This process ends at that statement: before it is sent, before its commit, or after it."""
    left = at

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            os._exit(DIED)

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "after_cursor_execute", count)
    event.listen(engine, "commit", count)


def to_the_end(engine: Engine) -> dict[str, Any]:
    """What is there when it is migrated as at the start of a process, and once more."""
    migrations.migrate(engine)
    migrations.migrate(engine)
    return everything(engine)


class Books:
    """Copies of a book: files, or databases of a server."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.number = 0

    def copy(self, of: str | None) -> str:
        self.number += 1
        if "://" not in self.where:
            target = str(Path(self.where) / f"{self.number}.db")
            if of is not None:
                with closing(sqlite3.connect(of)) as source:
                    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                shutil.copy(of, target)
            return target
        import psycopg  # noqa: PLC0415 - only for PostgreSQL

        template = "template1" if of is None else of.rpartition("/")[2]
        name = f"dying_{self.number}"
        with psycopg.connect(f"{self.where}/postgres", autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"{self.where}/{name}"

    def drop(self, book: str) -> None:
        if "://" not in book:
            for file in Path(self.where).glob(f"{Path(book).name}*"):
                file.unlink()
            return
        import psycopg  # noqa: PLC0415 - likewise

        with psycopg.connect(f"{self.where}/postgres", autocommit=True) as server:
            server.execute(f"DROP DATABASE {book.rpartition('/')[2]} WITH (FORCE)")


def on(book: str, work: Callable[[Engine], Any]) -> Any:
    engine = open_engine(book, Path()) if "://" in book else open_engine("sqlite", Path(book))
    if "://" not in book:  # processes are killed here, not the machine
        event.listen(engine, "connect", lambda connection, _entry: connection.execute("PRAGMA synchronous=OFF"))
    try:
        return work(engine)
    finally:
        engine.dispose()


def main(where: str, every: int) -> None:
    books = Books(where)
    revisions = [name for name, _ in migrations.planned(None)]
    before = books.copy(None)
    kills: dict[str, int] = {}
    wrong: list[str] = []
    for revision in revisions:
        after = books.copy(before)
        on(after, lambda engine, to=revision: upgrade(engine, to))
        was, becomes = on(before, everything), on(after, everything)
        finished = on(again := books.copy(after), to_the_end)
        books.drop(again)
        at, ended = 1, False
        while not ended:
            book = books.copy(before)
            child = os.fork()
            if not child:

                def work(engine: Engine, at: int = at, to: str = revision) -> None:
                    dying(engine, at)
                    upgrade(engine, to)

                on(book, work)
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            ended = status == 0
            left = on(book, everything)
            if left not in (was, becomes) or status not in {0, DIED}:
                wrong.append(f"{revision}, killed at {at}: neither before nor after ({status})")
            if at % (7 * every) == 1 and on(book, to_the_end) != finished:
                wrong.append(f"{revision}, killed at {at}: migrated again to another book")
            books.drop(book)
            kills[revision] = kills.get(revision, 0) + (not ended)
            at += every
        on(after, fill)
        before = after
    print(json.dumps({"kills": kills, "wrong": wrong}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
