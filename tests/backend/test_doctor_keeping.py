"""The doctor on backups and on who runs what, on both kinds of book."""

import fcntl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, insert, text, update

from backend import doctor_keeping
from backend.book import schema
from backend.book.db import open_engine, read, write
from backend.check import Check
from backend.config import Backend, Config
from backend.keeping import running
from backend.keeping.backup import LAST, backup, last_backup
from models.reading import from_micros


@pytest.fixture
def config(tmp_path: Path, template: Path) -> Config:
    (tmp_path / "book.db").write_bytes(template.read_bytes())
    return Config(Backend(state_dir=str(tmp_path)))


@pytest.fixture
def book(config: Config) -> Iterator[Engine]:
    book = open_engine("sqlite", config.state_dir / "book.db")
    with write(book) as tx:
        tx.execute(update(schema.register_entry).values(recorded_at=time.time_ns() // 1000))
    yield book
    book.dispose()


def backups(config: Config, book: Engine) -> Check:
    with read(book) as tx:
        return doctor_keeping.backups(config, tx)


def parts(config: Config, book: Engine) -> Check:
    with read(book) as tx:
        return doctor_keeping.parts(config, tx)


def test_a_book_is_backed_up_in_time(config: Config, book: Engine, tmp_path: Path) -> None:
    assert backups(config, book).ok, "it is new"
    with write(book) as tx:
        tx.execute(update(schema.register_entry).values(recorded_at=time.time_ns() // 1000 - 8 * 86_400_000_000))
    assert not backups(config, book).ok
    assert backups(msgspec.structs.replace(config, backend=Backend(state_dir=str(tmp_path), backup_days=0)), book).ok
    path, _ = backup(config, tmp_path / "elsewhere.tar", lambda *_: None)
    assert str(path) in backups(config, book).detail
    assert backups(config, book).ok
    path.unlink()
    assert "moved elsewhere" in backups(config, book).detail
    last = last_backup(config)
    assert last is not None
    old = msgspec.structs.replace(last, made_at=last.made_at - timedelta(days=8))
    (tmp_path / LAST).write_bytes(msgspec.json.encode(old))
    check = backups(config, book)
    assert "older than 7 days" in check.detail
    assert check.next_step.startswith("stockyard backup")
    (tmp_path / LAST).write_bytes(b"{")
    assert not backups(config, book).ok


def test_a_part_that_nobody_runs_beside_a_backend_that_runs(config: Config, book: Engine) -> None:
    assert parts(config, book) == Check("parts", ok=True, detail="no backend runs")
    (config.state_dir / "leases").mkdir()
    planner = config.state_dir / "leases" / "planner"
    planner.touch()
    assert parts(config, book).ok
    with running.held(config.state_dir):
        check = parts(config, book)
        assert (check.ok, check.detail) == (False, "nobody runs planner")
        with planner.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert parts(config, book) == Check("parts", ok=True, detail="held: planner")


def test_leases_of_a_book_on_postgresql(config: Config, postgres_book_url: str) -> None:
    book = open_engine(postgres_book_url, Path())
    assert parts(config, book).detail == "no backend runs"
    with write(book) as tx:
        now = tx.scalar(text("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint")) or 0
        leases = {"gateway/dock-a": now + 60_000_000, "part/planner": now - 60_000_000, "worker/x": 0}
        rows = [{"name": n, "worker": "host-1", "generation": 1, "until": u} for n, u in leases.items()]
        tx.execute(insert(schema.lease), rows)
    check = parts(config, book)
    assert check.detail == f"nobody runs part/planner (until {from_micros(now - 60_000_000):%F %T} UTC)"
    assert not check.ok
    with write(book) as tx:
        tx.execute(update(schema.lease).values(until=now + 60_000_000))
    assert parts(config, book).detail == "gateway/dock-a by host-1; part/planner by host-1"
    book.dispose()
