"""Late data and time: keys that a late reading or a register change made dirty are folded anew, quiet ones end.

A turn that fails (a bug: it is logged once, at the top of the thread) is tried again key by key, and a key that fails
by itself is left dirty for ten minutes: one of them must not keep the others waiting.
"""

import logging
import time
from collections.abc import Callable
from threading import Event

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import OperationalError

from backend.apply import DUE_OF_QUIET, STEP_OF_NAME, pass_quiet
from backend.book import derived
from backend.book.db import read, write
from backend.book.schema import clock_tick, dirty
from backend.post import replace
from backend.refold import QUIET_US, refold
from backend.registers import Registers
from backend.step import Change

log = logging.getLogger(__name__)
EVERY_S = 1.0
MOST_PAUSE_S = 0.5
KEYS_A_TURN = 200
LOOKED_AT = 1000
LEFT_US = 600_000_000
DirtyKey = tuple[str, int, str]
Turn = dict[DirtyKey, tuple[int, int]]
"""(since, until) by (step, device_id, subject), all of one step and device."""


class Deriver:
    """Takes dirty keys, and lets time pass for keys that have gone quiet."""

    def __init__(self, book: Engine, clock: Callable[[], int]) -> None:
        self._book = book
        self._clock = clock
        self._registers = Registers()
        self._trying: Turn = {}
        """The turn that is running, or that failed."""
        self._alone: set[DirtyKey] = set()
        """Keys of a turn that failed: each by itself now."""
        self._left: dict[DirtyKey, int] = {}
        """Keys that failed by themselves, and when they are tried again."""

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            begin = time.monotonic()
            busy = self.step()
            # Whoever waits to write gets as long as a turn took: the store's lock is nobody's in order.
            stop.wait(min(time.monotonic() - begin, MOST_PAUSE_S) if busy else EVERY_S)

    def step(self) -> int:
        """One turn: one tick, and at most KEYS_A_TURN dirty keys of one device. How many keys changed."""
        try:
            ended = self._tick()
        finally:  # a tick that fails must not keep the dirty keys waiting
            folded = self._fold_dirty()
        return ended + folded

    def _fold_dirty(self) -> int:
        now = self._clock()
        self._leave_what_failed(now)
        with read(self._book) as tx:
            if not self._next_turn(tx):
                return 0
        try:
            with write(self._book) as tx:
                self._trying = turn = self._next_turn(tx)
                for step, device_id in {key[:2] for key in turn}:
                    spans = {subject: span for (_, _, subject), span in turn.items()}
                    derived.clean(tx, step, device_id, spans)  # before: what was folded may make them dirty again
                    refold(tx, self._registers.current(tx), (STEP_OF_NAME[step], device_id), spans, now)
        except OperationalError:
            self._trying = {}  # the store is away; the keys are not to blame
            raise
        self._trying = {}
        self._alone -= turn.keys()
        return len(turn)

    def _leave_what_failed(self, now: int) -> None:
        self._left = {key: until for key, until in self._left.items() if until > now}
        if len(self._trying) == 1:
            (key,) = self._trying
            self._left[key] = now + LEFT_US
            self._alone.discard(key)
            log.error("key %s cannot be folded; it stays dirty and is left for %d s", key, LEFT_US // 1_000_000)
        else:
            self._alone |= self._trying.keys()
        self._trying = {}

    def _next_turn(self, tx: Connection) -> Turn:
        query = select(dirty).order_by(dirty.c.since).limit(LOOKED_AT + len(self._left))
        waiting: Turn = {
            (row.step, row.device_id, row.subject): (row.since, row.until)
            for row in tx.execute(query.with_for_update())
            if (row.step, row.device_id, row.subject) not in self._left
        }
        first = next(iter(waiting), None)
        if first is None or first in self._alone:
            return {} if first is None else {first: waiting[first]}
        together = [key for key in waiting if key[:2] == first[:2] and key not in self._alone]
        return {key: waiting[key] for key in together[:KEYS_A_TURN]}

    def _tick(self) -> int:
        now = self._clock()
        with read(self._book) as tx:
            if tx.execute(DUE_OF_QUIET.limit(1), {"to": now, "received_before": now - QUIET_US}).first() is None:
                return 0
        with write(self._book) as tx:
            register = self._registers.current(tx)
            new, more = pass_quiet(tx, register, now, now - QUIET_US)
            replace(tx, register, Change(new), now)
            if new:
                tx.execute(clock_tick.insert().values(at=now, step="all", keys=len(new)))
        return len(new) or int(more)
