"""What an outbox holds, read from its file beside a running gateway: for `stockyard-edge status`."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from models.reading import Time

_STREAMS = """
SELECT e.epoch, e.next_seq, e.mark, e.highest_receipted,
  (SELECT count(*) FROM readings r WHERE r.epoch = e.epoch),
  (SELECT count(*) FROM readings r WHERE r.epoch = e.epoch AND r.seq > e.mark),
  (SELECT r.text FROM readings r WHERE r.epoch = e.epoch AND r.seq > e.mark ORDER BY r.seq LIMIT 1)
FROM epochs e ORDER BY e.opened, e.rowid
"""


class Waiting(Struct, frozen=True):
    """One epoch: its numbers, the rows kept, and those that the backend has not receipted."""

    epoch: str
    next_seq: int
    mark: int
    highest_receipted: int
    rows: int
    unreceipted: int
    oldest_unreceipted: datetime | None


class _At(Struct):
    at: Time


_at = msgspec.json.Decoder(_At)


def waiting(outbox: Path) -> list[Waiting]:
    """Every epoch of the outbox, oldest first. Raises OSError if there is none, sqlite3.Error if it cannot be read."""
    if not outbox.exists():
        msg = f"{outbox}: no outbox here; the gateway has not run yet, or its state_dir is another"
        raise FileNotFoundError(msg)
    with closing(sqlite3.connect(f"{outbox.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        return [_waiting(row) for row in connection.execute(_STREAMS)]


def _waiting(row: tuple[str, int, int, int, int, int, bytes | None]) -> Waiting:
    epoch, next_seq, mark, highest, rows, unreceipted, text = row
    return Waiting(epoch, next_seq, mark, highest, rows, unreceipted, None if text is None else _at.decode(text).at)
