"""The desk: follows the steps of alerts and says who is told of each, escalates what nobody answers, sends digests.

It reads the alerts' own recorded life, so that nothing is lost however long it was away; a step's messages, how far it
has looked and the next escalation are one transaction, so that nothing is told twice.
"""

import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select
from sqlalchemy.exc import OperationalError

from backend.book import alert_counts, alert_rows, alerts, locks, messages
from backend.book.db import read, repeated, write
from backend.book.schema import alert_event
from backend.book.schema_desk import desk_mark
from backend.notify import digests
from backend.notify.telling import Office, Ways, case_of, tell
from backend.registers import Registers
from models import escalation

log = logging.getLogger(__name__)
ACTOR = "desk"
EVERY_S, AWAY_S = 0.2, 1.0
STEPS_A_TURN, LATE_A_TURN = 200, 50
EVENTS = "events"
NEWS = frozenset({"raised", "reopened", "woken", "unshelved"})
"""Steps after which an alert is open and nobody has been told."""
MINUTE_US = 60_000_000


class Desk:
    """One worker; it holds only when it last asked for digests."""

    def __init__(self, book: Engine, clock: Callable[[], int], ways: Ways) -> None:
        self._book, self._clock, self._ways = book, clock, ways
        self._registers = Registers()
        self._minute = -1

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            try:
                is_idle = not self.step()
            except OperationalError as error:
                log.warning("the desk waits for the book: %s", error.orig)
                stop.wait(AWAY_S)
                continue
            if is_idle:
                stop.wait(EVERY_S)

    def step(self) -> int:
        """Take one page of steps, what has waited too long, and the digests that are due; how much that was."""
        now = self._clock()
        with read(self._book) as tx:
            mark, newest = _mark(tx), tx.scalar(select(func.max(alert_event.c.n))) or 0
            is_work = mark is None or newest > mark or bool(alerts.to_escalate(tx, now, 1))
        is_new_minute = now // MINUTE_US != self._minute
        if not is_work and not is_new_minute:
            return 0
        done = repeated(partial(self._turn, now))
        self._minute = now // MINUTE_US
        return done

    def _turn(self, now: int) -> int:
        with write(self._book) as tx:
            register = self._registers.current(tx)
            locks.number(tx)
            office = Office(tx, register, now, self._ways)
            return (
                _follow(office) + _escalate(office) + sum(digests.send(office, *each) for each in digests.due(office))
            )


def _mark(tx: Connection) -> int | None:
    return tx.scalar(select(desk_mark.c.upto).where(desk_mark.c.name == EVENTS))


def _follow(office: Office) -> int:
    """The next steps of alerts; the first time, what happened before is left alone."""
    mark = _mark(office.tx)
    if mark is None:
        digests.mark(office, EVENTS, office.tx.scalar(select(func.max(alert_event.c.n))) or 0)
        return 0
    query = select(alert_event).where(alert_event.c.n > mark).order_by(alert_event.c.n).limit(STEPS_A_TURN)
    steps = office.tx.execute(query).all()
    if not steps:
        return 0
    ids = {step.alert_id for step in steps}
    rows = {row.id: row for row in office.tx.execute(alert_rows.rows().where(alert_rows.table.c.id.in_(ids)))}
    last_news = {step.alert_id: step.n for step in steps if _is_news(step)}
    for step in steps:
        _heed(office, step, rows[step.alert_id], is_last=last_news.get(step.alert_id) == step.n)
    digests.mark(office, EVENTS, steps[-1].n)
    return len(steps)


def _is_news(step: Row[Any]) -> bool:
    """Whether it asks for somebody; of what is said again only if it is graver, which is then noted."""
    return step.what in NEWS or (step.what == "said again" and step.note is not None)


def _heed(office: Office, step: Row[Any], row: Row[Any], *, is_last: bool) -> None:
    """What a step of an alert's life calls for, as the alert stands now."""
    if step.what == "closed":
        messages.drop_untold(office.tx, row.id, office.now)
    elif step.what == "assigned" and row.assignee is not None and row.assignee == step.note and row.state != "closed":
        case = case_of(office, row)
        tell(office, case, [row.assignee], f"assigned:{step.n}", f"{step.actor} asks you to answer it.")
        _await(office, row, step.at)
    elif _is_news(step) and row.shelf is None:
        case = case_of(office, row)
        alert_counts.add(office.tx, row.rule, case.teams, step.at)
        if is_last and row.state == "open":
            now_told = [team for team in case.teams.values() if not escalation.is_for_digest(team, row.severity)]
            contacts = escalation.contacts(now_told, 1)
            if contacts:
                tell(office, case, contacts, f"{step.what}:{step.n}", "You are the first to be told.")
                _await(office, row, step.at)


def _await(office: Office, row: Row[Any], since: int) -> None:
    case = case_of(office, row)
    after = case.settings.escalate_us[case.alert.severity]
    level = max(row.level or 0, 1)
    is_end = after is None or escalation.is_last(case.teams.values(), level)
    alerts.await_answer(office.tx, row.id, None if is_end or after is None else since + after)


def _escalate(office: Office) -> int:
    """Tell the next level of what nobody has answered in time."""
    told = 0
    for ident in alerts.to_escalate(office.tx, office.now, LATE_A_TURN):
        row = alert_rows.one(office.tx, ident)
        case = case_of(office, row)
        teams, after = [*case.teams.values()], case.settings.escalate_us[case.alert.severity]
        is_end = after is None or escalation.is_last(teams, row.level + 1)
        again_at = None if is_end or after is None else office.now + after
        level = alerts.escalate(office.tx, ident, again_at, ACTOR, office.now)
        if level != row.level:
            told += 1
            why = "Nobody has answered those who were told before."
            tell(office, case, escalation.contacts(teams, level), f"level {level}:{row.escalate_at}", why)
    return told
