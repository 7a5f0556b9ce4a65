"""Shift calendars: over midnight, on holidays, where the clocks change; and what use is a share of."""

from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.assets.shifts import shifts
from models.assets.utilisation import ALL_TIME, Base, Used, added, use_of
from models.declared_use import WEEKDAYS, Calendar, Shift, Weekday
from models.motion.day import Cell
from models.motion.meter import Bounds
from models.motion.spans import length
from models.reading import micros

H = 3_600_000_000
WORK: list[Weekday] = [*WEEKDAYS[:5]]
DAY_SHIFT = Calendar("Days", "Europe/Brussels", [Shift(WORK, "08:00", "16:00")])
NIGHTS = Calendar("Nights", "Europe/Brussels", [Shift([*WEEKDAYS], "22:00", "06:00")])
TWO = Calendar("Two", "Europe/Brussels", [Shift(WORK, "06:00", "14:00"), Shift(WORK, "13:30", "22:00")])
ROUND = Calendar("Round the clock", "America/New_York", [Shift([*WEEKDAYS], "00:00", "00:00")])


def window(begin: str, end: str) -> tuple[int, int]:
    first, last = (micros(datetime.fromisoformat(each).replace(tzinfo=UTC)) for each in (begin, end))
    return first, last


HOURS = {
    "22 working days of 8 h": (DAY_SHIFT, ("2026-05-31T22:00", "2026-06-30T22:00"), 176),
    "a holiday": (
        Calendar("x", "Europe/Brussels", DAY_SHIFT.shifts, [date(2026, 6, 1)]),
        ("2026-05-31T22:00", "2026-06-30T22:00"), 168),
    "shifts that overlap are one time": (TWO, ("2026-06-01T00:00", "2026-06-02T00:00"), 16),
    "the night when summer time begins": (NIGHTS, ("2026-03-28T12:00", "2026-03-29T12:00"), 7),
    "the night when it ends": (NIGHTS, ("2026-10-24T12:00", "2026-10-25T12:00"), 9),
    "any other night": (NIGHTS, ("2026-06-01T12:00", "2026-06-02T12:00"), 8),
    "a night that began before the window": (NIGHTS, ("2026-06-01T00:00", "2026-06-01T12:00"), 4),
    "a holiday's night goes on after it": (
        Calendar("x", "Europe/Brussels", NIGHTS.shifts, [date(2026, 6, 1)]),
        ("2026-06-01T00:00", "2026-06-02T12:00"), 4),
    "round the clock, over a day of 25 h": (ROUND, ("2026-10-31T04:00", "2026-11-02T05:00"), 49),
    "no shifts": (Calendar("x", "UTC"), ("2026-06-01T00:00", "2026-07-01T00:00"), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", HOURS)
def test_hours_of_a_calendar(name: str) -> None:
    calendar, when, hours = HOURS[name]
    assert length(shifts(calendar, window(*when))) == hours * H


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", "../x"])
def test_a_zone_that_is_none(tz: str) -> None:
    with pytest.raises(ValueError, match="tz"):
        Calendar("x", tz)


ZONES = ("Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")


@given(st.sampled_from(ZONES), st.integers(0, 700), st.integers(1, 40))
def test_any_windows_of_a_calendar_add_up(tz: str, first: int, days: int) -> None:
    calendar = Calendar("x", tz, [Shift([*WEEKDAYS], "21:15", "05:45"), Shift(["sun"], "01:30", "03:10")])
    day, begin = 24 * H, micros(datetime(2026, 1, 1, tzinfo=UTC))
    cuts = [begin + (first + k) * day for k in range(days + 1)]
    parts = [length(shifts(calendar, (low, high))) for low, high in pairwise(cuts)]
    assert sum(parts) == length(shifts(calendar, (cuts[0], cuts[-1])))


def cell(begin: float, end: float, what: str) -> Cell:
    return Cell(int(begin * H), int(end * H), what, (), ())


MONTH = Base(ALL_TIME, 720 * H, ((0, 720 * H),))
SHIFT_BASE = Base("shifts days", 176 * H, tuple((day * 24 * H + 8 * H, day * 24 * H + 16 * H) for day in range(22)))
RAN = [cell(day * 24 + 8, day * 24 + 14, "working") for day in range(22)]
OVERTIME = [cell(25 * 24, 25 * 24 + 10, "idle"), cell(26 * 24, 26 * 24 + 12, "unobserved")]
FILL = [cell(0, 720, "off")]


def shares(used: Used) -> list[tuple[Fraction, Fraction] | None]:
    return [used.share, used.worked_share, used.load]


def both(value: Fraction) -> tuple[Fraction, Fraction]:
    return value, value


def test_132_h_of_176_shift_hours_are_three_quarters_and_of_720_they_are_18_percent() -> None:
    whole, shift = use_of([*FILL, *RAN], None, [MONTH, SHIFT_BASE])
    assert shares(shift) == [both(Fraction(3, 4))] * 3
    assert round(float(whole.share[0] if whole.share else 0), 3) == 0.183
    (target,) = use_of([*FILL, *RAN], None, [Base("target", 165 * H)])
    assert shares(target) == [None, None, both(Fraction(132, 165))]


def test_overtime_is_load_and_the_dark_is_a_range() -> None:
    (shift,) = use_of([*FILL, *RAN, *OVERTIME], None, [SHIFT_BASE])
    assert shares(shift) == [both(Fraction(3, 4)), both(Fraction(3, 4)), (Fraction(142, 176), Fraction(154, 176))]


def test_a_counter_narrows_what_nobody_saw() -> None:
    dark = [cell(0, 720, "unobserved")]
    counted = Bounds(132 * H, 132 * H)
    whole, shift = use_of(dark, counted, [MONTH, SHIFT_BASE])
    assert whole.share == both(Fraction(132, 720))
    assert shift.share == (0, Fraction(3, 4))
    assert shift.load == both(Fraction(3, 4))
    assert added([shift, shift]) == Used(
        Base("shifts days", 352 * H), Bounds(0, 264 * H), Bounds(0, 352 * H), Bounds(264 * H, 264 * H)
    )
    assert added([]) is None
