"""A book on PostgreSQL, dumped, loaded and set aside: the book's own tables and no others, as of one snapshot."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, make_url, text

from backend.book.schema import metadata

TABLES = (*sorted(metadata.tables), "alembic_version")
ENDED_S = 0.2


class NoProgram(OSError):
    """pg_dump or pg_restore is not installed, or it failed; the message has what it said."""


def dump(url: str, snapshot: str, target: Path) -> None:
    """Write the book's tables as of a snapshot that another transaction exports. Raises NoProgram."""
    only = [f"--table=public.{table}" for table in TABLES]
    command = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}", *only]
    _run("pg_dump", command, url)


def load(url: str, source: Path) -> None:
    """Make the tables of a dump, in one transaction; they must not be there. Raises NoProgram."""
    _run("pg_restore", ["--no-owner", "--exit-on-error", "--single-transaction", str(source)], url)


def set_aside(tx: Connection) -> str | None:
    """Move the tables to a schema of their own, so that a dump's can be made; its name, None if there is no table."""
    there = [table for table in TABLES if inspect(tx).has_table(table, schema="public")]
    if not there:
        return None
    name = f"replaced_{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"
    tx.execute(text(f"CREATE SCHEMA {name}"))
    for table in there:
        tx.execute(text(f"ALTER TABLE public.{table} SET SCHEMA {name}"))
    return name


def put_back(tx: Connection, name: str) -> None:
    """Undo `set_aside`, where nothing was loaded."""
    for table in inspect(tx).get_table_names(schema=name):
        tx.execute(text(f"ALTER TABLE {name}.{table} SET SCHEMA public"))
    tx.execute(text(f"DROP SCHEMA {name}"))


def _run(program: str, arguments: list[str], url: str) -> None:
    found = shutil.which(program)
    if found is None:
        msg = f"{program} is not installed: install PostgreSQL's client programs"
        raise NoProgram(msg)
    parts = make_url(url)
    password = {} if parts.password is None else {"PGPASSWORD": str(parts.password)}
    plain = parts.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    process = subprocess.Popen(  # noqa: S603 - no shell, and the password is not among the arguments
        [found, f"--dbname={plain}", *arguments],
        env=os.environ | password,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = process.communicate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.returncode:
        msg = f"{program}: {said.strip()[:1000]}"
        raise NoProgram(msg)
