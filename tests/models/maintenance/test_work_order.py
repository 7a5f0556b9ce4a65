"""The steps of a work order, its tasks and its costs, as literal tables."""

from decimal import Decimal
from typing import get_args

import pytest

from models.errors import Clash, Refused
from models.maintenance import failure_codes, work_costs, work_task
from models.maintenance.failure_codes import CODES, Code
from models.maintenance.work_costs import Costs, Order, figures, share_of, worked_us
from models.maintenance.work_order import STEPS, State, What, check_in, first_broken, is_overdue, step
from models.maintenance.work_task import Task

D = Decimal
HOUR = 3_600_000_000
CORRECTIVE, PLANNED = True, False
LEGAL: dict[State, dict[What, State]] = {
    "request": {"approve": "approved", "reject": "rejected", "cancel": "cancelled"},
    "approved": {"plan": "planned", "start": "in_progress", "cancel": "cancelled"},
    "planned": {"plan": "planned", "start": "in_progress", "cancel": "cancelled"},
    "in_progress": {"hold": "on_hold", "complete": "done", "cancel": "cancelled"},
    "on_hold": {"resume": "in_progress", "cancel": "cancelled"},
    "done": {"reopen": "in_progress", "close": "closed"},
    "closed": {},
    "rejected": {},
    "cancelled": {},
}


@pytest.mark.parametrize("state", get_args(State))
def test_every_step_from_every_state(state: State) -> None:
    for what in get_args(What):
        after = LEGAL[state].get(what)
        if after is not None:
            assert step(state, what, "why") == after
        else:
            with pytest.raises(
                Clash, match=rf"{what}: a work order that is {' or '.join(STEPS[what].before)} .* {state}$"
            ):
                step(state, what, "why")


@pytest.mark.parametrize("what", ["reject", "hold", "reopen", "cancel"])
@pytest.mark.parametrize("why", [None, ""])
def test_who_stops_or_undoes_work_says_why(what: What, why: str | None) -> None:
    with pytest.raises(Refused, match=f"reason: why expected of {what}"):
        step(STEPS[what].before[0], what, why)


def test_in_a_state_and_overdue() -> None:
    check_in("done", ("done",), "note")
    with pytest.raises(Clash, match="note: a work order that is closed or done expected, it is request"):
        check_in("request", ("closed", "done"), "note")
    told = [
        is_overdue(state, due, 10) for state, due in (("planned", 9), ("planned", 10), ("planned", None), ("done", 9))
    ]
    assert told == [True, False, False, False]


@pytest.mark.parametrize(
    ("life", "broken"),
    [
        ([("made", "request"), ("note", "request"), ("approve", "approved")], None),
        ([("made", "approved"), ("start", "in_progress"), ("complete", "done"), ("reopen", "in_progress")], None),
        ([], "nothing"),
        ([("approve", "approved")], "approve: made as request or approved expected first"),
        ([("made", "done")], "made: made as request or approved expected first"),
        ([("made", "request"), ("start", "in_progress")], "start: from request to in_progress"),
        ([("made", "request"), ("approve", "planned")], "approve: from request to planned"),
        ([("made", "request"), ("note", "approved")], "note: from request to approved"),
    ],
)
def test_a_recorded_life(life: list[tuple[str, State]], broken: str | None) -> None:
    assert first_broken(life) == broken


VALUE = Task(text="Pressure", kind="value", unit="bar", least=D("2.5"), most=D(4))


@pytest.mark.parametrize(
    ("task", "said", "answer"),
    [
        (Task(text="Brakes"), "ok", ("ok", True)),
        (Task(text="Brakes"), "not_ok", ("not_ok", False)),
        (Task(text="Brakes"), "not_applicable", ("not_applicable", None)),
        (Task(text="Brakes"), "yes", None),
        (VALUE, "2.50", ("2.5", True)),
        (VALUE, "2.499999", ("2.499999", False)),
        (VALUE, "4", ("4", True)),
        (VALUE, "4.01", ("4.01", False)),
        (VALUE, "-3", ("-3", False)),
        (VALUE, "٤", None),
        (VALUE, "1e3", None),
        (VALUE, "NaN", None),
        (Task(text="Hours", kind="reading", meter="engine_hours"), "4810.25", ("4810.25", True)),
    ],
)
def test_an_answer(task: Task, said: str, answer: tuple[str, bool | None] | None) -> None:
    if answer is None:
        with pytest.raises(Refused, match="said: "):
            work_task.answer(task, said)
    else:
        assert work_task.answer(task, said) == answer


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (Task(text="x", kind="reading"), "tasks.meter: expected of a reading"),
        (Task(text="x", kind="value", meter="odometer"), "tasks.meter: none expected of a value"),
        (Task(text="x", kind="reading", meter="oil"), "tasks.meter: one of engine_hours, .*, got 'oil'"),
        (Task(text="x", most=D(3)), "none expected of a check"),
        (Task(text="x", kind="value", least=D(3), most=D("2.9")), "tasks.most: at least 3 expected, got 2.9"),
        (Task(text="x", kind="value", least=D("Infinity")), "a number of at most"),
    ],
)
def test_a_task_that_makes_no_sense(task: Task, says: str) -> None:
    with pytest.raises(Refused, match=says):
        work_task.check(task)


def test_what_is_required_is_answered() -> None:
    tasks = {1: Task(text="a", required=True), 2: Task(text="b"), 3: Task(text="c", required=True)}
    work_task.check_answered(tasks, [3, 1])
    with pytest.raises(Refused, match="before it is done: 1 'a', 3 'c'"):
        work_task.check_answered(tasks, [2])


def test_codes_of_a_kind_of_equipment() -> None:
    own = {"rope": Code("mode", "Rope is worn", ("crane",))}
    failure_codes.check(own, {"mode": "rope", "cause": None}, "crane")
    failure_codes.check(own, {"mode": "rope"}, None)
    for said, kind in (({"mode": "rope"}, "vehicle"), ({"mode": "wear"}, "crane"), ({"cause": "x"}, None)):
        with pytest.raises(Refused, match=r"one of .* expected, got"):
            failure_codes.check(own, said, kind)  # type: ignore[arg-type]
    assert {each.aspect for each in CODES.values()} == {*failure_codes.ASPECTS}
    assert "no_start" not in failure_codes.choices({}, "mode", "furniture")


@pytest.mark.parametrize(
    ("hours", "rate", "cost"),
    [("1.5", "40", "60.00"), ("0.333", "45.5", "15.15"), ("1", "0.005", "0.01"), ("8", None, "0")],
)
def test_labour_to_the_cent(hours: str, rate: str | None, cost: str) -> None:
    assert work_costs.labour(D(hours), None if rate is None else D(rate)) == D(cost)


def test_costs_and_shares() -> None:
    assert Costs(D("60.00"), D("26.00"), D("100.00")).total == D("186.00")
    assert [share_of(cost, D(-1), D(3)) for cost in (D("10.00"), None)] == [D("-3.33"), None]


def test_time_in_progress_leaves_pauses_out() -> None:
    life: list[tuple[int, State]] = [
        (0, "approved"), (1 * HOUR, "in_progress"), (2 * HOUR, "in_progress"), (3 * HOUR, "on_hold"),
        (8 * HOUR, "in_progress"), (9 * HOUR, "done"),
    ]  # fmt: skip
    assert [worked_us(life[:n], 9 * HOUR) / HOUR for n in (1, 3, 4, 5, 6)] == [0, 8, 2, 3, 3]


def test_the_backlog_and_the_means() -> None:
    orders = [
        Order("planned", CORRECTIVE, 5, D("1.5")),
        Order("request", PLANNED, None, None),
        Order("cancelled", CORRECTIVE, 5, D(9)),
        Order("done", CORRECTIVE, 5, None, 100, 6 * HOUR, 2 * HOUR),
        Order("closed", CORRECTIVE, None, None, 100, 10 * HOUR, 3 * HOUR),
        Order("closed", PLANNED, None, None, 100, 90 * HOUR, 90 * HOUR),
    ]
    found = figures(orders, 10)
    assert found == (2, 1, D("1.5"), 3, 2, 8 * HOUR // 1000, 2.5 * HOUR // 1000)
    assert figures([], 10) == (0, 0, 0, 0, 0, None, None), "what never was is not 0"
    assert work_costs.hours(9_000_000) == D("2.5")
