"""The condition watch: what plans wait for in signals, looked at in the telemetry store every few minutes.

What it sees is written down in the book, which the planner judges: a plan stays due though the signal is well again,
until its service is done. While the store is away nothing is judged anew.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from threading import Event
from typing import NamedTuple

from sqlalchemy import Engine

from backend import dues
from backend.book import conditions, events
from backend.book.db import read, write
from backend.registers import Registers
from backend.telemetry import assets
from backend.telemetry.rows import HOUR
from backend.telemetry.store import Reader, StoreAway
from models.declared_plans import Condition
from models.maintenance.condition import Seen, of_signal
from models.maintenance.facts import DAY_US, Facts, Found
from models.register import Register

log = logging.getLogger(__name__)
EVERY_S = 300.0
LOOKED_BACK_US = 60 * DAY_US
"""Of readings and hours only the last ones are looked at: what held before was written down then."""


class Wanted(NamedTuple):
    """A condition of a plan that waits for a signal, since the last service."""

    asset: str
    plan: str
    number: int
    since: int
    condition: Condition


class ConditionWatch:
    """One worker; it holds nothing but the register."""

    def __init__(self, book: Engine, telemetry: Reader, clock: Callable[[], int]) -> None:
        self._book, self._telemetry, self._clock = book, telemetry, clock
        self._registers = Registers()

    def run(self, stop: Event) -> None:
        """Work until stop."""
        is_away = False
        while not stop.is_set():
            try:
                self.step()
                is_away = False
            except StoreAway as error:
                if not is_away:
                    log.warning("conditions of plans wait for the telemetry store: %s", error)
                is_away = True
            stop.wait(EVERY_S)

    def step(self) -> int:
        """Look at every condition that waits for a signal; how many are otherwise than they were."""
        now = self._clock()
        with read(self._book) as tx:
            register = self._registers.current(tx)
            plans = dues.plans_of(register, now)
            watched = [asset for asset, of in plans.items() if any(_signals(plan.conditions) for _, plan in of)]
            known = dues.facts(tx, register, watched, now, "state") if watched else []
        found = [(each, self._look(register, each, now)) for facts in known for each in _wanted(facts)]
        news = [(each, seen) for each, seen in found if seen is not None]
        if not news:
            return 0
        with write(self._book) as tx:
            changed = [
                each.asset
                for each, seen in news
                if conditions.save(tx, (each.asset, each.plan, each.number), each.since, seen)
            ]
            events.changed_all(tx, [f"asset:{asset}" for asset in sorted({*changed})], now)
        return len(changed)

    def _look(self, register: Register, wanted: Wanted, now: int) -> Found | None:
        """The condition by the trackers that were on the asset since; of several units the one that is told most."""
        since = max(wanted.since, now - LOOKED_BACK_US)
        by_unit: defaultdict[str, list[Seen]] = defaultdict(list)
        for span in assets.spans(register, wanted.asset, now):
            window = max(span.since, since), span.until
            if window[0] < window[1]:
                for unit, seen in self._seen(wanted.condition, span.device, window):
                    by_unit[unit].append(seen)
        if not by_unit:
            return None
        unit = max(sorted(by_unit), key=lambda each: len(by_unit[each]))
        return of_signal(wanted.condition, sorted(by_unit[unit]), unit)

    def _seen(self, condition: Condition, device: str, window: tuple[int, int]) -> Iterator[tuple[str, Seen]]:
        since, until = window
        names = [condition.signal or ""]
        if condition.hours is None:
            for point in self._telemetry.points(names, [device], since, until):
                yield point.unit, Seen(point.at, point.value)
            return
        whole = -(-since // HOUR) * HOUR, until // HOUR * HOUR, HOUR
        for each in self._telemetry.rollups(names, [device], whole):
            yield each.unit, Seen(each.begin, each.total / each.count)


def _signals(wanted: list[Condition]) -> bool:
    return any(each.signal is not None for each in wanted)


def _wanted(facts: Facts) -> Iterator[Wanted]:
    """Those that do not hold yet."""
    for number, (each, found) in enumerate(zip(facts.plan.conditions, facts.found, strict=True)):
        if each.signal is not None and not (found is not None and found.holds):
            yield Wanted(facts.asset, facts.plan_id, number, facts.began_at, each)
