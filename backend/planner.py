"""The planner: runs RULES over what changed and, regularly, over everything; raises, closes and wakes alerts.

A row of `changed` is deleted in the transaction that has its effects, so that a crash repeats it and loses nothing.
What waits for a rule whose subjects rest is in memory: the look at everything, at the start too, has it again.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from threading import Event
from typing import Any

from sqlalchemy import Engine, bindparam, delete, select

from backend.book import alerts, schema
from backend.book.db import is_bug, read, write
from backend.book.schema_custody import asset_leaving
from backend.plan.judging import Waiting, apply, is_any_due
from backend.plan.left import EVERYTHING, Left
from backend.plan.rule import ACTOR, Rule, View
from backend.registers import Registers
from backend.rules import RULES

EVERY_S = 0.5
HURRY_S = 0.05
"""So often it looks whether an asset is leaving: a look costs next to nothing, and an alarm cannot wait."""
LEAVING = "leaving"
"""Assets that may be leaving, beside the kinds of subjects."""
ROWS_A_STEP = 50
_LEAVING = select(asset_leaving).where(asset_leaving.c.n > bindparam("after")).order_by(asset_leaving.c.n).limit(100)
RESTED_A_STEP = 20
"""A look at one of them may take tens of milliseconds, and nobody else can write meanwhile."""


class Rest:
    """What is to be looked at of a rule whose subjects rest after each look; who waits longest is looked at first."""

    def __init__(self, rest_us: int) -> None:
        self._rest_us = rest_us
        self._waiting: dict[str, None] = {}
        self._looked_at: dict[str, int] = {}

    def add(self, idents: Iterable[str]) -> None:
        """These changed."""
        self._waiting |= dict.fromkeys(ident for ident in sorted(idents) if ident not in self._waiting)

    def ready(self, now: int) -> list[str]:
        """The next few that wait and have rested."""
        return [*islice((each for each in self._waiting if not self._rests(each, now)), RESTED_A_STEP)]

    def looked(self, idents: Iterable[str], now: int) -> None:
        """Let these rest; they wait again when they change again."""
        for each in idents:
            self._waiting.pop(each, None)
            self._looked_at[each] = now
        self._looked_at = {each: at for each, at in self._looked_at.items() if self._rests(each, now)}

    def _rests(self, ident: str, now: int) -> bool:
        at = self._looked_at.get(ident)
        return at is not None and abs(now - at) < self._rest_us


class Planner:
    """One worker; memory holds when each rule last looked at everything, and what is called for but not raised yet."""

    def __init__(self, book: Engine, clock: Callable[[], int], rules: Sequence[Rule[Any]] = RULES) -> None:
        self._book = book
        self._clock = clock
        self._rules = rules
        self._registers = Registers()
        self._hurried = 0
        self._looked: dict[str, int] = {}
        self._waiting = Waiting()
        self._left = Left()
        self._resting = {rule.name: Rest(rule.rest_us) for rule in rules if rule.rest_us}

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            self.hurry()
            begin = time.monotonic()
            is_more = self.step() >= ROWS_A_STEP
            # Whoever waits to write gets as long as a step took: the lock is nobody's in order.
            self._rest(stop, min(time.monotonic() - begin, EVERY_S) if is_more else EVERY_S)

    def _rest(self, stop: Event, seconds: float) -> None:
        for _ in range(round(seconds / HURRY_S)):
            if stop.wait(HURRY_S):
                return
            self.hurry()

    def hurry(self) -> int:
        """Judge what cannot wait its turn: assets that may be leaving, by the rules that are urgent; how many rows.

        It only reads where nothing is to be told. The rows are deleted by the next step, which looks at them again.
        """
        with read(self._book) as tx:
            rows = tx.execute(_LEAVING, {"after": self._hurried}).all()
            assets = sorted({row.asset for row in rows})
            urgent = [rule for rule in self._rules if rule.is_urgent and assets]
            view = View(tx, self._registers.current(tx), self._clock()) if urgent else None
            due = [rule for rule in urgent if view is not None and _may_be_due(view, rule, assets)]
        if due:
            with write(self._book) as tx, self._left.carefully():
                now_view = View(tx, self._registers.current(tx), self._clock())
                for rule in due:
                    self._apply(now_view, rule, assets)
        self._hurried = max([self._hurried, *(row.n for row in rows)])
        return len(rows)

    def step(self) -> int:
        """Judge one page of what changed, and everything for the rules whose hour it is; how much was taken.

        That is rows, and subjects that had rested. Snoozed alerts whose time has come are open again before.
        """
        now = self._clock()
        due = [rule for rule in self._rules if self._is_due(rule, now)]
        with read(self._book) as tx:
            query = select(schema.changed.c.n, schema.changed.c.subject).order_by(schema.changed.c.n)
            rows = tx.execute(query.limit(ROWS_A_STEP)).all()
            left = tx.execute(_LEAVING, {"after": 0}).all()
            is_any_to_wake = alerts.is_any_to_wake(tx, now)
            self._left.remember(tx, self._rules)
        is_any_ready = (
            self._waiting.is_any(now)
            or self._left.is_any(now)
            or any(each.ready(now) for each in self._resting.values())
        )
        if not rows and not left and not due and not is_any_to_wake and not is_any_ready:
            return 0
        subjects: defaultdict[str, set[str]] = defaultdict(set, {LEAVING: {row.asset for row in left}})
        for _, subject in rows:
            kind, _, ident = subject.partition(":")
            subjects[kind].add(ident)

        def turn() -> dict[str, Sequence[str]]:
            with write(self._book) as tx:
                alerts.wake_due(tx, now, ACTOR)
                rested = self._judge(View(tx, self._registers.current(tx), now), subjects, due)
                tx.execute(delete(schema.changed).where(schema.changed.c.n.in_([n for n, _ in rows])))
                tx.execute(delete(asset_leaving).where(asset_leaving.c.n.in_([row.n for row in left])))
            return rested

        rested = self._left.twice(turn)
        self._waiting.looked(now)
        for name, idents in rested.items():
            self._resting[name].looked(idents, now)
        self._looked.update((rule.name, now) for rule in due)
        return len(rows) + sum(map(len, rested.values()))

    def _is_due(self, rule: Rule[Any], now: int) -> bool:
        """At the start, and whenever a new span of `every_us` has begun: for a day, at midnight UTC."""
        before = self._looked.get(rule.name)
        is_new = before is None or before // rule.every_us != now // rule.every_us
        return rule.everything is not None and (is_new or self._left.is_due(rule.name, EVERYTHING, now))

    def _judge(
        self, view: View, subjects: Mapping[str, set[str]], due: Sequence[Rule[Any]]
    ) -> dict[str, Sequence[str]]:
        """Which subjects that had rested were looked at, by rule."""
        rested: dict[str, Sequence[str]] = {}
        for rule in self._rules:
            idents = {*subjects.get(rule.of, ()), *self._waiting.due(rule.name, view.now)}
            if rule.is_urgent:
                idents |= subjects.get(LEAVING, set())
            if rule in due:
                idents |= self._everything(view, rule)
            found: Sequence[str] = sorted(idents)
            if rule.name in self._resting:
                self._resting[rule.name].add(found)
                found = rested[rule.name] = self._resting[rule.name].ready(view.now)
            found = [*found, *self._left.due(rule.name, view.now, found)]
            if found:
                self._apply(view, rule, found)
        return rested

    def _everything(self, view: View, rule: Rule[Any]) -> set[str]:
        found: set[str] = set()
        every = rule.everything
        if every is not None:
            self._left.run(view, rule.name, [EVERYTHING], lambda _: found.update(every(view)))
        return found

    def _apply(self, view: View, rule: Rule[Any], idents: Sequence[str]) -> None:
        """Judge these; whoever a rule fails on is left, and holds up no other."""
        self._left.run(view, rule.name, idents, lambda some: apply(view, rule, some, self._waiting))


def _may_be_due(view: View, rule: Rule[Any], idents: Sequence[str]) -> bool:
    try:
        return is_any_due(view, rule, idents)
    except Exception as error:
        if not is_bug(error):
            raise
        return True  # it is judged for good then, and who fails is left and told of
