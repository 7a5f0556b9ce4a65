"""Late data and time: keys that a late reading or a register change made dirty are folded anew, quiet ones end.

A turn that fails (a bug: it is logged once, at the top of the thread) is tried again key by key, and a key that fails
by itself is left dirty for ten minutes: one of them must not keep the others waiting.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import OperationalError

from backend.apply import DUE_OF_QUIET, STEP_OF_NAME, pass_quiet
from backend.book import derived, locks
from backend.book.db import read, repeated, took_too_long, write
from backend.book.register import version
from backend.book.schema import clock_tick, dirty
from backend.halts import Halt, HaltKey, Way, remember
from backend.post import replace
from backend.refold import Folding, fold
from backend.refold_post import QUIET_US, post
from backend.registers import Registers
from backend.step import Change
from models.register import Register

log = logging.getLogger(__name__)
EVERY_S = 1.0
MOST_PAUSE_S = 0.5
KEYS_A_TURN = 200
READINGS_A_TURN = 5_000
"""What follows from so many is written in some hundredths of a second: nobody waits for longer."""
MOST_MISSED = 3
"""So often something came meanwhile; a device that is never quiet is folded while others wait."""
LOOKED_AT = 1000
LEFT_US = 600_000_000
DirtyKey = tuple[str, int, str]
Turn = dict[DirtyKey, tuple[int, int]]
"""(since, until) by (step, device_id, subject)."""


class Deriver:
    """Takes dirty keys, and lets time pass for keys that have gone quiet."""

    def __init__(self, book: Engine, clock: Callable[[], int], readings_a_turn: int = READINGS_A_TURN) -> None:
        self._book = book
        self._clock = clock
        self.readings_a_turn = readings_a_turn
        self._registers = Registers()
        self._halts: dict[HaltKey, Sequence[Halt]] = {}
        self._halted_by: Register | None = None
        self._trying: Turn = {}
        """The turn that is running, or that failed."""
        self._alone: set[DirtyKey] = set()
        """Keys of a turn that failed: each by itself now."""
        self._left: dict[DirtyKey, int] = {}
        """Keys that failed by themselves, and when they are tried again."""
        self._missed: dict[tuple[str, int], int] = {}
        """How often in a row something changed while a device was folded."""
        self.held_s = 0.0
        """For how long others could not write in this turn."""

    def run(self, stop: Event) -> None:
        """Work until stop."""
        self._halts.clear()  # another process may have derived meanwhile, or what failed may be in the book
        while not stop.is_set():
            self.held_s, begin = 0.0, time.monotonic()
            busy = self.step()
            # Whoever waits to write gets as long as the lock was held: it is nobody's in order.
            free_s = time.monotonic() - begin - self.held_s
            stop.wait(min(max(0.0, self.held_s - free_s), MOST_PAUSE_S) if busy else EVERY_S)

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
        try:
            with read(self._book) as tx:
                self._trying = self._next_turn(tx)
                ready = self._fold(tx)
            if ready:
                remember(self._halts, repeated(lambda: self._post(ready, now)))
        except OperationalError as error:
            if not took_too_long(error):
                self._trying = {}  # the store is away; the keys are not to blame
            raise
        turn, self._trying = self._trying, {}
        self._alone -= turn.keys()
        return len(turn)

    def _fold(self, tx: Connection) -> list[Folding]:
        """Fold the turn's keys, without a lock; where they are many readings, the last ones are left for another."""
        register = self._registers.current(tx)
        if register is not self._halted_by:  # no halt of another holds any more, and each keeps its own in memory
            self._halts.clear()
            self._halted_by = register
        ready: list[Folding] = []
        for of, spans in _by_device(self._trying).items():
            if sum(folding.readings for folding in ready) >= self.readings_a_turn:
                break
            ready.append(fold(tx, register, (STEP_OF_NAME[of[0]], of[1]), spans, self._way))
        of_these = {(each.step.name, each.device_id) for each in ready}
        self._trying = {key: span for key, span in self._trying.items() if key[:2] in of_these}
        return ready

    @property
    def _way(self) -> Way:
        return Way(self.readings_a_turn, self._halts)

    def _post(self, ready: Sequence[Folding], now: int) -> list[Folding]:
        """Post what still holds. What changed meanwhile is folded anew in another turn, or at last under the lock.

        What was posted.
        """
        posted: list[Folding] = []
        with write(self._book) as tx:
            begin = time.monotonic()
            register = self._registers.current(tx)
            known = version(tx)
            locks.hold_devices(tx, {each.device_id for each in ready})
            for each in ready:
                of = (each.step.name, each.device_id)
                is_known = version(tx) == known  # what was posted just now may have declared something
                if is_known and each.holds(tx, register):
                    post(tx, each, now)
                    posted.append(each)
                    self._missed.pop(of, None)
                elif not is_known or self._missed.get(of, 0) < MOST_MISSED:
                    self._missed[of] = self._missed.get(of, 0) + 1
                else:
                    locks.work_long(tx)
                    spans = derived.spans_of(tx, *of, each.spans)
                    posted.append(fold(tx, register, (each.step, each.device_id), spans, self._way))
                    post(tx, posted[-1], now)
                    self._missed.pop(of, None)
        self.held_s += time.monotonic() - begin
        return posted

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
            for row in tx.execute(query)
            if (row.step, row.device_id, row.subject) not in self._left
        }
        first = next(iter(waiting), None)
        if first is None or first in self._alone:
            return {} if first is None else {first: waiting[first]}
        together = {key: span for key, span in waiting.items() if key not in self._alone}
        by_device = _by_device(together).items()
        keys = [(step, device_id, subject) for (step, device_id), spans in by_device for subject in spans]
        return {key: together[key] for key in keys[:KEYS_A_TURN]}

    def _tick(self) -> int:
        now = self._clock()
        with read(self._book) as tx:
            if tx.execute(DUE_OF_QUIET.limit(1), {"to": now, "received_before": now - QUIET_US}).first() is None:
                return 0
        return repeated(lambda: self._end_quiet(now))

    def _end_quiet(self, now: int) -> int:
        with write(self._book) as tx:
            begin = time.monotonic()
            register = self._registers.current(tx)
            new, more = pass_quiet(tx, register, now, now - QUIET_US)
            replace(tx, register, Change(new), now)
            if new:
                tx.execute(clock_tick.insert().values(at=now, step="all", keys=len(new)))
        self.held_s += time.monotonic() - begin
        return len(new) or int(more)


def _by_device(keys: Mapping[DirtyKey, tuple[int, int]]) -> dict[tuple[str, int], dict[str, tuple[int, int]]]:
    """Spans by subject of each (step, device_id), in the order of their first."""
    found: dict[tuple[str, int], dict[str, tuple[int, int]]] = {}
    for (step, device_id, subject), span in keys.items():
        found.setdefault((step, device_id), {})[subject] = span
    return found
