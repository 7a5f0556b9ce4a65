from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from models.alert import Alert, Raised, Severity, acknowledge, close, raise_alert
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
