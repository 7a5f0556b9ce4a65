from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from models.alert import (
    LONGEST_SNOOZE_US,
    Alert,
    Raised,
    Severity,
    acknowledge,
    assign,
    await_answer,
    close,
    escalate,
    put_on_shelf,
    raise_alert,
    snooze,
    take_off_shelf,
    wake,
)
from models.errors import Refused


def alert(severity: Severity = "warning", title: str = "PUMP-40 is low", subject: str = "PUMP-40") -> Alert:
    return Alert("reorder", subject, severity, title, "12 on hand, minimum 20")


@dataclass(frozen=True)
class Life:
    opened: Raised
    seen: Raised
    over: Raised


@pytest.fixture
def life() -> Life:
    opened = raise_alert(alert(), 10)
    seen = acknowledge(opened, "ada", 20)
    return Life(opened, seen, close(seen, "reorder", 30))


def test_open_acknowledged_closed(life: Life) -> None:
    assert [life.opened.state, life.seen.state, life.over.state] == ["open", "acknowledged", "closed"]
    assert (life.over.opened_at, life.over.acknowledged_at, life.over.closed_at) == (10, 20, 30)
    assert (life.over.by, life.over.closed_by) == ("ada", "reorder")
    assert close(life.opened, "ada", 30).state == "closed"


def test_doing_it_twice_changes_nothing(life: Life) -> None:
    assert acknowledge(life.seen, "bob", 25) == life.seen
    assert close(life.over, "bob", 40) == life.over


def test_raised_again_is_one_alert_with_the_new_words(life: Life) -> None:
    again = raise_alert(alert(title="PUMP-40 is out"), 25, life.seen)
    assert (again.state, again.opened_at, again.alert.title) == ("acknowledged", 10, "PUMP-40 is out")
    assert raise_alert(alert("critical"), 25, life.seen).state == "open"
    assert raise_alert(alert("info"), 25, life.seen).state == "acknowledged"
    assert raise_alert(alert(), 50, life.over) == Raised(alert=alert(), opened_at=50)


def test_a_moment_is_counted_and_opens_it_again() -> None:
    moment = Alert("gap", "gateway:g", "warning", "t", "lost")
    seen = acknowledge(raise_alert(moment, 10), "ada", 20)
    assert seen.alert.detail == '{"text":"lost","times":1}'
    again = raise_alert(replace(moment, detail='{"from":7,"times":3}'), 30, seen)
    assert (again.state, again.by, again.acknowledged_at, again.opened_at) == ("open", None, None, 10)
    assert again.alert.detail == '{"from":7,"times":4}'


def test_refusals(life: Life) -> None:
    with pytest.raises(Refused, match="is closed"):
        acknowledge(life.over, "ada", 40)
    for step in (acknowledge, close):
        with pytest.raises(Refused, match="by"):
            step(life.opened, "", 40)
    with pytest.raises(Refused, match="is not"):
        raise_alert(alert(subject="VALVE-2IN"), 40, life.opened)


def test_a_snoozed_one_opens_again_at_its_time(life: Life) -> None:
    quiet = snooze(life.seen, "bob", 100, 30)
    assert (quiet.state, quiet.snoozed_until, quiet.by) == ("snoozed", 100, "ada")
    assert wake(quiet, 99) == quiet
    awake = wake(quiet, 100)
    assert (awake.state, awake.snoozed_until, awake.by, awake.acknowledged_at) == ("open", None, None, None)
    assert wake(life.seen, 100) == life.seen
    assert snooze(quiet, "bob", 200, 40).snoozed_until == 200
    assert snooze(life.opened, "bob", 30 + LONGEST_SNOOZE_US, 30).state == "snoozed"


def test_what_ends_a_snooze_before_its_time(life: Life) -> None:
    quiet = snooze(life.opened, "bob", 100, 30)
    again = raise_alert(alert(title="PUMP-40 is out"), 40, quiet)
    assert (again.state, again.snoozed_until, again.alert.title) == ("snoozed", 100, "PUMP-40 is out")
    assert raise_alert(alert("info"), 40, quiet).state == "snoozed"
    for ended in (raise_alert(alert("critical"), 40, quiet), acknowledge(quiet, "ada", 40), close(quiet, "ada", 40)):
        assert ended.snoozed_until is None
        assert ended.state in {"open", "acknowledged", "closed"}
    moment = raise_alert(Alert("gap", "gateway:g", "warning", "t", "{}"), 10)
    assert raise_alert(moment.alert, 40, snooze(moment, "bob", 100, 30)).state == "open"


@pytest.mark.parametrize(
    ("by", "until", "says"),
    [("", 100, "by"), ("bob", 30, "until"), ("bob", 29, "until"), ("bob", 31 + LONGEST_SNOOZE_US, "at most 90 days")],
)
def test_a_snooze_that_cannot_be(life: Life, by: str, until: int, says: str) -> None:
    with pytest.raises(Refused, match=says):
        snooze(life.opened, by, until, 30)
    with pytest.raises(Refused, match="is closed"):
        snooze(life.over, by, until, 30)


def test_a_level_is_told_at_a_time_while_it_is_open(life: Life) -> None:
    told = await_answer(life.opened, 100)
    assert (told.level, told.escalate_at) == (1, 100)
    assert escalate(told, 99, 200) == told
    second = escalate(told, 100, 200)
    assert (second.level, second.escalate_at) == (2, 200)
    for answered in (acknowledge(second, "ada", 150), snooze(second, "ada", 900, 150), put_on_shelf(second, "s", 900)):
        assert answered.escalate_at is None
        assert escalate(answered, 300, None) == answered == await_answer(answered, 400)
    again = raise_alert(alert("critical"), 300, acknowledge(second, "ada", 150))
    assert (again.state, again.level, again.escalate_at) == ("open", 0, None), "what opens again begins anew"


def test_to_assign_is_no_answer(life: Life) -> None:
    asked = assign(await_answer(life.opened, 100), "ben")
    assert (asked.assignee, asked.state, asked.escalate_at) == ("ben", "open", 100)
    for wrong, to in ((life.over, "ben"), (life.opened, "")):
        with pytest.raises(Refused):
            assign(wrong, to)


def test_a_shelf_takes_what_stands_and_gives_back_what_sleeps_on_it(life: Life) -> None:
    shelved = put_on_shelf(life.seen, "s", 100)
    assert (shelved.state, shelved.snoozed_until, shelved.shelf, shelved.by) == ("snoozed", 100, "s", "ada")
    assert take_off_shelf(shelved, "t") == shelved
    assert take_off_shelf(shelved, "s") == wake(shelved, 100)
    assert wake(shelved, 100).shelf is None
    own = snooze(life.opened, "bob", 200, 30)
    assert put_on_shelf(own, "s", 100) == own, "a person's own snooze is longer"
    assert put_on_shelf(life.over, "s", 100) == life.over
