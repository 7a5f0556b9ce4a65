"""Subjects that a rule fails on, a bug: each is left for ten minutes, so that it holds up neither others nor rules.

A turn that fails is taken anew, and what fails in it halved until who fails is alone; the others have their verdicts
in the same transaction. That one is left is an alert, `not_judged`, until the rule has judged it. When what is left is
tried again is in memory; a process that begins tries all that have such an alert.
"""

import json
import logging
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from backend.book import alerts, locks
from backend.book.db import is_bug
from backend.plan.rule import ACTOR, DAY_US, SECOND_US, Rule, View
from models.alert import Alert

T = TypeVar("T")
log = logging.getLogger(__name__)
LEFT_US = 600 * SECOND_US
NOT_JUDGED = "not_judged"
EVERYTHING = "*"
"""In place of an ident: what is to be looked at cannot be told."""


@dataclass(slots=True)
class Left:
    """When what failed is tried again, by rule and ident."""

    _again: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    _is_known: bool = False
    _is_careful: bool = False

    @contextmanager
    def carefully(self) -> Generator[None]:
        """In this block who fails is found out, which costs a savepoint for every rule."""
        self._is_careful = True
        try:
            yield
        finally:
            self._is_careful = False

    def twice(self, turn: Callable[[], T]) -> T:
        """A turn; carefully, if it fails by a bug."""
        try:
            return turn()
        except Exception as error:
            if not is_bug(error):
                raise
        with self.carefully():
            return turn()

    def remember(self, tx: Connection, rules: Sequence[Rule[Any]]) -> None:
        """Once: what was left when a process ended is tried at once, and its alert closes if it is judged."""
        if not self._is_known:
            named = [each.partition(":") for each in alerts.open_subjects(tx, NOT_JUDGED)]
            self._again |= {(rule, ident): 0 for rule, _, ident in named if rule in {each.name for each in rules}}
            self._is_known = True

    def is_due(self, rule: str, ident: str, now: int) -> bool:
        """Whether it failed, and is tried again now."""
        return (rule, ident) in self._again and not self.rests(rule, ident, now)

    def rests(self, rule: str, ident: str, now: int) -> bool:
        """Whether it failed, and is not tried again yet."""
        at = self._again.get((rule, ident))
        return at is not None and now < at <= now + DAY_US

    def due(self, rule: str, now: int, besides: Collection[str]) -> list[str]:
        """The idents of a rule that are tried again, without those that are looked at anyhow."""
        failed = (ident for of, ident in self._again if of == rule and ident not in {EVERYTHING, *besides})
        return [ident for ident in failed if not self.rests(rule, ident, now)]

    def is_any(self, now: int) -> bool:
        """Whether anything is to be tried again."""
        return any(self.is_due(rule, ident, now) for rule, ident in self._again)

    def run(self, view: View, rule: str, idents: Sequence[str], work: Callable[[Sequence[str]], object]) -> None:
        """Work on idents of a rule, all at once; carefully, where that fails, in parts.

        Raises OperationalError, which is no bug; and whatever fails while it is not careful.
        """
        some = [each for each in idents if not self.rests(rule, each, view.now)]
        if some and not self._is_careful:
            work(some)
            self._judged(view, rule, some)
        else:
            self._run_in_parts(view, rule, some, work)

    def _run_in_parts(
        self, view: View, rule: str, idents: Sequence[str], work: Callable[[Sequence[str]], object]
    ) -> None:
        waiting: list[Sequence[str]] = [idents]
        while waiting:
            some = waiting.pop()
            if not some:
                continue
            try:
                with locks.savepoint(view.tx):
                    work(some)
            except Exception as error:
                if not is_bug(error):
                    raise
                if len(some) > 1:
                    waiting += [some[len(some) // 2 :], some[: len(some) // 2]]
                else:
                    self._leave(view, rule, some[0], error)
            else:
                self._judged(view, rule, some)

    def _leave(self, view: View, rule: str, ident: str, error: Exception) -> None:
        if (rule, ident) not in self._again:
            log.error("rule %s fails on %s; it is left for %d s", rule, ident, LEFT_US // SECOND_US, exc_info=error)
        self._again[rule, ident] = view.now + LEFT_US
        title = f"{rule} of {ident} cannot be judged, a fault of this program: {type(error).__name__}"
        detail = json.dumps({"rule": rule, "ident": ident, "error": str(error)[:300]})
        alerts.raise_alert(view.tx, Alert(NOT_JUDGED, f"{rule}:{ident}", "warning", title, detail), view.now, ACTOR)

    def _judged(self, view: View, rule: str, idents: Sequence[str]) -> None:
        for ident in idents if self._again else ():
            if self._again.pop((rule, ident), None) is not None:
                log.warning("rule %s judges %s again", rule, ident)
                alerts.close(view.tx, NOT_JUDGED, f"{rule}:{ident}", view.now, ACTOR)
