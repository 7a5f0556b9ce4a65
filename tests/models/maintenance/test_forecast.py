"""Forecasts from measured days: the weekly pattern, how wide the range is, days of rest, and how often it is true."""

import random
from statistics import median

import pytest

from models.maintenance.forecast import COVERAGE, DAY_US, WEEK, Daily, profile, reached

H = 3_600_000
MONDAY = 20_605
HOURS = (6 * 3_600_000_000, 16 * 3_600_000_000)


def weeks(count: int, week: tuple[float | None, ...] = (8, 8, 8, 8, 8, 0, 0)) -> Daily:
    use = [None if each is None else each * H for each in week * count]
    return Daily(MONDAY, tuple(use), HOURS)


@pytest.mark.parametrize(("daily", "expected"), [(weeks(8), [8.0] * 5 + [0.0] * 2), (weeks(1), None)])
def test_the_pattern_is_of_weekdays(daily: Daily, expected: list[float] | None) -> None:
    known = profile(daily)
    assert (None if known is None else [each / H for each in known.days]) == (expected and pytest.approx(expected))


def test_even_use_is_told_to_the_day() -> None:
    known = profile(weeks(26))
    assert known is not None
    now = (MONDAY + 26 * WEEK) * DAY_US
    found = reached(known, now, (80 * H, 80 * H))
    assert found.soonest is not None
    assert found.latest is not None
    days = [(each / DAY_US) - MONDAY - 26 * WEEK for each in (found.soonest, found.latest)]
    assert 10.0 < days[0] < 11.7 < days[1] < 15.7, "80 h are ten working days: the second Friday"


def test_days_of_rest_neither_count_nor_tell() -> None:
    idle = weeks(8)
    closed = Daily(MONDAY, (*idle.use, *(0.0,) * 14), HOURS)

    def rests(day: int) -> bool:
        return MONDAY + 56 <= day < MONDAY + 77

    known = profile(closed, rests)
    assert known is not None
    assert [each / H for each in known.days] == pytest.approx([8.0] * 5 + [0.0] * 2)
    found = reached(known, (MONDAY + 70) * DAY_US, (8 * H, 8 * H), rests)
    assert found.soonest is not None
    assert found.soonest >= (MONDAY + 77) * DAY_US


def test_a_day_that_was_hardly_observed_is_as_the_others() -> None:
    known = profile(weeks(12, (8, None, 8, 8, 8, 0, 0)))
    assert known is not None
    assert sum(known.days) == pytest.approx(sum((8, 32 / 6, 8, 8, 8)) * H)
    assert profile(Daily(MONDAY, (0.0,) * 60)) is not None
    nothing = profile(Daily(MONDAY, (0.0,) * 60))
    assert nothing is not None
    assert (reached(nothing, 0, (1, 1)).soonest, reached(nothing, 0, (0, 1)).soonest) == (None, 0)


def test_what_is_unsure_makes_it_wide() -> None:
    known = profile(weeks(20))
    assert known is not None
    narrow, wide = (reached(known, (MONDAY + 140) * DAY_US, left) for left in ((80 * H, 80 * H), (60 * H, 80 * H)))
    assert (narrow.soonest or 0) - (wide.soonest or 0) > 2 * DAY_US
    assert narrow.latest == wide.latest


def _machine(rng: random.Random, spread: float, idle: float) -> list[float]:
    day = rng.uniform(4, 9)
    return [
        0.0 if k % WEEK > 4 or rng.random() < idle else max(0.5, rng.gauss(1, spread)) * day * H for k in range(230)
    ]


@pytest.mark.parametrize(("spread", "idle", "widest"), [(0.05, 0.0, 5.0), (0.15, 0.03, 9.5), (0.3, 0.08, 15.5)])
def test_the_range_holds_as_often_as_it_says(spread: float, idle: float, widest: float) -> None:
    """Thirty days ahead, over 120 machines of 28 weeks; a fifth of the truth may be by chance on either side."""
    rng = random.Random(7)
    inside, widths = 0, list[float]()
    for _ in range(120):
        use = _machine(rng, spread, idle)
        known = profile(Daily(MONDAY, tuple(use[:196]), HOURS))
        assert known is not None
        left = int(sum(use[196:226]) - use[225] / 2) if use[225] else int(sum(use[196:226]) * 0.99)
        found = reached(known, (MONDAY + 196) * DAY_US, (left, left))
        total, at = 0.0, 196
        while total + use[at] < left:
            total, at = total + use[at], at + 1
        share = (left - total) / use[at]
        truth = (MONDAY + at) * DAY_US + HOURS[0] + int(share * (HOURS[1] - HOURS[0]))
        assert found.soonest is not None
        assert found.latest is not None
        inside += found.soonest <= truth <= found.latest
        widths.append((found.latest - found.soonest) / DAY_US)
    assert inside / 120 >= COVERAGE - 0.045
    assert median(widths) <= widest
