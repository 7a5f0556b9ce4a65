"""What is on record: the edge's outbox, the backend's journal, the readers' truth; read as it is, by plain SQL.

Nothing here uses the code that wrote it, and no connection outlives a call: a file that is held open by nobody but
its owner is as that owner's death leaves it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Key = tuple[str, int]
"""(epoch, seq); all of this is one gateway's."""


def query(path: Path, sql: str) -> list[Any]:
    """All rows; none as long as the file or its tables are not there."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as book:
        try:
            return book.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


def newest(book: Path) -> dict[str, int]:
    """The last time at which each device read something that is journalled."""
    return {
        name: at or 0
        for name, at in query(book, "SELECT name, (SELECT max(at) FROM journal WHERE device_id = id) FROM device")
    }


def marks(book: Path) -> dict[str, int]:
    """The backend's mark of each epoch."""
    return dict(query(book, "SELECT epoch, mark FROM stream"))


def receipted(outbox: Path) -> dict[str, int]:
    """The edge's mark of each epoch."""
    return dict(query(outbox, "SELECT epoch, mark FROM epochs"))


def depth(outbox: Path) -> tuple[int, int]:
    """How many rows were ever committed, and how many of them wait for their receipt."""
    lines = query(outbox, "SELECT next_seq, mark FROM epochs")
    return sum(next_seq - 1 for next_seq, _ in lines), sum(next_seq - 1 - mark for next_seq, mark in lines)


def lost_since(outbox: Path, at: int) -> set[str]:
    """The devices that the edge lost after that time, microseconds UTC, by the last rows of the outbox."""
    rows = [json.loads(text) for (text,) in query(outbox, "SELECT text FROM readings ORDER BY rowid DESC LIMIT 3000")]
    return {row["device"] for row in rows if row.get("name") == "lost" and micros(row["at"]) > at}


def micros(text: str) -> int:
    """RFC 3339 to microseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


@dataclass(frozen=True)
class Tag:
    """One tag reading."""

    epc: str
    at: int
    """Microseconds UTC."""
    count: int


@dataclass(frozen=True)
class Account:
    """Everything on record when all is quiet."""

    outbox: Mapping[Key, bytes]
    journal: Sequence[tuple[Key, bytes]]
    extra: Mapping[str, int]
    """Rows of gap and quarantine."""
    truth: Sequence[tuple[str, int]]
    """(EPC, microseconds UTC) of every read that a reader told."""

    @property
    def doubled(self) -> list[Key]:
        return [key for key, times in Counter(key for key, _ in self.journal).items() if times > 1]

    @property
    def lost(self) -> list[Key]:
        return sorted(self.outbox.keys() - {key for key, _ in self.journal})

    @property
    def strange(self) -> list[Key]:
        """Journalled, but not what the outbox holds there, to the byte."""
        return [key for key, text in self.journal if self.outbox.get(key) != text]

    @property
    def lost_content(self) -> set[str]:
        return set(epcs(self.outbox.values())) - set(epcs(text for _, text in self.journal))

    @property
    def doubled_content(self) -> list[str]:
        """EPCs read more than once: every read of the truth is of another carton."""
        times = Counter[str]()
        for _, text in self.journal:
            tag = tag_of(text)
            if tag is not None:
                times[tag.epc] += tag.count
        return [epc for epc, count in times.items() if count > 1]

    @property
    def invented(self) -> set[str]:
        return set(epcs(self.outbox.values())) - {epc for epc, _ in self.truth}

    def unread(self) -> list[int]:
        """When those reads of the truth were told that the edge did not commit."""
        committed = set(epcs(self.outbox.values()))
        return sorted(at for epc, at in self.truth if epc not in committed)


def account(outboxes: Iterable[Path], book: Path, truths: Iterable[Path]) -> Account:
    """Read everything. Raises ValueError if outboxes that are copies do not agree in what they share."""
    held: dict[Key, bytes] = {}
    for outbox in outboxes:
        rows = {(epoch, seq): text for epoch, seq, text in query(outbox, "SELECT epoch, seq, text FROM readings")}
        if any(held.get(key, text) != text for key, text in rows.items()):
            msg = f"{outbox}: two texts under one number"
            raise ValueError(msg)
        held |= rows
    journalled = query(book, "SELECT epoch, seq, body FROM journal JOIN stream ON stream.id = stream_id")
    told = [json.loads(line) for path in truths for line in path.read_text().splitlines()]
    return Account(
        outbox=held,
        journal=[((epoch, seq), body) for epoch, seq, body in journalled],
        extra={table: query(book, f"SELECT count(*) FROM {table}")[0][0] for table in ("gap", "quarantine")},  # noqa: S608
        truth=[(read["epc"], read["at_us"]) for read in told],
    )


def tag_of(text: bytes) -> Tag | None:
    """The tag reading of this text, None if it is another kind."""
    reading = json.loads(text)
    return Tag(reading["epc"], micros(reading["at"]), reading["count"]) if reading["kind"] == "tag" else None


def epcs(texts: Iterable[bytes]) -> list[str]:
    """The EPCs of the tag readings among them."""
    return [tag.epc for tag in map(tag_of, texts) if tag is not None]


def edge_rate(account: Account) -> float:
    """Tag readings a second that the edge committed, from the first to the last one of each of its runs."""
    times: dict[str, list[int]] = {}
    for (epoch, _), text in account.outbox.items():
        tag = tag_of(text)
        if tag is not None:
            times.setdefault(epoch, []).append(tag.at)
    ran_us = sum(max(each) - min(each) for each in times.values())
    return sum(map(len, times.values())) / ran_us * 1e6


def journal_rate(book: Path) -> float:
    """Readings a second that the backend journalled, from the first to the last."""
    ((rows, took_us),) = query(book, "SELECT count(*), max(received_at) - min(received_at) FROM journal")
    return float(rows / took_us * 1e6)
