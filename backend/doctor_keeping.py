"""The doctor on what keeps a book: how old its last backup is, and who runs which part of the backend."""

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from backend.book import schema
from backend.check import Check
from backend.config import Config
from backend.keeping import running
from backend.keeping.backup import last_backup
from models.reading import from_micros

LOST_US = 30_000_000
"""So long after its end a lease that nobody took up is somebody's trouble."""


def backups(config: Config, tx: Connection) -> Check:
    """A backup was made within `backup_days`, or the book itself is no older."""
    days = config.backend.backup_days
    if not days:
        return Check("backup", ok=True, detail="backend.backup_days = 0: none is asked for")
    step = f"stockyard backup -c backend.toml, by a timer at least every {days} days"
    oldest = datetime.now(UTC) - timedelta(days=days)
    last = last_backup(config)
    if last is not None:
        detail = f"the last of {last.made_at:%F %T} UTC, {last.path}"
        if last.made_at < oldest:
            return Check("backup", ok=False, detail=f"{detail}: older than {days} days", next_step=step)
        if not Path(last.path).exists():
            return Check("backup", ok=True, detail=f"{detail}, which was moved elsewhere")
        return Check("backup", ok=True, detail=detail)
    begun = tx.scalar(select(func.min(schema.register_entry.c.recorded_at)))
    if begun is None or from_micros(begun) > oldest:
        return Check("backup", ok=True, detail="none yet; stockyard backup -c backend.toml makes one")
    detail = f"none, and the book is used since {from_micros(begun):%F}"
    return Check("backup", ok=False, detail=detail, next_step=step)


def parts(config: Config, tx: Connection) -> Check:
    """Who runs what. Nothing is wrong where no backend runs at all: that is somebody's will."""
    held, lost = (_of_files if tx.dialect.name == "sqlite" else _of_book)(config, tx)
    if lost and held:
        step = "start `stockyard serve` for it, or look at the log of who ran it"
        return Check("parts", ok=False, detail=f"nobody runs {', '.join(lost)}", next_step=step)
    return Check("parts", ok=True, detail="; ".join(held) or "no backend runs")


def _of_files(config: Config, _tx: Connection) -> tuple[list[str], list[str]]:
    files = sorted((config.state_dir / "leases").glob("*"))
    if not _is_running(config):
        return [], []
    held = [file.name for file in files if _is_locked(file)]
    return [f"held: {', '.join(held)}"] if held else ["the API alone"], [f.name for f in files if f.name not in held]


def _of_book(_config: Config, tx: Connection) -> tuple[list[str], list[str]]:
    now = tx.scalar(text("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint")) or 0
    table = schema.lease.c
    rows = tx.execute(select(table.name, table.worker, table.until).order_by(table.name)).all()
    wanted = [row for row in rows if not row.name.startswith("worker/")]
    ended = [f"{r.name} (until {from_micros(r.until):%F %T} UTC)" for r in wanted if r.until < now - LOST_US]
    return [f"{r.name} by {r.worker}" for r in wanted if r.until >= now], ended


def _is_running(config: Config) -> bool:
    try:
        with running.alone(config.state_dir):
            return False
    except running.InUse:
        return True


def _is_locked(file: Path) -> bool:
    with file.open("ab") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
