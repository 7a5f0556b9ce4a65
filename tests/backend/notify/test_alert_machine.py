"""Alerts in any order of what rules, people and time do to them: one open per subject, none lost, no answer overlooked.

After every turn of the desk whatever is open was told since it opened, and waits for the next level or has had the
last; who answered is not asked again. STOCKYARD_RUNS=2000 tries a hundred histories; without it eight are tried. A
history is a list of acts, at least so long: machines that choose their own length mostly do nothing in so few.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.book import alert_rows as rows
from backend.book import alerts, register, shelves
from backend.book.db import read, write
from backend.book.schema import alert, alert_event
from backend.book.schema_desk import message
from backend.notify.desk import Desk
from backend.notify.telling import Ways
from backend.verify.books import alert_histories, one_open
from backend.verify.folds import Seen
from models.alert import Alert, Severity
from models.declared_alerts import Contact, Team
from models.errors import Clash
from models.shelving import Shelf
from tests.backend.books import SECOND, Template, Yard

RUNS = int(os.environ.get("STOCKYARD_RUNS", "160")) // 20
HOUR = 3600 * SECOND
NOW = 1_795_424_400 * SECOND
SUBJECT = st.sampled_from(["asset:A/gearbox", "asset:B/gearbox"])
RULE = st.sampled_from(["failure_risk", "odometer_drift"])
SEVERITY: st.SearchStrategy[Severity] = st.sampled_from(["warning", "critical"])
ANSWERED = ("acknowledged", "snoozed", "closed")
ACT = st.one_of(
    st.tuples(st.just("raised"), RULE, SUBJECT, SEVERITY),
    st.tuples(st.just("over"), RULE, SUBJECT),
    st.tuples(st.just("answered"), st.sampled_from(["acknowledge", "snooze", "assign"]), st.integers(0, 3)),
    st.tuples(st.just("shelved"), RULE, st.sampled_from(["asset:A/*", "asset:*"]), st.integers(1, 30)),
    st.tuples(st.just("unshelved"), st.integers(1, 3)),
    st.tuples(st.just("time_passes"), st.sampled_from([1, 20, 300, 2000])),
    st.tuples(st.just("desk_dies")),
    st.tuples(st.just("desk_works")),
    st.tuples(st.just("desk_works")),
)


class Alarms:
    """One book with a team of three levels, and a desk that now and then dies."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.shelves = 0
        now = self.yard.clock.now
        with write(self.yard.book) as tx:
            for name in ("one", "two", "three"):
                body = Contact(name, f"{name}@yard.example")
                register.put(tx, "contacts", name, body, valid_from=0, actor="test", now=now)
            team = Team("Fleet", ["assets"], [["one"], ["two"], ["three"]])
            register.put(tx, "teams", "fleet", team, valid_from=now, actor="test", now=now)
        self.desk_dies()
        self.desk_works()

    def raised(self, name: str, subject: str, severity: Severity) -> None:
        with write(self.yard.book) as tx:
            alerts.raise_alert(tx, Alert(name, subject, severity, f"{severity}", "{}"), self.yard.clock.now, "planner")

    def over(self, name: str, subject: str) -> None:
        with write(self.yard.book) as tx:
            alerts.close(tx, name, subject, self.yard.clock.now)

    def answered(self, what: str, pick: int) -> None:
        with read(self.yard.book) as tx:
            idents = tx.scalars(select(alert.c.id).order_by(alert.c.n.desc()).limit(4)).all()
        if not idents:
            return
        ident, now = idents[pick % len(idents)], self.yard.clock.now
        with write(self.yard.book) as tx:
            try:
                if what == "acknowledge":
                    alerts.acknowledge(tx, ident, "ann", now)
                elif what == "snooze":
                    alerts.snooze(tx, ident, now + 2 * HOUR, "ann", now)
                else:
                    alerts.assign(tx, ident, "three", "ann", now)
            except Clash:
                assert tx.scalar(select(alert.c.state).where(alert.c.id == ident)) == "closed"

    def shelved(self, name: str, pattern: str, hours: int) -> None:
        self.shelves += 1
        now = self.yard.clock.now
        with write(self.yard.book) as tx:
            shelves.put(tx, f"s{self.shelves}", Shelf([name], [pattern], "why", now + hours * HOUR), "ann", now)

    def unshelved(self, pick: int) -> None:
        if pick <= self.shelves:
            with write(self.yard.book) as tx:
                shelves.end(tx, f"s{pick}", "ann", self.yard.clock.now)

    def time_passes(self, minutes: int) -> None:
        self.yard.clock.now += minutes * 60 * SECOND
        with write(self.yard.book) as tx:
            alerts.wake_due(tx, self.yard.clock.now)

    def desk_dies(self) -> None:
        """Nothing of it is in memory that matters."""
        self.desk = Desk(self.yard.book, self.yard.clock, Ways(has_mail=True))

    def desk_works(self) -> None:
        with read(self.yard.book) as tx:
            before = {row.n for row in tx.execute(select(message.c.n))}
            states = {row.id: row.state for row in tx.execute(select(alert.c.id, alert.c.state))}
        while self.desk.step():
            pass
        with read(self.yard.book) as tx:
            told = [row for row in tx.execute(select(message)) if row.n not in before]
            known = {row.alert_id for row in tx.execute(select(message.c.alert_id))}
            standing = [rows.raised(row) for row in tx.execute(rows.rows().where(rows.OPEN))]
        for row in told:
            is_asked = row.step.startswith("assigned")
            assert is_asked or states[row.alert_id] not in ANSWERED, "whoever answered is not asked again"
        assert {ident for ident, state in states.items() if state == "open"} <= known, "none is lost"
        for each in standing:
            assert (each.escalate_at is not None) == (each.state == "open" and each.level in {1, 2}), each
            assert each.level > 0 or each.state != "open", each
        steps = Counter((row.alert_id, row.step, row.recipient) for row in told)
        assert not steps or max(steps.values()) == 1

    def the_book_stands(self) -> None:
        with read(self.yard.book) as tx:
            seen = Seen(tx)
            assert one_open(seen)[1] == []
            assert alert_histories(seen)[1] == []
            lives = tx.execute(select(alert_event.c.alert_id, alert_event.c.what).order_by(alert_event.c.n)).all()
        state: dict[str, str] = {}
        for ident, what in lives:
            assert what != "escalated" or state[ident] not in {"acknowledged", "snoozed", "shelved", "closed"}
            if what not in {"said again", "assigned", "escalated"}:
                state[ident] = what


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_alerts_in_any_order(template: Template, tmp_path: Path) -> None:
    made = iter(range(10**6))

    @settings(
        max_examples=RUNS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(ACT, min_size=40, max_size=60))
    def histories(acts: list[tuple[str, ...]]) -> None:
        yard = Yard.copy(template, tmp_path / f"{next(made)}.db", NOW)
        alarms = Alarms(yard)
        for name, *asked in acts:
            getattr(alarms, name)(*asked)
            alarms.the_book_stands()
        alarms.desk_works()
        yard.book.dispose()

    histories()
