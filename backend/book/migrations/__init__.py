"""The book's schema through time: Alembic revisions that ship with the package and need no alembic.ini.

Each revision and its version mark are one transaction, in SQLite too: killed at any moment, the book is as it was
before or after, and two processes that start together take turns.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from backend.book.db import read


class BookTooNew(Exception):
    """The book was migrated by a newer version of the program than this one."""


def migrate(engine: Engine) -> list[str]:
    """Bring the book up to the newest revision; the revisions applied, oldest first. Raises BookTooNew."""
    applied = pending(engine)
    if applied:
        config = _config()
        config.attributes["engine"] = engine
        command.upgrade(config, "head")
    return applied


def planned(engine: Engine | None) -> list[tuple[str, str]]:
    """What `migrate` would do: each revision with what it is. None: a book that is not there yet. Raises BookTooNew."""
    script = ScriptDirectory.from_config(_config())
    every = [revision.revision for revision in script.walk_revisions()][::-1]
    found: list[tuple[str, str]] = []
    for name in every if engine is None else pending(engine):
        doc = script.get_revision(name).doc
        found.append((name, doc.partition(": ")[2] or doc))
    return found


def pending(engine: Engine) -> list[str]:
    """The revisions that the book does not have yet, oldest first. Raises BookTooNew."""
    script = ScriptDirectory.from_config(_config())
    known = [revision.revision for revision in script.walk_revisions()][::-1]
    with read(engine) as tx:
        current = MigrationContext.configure(tx).get_current_revision()
    if current is None:
        return known
    if current not in known:
        msg = f"book: revision {known[-1]} or older expected, found {current}: install the program that wrote it"
        raise BookTooNew(msg)
    return known[known.index(current) + 1 :]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
