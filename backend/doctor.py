"""`stockyard doctor`: each thing the backend needs, tried once, and what to do where it fails. It changes nothing."""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DatabaseError

from backend import doctor_broker, doctor_keeping, doctor_mail, projector
from backend.book import migrations, schema
from backend.book.db import open_engine, read
from backend.check import Check
from backend.config import Config, ConfigError
from backend.contacts import devices
from backend.telemetry import open_store
from backend.telemetry.store import Store, StoreAway
from models.reading import from_micros

OLDEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK_SLACK_US = 5_000_000
LEAST_FREE_MB = 1024
MOST_BEHIND = 50_000
ASK_S = 3.0


def checks(config: Config) -> Iterator[Check]:
    """Every check, in the order in which a person would mend things."""
    yield _state_dir(config)
    yield _room(config)
    book = _existing_book(config)
    if book is None:
        yield _clock(OLDEST_CLOCK)
        yield Check("book", ok=False, detail="there is none yet", next_step="stockyard migrate -c backend.toml")
    else:
        try:
            yield from _of_book(config, book)
        finally:
            book.dispose()
    yield doctor_broker.broker(config.mqtt, ASK_S)
    yield from doctor_broker.certificates(config.mqtt, ASK_S)
    yield from doctor_mail.server(config.mail)
    yield _listen(config)


def _of_book(config: Config, book: Engine) -> Iterator[Check]:
    try:
        found = _book(book)
        yield found
        if not found.ok:
            return
        with read(book) as tx:
            last = tx.scalar(select(func.max(schema.gateway.c.last_seen))) or 0
            seen = devices(tx, time.time_ns() // 1000)
            kept = [doctor_keeping.backups(config, tx), doctor_keeping.parts(config, tx)]
            kept.append(doctor_mail.waiting(config.mail, tx, time.time_ns() // 1000))
    except DatabaseError as error:
        step = "look at the disk and the server; if the file is damaged, restore a backup"
        yield Check("book", ok=False, detail=str(error.orig), next_step=step)
        return
    yield _clock(max(OLDEST_CLOCK, from_micros(max(0, last - CLOCK_SLACK_US))))
    yield _telemetry(config, book)
    yield from kept
    for each in seen:
        yield Check(f"device {each.name}", ok=each.ok, detail=each.detail, next_step="" if each.ok else each.next_step)
    if not seen:
        yield Check("devices", ok=False, detail="none declared", next_step="stockyard apply SITE.toml -c backend.toml")


def _clock(not_before: datetime) -> Check:
    """The clock runs, and is not behind what the book has heard already."""
    now = datetime.now(UTC)
    if now < not_before:
        detail = f"{now:%F %T} UTC, before {not_before:%F %T}"
        return Check("clock", ok=False, detail=detail, next_step="set it: run an NTP client")
    return Check("clock", ok=True, detail=f"{now:%F %T} UTC")


def _state_dir(config: Config) -> Check:
    folder = config.state_dir
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"stockyard")
            os.fsync(file.fileno())
    except OSError as error:
        step = f"create {folder} and give it to the user that runs the backend"
        return Check("state_dir", ok=False, detail=str(error), next_step=step)
    return Check("state_dir", ok=True, detail=f"{folder} can be written")


def _room(config: Config) -> Check:
    there = next(folder for folder in (config.state_dir, *config.state_dir.absolute().parents) if folder.exists())
    free_mb = shutil.disk_usage(there).free // 2**20
    detail = f"{free_mb} MiB free"
    if free_mb < LEAST_FREE_MB:
        return Check("disk", ok=False, detail=detail, next_step=f"make room: at least {LEAST_FREE_MB} MiB expected")
    return Check("disk", ok=True, detail=detail)


def _existing_book(config: Config) -> Engine | None:
    file = config.state_dir / "book.db"
    return open_engine(config.book.url, file) if config.book.url != "sqlite" or file.exists() else None


def _book(book: Engine) -> Check:
    """It opens, is of this version, and SQLite finds its pages whole."""
    try:
        pending = migrations.pending(book)
    except migrations.BookTooNew as error:
        return Check("book", ok=False, detail=str(error), next_step="install the newer program")
    if pending:
        detail = f"to be migrated: {', '.join(pending)}"
        return Check("book", ok=False, detail=detail, next_step="stockyard migrate -c backend.toml")
    with read(book) as tx:
        broken = _damage(tx)
        readings = tx.scalar(select(func.sum(schema.stream.c.mark - schema.stream.c.pruned_to))) or 0
    if broken:
        return Check("book", ok=False, detail=broken, next_step="stop the backend and restore a backup")
    return Check("book", ok=True, detail=f"{readings} readings, tables up to date; `stockyard verify` checks them")


def _damage(tx: Connection) -> str:
    if tx.dialect.name != "sqlite":
        return ""
    said = [row[0] for row in tx.execute(text("PRAGMA quick_check(3)"))]
    return "" if said == ["ok"] else "; ".join(said)


def _telemetry(config: Config, book: Engine) -> Check:
    is_file = config.telemetry.url == "sql" and config.book.url == "sqlite"
    if is_file and not (config.state_dir / "telemetry.db").exists():
        return Check("telemetry", ok=True, detail="none yet; `stockyard serve` makes it")
    try:
        store = open_store(config)
        behind = projector.lag(book, store)
        trouble = _trouble(store)
        store.close()
    except (ConfigError, StoreAway, DatabaseError) as error:
        step = "start it, or correct telemetry.url and token_file"
        if is_file:
            step = "stop the backend and remove telemetry.db: it is made anew from the book"
        return Check("telemetry", ok=False, detail=str(error), next_step=step)
    if trouble:
        step = "stop what else writes there, or allow more series; then drop the database: it is made anew"
        return Check("telemetry", ok=False, detail=trouble, next_step=step)
    if behind > MOST_BEHIND:
        step = "it catches up while `stockyard serve` runs; if not, its log says why"
        return Check("telemetry", ok=False, detail=f"{behind} rows behind the book", next_step=step)
    return Check("telemetry", ok=True, detail=f"{behind} rows behind the book")


def _trouble(store: Store) -> str:
    """What a store has to say of itself."""
    told = getattr(store, "trouble", None)
    return "" if told is None else str(told())


def _listen(config: Config) -> Check:
    """The address is ours: free, or a backend answers there."""
    where = config.backend.listen
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal():
        return Check("listen", ok=False, detail=f"{where}: HOST:PORT expected", next_step="correct backend.listen")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            taken = error
        else:
            return Check("listen", ok=True, detail=f"{where} is free")
    if _serves(host, int(port)):
        return Check("listen", ok=True, detail=f"{where} is served by a running backend")
    step = "stop the other program, or choose another backend.listen"
    return Check("listen", ok=False, detail=f"{where}: {taken.strerror}", next_step=step)


def _serves(host: str, port: int) -> bool:
    connection = HTTPConnection(host.strip("[]"), port, timeout=ASK_S)
    try:
        connection.request("GET", "/health")
        return b"committed_at" in connection.getresponse().read(4096)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
