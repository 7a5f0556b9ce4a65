"""The checker passes a system that agrees with the truth about machines, and names each single thing that does not."""

import copy
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from simulators.checker import compare, wait
from simulators.checks import records
from tests.simulators.agreeing_machines import CRANE, HOUR, TRUCK, Yard, alert, make_yard
from tests.simulators.agreeing_system import Case, Direct

SETS = "outbox = journal, each reading once"
RECORDS = "each tracker record counts once"
HOURS = "running hours = truth, or between bounds"
ODOMETER = "odometer = what was driven"
PLACE = "place = where it was last seen"
SERVICES = "services done, due and told once"
RISK = "each machine has a risk, or too little data"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_yard(tmp_path_factory.mktemp("yard"))


@pytest.fixture
def case(made: Case, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A copy to damage; nobody waits for a telemetry store."""
    monkeypatch.setattr(records, "LAG_S", 0)
    monkeypatch.setattr(records, "POLL_S", 0)
    return Case(made.truth, made.outbox, copy.deepcopy(made.answers))


def yard(case: Case) -> Yard:
    assert isinstance(case.answers, Yard)
    return case.answers


def test_a_system_that_agrees_passes(case: Case) -> None:
    found = compare(Direct(case.answers), case.asked())
    assert {one.check: one.differences for one in found if not one.ok} == {}
    figures = {one.check: one.figures for one in found}
    assert list(figures)[7:] == [RECORDS, HOURS, ODOMETER, PLACE, SERVICES, RISK]
    assert figures[RECORDS]["sent again"] == 1
    assert figures[RECORDS]["not acknowledged"] == 2
    assert figures[RECORDS]["records"] == figures[RECORDS]["in the journal"] + 1 > 200
    assert figures[HOURS]["hours"] == pytest.approx(16.75, abs=0.001)
    assert figures[HOURS]["unobserved h"] == 0.5 + 4.25
    assert figures[SERVICES]["due"] == 2
    assert wait(Direct(case.answers), case.asked(), lambda *_: None, 0) == []


def exact_row(one: Yard, asset: str = TRUCK) -> list[int]:
    """A stretch of the middle of the first day that was observed."""
    return next(row for row in one.machines[asset].rows if row[2] and row[0] % (24 * HOUR) > 8 * HOUR)


def blind_row(one: Yard) -> list[int]:
    return next(row for row in one.machines[TRUCK].rows if not row[2])


def runs_longer(one: Yard) -> None:
    row = exact_row(one)
    row[2], row[3] = row[2] + 10_000, row[3] + 10_000


def bounds_apart_where_all_was_told(one: Yard) -> None:
    exact_row(one)[2] -= 1_000_000


def certain_where_nobody_knew(one: Yard) -> None:
    row = blind_row(one)
    row[3] = 0


def wide_bounds_around_a_blind_span(one: Yard) -> None:
    blind_row(one)[3] += HOUR


def counter_off(one: Yard) -> None:
    one.machines[CRANE].engine_off_s = -2


def odometer_off(one: Yard) -> None:
    one.machines[TRUCK].odometer_off_m = 2


def far_away(one: Yard) -> None:
    place = one.machines[TRUCK].place
    assert place
    one.machines[TRUCK].place = {**place, "lat": place["lat"] + 0.0004}


def other_zone(one: Yard) -> None:
    place = one.machines[TRUCK].place
    assert place
    place["zones"] = ["yard"]


def no_place(one: Yard) -> None:
    one.machines[CRANE].place = None


def lose_a_record(one: Yard) -> None:
    """The journal lacks all readings of a record; its position is there all the same."""
    at = next(entry["at"] for entry in one.journal[1000:] if entry["kind"] == "fix")
    one.journal = [entry for entry in one.journal if entry["at"] != at]


def a_record_that_nobody_made(one: Yard) -> None:
    last = one.journal[-1]
    one.journal.append({**last, "seq": last["seq"] + 1, "at": last["at"] + timedelta(milliseconds=1)})


def position_twice(one: Yard) -> None:
    one.machines[TRUCK].track.insert(50, one.machines[TRUCK].track[50])


def position_missing(one: Yard) -> None:
    del one.machines[TRUCK].track[50]


def position_from_nowhere(one: Yard) -> None:
    track = one.machines[TRUCK].track
    track.insert(51, {**track[50], "at": track[50]["at"] + timedelta(seconds=1)})


def no_alert(one: Yard) -> None:
    del one.alerts[0]


def told_twice(one: Yard) -> None:
    one.alerts[0]["state"] = "closed"
    one.alerts.append(alert("TRUCK-1/oil", 3, 9))


def closed_though_due(one: Yard) -> None:
    one.alerts[0]["state"] = "closed"


def told_of_what_is_done(one: Yard) -> None:
    one.alerts.append(alert("TRUCK-1/oil", 2, 9, state="closed"))


def told_of_what_is_far(one: Yard) -> None:
    one.alerts.append(alert("TRUCK-1/inspection", 2, 9))


def told_of_what_comes_after(one: Yard) -> None:
    one.alerts.append(alert("CRANE-1/rope", 3, 9))


def only_soon_though_due(one: Yard) -> None:
    one.alerts[1]["detail"]["state"] = "due_soon"


def shown_as_not_due(one: Yard) -> None:
    next(each for each in one.due if each["plan"] == "TRUCK-1/oil")["state"] = "ok"


def wrong_occurrence(one: Yard) -> None:
    one.due[0]["occurrence"] += 1


def no_plan(one: Yard) -> None:
    del one.due[1]


def lose_a_service(one: Yard) -> None:
    one.services[0]["withdrawn_at"] = one.services[0]["at"]


def move_a_repair(one: Yard) -> None:
    repair = next(each for each in one.services if each["kind"] == "repair")
    repair["at"] += timedelta(hours=1)


def service_of_no_occurrence(one: Yard) -> None:
    del one.kept[1]


def late_though_in_time(one: Yard) -> None:
    one.kept[1]["on_time"] = False


def no_risk(one: Yard) -> None:
    del one.risk[1]


@pytest.mark.parametrize(
    ("damage", "checks"),
    [
        (runs_longer, {HOURS}),
        (bounds_apart_where_all_was_told, {HOURS}),
        (certain_where_nobody_knew, {HOURS}),
        (wide_bounds_around_a_blind_span, {HOURS}),
        (counter_off, {HOURS}),
        (odometer_off, {ODOMETER}),
        (far_away, {PLACE}),
        (other_zone, {PLACE}),
        (no_place, {PLACE}),
        (lose_a_record, {SETS, RECORDS}),
        (a_record_that_nobody_made, {SETS, RECORDS}),
        (position_twice, {RECORDS}),
        (position_missing, {RECORDS}),
        (position_from_nowhere, {RECORDS}),
        (no_alert, {SERVICES}),
        (told_twice, {SERVICES}),
        (closed_though_due, {SERVICES}),
        (told_of_what_is_done, {SERVICES}),
        (told_of_what_is_far, {SERVICES}),
        (told_of_what_comes_after, {SERVICES}),
        (only_soon_though_due, {SERVICES}),
        (shown_as_not_due, {SERVICES}),
        (wrong_occurrence, {SERVICES}),
        (no_plan, {SERVICES}),
        (lose_a_service, {SERVICES}),
        (move_a_repair, {SERVICES}),
        (service_of_no_occurrence, {SERVICES}),
        (late_though_in_time, {SERVICES}),
        (no_risk, {RISK}),
    ],
)
def test_each_damage_is_named(case: Case, damage: Callable[[Yard], None], checks: set[str]) -> None:
    damage(yard(case))
    assert case.differing().keys() == checks


def test_it_waits_for_trackers_tracks_planner_and_risk(case: Case) -> None:
    """The last thing that is missing is named, and nothing that comes before it."""
    behind: list[Callable[[Yard], None]] = [
        lambda one: one.risk.clear(),
        lambda one: one.alerts.clear(),
        lambda one: one.machines[TRUCK].track.clear(),
        lambda one: one.machines[TRUCK].at.pop(),
    ]
    for lags, wanted in zip(behind, ("no risk", "no alert", "its track", "heard until"), strict=True):
        lags(yard(case))
        (*_, missing) = wait(Direct(case.answers), case.asked(), lambda *_: None, 0)
        assert wanted in missing


def test_what_is_too_much_for_one_answer_is_asked_for_in_parts(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST", 7)
    assert case.differing() == {}
    position_missing(yard(case))
    assert case.differing().keys() == {RECORDS}


def test_positions_are_waited_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LAG_S", 20)
    late = yard(case).machines[TRUCK].track.pop(50)
    monkeypatch.setattr(time, "sleep", lambda _s: yard(case).machines[TRUCK].track.insert(50, late))
    assert case.differing() == {}


def test_an_hour_that_nobody_observed_may_decide_either_way(case: Case) -> None:
    """4.75 h ran, half an hour of it unseen: with an interval of 4.5 h the plan may be due or not."""
    text = Path(case.truth).read_text().replace('"every_hours":4,', '"every_hours":4.5,')
    changed = Case(case.truth.with_name("either.jsonl"), case.outbox, case.answers)
    changed.truth.write_text(text)
    one = yard(case)
    assert changed.differing() == {}
    one.due[0]["state"] = one.alerts[0]["detail"]["state"] = "may_be_due"
    assert changed.differing() == {}
    told = one.alerts.pop(0)
    assert changed.differing() == {}
    one.alerts.append({**told, "detail": {**told["detail"], "state": "overdue"}})
    one.due[0]["state"] = "ok"
    assert changed.differing().keys() == {SERVICES}
