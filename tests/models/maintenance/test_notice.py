"""What is told of a plan: who it is about, how grave it is, with which figures and words."""

import json
from decimal import Decimal
from typing import Any

import pytest

from models.alert import Severity
from models.declared import Plan
from models.maintenance.due import DAY_US, Facts, Use, judge
from models.maintenance.notice import alert, reasons, subject
from models.motion.meter import Bounds

H = 3_600_000
NOW = 1_795_564_800_000_000  # 2026-11-25
BEGAN = NOW - 26 * DAY_US
PLAN = Plan("TRUCK-1", "Oil and filter", every_hours=Decimal(80), every_days=60)


def facts(least: int | None, most: int | None = None, **other: Any) -> Facts:
    use = None if least is None else Use(Bounds(least, most or least), Bounds(56 * H, 56 * H), 28 * DAY_US)
    known = {"asset": "TRUCK-1", "plan_id": "TRUCK-1/oil", "plan": PLAN, "starts_at": BEGAN, "done": (BEGAN,)}
    return Facts(**{**known, "hours": use, **other})


@pytest.mark.parametrize(
    ("asset", "plan", "expected"),
    [
        ("TRUCK-1", "TRUCK-1/oil", "TRUCK-1/oil/2"),
        ("TRUCK-1", "oil", "TRUCK-1/~oil/2"),
        ("TRUCK-1", "TRUCK-10/oil", "TRUCK-1/~TRUCK-10/oil/2"),
        ("A" * 64, "B" * 64, f"{'A' * 64}/~{'B' * 64}/2"),
    ],
)
def test_the_subject_is_one_service_of_one_plan(asset: str, plan: str, expected: str) -> None:
    assert subject(facts(0, asset=asset, plan_id=plan)) == expected


@pytest.mark.parametrize(
    ("known", "severity", "title"),
    [
        (facts(72 * H), None, None),
        (facts(None), None, None),
        (facts(73 * H), "info", "TRUCK-1: Oil and filter is due soon"),
        (facts(70 * H, 90 * H), "info", "TRUCK-1: Oil and filter may be due, for not all use was observed"),
        (facts(80 * H), "warning", "TRUCK-1: Oil and filter is due"),
        (facts(89 * H), "critical", "TRUCK-1: Oil and filter is overdue"),
    ],
)
def test_the_nearer_the_graver(known: Facts, severity: Severity | None, title: str | None) -> None:
    told = alert(judge(known, NOW))
    assert (told and told.severity, told and told.title) == (severity, title)
    if told is not None:
        assert (told.rule, told.subject) == ("service_due", "TRUCK-1/oil/2")


def test_the_figures_are_in_the_detail() -> None:
    told = alert(judge(facts(73 * H, 75 * H + 36_000), NOW))
    assert told is not None
    assert json.loads(told.detail) == {
        "asset": "TRUCK-1",
        "plan": "TRUCK-1/oil",
        "name": "Oil and filter",
        "occurrence": 2,
        "state": "due_soon",
        "since": "2026-10-30",
        "interval": {"hours": "80", "days": "60"},
        "used_hours": ["73", "75.01"],
        "left_hours": ["4.99", "7"],
        "due_on": "2026-12-29",
        "forecast": ["2026-11-27", "2026-11-28"],
        "missed": 0,
        "reasons": [
            "73 to 75.01 of 80 h used since the last service on 2026-10-30, as 2.01 h were not observed: 7 h left",
            "every 60 days, counted since the last service on 2026-10-30: due on 2026-12-29",
        ],
    }


def test_what_matters_most_is_the_first_reason() -> None:
    late = Plan("TRUCK-1", "Oil", every_hours=Decimal(80), every_days=9)
    assert reasons(judge(facts(84 * H + 900_000, plan=late), NOW)) == [
        "every 9 days, counted since the last service on 2026-10-30: due since 2026-11-08",
        "84.25 of 80 h used since the last service on 2026-10-30: 4.25 h late",
        "the interval has passed 2 times",
    ]
    assert reasons(judge(facts(None, done=()), NOW)) == [
        "every 80 h: cannot be judged, for its hours were never heard",
        "every 60 days, counted since 2026-10-30: due on 2026-12-29",
    ]
    by_km = Plan("TRUCK-1", "Tyres", every_km=Decimal("40000.5"))
    driven = Use(Bounds(39_000_000_000, 39_000_000_000))
    told = alert(judge(facts(0, plan=by_km, km=driven, done=()), NOW))
    assert told is not None
    assert json.loads(told.detail)["left_km"] == ["1000.5", "1000.5"]
    assert json.loads(told.detail)["due_on"] is None


def test_running_changes_no_title() -> None:
    told = {alert(judge(facts(used), NOW)) for used in range(73 * H, 79 * H, H // 3)}
    assert len({each and each.title for each in told}) == 1
