"""The planner: runs RULES over what changed and, regularly, over everything; raises, closes and wakes alerts.

A row of `changed` is deleted in the transaction that has its effects, so that a crash repeats it and loses nothing.
What waits for a rule whose subjects rest is in memory: the look at everything, at the start too, has it again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from threading import Event
from typing import Any

from sqlalchemy import Engine, delete, select

from backend.book import alerts, schema
from backend.book.db import read, write
from backend.plan.rule import Rule, View
from backend.registers import Registers
from backend.rules import RULES

EVERY_S = 0.5
ROWS_A_STEP = 1000
RESTED_A_STEP = 20
"""A look at one of them may take tens of milliseconds, and nobody else can write meanwhile."""
ACTOR = "planner"


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
    """One worker; memory holds when each rule last looked at everything, and since when an alert is called for."""

    def __init__(self, book: Engine, clock: Callable[[], int], rules: Sequence[Rule[Any]] = RULES) -> None:
        self._book = book
        self._clock = clock
        self._rules = rules
        self._registers = Registers()
        self._looked: dict[str, int] = {}
        self._called: dict[tuple[str, str], int] = {}
        self._resting = {rule.name: Rest(rule.rest_us) for rule in rules if rule.rest_us}

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            if self.step() < ROWS_A_STEP:
                stop.wait(EVERY_S)

    def step(self) -> int:
        """Judge one page of what changed, and everything for the rules whose hour it is; how much was taken.

        That is rows, and subjects that had rested. Snoozed alerts whose time has come are open again before.
        """
        now = self._clock()
        due = [rule for rule in self._rules if self._is_due(rule, now)]
        with read(self._book) as tx:
            query = select(schema.changed.c.n, schema.changed.c.subject).order_by(schema.changed.c.n)
            rows = tx.execute(query.limit(ROWS_A_STEP)).all()
            is_any_to_wake = alerts.is_any_to_wake(tx, now)
        if not rows and not due and not is_any_to_wake and not any(each.ready(now) for each in self._resting.values()):
            return 0
        subjects: defaultdict[str, set[str]] = defaultdict(set)
        for _, subject in rows:
            kind, _, ident = subject.partition(":")
            subjects[kind].add(ident)
        with write(self._book) as tx:
            alerts.wake_due(tx, now, ACTOR)
            rested = self._judge(View(tx, self._registers.current(tx), now), subjects, due)
            tx.execute(delete(schema.changed).where(schema.changed.c.n.in_([n for n, _ in rows])))
        for name, idents in rested.items():
            self._resting[name].looked(idents, now)
        self._looked.update((rule.name, now) for rule in due)
        return len(rows) + sum(map(len, rested.values()))

    def _is_due(self, rule: Rule[Any], now: int) -> bool:
        """At the start, and whenever a new span of `every_us` has begun: for a day, at midnight UTC."""
        before = self._looked.get(rule.name)
        return rule.everything is not None and (before is None or before // rule.every_us != now // rule.every_us)

    def _judge(
        self, view: View, subjects: Mapping[str, set[str]], due: Sequence[Rule[Any]]
    ) -> dict[str, Sequence[str]]:
        """Which subjects that had rested were looked at, by rule."""
        rested: dict[str, Sequence[str]] = {}
        for rule in self._rules:
            idents = set(subjects.get(rule.of, ()))
            if rule in due and rule.everything is not None:
                idents |= set(rule.everything(view))
            found: Sequence[str] = sorted(idents)
            if rule.name in self._resting:
                self._resting[rule.name].add(found)
                found = rested[rule.name] = self._resting[rule.name].ready(view.now)
            if found:
                apply(view, rule, found, self._called)
        return rested


def apply(view: View, rule: Rule[Any], idents: Sequence[str], called: dict[tuple[str, str], int]) -> None:
    """One rule on some subjects; `called` has since when alerts are called for that must last to be raised."""
    standing = set(alerts.open_subjects(view.tx, rule.name)) if rule.is_state else set[str]()
    for subject, facts in rule.load(view, idents):
        if rule.settle is not None:
            rule.settle(view, facts)
        alert = rule.judge(facts, view.now)
        if alert is None:
            called.pop((rule.name, subject), None)
        elif (
            subject in standing or rule.steady is None or _lasts(rule.steady(alert), (rule.name, subject), called, view)
        ):
            alerts.raise_alert(view.tx, alert, view.now, ACTOR)
        if alert is None and subject in standing:
            alerts.close(view.tx, rule.name, subject, view.now, ACTOR)


def _lasts(steady_us: int, key: tuple[str, str], called: dict[tuple[str, str], int], view: View) -> bool:
    return view.now - called.setdefault(key, view.now) >= steady_us
