"""How Alembic runs a revision on the book: on our own engine, as a writer, one transaction per revision.

Programs that start together take turns, each with all revisions: by a lock of the session on PostgreSQL, where a
revision may take its time, and by one of the kernel on a file beside a SQLite book.
"""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from alembic import context
from sqlalchemy import Engine

from backend.book.locks import MIGRATIONS, WRITER
from backend.book.schema import metadata


@contextmanager
def turn(engine: Engine) -> Generator[None]:
    """Nobody else migrates this book meanwhile."""
    if engine.dialect.name == "sqlite":
        with Path(f"{engine.url.database}.migrating").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({MIGRATIONS})")
        try:
            yield
        finally:
            connection.invalidate()  # with its session go the lock and the setting


def run() -> None:
    """Upgrade the engine that `migrate` passed on."""
    engine = context.config.attributes["engine"]
    assert isinstance(engine, Engine)  # noqa: S101 - only `migrate` runs this
    with turn(engine), engine.connect().execution_options(**{WRITER: True}) as connection:
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.commit()
        context.configure(
            connection=connection, target_metadata=metadata, transactional_ddl=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql("RESET statement_timeout")
            connection.commit()


run()
