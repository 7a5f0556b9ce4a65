"""The valuer: keeps what stock is worth as the ledger, costs and the register have it, shortly after they change.

Months are closed here, for assets too: what is to be posted of them is posted before (`backend.asset_valuer`).

It follows them by their numbers, so that taking readings in costs nothing more, and works at most a fiftieth of the
time, or every minute, while things keep coming. What changes a closed month is posted in the first open one.

An item that fails holds up no other (`backend.unvalued`); no month is closed meanwhile.
"""

import time
from collections.abc import Callable
from threading import Event

from sqlalchemy import Connection, Engine, func, select

from backend import asset_valuer
from backend.asset_valuer import AssetValuer
from backend.book import events, locks, receipts, register, value_ledger, value_marks
from backend.book.db import read, repeated, write
from backend.book.outside import outside
from backend.book.schema import movement
from backend.book.schema_costs import value_mark
from backend.book.schema_orders import purchase_event, purchase_line
from backend.book.value_ledger import Wanted
from backend.book.value_marks import LEDGER, PURCHASES, REGISTER, Mark
from backend.book.values import Revalued, revalue
from backend.book.values import write as write_months
from backend.registers import Registers
from backend.unvalued import ACTOR, Unvalued
from models.months import check_closing
from models.register import Register
from models.stock.periods import Sum, delta
from models.stock.valuation import Month

EVERY_S, MOST_PAUSE_S = 1.0, 60.0
SHARE = 50
ITEMS_A_STEP = 500


def pause_s(busy_s: float) -> float:
    """How long to rest after having worked for so long: readings are taken in beside it."""
    return min(max(EVERY_S, busy_s * SHARE), MOST_PAUSE_S)


class Valuer:
    """One worker; it holds the register, who values the assets if anybody does, and what failed."""

    def __init__(self, book: Engine, clock: Callable[[], int], assets: AssetValuer | None = None) -> None:
        self._book = book
        self._clock = clock
        self._assets = assets
        self._registers = Registers()
        self._unvalued = Unvalued(book, clock, "item")

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            begin = time.monotonic()
            is_more = self.step()
            if self._assets is not None:
                is_more = self._assets.step() or is_more
            stop.wait(0.0 if is_more else pause_s(time.monotonic() - begin))

    def step(self) -> bool:
        """Follow a page; when all is followed, value some items anew. Whether there is more to do at once."""
        with read(self._book) as tx:
            behind = _is_behind(tx)
        if behind:
            repeated(self._follow)
            return True
        left = self._unvalued.still_left()
        with read(self._book) as tx:
            marks = select(value_mark.c.sku).where(value_mark.c.sku.not_in(left)).order_by(value_mark.c.since)
            waiting = [*tx.scalars(marks.limit(ITEMS_A_STEP))]
        for sku in waiting:
            self._unvalued.attempt(sku, self._settle)
        return len(waiting) == ITEMS_A_STEP

    def _follow(self) -> bool:
        with write(self._book) as tx:
            return follow(tx, self._registers.current(tx), self._clock())

    def _settle(self, sku: str) -> None:
        with read(self._book) as tx:
            seen = marked(tx, sku)
            if seen is None:
                return
            new = revalue(tx, self._registers.current(tx), sku, seen[1])

        def work() -> None:
            with write(self._book) as tx:
                value_ledger.lock(tx)
                if marked(tx, sku) == seen:
                    post(tx, new, seen[1], self._clock())

        repeated(work)

    def settle_all(self) -> None:
        """Until nothing waits. Raises BadPeriod if an item cannot be valued."""
        self._unvalued.retry()
        while self.step() or not self._is_settled():
            self._unvalued.check_none()

    def _is_settled(self) -> bool:
        with read(self._book) as tx:
            return not _is_behind(tx) and tx.scalar(select(func.count()).select_from(value_mark)) == 0

    def close(self, month: int, actor: str, note: str | None) -> bool:
        """Close a month, and those before it that are open, as everything is known now; False if it is closed already.

        Raises BadPeriod before it is over, or if an item cannot be valued.
        """
        with read(self._book) as tx:
            if not check_closing(month, value_marks.closed_to(tx), self._clock()):
                return False
        self.settle_all()
        if self._assets is not None:
            self._assets.settle_all()
        return repeated(lambda: self._close(month, actor, note))

    def _close(self, month: int, actor: str, note: str | None) -> bool:
        now = self._clock()
        with write(self._book) as tx:
            known = self._registers.current(tx)
            value_ledger.lock(tx)
            closed_to = value_marks.closed_to(tx)
            if not check_closing(month, closed_to, now):
                return False
            locks.work_long(tx)
            while follow(tx, known, now):
                pass
            for sku in tx.scalars(select(value_mark.c.sku)).all():
                seen = marked(tx, sku)
                if seen is not None:
                    post(tx, revalue(tx, known, sku, seen[1]), seen[1], now)
            if self._assets is not None:
                asset_valuer.settle_marked(tx, known, now)
            value_ledger.close(tx, month, closed_to, (actor, note, now))
        return True


def follow(tx: Connection, known: Register, now: int) -> bool:
    """Mark what a page of ledger, register and orders changes; whether there is more."""
    value_ledger.lock(tx)
    if tx.scalar(select(purchase_line.c.line).limit(1)) is not None:
        receipts.follow(tx, outside(known, now), now)
    return value_marks.follow(tx)


def marked(tx: Connection, sku: str) -> tuple[int, Mark] | None:
    """How often an item was marked, and what for."""
    row = tx.execute(select(value_mark).where(value_mark.c.sku == sku)).one_or_none()
    return None if row is None else (row.marks, value_marks.of_row(row))


def post(tx: Connection, new: Revalued, mark: Mark, now: int) -> None:
    """Write an item's months; what this changes of closed ones is one delta in the first open month."""
    old, made = write_months(tx, new)
    value_marks.unmark(tx, new.sku)
    closed_to = value_marks.closed_to(tx)
    late = None if closed_to is None else delta(_sums(old), _sums(made), closed_to)
    if closed_to is not None and late is not None:
        origin, sums = late
        value_ledger.append(tx, [Wanted("delta", new.sku, closed_to + 1, origin, sums, mark.causes)], ACTOR, now)
    if _uncosted(old) != _uncosted(made):
        events.changed(tx, f"item:{new.sku}", now)


def _sums(months: dict[int, Month]) -> dict[int, dict[str, Sum]]:
    return {month: each.sums() for month, each in months.items()}


def _uncosted(months: dict[int, Month]) -> list[str]:
    return [ident for _, month in sorted(months.items()) for ident in month.uncosted]


def _is_behind(tx: Connection) -> bool:
    """Whether ledger, register or orders have entries that are not followed yet."""
    last = {
        LEDGER: tx.scalar(select(func.max(movement.c.n))),
        REGISTER: register.newest(tx),
        PURCHASES: tx.scalar(select(func.max(purchase_event.c.n))),
    }
    return any((n or 0) > value_marks.position(tx, what) for what, n in last.items())
