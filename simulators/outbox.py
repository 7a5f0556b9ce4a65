"""Outbox files: one that a history keeps of what it sends, and any edge's, read as it is.

Tables as every outbox has them: readings(epoch, seq, text) and one line per epoch.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE readings(epoch TEXT, seq INTEGER, text BLOB NOT NULL, PRIMARY KEY(epoch, seq));
CREATE TABLE epochs(epoch TEXT PRIMARY KEY, next_seq INTEGER, mark INTEGER, highest_receipted INTEGER, opened INTEGER);
"""


def new_epoch() -> str:
    """12 characters of Crockford base32: 60 bits of the operating system's random source, as the contract asks."""
    bits = int.from_bytes(os.urandom(8)) >> 4
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 60, 5))


class SentRows:
    """What one history sends, in one epoch, committed before it is sent. The file is made anew."""

    def __init__(self, path: Path) -> None:
        self.epoch = new_epoch()
        self.next_seq = 1
        for leaf in ("", "-wal", "-shm"):
            Path(f"{path}{leaf}").unlink(missing_ok=True)
        self._book = sqlite3.connect(path)
        self._book.executescript(SCHEMA)
        opened = time.time_ns() // 1000
        self._book.execute("INSERT INTO epochs VALUES (?, 1, 0, 0, ?)", (self.epoch, opened))
        self._book.commit()

    def append(self, texts: list[bytes]) -> None:
        """Number and commit readings."""
        rows = [(self.epoch, seq, text) for seq, text in enumerate(texts, self.next_seq)]
        self.next_seq += len(texts)
        self._book.executemany("INSERT INTO readings VALUES (?, ?, ?)", rows)
        self._book.execute("UPDATE epochs SET next_seq = ?", (self.next_seq,))
        self._book.commit()

    def rows(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """At most `limit` rows from `seq` on."""
        query = "SELECT seq, text FROM readings WHERE epoch = ? AND seq >= ? ORDER BY seq LIMIT ?"
        return self._book.execute(query, (self.epoch, seq, limit)).fetchall()

    def save_mark(self, mark: int, receipted: int) -> None:
        """Keep the mark in the epoch's line."""
        self._book.execute("UPDATE epochs SET mark = ?, highest_receipted = ?", (mark, receipted))
        self._book.commit()

    def close(self) -> None:
        """Give the file back."""
        self._book.close()


@dataclass(frozen=True, slots=True)
class Kept:
    """What an outbox holds: the next seq of each epoch, and a way to read its rows."""

    path: Path
    next_seq: Mapping[str, int]

    def rows(self, epoch: str) -> Iterator[tuple[int, bytes]]:
        """(seq, text) of an epoch below its next seq as it was when this was opened, by rising seq."""
        with closing(_open(self.path)) as book:
            query = "SELECT seq, text FROM readings WHERE epoch = ? AND seq < ? ORDER BY seq"
            for seq, text in book.execute(query, (epoch, self.next_seq[epoch])):
                yield int(seq), bytes(text)


def read(path: Path) -> Kept:
    """An outbox as it is now; its edge may still be running. Raises sqlite3.Error, also when there is none."""
    with closing(_open(path)) as book:
        lines = book.execute("SELECT epoch, next_seq FROM epochs ORDER BY rowid").fetchall()
    return Kept(path, {str(epoch): int(next_seq) for epoch, next_seq in lines})


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
