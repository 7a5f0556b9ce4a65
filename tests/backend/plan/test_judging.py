"""What a rule's verdicts come to by how it is set: off, another severity, long enough, often enough, hysteresis."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

import backend
from backend.book import events, references, register
from backend.book.db import read, write
from backend.book.schema import alert
from backend.plan.rule import Rule, View
from backend.planner import Planner
from backend.rules import NAMES
from models.alert import Alert
from models.alert_defaults import BY_RULE, OUTSIDE
from models.declared_alerts import AlertRule, Contact, Team
from models.reading import from_micros
from tests.backend.books import SECOND, Yard

NAME = "odometer_drift"


@dataclass
class Gauge:
    """A value of TRUCK-1, as a share of what raises an alert, and a planner with one rule about it."""

    yard: Yard
    value: float = 0.0
    looks: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        rule: Rule[float] = Rule(NAME, "asset", self._load, self._judge, level=lambda value: value)
        self.planner = Planner(self.yard.book, self.yard.clock, [rule])

    def _load(self, _view: View, assets: Sequence[str]) -> list[tuple[str, float]]:
        self.looks += [f"{from_micros(self.yard.clock.now):%M:%S}"]
        return [(f"asset:{each}/odometer", self.value) for each in assets if each == "TRUCK-1"]

    @staticmethod
    def _judge(value: float, _now: int) -> Alert | None:
        return Alert(NAME, "asset:TRUCK-1/odometer", "warning", "far apart", "{}") if value >= 1 else None

    def set(self, **said: object) -> None:
        body = AlertRule(**said)  # type: ignore[arg-type]
        with write(self.yard.book) as tx:
            register.put(tx, "rules", NAME, body, valid_from=self.yard.clock.now, actor="test", now=self.yard.clock.now)

    def reads(self, value: float, later: float = 1) -> list[tuple[str, str]]:
        """(state, severity) of the alerts after a value came."""
        self.value = value
        with write(self.yard.book) as tx:
            events.changed(tx, "asset:TRUCK-1", self.yard.clock.now)
        return self.waits(later)

    def waits(self, later: float) -> list[tuple[str, str]]:
        self.yard.clock.now += round(later * SECOND)
        while self.planner.step():
            pass
        with read(self.yard.book) as tx:
            return [(row.state, row.severity) for row in tx.execute(select(alert).order_by(alert.c.n))]


@pytest.fixture
def gauge(yard: Yard) -> Gauge:
    return Gauge(yard)


def test_it_stands_until_the_value_is_well_below_what_raised_it(gauge: Gauge) -> None:
    gauge.set(clear_share=0.8)
    assert [gauge.reads(value) for value in (0.99, 1.0, 0.81)] == [[], [("open", "warning")], [("open", "warning")]]
    assert gauge.reads(0.8) == [("closed", "warning")]
    assert gauge.reads(0.9) == [("closed", "warning")], "below what raises it nothing is raised"


def test_it_is_raised_once_it_has_lasted_and_is_looked_at_then(gauge: Gauge) -> None:
    gauge.set(steady_s=600)
    assert gauge.reads(1.5) == []
    assert gauge.reads(0.5, 300) == [], "it did not last"
    assert gauge.reads(1.5, 300) == []
    looks = len(gauge.looks)
    assert gauge.waits(599) == []
    assert len(gauge.looks) == looks, "not looked at meanwhile"
    assert gauge.waits(1) == [("open", "warning")], "nothing changed: its time had come"


def test_it_is_raised_the_third_time_in_a_row(gauge: Gauge) -> None:
    gauge.set(count=3)
    assert [gauge.reads(value) for value in (1.5, 1.5, 0.5, 1.5, 1.5)] == [[]] * 5
    assert gauge.reads(1.5) == [("open", "warning")]


def test_another_severity_and_off(gauge: Gauge) -> None:
    gauge.set(severity="critical", steady_s=0, count=1)
    assert gauge.reads(1.5) == [("open", "critical")]
    gauge.set(off=True)
    assert gauge.reads(1.5) == [("closed", "critical")]
    assert gauge.reads(1.5) == [("closed", "critical")]


@pytest.mark.parametrize(
    ("kind", "ident", "body", "said"),
    [
        ("rules", "odometer_drft", AlertRule(), "rules.odometer_drft: id: the name of a rule expected"),
        ("rules", "odometer_drft", AlertRule(), "did you mean 'odometer_drift'?"),
        ("rules", "webhook_dead", AlertRule(off=True), "rules.webhook_dead: off: nothing expected"),
        ("rules", "reorder", AlertRule(teams=["none"]), "teams: one of the teams expected, got 'none'"),
        ("teams", "x", Team("X", ["stock"], [["none"]]), "levels: one of the contacts expected, got 'none'"),
        ("teams", "x", Team("X", ["stock"], [["planner"]], time_zone="Mars"), "time_zone: one like Europe/Brussels"),
        ("contacts", "x", Contact("X"), "contacts.x: email, webhook: at least one of them expected"),
    ],
)
def test_what_cannot_be_declared(
    yard: Yard, kind: str, ident: str, body: AlertRule | Team | Contact, said: str
) -> None:
    with write(yard.book) as tx:
        register.put(tx, kind, ident, body, valid_from=yard.clock.now, actor="test", now=yard.clock.now)
        (problem,) = references.problems(register.load(tx), yard.clock.now)
    assert said in problem


def test_every_alert_that_is_raised_can_be_set() -> None:
    said = re.compile(r'(?:\bAlert\(\s*|^(?:RULE|REFUSED|NOT_JUDGED)\b.*? = )"(\w+)"', re.MULTILINE)
    files = Path(backend.__file__ or "").parent.rglob("*.py")
    found = {name for file in files for name in said.findall(file.read_text(encoding="utf-8"))}
    assert found >= {"reorder", "webhook_dead", "gateway_quota"}
    assert found <= NAMES | OUTSIDE
    assert BY_RULE.keys() <= NAMES | OUTSIDE
