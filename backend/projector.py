"""The projector: follows journal and ledger by position into the telemetry store. It may lag or start again.

What it follows is written at once. Ten minutes that were touched are made whole from the journal, so that neither order
of arrival nor repeats matter; as that costs more the more readings there are, those that are over go first (for a
tenth of the time while readings come), and those that go on are made at most every ROLLUP_US and for a twentieth of it.
"""

import gc
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from threading import Event

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from backend.book.db import read
from backend.book.sealed import gone_before
from backend.telemetry import refill, source, source_ledger
from backend.telemetry.fresh import Fresh
from backend.telemetry.hours import hours_of
from backend.telemetry.rollup import rolled
from backend.telemetry.rows import TEN_MINUTES, Bucket, LedgerPosition, Rolled, Stale, Step, Stream
from backend.telemetry.slots import crowded
from backend.telemetry.store import Progress, Store

log = logging.getLogger(__name__)
EVERY_S = 1.0
AGAIN_S, LONGEST_S = 0.5, 10.0
"""After a failure; doubled up to the longest."""
ROWS_A_STEP = 20_000
BUCKETS_A_TURN = 500
SAMPLES_AT_ONCE = 20_000
ROLLUP_US, CLOSED_US = 10_000_000, 30_000_000
SHARE, SHARE_BUSY = 20, 10
TURNS_US = 500_000
COLLECTED_EVERY = 50_000
"""Readings are many tuples and never in a cycle: to look for one each 700 of them takes an eighth of the time."""
GRACE_US = 60_000_000
"""So long after their end ten minutes are waited for what is still on its way."""
DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
EVER = 2**62


class Projector:
    """One worker; memory holds only what it did last, and may be lost."""

    def __init__(self, book: Engine, store: Store, clock: Callable[[], int], retention_days: int = 730) -> None:
        self._book = book
        self._store = store
        self._clock = clock
        self._retention_us = retention_days * DAY_US
        self._closed_at = self._open_at = self._rolled_at = 0
        self._forgotten = -1
        self._is_full = self._is_prepared = False
        self._fresh = Fresh()
        self._names = source.Names()
        self._touched: AbstractSet[Bucket] = frozenset()

    def run(self, stop: Event) -> None:
        """Work until stop. While book or store are away it waits, longer and longer, and then goes on."""
        gc.set_threshold(COLLECTED_EVERY)
        wait = 0.0
        while not stop.is_set():
            try:
                is_busy = self.step() >= ROWS_A_STEP or self._is_full
            except (OSError, OperationalError) as error:
                if not wait:
                    log.warning("the projector waits: %s", error)
                self._names.clear()
                wait = min(LONGEST_S, 2 * wait or AGAIN_S)
                stop.wait(wait)
                continue
            if wait:
                log.warning("the projector goes on")
            wait = 0.0
            if not is_busy:
                stop.wait(EVERY_S)

    def step(self) -> int:
        """Follow a bounded stretch of the book, and roll up what is due; how many rows were followed.

        Raises StoreAway, and OperationalError of the book; what was not done is done by the next step.
        """
        followed = self._follow()
        self._roll_due(followed)
        if (today := self._clock() // DAY_US) != self._forgotten:
            self._forget(self._clock() - self._retention_us)
            self._forgotten = today
        return followed

    def catch_up(self) -> int:
        """Follow and roll up everything that the book has now; how many rows it was."""
        total = 0
        while followed := self._follow():
            total += followed
        while self._roll_up(EVER):
            pass
        return total

    def rebuild(self) -> int:
        """Empty the store and fill it anew."""
        self._store.prepare()
        self._store.clear()
        return self.catch_up()

    def lag(self) -> int:
        """How many readings and ledger entries the store is behind the book."""
        return lag(self._book, self._store)

    def _forget(self, before: int) -> None:
        """Keep to the retention, at most a week more at a time: a clock may be ahead.

        What it took comes back, but for what was pruned from the journal.
        """
        since = self._store.complete_from()
        if since is not None:
            with read(self._book) as book:
                before = max(before, min(since, gone_before(book)))
        if since is not None and since - before > DAY_US:
            for begin in range(before, since, DAY_US):
                with read(self._book) as book:
                    missed = source.touched(book, (begin, min(begin + DAY_US, since)))
                self._store.write(Step(anew=missed))
        self._store.forget(before if since is None else min(before, since + WEEK_US))

    def _follow(self) -> int:
        positions = self._store.positions()
        if not self._is_prepared or not (positions.streams or positions.ledger.n):
            refill.check(self._book, self._store)
            self._store.prepare()
            refill.begin(self._book, self._store)
            self._is_prepared = True
            positions = self._store.positions()
        return self._follow_streams(positions.streams) + self._follow_ledger(positions.ledger)

    def _follow_streams(self, before: Mapping[Stream, int]) -> int:
        self._fresh.expect(before)
        with read(self._book) as book:
            marks = source.marks(book)
            stretches = source.ahead(book, marks, before, ROWS_A_STEP, self._names)
        back = {of: marks.get(of, (0, 0))[1] for of, upto in before.items() if marks.get(of, (0, 0))[1] < upto}
        self._touched = {ten.bucket for each in stretches for ten in each.tens}
        if not stretches and not back:
            return 0
        if back:
            self._fresh.expect({})
            self._names.clear()
        samples = [sample for each in stretches for ten in each.tens for sample in ten.samples]
        anew = frozenset[Bucket]().union(*[each.anew for each in stretches])
        self._store.write(Step(back, samples, [each.followed for each in stretches], anew))
        self._fresh.add(stretches)
        return sum(each.rows for each in stretches)

    def _follow_ledger(self, position: LedgerPosition) -> int:
        n, last = position
        with read(self._book) as book:
            is_ours = n == 0 or source_ledger.entry_hash(book, n) == last
            rows = source_ledger.entries(book, n if is_ours else 0, ROWS_A_STEP)
            upto = rows[-1].n if rows else 0
            entry = source_ledger.entry_hash(book, upto)
        if is_ours and not rows:
            return 0
        self._store.write_stock(rows, LedgerPosition(upto, entry or b""), anew=not is_ours)
        return len(rows) // 2

    def _roll_due(self, followed: int) -> None:
        began = self._clock()
        if began < self._rolled_at:  # the clock was set back: what was to come at its times is due now
            self._closed_at = self._open_at = 0
        self._rolled_at = began
        self._is_full = False
        over = began - TEN_MINUTES - GRACE_US
        if began >= self._closed_at:
            self._is_full = not self._turns(began, over, self._touched)
            now = self._clock()
            self._closed_at = now + _pause(followed, now - began)
        if began >= self._open_at and not self._is_full:
            if self._turns(began, EVER):
                self._fresh.let_go(over)
            now = self._clock()
            self._open_at = now + max(ROLLUP_US, SHARE * (now - began))

    def _turns(self, began: int, before: int, left: AbstractSet[Bucket] = frozenset()) -> bool:
        """Roll up what begins before a time, for a while; whether that was all that is not to be left."""
        while self._roll_up(before, left) == BUCKETS_A_TURN:
            if self._clock() - began >= TURNS_US:
                return False
        return True

    def _roll_up(self, before: int, left: AbstractSet[Bucket] = frozenset()) -> int:
        """Roll up some of the ten minutes that were touched; how many."""
        stale = [each for each in self._store.stale(BUCKETS_A_TURN, before) if each.bucket not in left]
        with read(self._book) as book:
            waiting: list[Rolled] = []
            size = 0
            for each in self._rolled(book, stale):
                waiting.append(each)
                size += sum(each.readings.values())
                if size >= SAMPLES_AT_ONCE:
                    self._replace(waiting)
                    waiting, size = [], 0
        self._replace(waiting)
        return len(stale)

    def _rolled(self, book: Connection, stale: Sequence[Stale]) -> Iterable[Rolled]:
        anew = {each.bucket for each in stale if each.anew}
        left = {each.bucket for each in stale}
        for whole in self._fresh.wholes(book, [each.bucket for each in stale]):
            device, begin = whole.bucket
            left.discard(whole.bucket)
            samples = whole.samples if whole.bucket in anew or crowded(whole.samples) else None
            rollups = rolled(device, begin, whole.samples)
            yield Rolled(device, begin, TEN_MINUTES, whole.readings, rollups, samples, anew=whole.bucket in anew)
        for device, begin in sorted(left):  # a device that a restored book does not know
            yield Rolled(device, begin, TEN_MINUTES, {}, [], [], anew=True)

    def _replace(self, tens: Sequence[Rolled]) -> None:
        if tens:
            self._store.replace([*tens, *hours_of(self._store, tens)])


def _pause(followed: int, took: int) -> int:
    """How long to leave ten minutes that are over: those of readings that still come would be made again and again."""
    pause = SHARE_BUSY * took if followed else 0
    return pause if followed >= ROWS_A_STEP else min(CLOSED_US, pause)


def lag(book: Engine, store: Progress) -> int:
    """How many readings and ledger entries the store is behind the book. Raises StoreAway."""
    positions = store.positions()
    with read(book) as tx:
        behind = sum(max(0, mark - positions.streams.get(of, 0)) for of, (_, mark) in source.marks(tx).items())
        return behind + max(0, source_ledger.last_entry(tx) - positions.ledger.n)
