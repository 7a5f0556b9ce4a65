"""The planner and maintenance plans: one alert per plan and occurrence, whatever is recorded, in whichever order."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from backend.book import alerts, schema
from backend.book.db import read, write
from backend.planner import Planner
from models.declared import Asset
from models.declared_plans import Package
from tests.backend.books import open_quick
from tests.backend.garage import CHECK, DAY, MINUTE, OIL, TRUCK, Garage, make


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    engine = make(tmp_path / "book.db")
    yield Garage(engine)
    engine.dispose()


def test_what_is_due_tells_the_packages_of_the_service_that_it_is(garage: Garage) -> None:
    second = [Package("filters", every=2)]
    garage.now += 7 * DAY
    garage.put("plans", "TRUCK-1/oil", replace(OIL, every_days=None, packages=second))
    for _ in range(8):
        garage.run(20)
    garage.done("d-1")  # for the first and the second, both missed
    assert [row for row in garage.plan(DAY) if "oil" in row[0]] == []
    for _ in range(4):
        garage.run(20)
    assert ("TRUCK-1/oil/2", "warning", "open") in garage.plan()
    with read(garage.engine) as tx:
        (told,) = tx.scalars(select(schema.alert.c.detail).where(schema.alert.c.subject == "TRUCK-1/oil/2"))
    assert "packages" not in json.loads(told)  # it is the third of all


def test_an_alert_lives_from_soon_until_it_is_done(garage: Garage) -> None:
    assert garage.plan() == []
    garage.done("c-1", "TRUCK-1/check")
    garage.now += 10 * DAY
    garage.run(73)
    assert garage.plan() == [("TRUCK-1/oil/1", "info", "open")]
    garage.now += DAY
    garage.run(8)
    assert garage.plan() == [("TRUCK-1/oil/1", "warning", "open")]
    garage.now += DAY
    garage.run(8)
    assert garage.plan() == [("TRUCK-1/oil/1", "critical", "open")]
    with read(garage.engine) as tx:
        detail = json.loads(tx.scalars(select(schema.alert.c.detail)).one())
    assert (detail["asset"], detail["plan"], detail["occurrence"]) == ("TRUCK-1", "TRUCK-1/oil", 1)
    assert (detail["used_hours"], detail["interval"]) == (["89", "89"], {"hours": "80", "days": "60"})
    garage.done("s-1")
    assert garage.plan() == []
    assert garage.lived() == [
        ("TRUCK-1/oil/1", "raised"),
        ("TRUCK-1/oil/1", "said again"),
        ("TRUCK-1/oil/1", "said again"),
        ("TRUCK-1/oil/1", "closed"),
    ]
    assert garage.plan(18 * DAY) == [("TRUCK-1/check/2", "critical", "open")]
    garage.done("c-2", "TRUCK-1/check")
    assert garage.plan() == []
    assert garage.plan(19 * DAY) == [("TRUCK-1/check/3", "info", "open")]


def test_time_is_enough_and_a_look_changes_nothing(garage: Garage) -> None:
    garage.plan()
    assert garage.plan(20 * DAY - 1) == [("TRUCK-1/check/1", "info", "open")]
    assert garage.plan(MINUTE) == [("TRUCK-1/check/1", "warning", "open")]
    before = garage.lived()
    for _ in range(3):
        garage.plan(MINUTE)
    assert garage.lived() == before


def test_what_nobody_observed_may_be_due(garage: Garage) -> None:
    garage.now += DAY
    garage.run(70, 10)
    for _ in range(9):
        assert garage.plan(MINUTE) == [], "a backlog may still say more"
    assert garage.plan(2 * MINUTE) == [("TRUCK-1/oil/1", "info", "open")]
    with read(garage.engine) as tx:
        assert "may be due" in tx.scalars(select(schema.alert.c.title)).one()


def test_another_count_is_another_alert(garage: Garage) -> None:
    garage.now += 21 * DAY
    assert garage.plan() == [("TRUCK-1/check/1", "warning", "open")]
    garage.done("old", "TRUCK-1/check", 22 * DAY)
    assert garage.plan() == [("TRUCK-1/check/2", "warning", "open")], "the last one that was done is older still"
    garage.withdraw("old")
    assert garage.plan() == [("TRUCK-1/check/1", "warning", "open")]
    garage.done("new", "TRUCK-1/check")
    assert garage.plan() == []
    garage.withdraw("new")
    assert garage.plan() == [("TRUCK-1/check/1", "warning", "open")]
    closed_before_raised = [what for subject, what in garage.lived()][1:3]
    assert closed_before_raised == ["closed", "raised"]


def test_only_what_is_in_use_falls_due(garage: Garage) -> None:
    garage.now += 20 * DAY
    assert garage.plan() == [("TRUCK-1/check/1", "warning", "open")]
    garage.put("assets", "TRUCK-1", replace(TRUCK, state="stored"))
    assert garage.plan() == [("TRUCK-1/check/1", "warning", "open")]
    garage.put("assets", "TRUCK-1", replace(TRUCK, state="retired"), garage.now + MINUTE)
    assert garage.plan(2 * MINUTE) == []
    garage.put("assets", "TRUCK-1", replace(TRUCK, state="in_service"))
    assert garage.plan() == [("TRUCK-1/check/1", "warning", "open")]
    garage.put("assets", "CRANE-1", Asset("Crane", "2"))
    garage.put("plans", "TRUCK-1/check", replace(CHECK, asset="CRANE-1"))
    assert garage.plan() == [("CRANE-1/~TRUCK-1/check/1", "warning", "open")]


def test_a_plan_that_changes_is_judged_anew(garage: Garage) -> None:
    garage.now += 20 * DAY
    garage.plan()
    garage.put("plans", "TRUCK-1/check", replace(CHECK, every_days=200))
    assert garage.plan() == []
    garage.put("plans", "TRUCK-1/check", replace(CHECK, every_days=10))
    assert garage.plan() == [("TRUCK-1/check/1", "critical", "open")]


def test_a_snoozed_alert_sleeps_until_its_time_or_until_it_is_graver(garage: Garage) -> None:
    garage.now += 18 * DAY + 1
    assert garage.plan() == [("TRUCK-1/check/1", "info", "open")]

    def snooze(until: int) -> None:
        with write(garage.engine) as tx:
            alerts.snooze(tx, tx.scalars(select(schema.alert.c.id)).one(), until, "ann", garage.now)

    snooze(garage.now + DAY)
    assert garage.plan(DAY - 1) == [("TRUCK-1/check/1", "info", "snoozed")]
    assert garage.plan(1) == [("TRUCK-1/check/1", "info", "open")]
    snooze(garage.now + 30 * DAY)
    assert garage.plan(DAY) == [("TRUCK-1/check/1", "warning", "open")]
    snooze(garage.now + 30 * DAY)
    garage.done("c-1", "TRUCK-1/check")
    assert garage.plan() == []
    assert garage.plan(31 * DAY)[0] == ("TRUCK-1/check/2", "critical", "open"), "nothing sleeps that is closed"
    whats = [what for subject, what in garage.lived() if subject == "TRUCK-1/check/1"]
    assert whats == ["raised", "snoozed", "woken", "snoozed", "reopened", "snoozed", "closed"]


def test_the_planner_wakes_without_anything_else_to_do(garage: Garage) -> None:
    garage.now += 20 * DAY
    garage.plan()
    with write(garage.engine) as tx:
        alerts.snooze(tx, tx.scalars(select(schema.alert.c.id)).one(), garage.now + MINUTE, "ann", garage.now)
    garage.planner = Planner(garage.engine, lambda: garage.now, [])
    assert garage.plan(MINUTE - 1) == [("TRUCK-1/check/1", "warning", "snoozed")]
    assert garage.plan(1) == [("TRUCK-1/check/1", "warning", "open")]


def test_an_alert_that_says_not_what_it_is_about_closes(garage: Garage) -> None:
    garage.now += 20 * DAY
    garage.plan()
    with write(garage.engine) as tx:
        tx.execute(schema.alert.update().values(subject="?", detail="{"))
    assert garage.plan(MINUTE) == []
    assert garage.plan(60 * MINUTE) == [("TRUCK-1/check/1", "warning", "open")]


STEPS = st.one_of(
    st.tuples(st.just("done"), st.sampled_from(["TRUCK-1/oil", "TRUCK-1/check"]), st.integers(0, 40)),
    st.tuples(st.just("withdraw"), st.integers(0, 20)),
    st.tuples(st.just("run"), st.integers(0, 24), st.integers(0, 24)),
    st.tuples(st.just("wait"), st.integers(1, 20)),
    st.tuples(st.just("state"), st.sampled_from(["in_service", "stored", "retired"])),
    st.tuples(st.just("look")),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("garage") / "book.db"
    make(file).dispose()
    return file


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=14))
def test_whatever_is_recorded_the_alerts_are_what_the_facts_call_for(
    empty: Path, steps: Sequence[tuple[Any, ...]]
) -> None:
    with TemporaryDirectory() as folder:
        shutil.copy(empty, Path(folder) / "book.db")
        engine = open_quick(Path(folder) / "book.db")
        garage = Garage(engine)
        for number, step in enumerate(steps):
            act(garage, number, step)
            garage.plan()
            standing = garage.plan(10 * MINUTE)  # what only seems to be due must last
            assert [(subject, severity) for subject, severity, _ in standing] == garage.called_for()
            plans = [subject.rpartition("/")[0] for subject, *_ in standing]
            assert len(plans) == len({*plans}), "two alerts of one plan"
        engine.dispose()


def act(garage: Garage, number: int, step: tuple[Any, ...]) -> None:
    """One step of a story; what cannot be is left out."""
    match step:
        case ("done", plan, back):
            garage.done(f"s-{number}", plan, back * DAY)
        case ("withdraw", which):
            with read(garage.engine) as tx:
                known = tx.scalars(select(schema.service_done.c.id).order_by(schema.service_done.c.n)).all()
            if known:
                garage.withdraw(known[which % len(known)])
        case ("run", least, unseen):
            garage.now += DAY
            garage.run(least, min(unseen, 24 - least))
        case ("wait", days):
            garage.now += days * DAY
        case ("state", state):
            garage.now += MINUTE
            garage.put("assets", "TRUCK-1", replace(TRUCK, state=state))
        case _:
            pass
