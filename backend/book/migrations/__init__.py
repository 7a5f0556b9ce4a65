"""The book's schema through time: Alembic revisions that ship with the package and need no alembic.ini.

Each revision and its version mark are one transaction, in SQLite too: killed at any moment, the book is as it was
before or after, and two processes that start together take turns. Alembic is imported where there is something to do:
a process that finds its book up to date is smaller by 8 MB.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from backend.book.db import read

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent


class BookTooNew(Exception):
    """The book was migrated by a newer version of the program than this one."""


def migrate(engine: Engine) -> list[str]:
    """Bring the book up to the newest revision; the revisions applied, oldest first. Raises BookTooNew."""
    applied = pending(engine)
    if applied:
        from alembic import command  # noqa: PLC0415 - see above

        config = _config()
        config.attributes["engine"] = engine
        command.upgrade(config, "head")
    return applied


def planned(engine: Engine | None) -> list[tuple[str, str]]:
    """What `migrate` would do: each revision with what it is. None: a book that is not there yet. Raises BookTooNew."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    script = ScriptDirectory.from_config(_config())
    found: list[tuple[str, str]] = []
    for name in known() if engine is None else pending(engine):
        doc = script.get_revision(name).doc
        found.append((name, doc.partition(": ")[2] or doc))
    return found


def pending(engine: Engine) -> list[str]:
    """The revisions that the book does not have yet, oldest first. Raises BookTooNew."""
    every = known()
    with read(engine) as tx:
        has_any = inspect(tx).has_table("alembic_version")
        current = tx.scalar(text("SELECT version_num FROM alembic_version")) if has_any else None
    if current is None:
        return every
    if current not in every:
        msg = f"book: revision {every[-1]} or older expected, found {current}: install the program that wrote it"
        raise BookTooNew(msg)
    return every[every.index(current) + 1 :]


def known() -> list[str]:
    """All revisions, oldest first, by the names of their files."""
    return sorted(file.stem.partition("_")[0] for file in (HERE / "versions").glob("r*.py"))


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    return config
