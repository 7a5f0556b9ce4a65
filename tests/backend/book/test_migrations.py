"""Alembic on the book: what the revisions make is exactly what backend.book.schema says, all of it or nothing."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from backend.book import migrations, schema
from backend.book.db import open_engine, read, write


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine("sqlite", tmp_path / "100% book.db")
    yield engine
    engine.dispose()


def made(engine: Engine) -> dict[str, str]:
    with read(engine) as tx:
        rows = tx.execute(
            text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        )
        return {name: sql for name, sql in rows if not name.startswith("sqlite_")}


def test_an_upgraded_book_is_the_schema(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert migrations.migrate(engine)[0] == "r0001"
    assert migrations.migrate(engine) == []
    with read(engine) as tx:
        assert compare_metadata(MigrationContext.configure(tx), schema.metadata) == []
    fresh = open_engine("sqlite", tmp_path / "fresh.db")
    schema.metadata.create_all(fresh)
    assert made(engine) == made(fresh)
    fresh.dispose()


def test_a_revision_is_whole_or_not_there(engine: Engine) -> None:
    with write(engine) as tx:
        tx.execute(text("CREATE TABLE lease (x INTEGER)"))
    with pytest.raises(OperationalError, match="lease already exists"):
        migrations.migrate(engine)
    assert inspect(engine).get_table_names() == ["lease"]
    with write(engine) as tx:
        tx.execute(text("DROP TABLE lease"))
    assert migrations.migrate(engine)[0] == "r0001"


MIGRATE = """
import sys
from pathlib import Path
from backend.book import db, migrations
engine = db.open_engine("sqlite", Path(sys.argv[1]))
migrations.migrate(engine)
assert migrations.pending(engine) == []
"""


def test_two_that_start_together_take_turns(engine: Engine, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, str(tmp_path / "100% book.db")]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(30) for process in both] == [0, 0]
    assert migrations.pending(engine) == []


def test_a_book_of_a_newer_program_is_left_alone(engine: Engine) -> None:
    migrations.migrate(engine)
    with write(engine) as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(migrations.BookTooNew, match="r9999"):
        migrations.migrate(engine)
