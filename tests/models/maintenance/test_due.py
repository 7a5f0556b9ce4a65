"""When a service is due: to the unit, whichever comes first, with what nobody observed; forecasts; being on time."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.declared import Plan
from models.maintenance.due import DAY_US, STATES, Due, Facts, Measure, State, Use, amount, judge, on_time
from models.motion.meter import Bounds
from models.reading import from_micros, micros

H, KM = 3_600_000, 1_000_000


def day(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


NOW = day("2026-11-25")


def facts(plan: dict[str, Any], **known: Any) -> Facts:
    for meter in ("hours", "km"):
        use = known.get(meter)
        if isinstance(use, int):
            known[meter] = Use(Bounds(use, use))
        elif isinstance(use, tuple):
            known[meter] = Use(Bounds(*use))
    body = Plan("TRUCK-1", "Oil", **{name: Decimal(v) if isinstance(v, str) else v for name, v in plan.items()})
    return Facts(asset="TRUCK-1", plan_id="TRUCK-1/oil", plan=body, **{"starts_at": NOW - 10 * DAY_US, **known})


def judged(plan: dict[str, Any], now: int = NOW, **known: Any) -> Due:
    return judge(facts(plan, **known), now)


@pytest.mark.parametrize(
    ("used", "state"),
    [
        (0, "ok"),
        (72 * H, "ok"),
        (72 * H + 1, "due_soon"),
        (80 * H - 1, "due_soon"),
        (80 * H, "due"),
        (88 * H, "due"),
        (88 * H + 1, "overdue"),
        (10**14, "overdue"),
        ((70 * H, 80 * H - 1), "ok"),
        ((70 * H, 80 * H), "may_be_due"),
        ((70 * H, 500 * H), "may_be_due"),
        ((75 * H, 79 * H), "due_soon"),
        ((75 * H, 80 * H), "may_be_due"),
        ((80 * H, 500 * H), "due"),
        ((89 * H, 500 * H), "overdue"),
    ],
)
def test_by_hours_to_the_millisecond(used: int | tuple[int, int], state: State) -> None:
    assert judged({"every_hours": "80"}, hours=used).state == state


@pytest.mark.parametrize(
    ("passed", "state"),
    [
        (0, "ok"),
        (54 * DAY_US, "ok"),
        (54 * DAY_US + 1, "due_soon"),
        (60 * DAY_US - 1, "due_soon"),
        (60 * DAY_US, "due"),
        (66 * DAY_US, "due"),
        (66 * DAY_US + 1, "overdue"),
    ],
)
def test_by_days_to_the_microsecond(passed: int, state: State) -> None:
    due = judged({"every_days": 60}, starts_at=NOW - passed)
    assert due.state == state
    assert due.due_from == due.due_by == NOW - passed + 60 * DAY_US


@pytest.mark.parametrize(
    ("plan", "hours", "km", "state"),
    [
        ({"every_hours": "80", "every_days": 60}, 10 * H, None, "ok"),
        ({"every_hours": "80", "every_days": 60}, 80 * H, None, "due"),
        ({"every_hours": "80", "every_days": 10}, 10 * H, None, "due"),
        ({"every_hours": "80", "every_days": 9}, 80 * H, None, "overdue"),
        ({"every_hours": "80", "every_km": "5000"}, 10 * H, 4501 * KM, "due_soon"),
        ({"every_hours": "80", "every_km": "5000"}, 79 * H, 5501 * KM, "overdue"),
        ({"every_hours": "80", "every_days": 60}, None, None, "ok"),
        ({"every_hours": "80", "every_days": 10}, None, None, "due"),
        ({"every_hours": "80"}, None, 90 * KM, "unknown"),
        ({"every_hours": "0.000001"}, 3, None, "ok"),
        ({"every_hours": "0.000001"}, 4, None, "overdue"),
        ({"every_hours": "80", "due_soon": 0.0}, 80 * H - 1, None, "ok"),
        ({"every_hours": "80", "overdue_after": 0.0}, 80 * H, None, "due"),
        ({"every_hours": "80", "overdue_after": 0.0}, 80 * H + 1, None, "overdue"),
        ({"every_hours": "80", "overdue_after": 1.0}, 160 * H, None, "due"),
        ({}, 1, 1, "unknown"),
    ],
)
def test_whichever_comes_first(plan: dict[str, Any], hours: int | None, km: int | None, state: State) -> None:
    assert judged(plan, hours=hours, km=km).state == state


def test_an_interval_begins_with_the_last_service() -> None:
    plan = {"every_days": 90}
    done = (day("2026-04-15"), day("2026-07-20"))
    assert judged(plan, done=done[:1], now=done[0]).due_by == day("2026-07-14")
    due = judged(plan, done=done, now=done[1])
    assert (due.due_by, due.facts.occurrence, due.facts.began_at) == (day("2026-10-18"), 3, done[1])
    before = judged(plan, starts_at=NOW + DAY_US)
    assert (before.state, before.due_by, before.measures[0].least) == ("ok", NOW + 91 * DAY_US, Decimal(0))


def test_a_forecast_by_its_own_rate() -> None:
    """250 h or 90 days, last on 2026-03-01 at 4810 h; on 2026-03-20 at 4933.5 h: 6.5 h a day, due at 5060 h."""
    began, now = day("2026-03-01"), day("2026-03-20")
    ran = Bounds(int(123.5 * H), int(123.5 * H))
    due = judged({"every_hours": "250", "every_days": 90}, now=now, done=(began,), hours=Use(ran, ran, now - began))
    hours, days = due.measures
    assert hours.due_from is not None
    assert hours.due_by is not None
    assert hours.due_by - hours.due_from <= 1
    assert round((hours.due_by - now) / DAY_US, 2) == 19.46
    assert days.due_by == day("2026-05-30")
    assert (due.state, due.due_by) == ("ok", hours.due_by)


def test_a_forecast_is_between_bounds() -> None:
    recent = Bounds(28 * H, 56 * H)
    due = judged({"every_hours": "80"}, hours=Use(Bounds(60 * H, 70 * H), recent, 28 * DAY_US))
    assert (due.due_from, due.due_by) == (NOW + 5 * DAY_US, NOW + 20 * DAY_US)
    due = judged({"every_hours": "80"}, hours=Use(Bounds(60 * H, 81 * H), recent, 28 * DAY_US))
    assert (due.state, due.due_from, due.due_by) == ("may_be_due", NOW, NOW + 20 * DAY_US)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (Use(Bounds(0, 0), Bounds(0, 0), 28 * DAY_US), (None, None)),
        (Use(Bounds(0, 0), Bounds(0, 8 * H), 28 * DAY_US), (NOW + 280 * DAY_US, None)),
        (Use(Bounds(0, 0), Bounds(1, 1), 28 * DAY_US), (None, None)),
        (Use(Bounds(0, 0), Bounds(H, H), DAY_US - 1), (None, None)),
        (Use(Bounds(90 * H, 95 * H), Bounds(H, H), 28 * DAY_US), (None, None)),
    ],
)
def test_what_cannot_be_forecast_is_not(use: Use, expected: tuple[int | None, int | None]) -> None:
    due = judged({"every_hours": "80"}, hours=use)
    assert (due.due_from, due.due_by) == expected


def test_of_what_is_due_only_a_date_tells_since_when() -> None:
    late = Use(Bounds(90 * H, 90 * H), Bounds(H, H), 28 * DAY_US)
    both = {"every_hours": "80", "every_days": 60}
    assert judged(both, hours=late).due_by is None, "it is due by hours, and the date is still to come"
    due = judged({**both, "every_days": 9}, hours=late)
    assert (due.due_from, due.due_by) == (NOW - DAY_US, NOW - DAY_US)


def test_what_was_missed_is_one_service() -> None:
    due = judged({"every_hours": "250"}, hours=790 * H)
    assert (due.state, due.missed, due.facts.occurrence) == ("overdue", 3, 1)
    assert judged({"every_hours": "80", "every_days": 2}, hours=(79 * H, 900 * H)).missed == 5
    assert judged({"every_hours": "80"}).missed == 0


@pytest.mark.parametrize(
    ("done_on", "is_on_time"), [("2026-03-20", True), ("2026-04-01", True), ("2026-04-10", True), ("2026-04-15", False)]
)
def test_on_time_is_within_the_tolerance(done_on: str, *, is_on_time: bool) -> None:
    """Every 90 days and due on 2026-04-01, a tenth is allowed."""
    began = day("2026-04-01") - 90 * DAY_US
    assert on_time(judged({"every_days": 90}, now=day(done_on), done=(began,))) is is_on_time


@pytest.mark.parametrize(
    ("hours", "expected"),
    [((87 * H, 88 * H), True), ((87 * H, 89 * H), None), ((89 * H, 99 * H), False), (None, None)],
)
def test_nobody_can_say_what_was_not_observed(hours: tuple[int, int] | None, *, expected: bool | None) -> None:
    done = (NOW - 10 * DAY_US,)
    assert on_time(judged({"every_hours": "80", "every_days": 60}, hours=hours, done=done)) is expected


def test_the_first_interval_counts_if_somebody_said_when_it_began() -> None:
    assert on_time(judged({"every_days": 60})) is None
    begun = {"every_days": 60, "starts_at": from_micros(NOW - 10 * DAY_US)}
    assert on_time(judged(begun)) is True


def test_figures_are_exact() -> None:
    measure = judged({"every_hours": "80"}, hours=(1, 4811 * H + 900_000)).measures[0]
    assert measure == Measure("hours", Decimal(80), Bounds(1, 4811 * H + 900_000), "may_be_due", "overdue", NOW)
    assert (measure.least, measure.most) == (Decimal("0.000000"), Decimal("4811.25"))
    assert amount("km", 12_345_678) == Decimal("12.345678")


@given(st.integers(0, 200 * H), st.integers(0, 200 * H), st.integers(0, 50 * H))
def test_more_use_never_matters_less(least: int, unseen: int, more: int) -> None:
    def gravity(one: int, other: int) -> int:
        return STATES.index(judged({"every_hours": "80"}, hours=(one, other)).state)

    before = gravity(least, least + unseen)
    assert gravity(least + more, least + unseen + more) >= before
    assert gravity(least, least + unseen + more) >= before
    assert gravity(least, least) <= before, "what nobody observed only adds"
    assert (before >= STATES.index("due")) == (least >= 80 * H)
