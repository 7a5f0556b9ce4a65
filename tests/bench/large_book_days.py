"""Days before the first of a book, made of that: its readings and all that follows from them, of other cartons.

The journal's rows are readings as they would have come, with their true hashes; states, checkpoints, derived rows and
events are those of the first day, a day or more older; movements are posted to the ledger. What copies name as their
evidence is the first day's. A gateway's day is one transaction; what a killed one did not commit is made again.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, func, insert, select

from backend.book import ledger
from backend.book.bulk import write_rows
from backend.book.db import write
from backend.book.journal import short
from backend.book.schema import (
    checkpoint,
    crossing,
    event,
    fold_state,
    journal,
    movement,
    run,
    scan_act,
    stream,
    travel,
)
from backend.step import DAY_US
from models import wire
from models.reading import from_micros

PAGE, IDS_A_QUERY = 20_000, 5000
EPOCH = "DAY"
EPC_PLACE = 15
"""Of the 24 hexadecimal digits of an SGTIN-96: a part of the serial number, and 0 in all of this world."""
EPC_DIGITS = 24
INDEXES = ("ix_journal_device_at", "ix_journal_content")
COPIED: dict[Table, Callable[[int], ColumnElement[bool]]] = {
    crossing: lambda begin: crossing.c.closed_at >= begin,
    scan_act: lambda begin: scan_act.c.closed_at >= begin,
    travel: lambda begin: travel.c.closed_at >= begin,
    run: lambda begin: run.c.closed_at >= begin,
    event: lambda begin: (event.c.kind != "movement") & (event.c.at >= begin),
    fold_state: lambda begin: (fold_state.c.step == "dock") & (fold_state.c.last_at >= begin),
    checkpoint: lambda begin: checkpoint.c.day >= begin // DAY_US,
}
"""What is copied, and which rows of it are the first day's; a tracker has one state, and a checkpoint of each day."""
TIMES = ("at", "begin_at", "end_at", "first_at", "last_at", "middle_at", "closed_at", "received_at")


@dataclass(frozen=True)
class Day:
    """So many days before the first, which began at `begin`."""

    back: int
    begin: int

    def text(self, body: bytes) -> bytes:
        """A reading of that day. The first may have gone on past midnight: the earlier date is changed first."""
        for day in (self.begin // DAY_US, self.begin // DAY_US + 1):
            body = body.replace(_date(day), _date(day - self.back))
        before, found, epc = body.partition(b'"epc":"')
        return before + found + self.epc(epc.decode()).encode() if found else body

    def epc(self, code: str) -> str:
        """Another carton's."""
        return f"{code[:EPC_PLACE]}{self.back:x}{code[EPC_PLACE + 1 :]}"

    def ident(self, of: str) -> str:
        """Another id."""
        return str(uuid5(NAMESPACE_OID, f"{of}/{self.back}"))

    def row(self, values: dict[str, Any]) -> dict[str, Any]:
        """Any other row of that day."""
        values.pop("n", None)
        shifted = {name: values[name] - self.back * DAY_US for name in TIMES if values.get(name) is not None}
        others = {name: self.ident(values[name]) for name in ("id", "movement") if values.get(name) is not None}
        subject: str = values.get("subject", "")
        same = {"subject": self.epc(subject) if len(subject) == EPC_DIGITS else subject} if subject else {}
        day = {"day": values["day"] - self.back} if "day" in values else {}
        over = {"due_at": None} if "due_at" in values else {}
        return values | shifted | others | same | day | over


@lru_cache
def _date(day: int) -> bytes:
    return f'"{from_micros(day * DAY_US).date()}T'.encode()


def add(book: Engine, readings: int) -> None:
    """As many days as make so many readings, the earliest first: so all that is not before the first day is its own."""
    with write(book) as tx:
        first = tx.execute(select(stream).where(~stream.c.epoch.like(f"{EPOCH}%"))).all()
        begin = min(_begin(tx, each.id) for each in first)
        for name in INDEXES:
            tx.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
    for back in range(-(-readings // sum(each.mark for each in first)) - 1, 0, -1):
        began = time.monotonic()
        day = Day(back, begin)
        for number, each in enumerate(first):
            with write(book) as tx:
                _add(tx, day, each, with_derived=number == 0)
        print(f"day {back} before the first, {time.monotonic() - began:.0f} s", flush=True)
    with write(book) as tx:
        for index in sorted(journal.indexes, key=str):
            index.create(tx, checkfirst=True)


def _begin(tx: Connection, stream_id: int) -> int:
    return tx.execute(select(func.min(journal.c.at)).where(journal.c.stream_id == stream_id)).scalar_one()


def _add(tx: Connection, day: Day, of: Row[Any], *, with_derived: bool) -> None:
    values = {"gateway_id": of.gateway_id, "epoch": f"{EPOCH}{day.back:09d}"}
    if tx.execute(select(stream.c.id).filter_by(**values)).first() is not None:
        return
    ident = tx.execute(stream.insert().values(**values, mark=of.mark).returning(stream.c.id)).scalar_one()
    for low in range(0, of.mark, PAGE):
        span = (of.id, low, low + PAGE)
        rows = tx.exec_driver_sql("SELECT * FROM journal WHERE stream_id = ? AND seq > ? AND seq <= ?", span)
        tx.exec_driver_sql("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(_readings(day, ident, rows)))
    if with_derived:
        for table, own in COPIED.items():
            rows_of = tx.execute(select(table).where(own(day.begin))).mappings()
            write_rows(tx, insert(table), [day.row({**row}) for row in rows_of])
        _post(tx, day)


def _readings(day: Day, stream_id: int, rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for _, seq, kind, device_id, at, received_at, _, body in rows:
        text, before = day.text(body), day.back * DAY_US
        content = short(wire.content_hash(wire.decode(text)))
        yield stream_id, seq, kind, device_id, at - before, received_at - before, content, text


def _post(tx: Connection, day: Day) -> None:
    """What holds of the first day's movements, as that day's."""
    rows = tx.execute(select(movement).where(movement.c.at >= day.begin).order_by(movement.c.n)).all()
    gone = {row.reverses for row in rows}
    held = [ledger.of_row(row) for row in rows if row.reverses is None and row.id not in gone]
    posted = [replace(each, id=day.ident(each.id), at=each.at - day.back * DAY_US) for each in held]
    for low in range(0, len(posted), IDS_A_QUERY):
        ledger.post(tx, posted[low : low + IDS_A_QUERY], (), "deriver", rows[0].recorded_at)
