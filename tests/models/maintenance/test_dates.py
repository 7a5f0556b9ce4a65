"""Dates of calendar plans: month ends, leap days, weekdays, changes of the clocks, days of rest."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.declared_plans import Recurrence, Season
from models.errors import Refused
from models.maintenance.dates import active_from, first, is_inactive, later, zone_of
from models.reading import from_micros, micros

BRUSSELS = "Europe/Brussels"


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text).astimezone(UTC))


@pytest.mark.parametrize(
    ("rule", "origin", "expected"),
    [
        (Recurrence(90, "day"), "2026-04-01", ["2026-06-30", "2026-09-28", "2026-12-27"]),
        (Recurrence(2, "week"), "2026-12-24", ["2027-01-07", "2027-01-21"]),
        (Recurrence(1, "month"), "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        (Recurrence(1, "month"), "2028-01-31", ["2028-02-29", "2028-03-31"]),
        (Recurrence(1, "month"), "2026-01-30", ["2026-02-28", "2026-03-30"]),
        (Recurrence(3, "month"), "2025-11-30", ["2026-02-28", "2026-05-30"]),
        (Recurrence(1, "year"), "2028-02-29", ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        (Recurrence(18, "month"), "2026-08-31", ["2028-02-29", "2029-08-31"]),
        (Recurrence(1, "month", day=31), "2026-01-05", ["2026-02-28", "2026-03-31", "2026-04-30"]),
        (Recurrence(1, "month", day=1), "2026-01-15", ["2026-02-01", "2026-03-01"]),
        (Recurrence(1, "year", day=29, month=2), "2026-06-01", ["2027-02-28", "2028-02-29"]),
        (Recurrence(1, "week", weekday="mon"), "2026-01-01", ["2026-01-05", "2026-01-12"]),
        (Recurrence(1, "month", weekday="mon", nth=1), "2026-01-20", ["2026-02-02", "2026-03-02", "2026-04-06"]),
        (Recurrence(1, "month", weekday="fri", nth=-1), "2026-01-01", ["2026-02-27", "2026-03-27", "2026-04-24"]),
        (Recurrence(1, "year", weekday="thu", nth=4, month=11), "2026-01-01", ["2027-11-25", "2028-11-23"]),
    ],
)
def test_so_much_later(rule: Recurrence, origin: str, expected: list[str]) -> None:
    begin = at(f"{origin}T08:30+00:00")
    found = [f"{from_micros(later(rule, begin, n, 'UTC')):%Y-%m-%dT%H:%M}" for n in range(1, len(expected) + 1)]
    assert found == [f"{day}T08:30" for day in expected]


@pytest.mark.parametrize(
    ("origin", "rule", "expected"),
    [
        ("2026-03-28T08:00+01:00", Recurrence(1, "day"), "2026-03-29T06:00+00:00"),
        ("2026-03-28T02:30+01:00", Recurrence(1, "day"), "2026-03-29T01:30+00:00"),
        ("2026-10-24T02:30+02:00", Recurrence(1, "day"), "2026-10-25T00:30+00:00"),
        ("2026-10-24T08:00+02:00", Recurrence(1, "day"), "2026-10-25T07:00+00:00"),
        ("2026-01-31T00:00+01:00", Recurrence(2, "month"), "2026-03-30T22:00+00:00"),
        ("2026-01-31T23:30+01:00", Recurrence(1, "month"), "2026-02-28T22:30+00:00"),
        ("2026-04-01T00:00+02:00", Recurrence(6, "month"), "2026-09-30T22:00+00:00"),
    ],
)
def test_the_hour_is_that_of_the_clock(origin: str, rule: Recurrence, expected: str) -> None:
    """An hour that is jumped over is the one after it, and of one that comes twice the first counts."""
    assert later(rule, at(origin), 1, BRUSSELS) == at(expected)


@pytest.mark.parametrize("zone", ["Europe/Brussels", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"])
def test_every_day_of_two_years_is_the_next_one(zone: str) -> None:
    origin = at("2026-01-01T12:00+00:00")
    local = [from_micros(later(Recurrence(1, "day"), origin, n, zone)).astimezone(zone_of(zone)) for n in range(731)]
    assert [(each.date() - local[0].date()).days for each in local] == [*range(731)]
    assert {each.time() for each in local} == {local[0].time()}


def test_its_own_day_may_still_come_in_the_first_period() -> None:
    rule = Recurrence(1, "month", day=15)
    assert (first(rule, at("2026-01-05T00:00+00:00"), "UTC"), first(rule, at("2026-01-20T00:00+00:00"), "UTC")) == (
        0,
        1,
    )
    assert first(Recurrence(1, "month"), at("2026-01-05T00:00+00:00"), "UTC") == 1


@pytest.mark.parametrize(
    ("day", "rests", "again"),
    [
        ("2026-11-14", False, "2026-11-14"),
        ("2026-11-15", True, "2027-03-16"),
        ("2027-03-15", True, "2027-03-16"),
        ("2027-03-16", False, "2027-03-16"),
        ("2026-08-14", True, "2026-08-15"),
        ("2027-08-14", False, "2027-08-14"),
    ],
)
def test_days_of_rest(day: str, again: str, *, rests: bool) -> None:
    seasons = (Season("11-15", "03-15"), Season("08-01", "08-14", 2026))
    which = date.fromisoformat(day)
    assert is_inactive(seasons, which) is rests
    assert active_from(seasons, which) == date.fromisoformat(again)
    assert active_from((Season("01-01", "12-31"),), which) is None


@pytest.mark.parametrize(
    "rule",
    [
        {"every": 1, "unit": "day", "weekday": "mon"},
        {"every": 1, "unit": "month", "weekday": "mon"},
        {"every": 1, "unit": "week", "weekday": "mon", "nth": 1},
        {"every": 1, "unit": "month", "nth": 1},
        {"every": 1, "unit": "week", "day": 3},
        {"every": 1, "unit": "month", "month": 3},
    ],
)
def test_a_rule_that_cannot_be(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Recurrence(**rule)


def test_a_zone_that_is_none() -> None:
    with pytest.raises(Refused, match="tz: a time zone"):
        zone_of("Mars/Olympus")
