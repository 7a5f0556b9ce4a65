"""Alerts in the book: one that is not closed per (rule, subject), whoever raises it; and its recorded life."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from backend.book import alerts, schema
from backend.book.db import open_engine, read, write
from models.alert import MOMENTS, Alert, Severity
from models.errors import Clash, NotFound, Refused


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine("sqlite", tmp_path / "book.db")
    schema.metadata.create_all(engine)
    yield engine
    engine.dispose()


def alert(title: str = "t", severity: Severity = "warning", subject: str = "item:A") -> Alert:
    return Alert("reorder", subject, severity, title, "{}")


def lived(engine: Engine) -> list[str]:
    with read(engine) as tx:
        told = [json.loads(body) for body in tx.scalars(select(schema.event.c.body).order_by(schema.event.c.n))]
        what = list(tx.scalars(select(schema.alert_event.c.what).order_by(schema.alert_event.c.n)))
    assert [each["what"] for each in told] == what
    return what


def test_its_life_is_recorded_and_told(engine: Engine) -> None:
    with write(engine) as tx:
        assert alerts.raise_alert(tx, alert(), 10, "planner")
        assert not alerts.raise_alert(tx, alert(), 11, "planner")
        assert not alerts.raise_alert(tx, alert("u"), 12, "planner")
        assert alerts.raise_alert(tx, alert(subject="item:B"), 13, "planner")
        row = tx.execute(select(schema.alert)).first()
        assert row is not None
        assert (row.title, row.raised_at) == ("u", 10)
        alerts.acknowledge(tx, row.id, "ann", 14)
        alerts.acknowledge(tx, row.id, "ben", 15)
        assert not alerts.raise_alert(tx, alert("u", "critical"), 16, "planner")
        assert alerts.close(tx, "reorder", "item:A", 17)
        assert not alerts.close(tx, "reorder", "item:A", 18)
        assert alerts.open_subjects(tx, "reorder") == ["item:B"]
        with pytest.raises(Clash, match="not closed expected"):
            alerts.acknowledge(tx, row.id, "ann", 19)
        with pytest.raises(NotFound):
            alerts.acknowledge(tx, "?", "ann", 19)
        assert alerts.raise_alert(tx, alert(), 20, "planner"), "a closed one does not stand in the way"
    assert lived(engine) == ["raised", "said again", "raised", "acknowledged", "reopened", "closed", "raised"]


@pytest.mark.parametrize("rule", sorted(MOMENTS))
def test_another_moment_opens_it_again_and_is_counted(engine: Engine, rule: str) -> None:
    def happens(at: int, what: str) -> dict[str, object]:
        with write(engine) as tx:
            told = json.dumps({"reason": what})
            alerts.raise_alert(tx, Alert(rule, "gateway:g", "warning", "title", told), at, "ingest")
            row = tx.execute(select(schema.alert).where(schema.alert.c.state != "closed")).one()
            return {"state": row.state, "by": row.acknowledged_by, "ident": row.id, **json.loads(row.detail)}

    assert happens(10, "a")["times"] == 1
    assert happens(11, "b").items() >= {"state": "open", "reason": "b", "times": 2}.items()
    ident = str(happens(12, "b")["ident"])
    with write(engine) as tx:
        alerts.acknowledge(tx, ident, "ann", 13)
    found = happens(14, "c")
    assert found.items() >= {"state": "open", "by": None, "reason": "c", "times": 4}.items()
    with write(engine) as tx:
        alerts.close_one(tx, str(found["ident"]), "ann", 15)
        alerts.close_one(tx, str(found["ident"]), "ben", 16)
        with pytest.raises(NotFound):
            alerts.close_one(tx, "?", "ann", 16)
    assert happens(17, "d")["times"] == 1
    assert lived(engine) == ["raised", "acknowledged", "reopened", "closed", "raised"]


def test_a_state_that_goes_on_stays_acknowledged(engine: Engine) -> None:
    with write(engine) as tx:
        alerts.raise_alert(tx, alert(), 10, "planner")
        alerts.acknowledge(tx, tx.scalars(select(schema.alert.c.id)).one(), "ann", 11)
        alerts.raise_alert(tx, alert(), 12, "planner")
        row = tx.execute(select(schema.alert)).one()
    assert (row.state, row.detail) == ("acknowledged", "{}")
    assert lived(engine) == ["raised", "acknowledged"]


def asleep(engine: Engine) -> list[tuple[str, int]]:
    with read(engine) as tx:
        return [(row.alert_id, row.until) for row in tx.execute(select(schema.alert_snooze))]


def test_a_snoozed_one_is_woken_at_its_time(engine: Engine) -> None:
    with write(engine) as tx:
        alerts.raise_alert(tx, alert(), 10, "planner")
        ident = tx.scalars(select(schema.alert.c.id)).one()
        alerts.snooze(tx, ident, 100, "ann", 11)
        alerts.snooze(tx, ident, 100, "ben", 12)
        alerts.raise_alert(tx, alert(), 13, "planner")
        assert not alerts.is_any_to_wake(tx, 99)
        assert alerts.wake_due(tx, 99) == 0
        with pytest.raises(Refused, match="until"):
            alerts.snooze(tx, ident, 99, "ann", 99)
        with pytest.raises(NotFound):
            alerts.snooze(tx, "?", 100, "ann", 11)
        assert tx.scalars(select(schema.alert.c.state)).one() == "snoozed"
    assert asleep(engine) == [(ident, 100)]
    with write(engine) as tx:
        assert alerts.is_any_to_wake(tx, 100)
        assert alerts.wake_due(tx, 100) == 1
        assert alerts.wake_due(tx, 100) == 0
        assert tx.scalars(select(schema.alert.c.state)).one() == "open"
        notes = tx.scalars(select(schema.alert_event.c.note).where(schema.alert_event.c.what == "snoozed")).all()
    assert asleep(engine) == []
    assert notes == ["until 1970-01-01T00:00:00.000100+00:00"]
    assert lived(engine) == ["raised", "snoozed", "woken"]


def test_what_ends_a_snooze(engine: Engine) -> None:
    with write(engine) as tx:
        for subject in ("item:A", "item:B", "item:C"):
            alerts.raise_alert(tx, alert(subject=subject), 10, "planner")
        rows = {row.subject: row.id for row in tx.execute(select(schema.alert))}
        for ident in rows.values():
            alerts.snooze(tx, ident, 100, "ann", 11)
        alerts.raise_alert(tx, alert(severity="critical", subject="item:A"), 12, "planner")
        alerts.acknowledge(tx, rows["item:B"], "ann", 13)
        alerts.close(tx, "reorder", "item:C", 14)
        with pytest.raises(Clash, match="not closed expected"):
            alerts.snooze(tx, rows["item:C"], 100, "ann", 15)
        assert alerts.wake_due(tx, 100) == 0
        states = {row.subject: row.state for row in tx.execute(select(schema.alert))}
    assert states == {"item:A": "open", "item:B": "acknowledged", "item:C": "closed"}
    assert asleep(engine) == []
    assert lived(engine) == ["raised"] * 3 + ["snoozed"] * 3 + ["reopened", "acknowledged", "closed"]


def test_figures_are_kept_and_told_to_nobody(engine: Engine) -> None:
    with write(engine) as tx:
        alerts.raise_alert(tx, alert(), 10, "planner")
        alerts.raise_alert(tx, Alert("reorder", "item:A", "warning", "t", '{"left": 3}'), 11, "planner")
        assert tx.scalars(select(schema.alert.c.detail)).one() == '{"left": 3}'
    assert lived(engine) == ["raised"]


def test_raised_by_many_at_once_it_is_one(engine: Engine) -> None:
    def race(n: int) -> bool:
        with write(engine) as tx:
            return alerts.raise_alert(tx, alert(f"t{n % 2}"), n, "planner")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(24))) == 1


def test_the_newest_detail_of_each_subject_is_found_by_index(engine: Engine) -> None:
    statements: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2:4]))
    with write(engine) as tx:
        for at, (rule, subject) in enumerate([("r", "a"), ("r", "b"), ("r", "a"), ("s", "a"), ("r", "c")]):
            alerts.raise_alert(tx, Alert(rule, subject, "info", "t", f'{{"k": {at}}}'), at, "planner")
            alerts.close(tx, rule, subject, at)
        alerts.raise_alert(tx, Alert("r", "b", "info", "t", '{"k": 9}'), 9, "planner")
        found = alerts.last_details(tx, "r", ["b", "a", "none"])
        assert found == {"a": '{"k": 2}', "b": '{"k": 9}'}
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[-1][0]}", statements[-1][1]).all()
    steps = [row[-1] for row in plan]
    assert any("USING COVERING INDEX ix_alert_subject" in step for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)
