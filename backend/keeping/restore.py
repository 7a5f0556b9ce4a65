"""`stockyard restore`: the book of a backup in the place of the one that is there, or of none.

Nothing is deleted: what is replaced is moved aside. The gateways do the rest: each asks for its marks when it connects
and sends again, from the rows that its outbox keeps after their receipt, what the backup does not have.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from backend.book.db import open_engine, read, write
from backend.book.migrations import migrate
from backend.config import Config, ConfigError
from backend.keeping import archive, postgres
from backend.keeping.archive import BadBackup, Manifest, Mark, Tell
from backend.keeping.backup import MODELS, SQLITE, facts
from backend.keeping.running import InUse, alone
from backend.verify import Finding, verify

TELEMETRY = "telemetry.db"
WAL = ("", "-wal", "-shm")


class Refusal(Exception):
    """The book that is there is not replaced unless that is asked for."""


@dataclass(slots=True)
class Restored:
    """What was done, and what is still to come."""

    manifest: Manifest
    replaced: dict[tuple[str, str], int] | None = None
    """Marks of the book that was there, if one was and could be read."""
    aside: list[Path] = field(default_factory=list[Path])
    schema: str | None = None
    """Where the tables of a replaced book on PostgreSQL are now."""
    migrated: list[str] = field(default_factory=list[str])
    findings: list[Finding] = field(default_factory=list[Finding])

    def sent_again(self) -> Iterator[tuple[Mark, int | None]]:
        """Each stream of backup or replaced book, and how many readings its gateway sends again, where known."""
        restored = {(mark.gateway, mark.epoch): mark.mark for mark in self.manifest.marks}
        replaced = self.replaced or {}
        streams: set[tuple[str, str]] = {*restored, *replaced}
        for gateway, epoch in sorted(streams):
            mark = restored.get((gateway, epoch), 0)
            before = None if self.replaced is None else replaced.get((gateway, epoch), mark)
            yield Mark(gateway, epoch, mark), None if before is None else max(0, before - mark)


def restore(config: Config, path: Path, tell: Tell, *, force: bool = False) -> Restored:
    """Put a backup in place, bring it up to date and verify it.

    Raises BadBackup, Refusal, InUse while a backend runs, ConfigError where the backup is of another kind of book,
    BookTooNew, OSError. Until the new book is whole the old one is as it was.
    """
    if not path.exists():
        msg = f"{path}: there is no backup"
        raise FileNotFoundError(msg)
    with alone(config.state_dir), archive.opened(path, config.state_dir) as folder:
        manifest = archive.read_manifest(folder)
        wanted = "sqlite" if config.book.url == "sqlite" else "postgresql"
        if manifest.book != wanted:
            msg = f"book.url: {manifest.book} expected, the backup is of such a book, got {config.book.url!r}"
            raise ConfigError(msg)
        archive.check(folder, manifest, tell)
        done = Restored(manifest)
        if wanted == "sqlite":
            _file(config, folder, done, force=force)
        else:
            _server(config, folder, done, force=force)
        _models(config, folder, done)
        _finish(config, done, tell)
    return done


def _file(config: Config, folder: Path, done: Restored, *, force: bool) -> None:
    book, new = config.state_dir / SQLITE, config.state_dir / f".{SQLITE}.restoring"
    if book.exists():
        _may_replace(str(book), force=force)
        done.replaced = _marks(open_engine("sqlite", book))
        _nobody_has(book)
    shutil.copyfile(folder / done.manifest.file, new)
    with new.open("r+b") as file:
        os.fsync(file.fileno())
    _is_as_said(new, done.manifest)
    _move_aside(book, done)
    new.replace(book)
    archive.sync_folder(config.state_dir)


def _server(config: Config, folder: Path, done: Restored, *, force: bool) -> None:
    engine = open_engine(config.book.url, config.state_dir)
    try:
        if inspect(engine).has_table("alembic_version"):
            _may_replace("the database", force=force)
            done.replaced = _marks(engine)
        with write(engine) as tx:
            others = tx.scalar(
                text(
                    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND application_name = 'stockyard' AND pid <> pg_backend_pid()"
                )
            )
            if others:
                msg = f"{others} connections of a running backend: stop it first"
                raise InUse(msg)
            done.schema = postgres.set_aside(tx)
        engine.dispose()
        try:
            postgres.load(config.book.url, folder / done.manifest.file)
        except BaseException:
            if done.schema is not None:
                with write(engine) as tx:
                    postgres.put_back(tx, done.schema)
            raise
    finally:
        engine.dispose()


def _may_replace(what: str, *, force: bool) -> None:
    if not force:
        msg = f"{what}: there is a book already; --force replaces it"
        raise Refusal(msg)


def _marks(engine: Engine) -> dict[tuple[str, str], int] | None:
    """Marks of the book that is there; None if it cannot be read, which may be why it is replaced."""
    try:
        with read(engine) as tx:
            return {(mark.gateway, mark.epoch): mark.mark for mark in facts(tx, SQLITE).marks}
    except DatabaseError:
        return None
    finally:
        engine.dispose()


def _nobody_has(book: Path) -> None:
    """Also not a program that does not hold the lock of `running`. Raises InUse."""
    try:
        with closing(sqlite3.connect(book, timeout=1.0)) as held:
            held.execute("PRAGMA journal_mode=DELETE")  # refused while anybody else has it open
    except sqlite3.OperationalError as error:
        msg = f"{book}: {error}: a program has it open; stop it first"
        raise InUse(msg) from error
    except sqlite3.DatabaseError:
        return  # it is damaged: that is why it is replaced


def _is_as_said(file: Path, manifest: Manifest) -> None:
    """The copied book is whole, and is what its manifest says. Raises BadBackup."""
    engine = open_engine("sqlite", file)
    try:
        with read(engine) as tx:
            said = facts(tx, SQLITE)
    except DatabaseError as error:
        msg = f"{manifest.file}: cannot be read: {error.orig}"
        raise BadBackup(msg) from error
    finally:
        engine.dispose()
    for name in ("revision", "readings", "ledger", "ledger_hash", "marks"):
        if getattr(said, name) != getattr(manifest, name):
            msg = f"{manifest.file}: another {name} than the manifest says"
            raise BadBackup(msg)
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")  # one file: it is renamed


def _move_aside(file: Path, done: Restored) -> None:
    """The file and what belongs to it get another name: a log of another book must not be found beside the new one."""
    suffix = f".replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    for end in WAL[::-1]:
        part = file.with_name(file.name + end)
        if part.exists():
            aside = part.with_name(f"{file.name}{suffix}{end}")
            part.rename(aside)
            done.aside.append(aside)


def _models(config: Config, folder: Path, done: Restored) -> None:
    source, target = folder / MODELS, config.state_dir / MODELS
    if not source.is_dir():
        return
    new = target.with_name(f".{MODELS}.restoring")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(source, new)
    if target.exists():
        aside = target.with_name(f"{MODELS}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
        target.rename(aside)
        done.aside.append(aside)
    new.rename(target)


def _finish(config: Config, done: Restored, tell: Tell) -> None:
    """Tables of this version, an empty telemetry store, every invariant checked."""
    if config.telemetry.url == "sql":
        _move_aside(config.state_dir / TELEMETRY, done)
    engine = open_engine(config.book.url, config.state_dir / SQLITE)
    try:
        done.migrated = migrate(engine)
        tell("verify", 0, 1)
        done.findings = verify(engine)
        tell("verify", 1, 1)
    finally:
        engine.dispose()
