"""The projector: follows journal and ledger by position into the telemetry store. It may lag or start again.

Position and effects are one transaction of the store. Counts of ten minutes are made whole from the journal, so that
neither order of arrival nor repeats matter; as that costs more the more readings there are, it is done at most every
ROLLUP_US, and no more often than keeps it to a twentieth of the time.
"""

from collections.abc import Callable
from threading import Event

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.db import read, write
from backend.telemetry import schema, source, sql
from backend.telemetry.source import Names, Stretch
from backend.telemetry.sql import Bucket

EVERY_S = 1.0
ROWS_A_STEP = 5000
BUCKETS_A_TURN = 500
ROLLUP_US = 10_000_000
SHARE = 20
STOCK = "stock"
DAY_US = 86_400_000_000


class Projector:
    """One worker; memory holds only when it counted last."""

    def __init__(self, book: Engine, telemetry: Engine, clock: Callable[[], int], retention_days: int = 730) -> None:
        self._book = book
        self._telemetry = telemetry
        self._clock = clock
        self._retention_us = retention_days * DAY_US
        self._roll_at = 0
        self._forgotten = -1

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            if self.step() < ROWS_A_STEP:
                stop.wait(EVERY_S)

    def step(self) -> int:
        """Follow a bounded stretch of the book, and count what is due; how many rows were followed."""
        followed = self._follow_streams() + self._follow_ledger()
        began = self._clock()
        if began >= self._roll_at:
            waits = self._roll_up() == BUCKETS_A_TURN
            now = self._clock()
            self._roll_at = now + max(0 if waits else ROLLUP_US, SHARE * (now - began))
        if began // DAY_US != self._forgotten:
            self._forgotten = began // DAY_US
            with write(self._telemetry) as out:
                sql.forget(out, began - self._retention_us)
        return followed

    def catch_up(self) -> int:
        """Follow and count everything that the book has now; how many rows it was."""
        total = 0
        while followed := self._follow_streams() + self._follow_ledger():
            total += followed
        while self._roll_up():
            pass
        return total

    def rebuild(self) -> int:
        """Empty the store and fill it anew."""
        sql.clear(self._telemetry)
        return self.catch_up()

    def lag(self) -> int:
        """How many readings and ledger entries the store is behind the book."""
        return lag(self._book, self._telemetry)

    def _follow_streams(self) -> int:
        with read(self._telemetry) as tx:
            before = positions(tx)
        with read(self._book) as book:
            marks = source.marks(book)
            stretches = _ahead(book, marks, before)
            back = {of: marks.get(of, (0, 0))[1] for of, upto in before.items() if marks.get(of, (0, 0))[1] < upto}
            if not stretches and not back:
                return 0
            names = Names(book)
            touched = {each.of: source.touched(book, names, each) for each in stretches}
            repeated = [bucket for each in stretches for bucket in source.repeated(book, names, each)]
            points = [point for each in stretches for point in source.points(book, names, each)]
        with write(self._telemetry) as out:
            for of, mark in back.items():
                sql.set_back(out, of, mark)
            sql.add_points(out, points)
            for each in stretches:
                sql.follow(out, each.of, each.upto, touched[each.of])
            sql.mark_stale(out, repeated)
        return sum(each.rows for each in stretches)

    def _follow_ledger(self) -> int:
        with read(self._telemetry) as tx:
            n, last = ledger_position(tx)
        with read(self._book) as book:
            is_ours = n == 0 or source.entry_hash(book, n) == last
            rows = source.entries(book, n if is_ours else 0, ROWS_A_STEP)
            upto = rows[-1]["n"] if rows else 0
            entry = source.entry_hash(book, upto)
        if is_ours and not rows:
            return 0
        with write(self._telemetry) as out:
            if not is_ours:
                out.execute(delete(schema.stock_point))
            if rows:
                out.execute(insert(schema.stock_point), rows)
            values = {"n": upto, "hash": entry or b""}
            statement = upsert(schema.followed_ledger).values(ledger=STOCK, **values)
            out.execute(statement.on_conflict_do_update(index_elements=["ledger"], set_=values))
        return len(rows) // 2

    def _roll_up(self) -> int:
        """Count some of the ten minutes that were touched; how many."""
        stale = select(schema.stale).order_by(schema.stale.c.device, schema.stale.c.bucket).limit(BUCKETS_A_TURN)
        with read(self._telemetry) as tx:
            rows = tx.execute(stale).all()
        if not rows:
            return 0
        with read(self._book) as book:
            names = Names(book)
            counts = source.counts(book, names, [Bucket(row.device, row.bucket) for row in rows])
            anew = [Bucket(row.device, row.bucket) for row in rows if row.points]
            points = [each for of in anew if of.device in names.ids for each in source.points(book, names, of)]
        with write(self._telemetry) as out:
            for of in anew:
                sql.forget_points(out, of)
            sql.add_points(out, points)
            sql.replace_readings(out, counts)
            sql.take_stale(out, counts)
        return len(rows)


def _ahead(
    book: Connection, marks: dict[tuple[str, str], tuple[int, int]], before: dict[tuple[str, str], int]
) -> list[Stretch]:
    """The next stretches: ROWS_A_STEP readings, shared alike; what the shortest do not need is the others'."""
    behind = sorted((mark - before.get(of, 0), of) for of, (_, mark) in marks.items() if mark > before.get(of, 0))
    room = ROWS_A_STEP
    found: list[Stretch] = []
    for k, (_, of) in enumerate(behind):
        share = max(1, room // (len(behind) - k))
        found.append(source.ahead(book, of, marks[of], (before.get(of, 0), share)))
        room -= found[-1].rows
    return found


def positions(tx: Connection) -> dict[tuple[str, str], int]:
    """How far each stream was followed."""
    table = schema.followed.c
    return {
        (gateway, epoch): upto for gateway, epoch, upto in tx.execute(select(table.gateway, table.epoch, table.upto))
    }


def ledger_position(tx: Connection) -> tuple[int, bytes]:
    """The last ledger entry that was followed: its n and its hash."""
    row = tx.execute(select(schema.followed_ledger).where(schema.followed_ledger.c.ledger == STOCK)).one_or_none()
    return (0, b"") if row is None else (row.n, bytes(row.hash))


def lag(book: Engine, telemetry: Engine) -> int:
    """How many readings and ledger entries the store is behind the book."""
    with read(telemetry) as tx:
        before, (n, _) = positions(tx), ledger_position(tx)
    with read(book) as tx:
        behind = sum(max(0, mark - before.get(of, 0)) for of, (_, mark) in source.marks(tx).items())
        return behind + max(0, source.last_entry(tx) - n)
