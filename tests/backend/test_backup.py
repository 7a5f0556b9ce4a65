"""Backup and restore: one moment of a busy book, vouched for file by file, put back whole or not at all."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from backend import cli
from backend.book.db import open_engine, read
from backend.config import Backend, Book, Config
from backend.ingest import Ingest
from backend.keeping import archive, running
from backend.keeping.archive import BadBackup, Manifest
from backend.keeping.backup import backup
from backend.keeping.postgres import NoProgram
from backend.keeping.restore import Refusal, Restored, restore
from backend.verify import verify
from models.reading import Signal, from_micros
from models.wire import encode
from tests.backend.books import batch
from tests.backend.busy import EPOCH, Busy, counted, quiet


@pytest.fixture
def config(tmp_path: Path, template: Path) -> Config:
    """A state_dir with a book of the example site and a model."""
    (tmp_path / "state" / "models" / "dock").mkdir(parents=True)
    shutil.copy(template, tmp_path / "state" / "book.db")
    (tmp_path / "state" / "models" / "dock" / "mine.json").write_text("{}")
    return Config(Backend(state_dir=str(tmp_path / "state")))


@pytest.fixture
def busy(config: Config) -> Iterator[Busy]:
    busy = Busy(config)
    yield busy
    busy.end()


def elsewhere(config: Config) -> Config:
    return msgspec.structs.replace(config, backend=Backend(state_dir=f"{config.backend.state_dir}-2"))


@pytest.mark.parametrize("name", [None, "mine", "one.tar"])
def test_a_backup_of_a_busy_book_is_one_moment_of_it(config: Config, busy: Busy, tmp_path: Path, name: str) -> None:
    while busy.committed < 200:
        time.sleep(0.01)
    path, manifest = backup(config, tmp_path / name if name else None, quiet)
    at_least = busy.committed
    assert path.parent == (tmp_path if name else config.state_dir / "backups")
    assert not [*path.parent.glob(".*")], "nothing half done is left"
    busy.end()
    assert 200 <= manifest.readings <= at_least + 50
    assert {mark.mark for mark in manifest.marks} == {manifest.readings}
    other = elsewhere(config)
    done = restore(other, path, quiet)
    assert counted(other) == (manifest.readings, manifest.readings)
    assert all(finding.ok for finding in done.findings)
    assert (other.state_dir / "models" / "dock" / "mine.json").read_text() == "{}"
    assert not done.aside
    assert [again for _, again in done.sent_again()] == [None]


def test_a_backup_that_is_stopped_leaves_nothing(config: Config, tmp_path: Path) -> None:
    for stop_at in ("book", "checksums"):

        def stop(what: str, _done: int, _total: int, at: str = stop_at) -> None:
            if what == at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            backup(config, tmp_path / "there", stop)
        assert [file.name for file in tmp_path.iterdir() if file.name != "state"] == []


def test_a_target_that_is_there_and_a_book_that_is_not(config: Config, tmp_path: Path) -> None:
    (tmp_path / "one.tar").touch()
    with pytest.raises(FileExistsError):
        backup(config, tmp_path / "one.tar", quiet)
    with pytest.raises(OSError, match="there is no book"):
        backup(elsewhere(config), tmp_path / "other", quiet)


def cut(folder: Path) -> None:
    (folder / "book.db").write_bytes((folder / "book.db").read_bytes()[:-4096])


def flip(folder: Path) -> None:
    with (folder / "book.db").open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))


def lose_model(folder: Path) -> None:
    (folder / "models" / "dock" / "mine.json").unlink()


def add(folder: Path) -> None:
    (folder / "book.db-wal").write_bytes(b"another book's")


def unsay(folder: Path) -> None:
    (folder / archive.MANIFEST).unlink()


def forge(folder: Path) -> None:
    """The book is another one, and the checksum was made to fit."""
    with sqlite3.connect(folder / "book.db") as book:
        book.execute("UPDATE stream SET mark = mark + 1")
    book.close()
    manifest = archive.read_manifest(folder)
    archive.write_manifest(folder, msgspec.structs.replace(manifest, files=archive.sealed(folder, quiet)))


@pytest.mark.parametrize("damage", [cut, flip, lose_model, add, unsay, forge])
def test_a_damaged_backup_is_refused_and_the_book_stays(
    config: Config, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    book = open_engine("sqlite", config.state_dir / "book.db")
    Ingest(book, lambda: time.time_ns() // 1000).take(
        [batch(EPOCH, 1, [encode(Signal("crane-2", from_micros(time.time_ns() // 1000), "load", 1.0, "kg"))])]
    )
    book.dispose()
    path, _ = backup(config, tmp_path / "there", quiet)
    damage(path)
    before = counted(config)
    with pytest.raises(BadBackup):
        restore(config, path, quiet, force=True)
    assert counted(config) == before
    assert not [*config.state_dir.glob("*.replaced-*")]


def test_the_book_that_is_there_is_replaced_only_if_asked_and_never_under_a_running_backend(
    config: Config, busy: Busy, tmp_path: Path
) -> None:
    while busy.committed < 100:
        time.sleep(0.01)
    path, manifest = backup(config, tmp_path / "there", quiet)
    while busy.committed < manifest.readings + 100:
        time.sleep(0.01)
    with pytest.raises(Refusal, match="--force"):
        restore(config, path, quiet)
    with pytest.raises(running.InUse, match="has it open"):
        restore(config, path, quiet, force=True)
    busy.end()
    with running.held(config.state_dir), pytest.raises(running.InUse, match="a backend runs"):
        restore(config, path, quiet, force=True)
    with (
        running.alone(config.state_dir),
        pytest.raises(running.InUse, match="being replaced"),
        running.held(config.state_dir),
    ):
        """Nobody starts on it meanwhile."""
    (config.state_dir / "telemetry.db").write_bytes(b"of the book that is replaced")
    done = restore(config, path, quiet, force=True)
    assert counted(config) == (manifest.readings, manifest.readings)
    ((mark, again),) = done.sent_again()
    assert (mark.mark, again) == (manifest.readings, busy.committed - manifest.readings)
    assert {file.name.partition(".replaced")[0] for file in done.aside} == {"book.db", "telemetry.db", "models"}
    assert not (config.state_dir / "telemetry.db").exists()


STOPPED_RESTORE = """
import os, shutil, sys
from pathlib import Path
from backend.config import Backend, Config
from backend.keeping import archive, restore
left = 0

def dying(function):
    def die(*given, **named):
        global left
        left -= 1
        if not left:
            os._exit(9)
        return function(*given, **named)
    return die

for name in ("replace", "rename", "unlink"):
    setattr(Path, name, dying(getattr(Path, name)))
restore.os.fsync = dying(os.fsync)
for left in range(1, 30):
    folder = f"{sys.argv[1]}-{left}"
    shutil.copytree(sys.argv[1], folder)
    if not (child := os.fork()):
        restore.restore(Config(Backend(state_dir=folder)), Path(sys.argv[2]), lambda *_: None, force=True)
        os._exit(0)
    if not os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        break
"""


def test_a_restore_that_dies_anywhere_can_be_done_again(config: Config, tmp_path: Path) -> None:
    path, manifest = backup(config, tmp_path / "there", quiet)
    subprocess.run([sys.executable, "-c", STOPPED_RESTORE, str(config.state_dir), str(path)], check=True)
    folders = [*tmp_path.glob("state-*")]
    assert 4 < len(folders) < 29
    for folder in folders:
        mine = Config(Backend(state_dir=str(folder)))
        books = [*folder.glob("book.db"), *folder.glob("book.db.replaced-*Z")]
        assert books, "neither the old book nor the new one is there"
        again: Restored = restore(mine, path, quiet, force=True)
        assert all(finding.ok for finding in again.findings)
        assert counted(mine)[0] == manifest.readings


def test_a_book_on_postgresql(config: Config, postgres_book_url: str, tmp_path: Path) -> None:
    there = msgspec.structs.replace(config, book=Book(url=postgres_book_url))
    busy = Busy(there)
    try:
        while busy.committed < 100:
            time.sleep(0.01)
        path, manifest = backup(there, tmp_path / "dump.tar", quiet)
    finally:
        busy.end()
    before = counted(there)
    assert before[0] >= manifest.readings
    with pytest.raises(Refusal):
        restore(there, path, quiet)
    held = open_engine(postgres_book_url, tmp_path)
    with read(held), pytest.raises(running.InUse):
        restore(there, path, quiet, force=True)
    held.dispose()
    assert counted(there) == before
    done = restore(there, path, quiet, force=True)
    assert counted(there) == (manifest.readings, manifest.readings)
    assert all(finding.ok for finding in done.findings)
    book = open_engine(postgres_book_url, tmp_path)
    assert all(finding.ok for finding in verify(book))
    busy = Busy(there, manifest.readings)
    while busy.committed < manifest.readings + 50:
        time.sleep(0.01)
    busy.end()
    assert counted(there)[0] > manifest.readings, "it goes on, numbers that sequences give out too"
    book.dispose()


def stockyard(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def test_the_commands_say_what_they_did_and_how_it_ended(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "backend.toml"
    file.write_text(f'[backend]\nstate_dir = "{config.state_dir}"\n')
    made = stockyard("backup", "-c", str(file), "--to", str(tmp_path / "a.tar"), "--json")
    assert made.exit_code == 0, made.stderr
    assert "book: 100 %" in made.stderr
    manifest = msgspec.convert(json.loads(made.stdout)["manifest"], Manifest)
    assert manifest.revision.startswith("r0")
    assert stockyard("restore", "-c", str(file), str(tmp_path / "a.tar")).exit_code == 3
    assert stockyard("restore", "-c", str(file), str(tmp_path / "none")).exit_code == 4
    done = stockyard("restore", "-c", str(file), str(tmp_path / "a.tar"), "--force")
    assert done.exit_code == 0, done.stderr
    assert "invariants hold" in done.stdout
    assert "moved aside" in done.stdout
    (tmp_path / "a.tar").write_bytes(b"no tar")
    assert stockyard("restore", "-c", str(file), str(tmp_path / "a.tar"), "--force").exit_code == 5


def test_a_book_on_postgresql_stays_where_the_new_one_cannot_be_loaded(
    config: Config, postgres_book_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = msgspec.structs.replace(config, book=Book(url=postgres_book_url))
    busy = Busy(there)
    try:
        while busy.committed < 100:
            time.sleep(0.01)
        path, _ = backup(there, tmp_path / "dump.tar", quiet)
    finally:
        busy.end()
    before = counted(there)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoProgram, match="pg_restore is not installed"):
        restore(there, path, quiet, force=True)
    assert counted(there) == before
    book = open_engine(postgres_book_url, tmp_path)
    assert all(finding.ok for finding in verify(book))
    book.dispose()
