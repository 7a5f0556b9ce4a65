"""`stockyard backup`: the book of a running backend as it is at one moment, with the models, hashed and complete.

Nobody waits for it: SQLite copies pages under a read transaction of its own, so that writers go on and the copy is of
one moment however long it takes; PostgreSQL dumps a snapshot. What comes later is still in the gateways' outboxes.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, func, select, text

from backend.book.db import open_engine, read
from backend.book.schema import gateway, ledger_head, stream
from backend.config import Config
from backend.keeping import archive, postgres
from backend.keeping.archive import BadBackup, Manifest, Mark, Tell
from models.reading import Time

PAGES = 4096
SQLITE, POSTGRES = "book.db", "book.pgdump"
MODELS = "models"
LAST = "last-backup.json"


class NoBook(OSError):
    """There is nothing to back up."""


def backup(config: Config, to: Path | None, tell: Tell) -> tuple[Path, Manifest]:
    """Make a backup; where it is, and what it holds. A folder, or a tar if `to` ends in .tar.

    Raises OSError, BadBackup if the copy is not whole, SQLAlchemy's errors where the book is away. However it ends,
    nothing half done is left under a name that looks whole.
    """
    now = datetime.now(UTC)
    target = _target(config, to, now)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        manifest = _write(config, part, now, tell)
        if target.suffix == ".tar":
            archive.pack(part, target)
        else:
            part.rename(target)
            archive.sync_folder(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    note = config.state_dir / f".{LAST}.partial"
    note.write_bytes(msgspec.json.encode(Last(str(target.absolute()), now)))
    note.replace(config.state_dir / LAST)
    return target, manifest


class Last(msgspec.Struct, frozen=True):
    """The last backup that was made, wherever it was put."""

    path: str
    made_at: Time


def last_backup(config: Config) -> Last | None:
    """The last one; None if there was none that is known of."""
    try:
        return msgspec.json.decode((config.state_dir / LAST).read_bytes(), type=Last)
    except (OSError, msgspec.MsgspecError):
        return None


def folder_of(config: Config) -> Path:
    """Where backups are if nobody says otherwise."""
    return config.state_dir / "backups"


def _target(config: Config, to: Path | None, now: datetime) -> Path:
    name = f"stockyard-{now:%Y%m%dT%H%M%SZ}"
    if to is None:
        return folder_of(config) / name
    target = to / name if to.is_dir() else to
    if target.exists():
        msg = f"{target}: is there already"
        raise FileExistsError(msg)
    return target


def _write(config: Config, part: Path, now: datetime, tell: Tell) -> Manifest:
    is_file = config.book.url == "sqlite"
    book = _copy_sqlite(config, part, tell) if is_file else _dump_postgres(config, part, tell)
    models = config.state_dir / MODELS
    if models.is_dir():
        shutil.copytree(models, part / MODELS)
    manifest = msgspec.structs.replace(book, made_at=now, files=archive.sealed(part, tell))
    archive.write_manifest(part, manifest)
    return manifest


def _copy_sqlite(config: Config, part: Path, tell: Tell) -> Manifest:
    source, target = config.state_dir / SQLITE, part / SQLITE
    if not source.exists():
        msg = f"{source}: there is no book"
        raise NoBook(msg)
    with closing(sqlite3.connect(source, timeout=60)) as held, closing(sqlite3.connect(target)) as copy:
        held.execute("BEGIN")
        held.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # from here on it sees one state
        held.backup(copy, pages=PAGES, progress=lambda _s, left, of: tell("book", of - left, of), sleep=0)
        held.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode=DELETE")
        said = copy.execute("PRAGMA quick_check(3)").fetchall()
    if said != [("ok",)]:
        msg = f"the copy is damaged, so the book is: {'; '.join(row[0] for row in said)}: stockyard verify"
        raise BadBackup(msg)
    _sync(target)
    engine = open_engine("sqlite", target)
    try:
        with read(engine) as tx:
            found = facts(tx, SQLITE)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, whoever reads it
    return found


def _dump_postgres(config: Config, part: Path, tell: Tell) -> Manifest:
    engine: Engine = open_engine(config.book.url, part)
    try:
        with read(engine) as tx:
            tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            found = facts(tx, POSTGRES)
            snapshot = tx.scalar(text("SELECT pg_export_snapshot()"))
            tell("book", 0, 1)
            postgres.dump(config.book.url, str(snapshot), part / POSTGRES)
            tell("book", 1, 1)
    finally:
        engine.dispose()
    _sync(part / POSTGRES)
    return found


def facts(tx: Connection, file: str) -> Manifest:
    """What a manifest says of a book that is kept as `file`, but for its files."""
    head = tx.execute(select(ledger_head.c.n, ledger_head.c.hash).where(ledger_head.c.ledger == "stock")).first()
    marks = select(gateway.c.name, stream.c.epoch, stream.c.mark).join(gateway, gateway.c.id == stream.c.gateway_id)
    return Manifest(
        format=archive.FORMAT,
        made_at=datetime.now(UTC),
        version=version("stockyard"),
        book="sqlite" if file == SQLITE else "postgresql",
        file=file,
        revision=str(tx.scalar(text("SELECT version_num FROM alembic_version"))),
        readings=int(tx.scalar(select(func.sum(stream.c.mark))) or 0),
        ledger=0 if head is None else head.n,
        ledger_hash="" if head is None else bytes(head.hash).hex(),
        marks=[Mark(*row) for row in tx.execute(marks.order_by(gateway.c.name, stream.c.id))],
        files=[],
    )


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
