"""What is news of an asset, and the verdicts on where it went, how it moved and what its odometers say."""

import json

import pytest

from backend.plan import carried, odometers, zones
from backend.plan.news import Times, told_at
from backend.rules import RULES
from models.motion.drift import Compared

S = 1_000_000
NOW = 10_000 * S
KM = 1_000_000


def times(at: int = -1, received: int = 0, newest: int = -1, began: int = -60, told: int | None = None) -> Times:
    """Seconds before now, as negative numbers."""
    return Times(*(NOW + each * S for each in (began, at, received, newest)), 0 if told is None else NOW + told * S)


NEWS: list[tuple[str, Times, bool]] = [
    ("just now", times(), True),
    ("received in time", times(at=-300, newest=-300), True),
    ("received late", times(at=-301, newest=-301), False),
    ("received in time while the planner was away", times(at=-9000, received=-8900, newest=-8800), True),
    ("of a clock that is a little ahead", times(at=299), True),
    ("from hours ahead", times(at=7200), False),
    ("older than what is known", times(at=-302, received=-302), False),
    ("a backlog of nine hours", times(at=-32_400, newest=-32_400), False),
    ("a backlog beside live readings", times(at=-32_400, newest=-1), False),
    ("told already", times(told=-1), False),
    ("began before what was told", times(told=-59), False),
    ("the next one", times(told=-61), True),
]


@pytest.mark.parametrize(("name", "known", "expected"), NEWS)
def test_what_is_news(name: str, known: Times, *, expected: bool) -> None:
    assert known.is_news is expected, name
    for way in ("enter", "exit"):
        alert = zones.moved(zones.Move("T", "Truck", "yard", "Yard", way, known, "v"), NOW)  # type: ignore[arg-type]
        assert (alert is not None) is expected
        if alert is not None:
            assert alert.title == f"Truck {'came to' if way == 'enter' else 'left'} Yard"
            assert alert.subject == f"asset:T/yard/{way}"
            assert told_at(alert.detail) == known.at
            assert json.loads(alert.detail)["asset"] == "T"
    alert = carried.transported(carried.Carried("T", "Truck", known, 1_234_567, "t"), NOW)
    assert (alert is not None) is expected
    if alert is not None:
        assert (alert.subject, alert.title) == ("asset:T/transported", "Truck moves with its engine off")
        assert json.loads(alert.detail)["distance_km"] == "1.234"


@pytest.mark.parametrize("text", [None, "{", "[]", '{"at": 3}', '{"at": "yesterday"}', "{}"])
def test_an_alert_that_does_not_say_when_told_nothing(text: str | None) -> None:
    assert told_at(text) == 0


MACHINE, TRACKER = ("odometer", "tracker_odometer"), ("odometer", "distance")
DRIFTS: list[tuple[str, list[Compared], float | None, str | None]] = [
    ("alike", [Compared(MACHINE, (500 * KM, 500 * KM))], 0.0, None),
    ("just within", [Compared(MACHINE, (500 * KM, 475 * KM))], 1.0, None),
    ("over", [Compared(MACHINE, (500 * KM, 474 * KM))], 1.04, "its own odometer and its tracker's differ by 5%"),
    ("not far enough to say", [Compared(MACHINE, (499 * KM, 9 * KM))], None, None),
    ("the greater is far enough", [Compared(MACHINE, (0, 500 * KM))], 20.0, "differ by 100%"),
    ("the worst", [Compared(MACHINE, (500 * KM, 400 * KM)), Compared(TRACKER, (500 * KM, 300 * KM))], 8.0, "and GPS"),
    ("one alone", [], None, None),
]


@pytest.mark.parametrize(("name", "pairs", "level", "said"), DRIFTS)
def test_odometers_that_drift(name: str, pairs: list[Compared], level: float | None, said: str | None) -> None:
    facts = odometers.Drift("T", "Truck", 0.05, tuple(pairs))
    assert odometers.level(facts) == (None if level is None else pytest.approx(level)), name
    alert = odometers.drifted(facts, NOW)
    assert (alert is not None) is (said is not None), name
    if alert is not None and said is not None:
        assert said in alert.title
        assert alert.subject == "asset:T/odometer"
        assert json.loads(alert.detail)["odometers"][0]["km"][0] == pairs[0].mm[0] / KM


def test_they_are_among_the_rules() -> None:
    assert {"zone_alert", "transported", "odometer_drift"} <= {rule.name for rule in RULES}
