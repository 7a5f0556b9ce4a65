"""The outbox's SQLite file: rows, one line per epoch, the quota. One writer, one reader, one process.

Rows stay after their receipt until the quota needs the room (contract.md section 1, "Kept rows"). The quota is kept
by evicting before a commit, never by running into a full database.
"""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock

from models.draining import EpochLine
from models.wire import MAX_BATCH_BYTES

PAGE_BYTES, WAL_BYTES = 4096, 8 * 2**20
LINE_KEPT_S = 400 * 86400
ROW_BYTES = 48
EVICT_ROWS = 64
SLACK_PAGES = 32
MAX_SLACK_PAGES = 2560
log = logging.getLogger(__name__)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SCHEMA = """
CREATE TABLE IF NOT EXISTS epochs(
  epoch TEXT NOT NULL UNIQUE, next_seq INTEGER NOT NULL, mark INTEGER NOT NULL, highest_receipted INTEGER NOT NULL,
  opened INTEGER NOT NULL, emptied INTEGER);
CREATE TABLE IF NOT EXISTS readings(
  epoch TEXT NOT NULL, seq INTEGER NOT NULL, text BLOB NOT NULL, PRIMARY KEY(epoch, seq));
"""


class OutboxInUse(Exception):
    """Another process has this outbox."""


def new_epoch() -> str:
    """12 characters of Crockford base32: 60 bits, all from the operating system's random source."""
    bits = int.from_bytes(os.urandom(8)) >> 4
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 60, 5))


class OutboxFile:
    """All methods but `lines` and `rows` are the writer thread's own."""

    def __init__(self, path: Path, quota_mb: int) -> None:
        if quota_mb < 1:
            msg = f"outbox_quota_mb: at least 1 expected, got {quota_mb}"
            raise ValueError(msg)
        self._path = path
        self._max_pages = quota_mb * 2**20 // PAGE_BYTES
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_fd = _locked(path)
        self._reading = Lock()
        self._epoch = ""
        try:
            self._begin()
        except BaseException:
            os.close(self._lock_fd)
            raise

    def _begin(self) -> None:
        try:
            self._open_both()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            self._put_aside(error)
            self._open_both()

    def _open_both(self) -> None:
        self._writer = self._open()
        self._reader = self._open()
        self._writer.executescript(SCHEMA)
        with _transaction(self._writer) as run:
            long_ago = time.time_ns() // 1000 - LINE_KEPT_S * 1_000_000
            run.execute("DELETE FROM epochs WHERE emptied < ?", (long_ago,))

    def _put_aside(self, error: sqlite3.Error) -> None:
        """Keep a damaged file for whoever can read it, and begin a new one: live readings go on."""
        aside = f"{self._path}.damaged-{time.time_ns() // 10**9}"
        log.error("outbox: %s is damaged (%s); it is kept as %s and a new one begun", self._path, error, aside)
        self._path.rename(aside)
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").rename(f"{aside}{suffix}")
        self._epoch = ""

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            for setting in (
                f"page_size = {PAGE_BYTES}",
                "journal_mode = WAL",
                "synchronous = FULL",
                f"journal_size_limit = {WAL_BYTES}",
                f"max_page_count = {self._max_pages}",
            ):
                connection.execute(f"PRAGMA {setting}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Give the file back."""
        self._reader.close()
        self._writer.close()
        os.close(self._lock_fd)

    def reopen(self, after: Exception) -> None:
        """Begin again after an error of the disk: nothing of a failed transaction may linger."""
        with self._reading:
            self._writer.close()
            self._reader.close()
            if isinstance(after, sqlite3.Error) and is_damage(after) and self._path.exists():
                self._put_aside(after)
            self._begin()

    def append(self, texts: list[bytes], marks: Mapping[str, tuple[int, int]], *, fresh: bool) -> tuple[str, int]:
        """Commit texts and marks durably, in a new epoch if `fresh` or if none was begun yet; (epoch, its next seq).

        Raises sqlite3.Error if the disk is full or failing; nothing is kept then.
        """
        self._make_room(sum(len(text) + ROW_BYTES for text in texts) // PAGE_BYTES + 1, marks)
        epoch = new_epoch() if fresh or not self._epoch else self._epoch
        with _transaction(self._writer) as run:
            _save_marks(run, marks)
            if epoch != self._epoch:
                run.execute("INSERT INTO epochs VALUES (?, 1, 0, 0, ?, NULL)", (epoch, time.time_ns() // 1000))
            (first,) = run.execute("SELECT next_seq FROM epochs WHERE epoch = ?", (epoch,)).fetchone()
            run.executemany(
                "INSERT INTO readings VALUES (?, ?, ?)", [(epoch, seq, text) for seq, text in enumerate(texts, first)]
            )
            run.execute("UPDATE epochs SET next_seq = ? WHERE epoch = ?", (first + len(texts), epoch))
        self._epoch = epoch
        return epoch, first + len(texts)

    def save_marks(self, marks: Mapping[str, tuple[int, int]]) -> None:
        """Keep (mark, highest receipted) of these epochs."""
        with _transaction(self._writer) as run:
            _save_marks(run, marks)

    def lines(self) -> list[EpochLine]:
        """Every epoch's line, oldest first."""
        with self._reading:
            found = self._reader.execute(
                "SELECT epoch, next_seq, mark, highest_receipted FROM epochs ORDER BY rowid"
            ).fetchall()
        return [EpochLine(*line) for line in found]

    def rows(self, epoch: str, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """The first rows of an epoch at or above seq: at most `limit`, and about one batch's bytes."""
        query = "SELECT seq, text FROM readings WHERE epoch = ? AND seq >= ? ORDER BY seq LIMIT ?"
        found: list[tuple[int, bytes]] = []
        size = 0
        with self._reading, closing(self._reader.execute(query, (epoch, seq, limit))) as cursor:
            for row in cursor:
                found.append(row)
                size += len(row[1])
                if size > MAX_BATCH_BYTES:
                    break
        return found

    def _free_pages(self) -> int:
        (used,) = self._writer.execute("PRAGMA page_count").fetchone()
        (free,) = self._writer.execute("PRAGMA freelist_count").fetchone()
        return self._max_pages - int(used) + int(free)

    def _make_room(self, pages: int, marks: Mapping[str, tuple[int, int]]) -> None:
        """Evict, in strides, until `pages` and what B-trees need to move rows in are free."""
        need = pages + pages // 2 + SLACK_PAGES
        if self._free_pages() >= need:
            return
        self.save_marks(marks)
        target = need + min(self._max_pages // 100, MAX_SLACK_PAGES)
        evicted = EVICT_ROWS
        while evicted and self._free_pages() < target:
            with _transaction(self._writer) as run:
                for _ in range(16):
                    evicted = self._evict(run)
                    if not evicted or self._free_pages() >= target:
                        break

    def _evict(self, run: sqlite3.Connection) -> int:
        """Delete up to EVICT_ROWS of the oldest rows that are receipted, or if there are none of the oldest rows."""
        held = run.execute("SELECT epoch, mark FROM epochs WHERE emptied IS NULL ORDER BY rowid").fetchall()
        for bounds in (held, [(epoch, 2**53) for epoch, _ in held]):
            for epoch, bound in bounds:
                last, count = run.execute(
                    "SELECT max(seq), count(*) FROM"
                    " (SELECT seq FROM readings WHERE epoch = ? AND seq <= ? ORDER BY seq LIMIT ?)",
                    (epoch, bound, EVICT_ROWS),
                ).fetchone()
                if count:
                    run.execute("DELETE FROM readings WHERE epoch = ? AND seq <= ?", (epoch, last))
                self._note_if_empty(run, epoch)
                if count:
                    return int(count)
        return 0

    def _note_if_empty(self, run: sqlite3.Connection, epoch: str) -> None:
        left = run.execute("SELECT 1 FROM readings WHERE epoch = ? LIMIT 1", (epoch,)).fetchone()
        if left is None and epoch != self._epoch:
            run.execute("UPDATE epochs SET emptied = ? WHERE epoch = ?", (time.time_ns() // 1000, epoch))


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken: no waiting heals that."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _locked(path: Path) -> int:
    """Hold `path`.lock for as long as the process lives. Raises OutboxInUse."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        msg = f"{path}: another process has this outbox; stop it first (one gateway process per state_dir)"
        raise OutboxInUse(msg) from error
    return lock


class _transaction:  # noqa: N801 - a context manager, used as a verb
    """BEGIN IMMEDIATE ... COMMIT, rolled back on any error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")


def _save_marks(run: sqlite3.Connection, marks: Mapping[str, tuple[int, int]]) -> None:
    values: Iterable[tuple[int, int, str]] = [(mark, receipted, epoch) for epoch, (mark, receipted) in marks.items()]
    run.executemany("UPDATE epochs SET mark = ?, highest_receipted = ? WHERE epoch = ?", values)
