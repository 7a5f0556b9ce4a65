"""Plans over long times: looked at in time though the clocks change, judged soon after years, told in bounds."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.declared_plans import Plan, Recurrence, Season
from models.maintenance.by_date import Calendar, dates, stand_of
from models.maintenance.due import Facts, Use, judge
from models.maintenance.interval import MOST_MISSED, Standing, shift_of, standing
from models.maintenance.next_look import next_look
from models.motion.meter import Bounds
from models.reading import micros

FIRST = datetime(2017, 4, 1, tzinfo=UTC)


def facts(begins: datetime, done: tuple[datetime, ...] = (), km: Use | None = None, **said: Any) -> Facts:
    plan = Plan("A", "Check", **said)
    times = tuple(map(micros, done))
    return Facts(asset="A", plan_id="A/p", plan=plan, starts_at=micros(begins), done=times, km=km)


def test_it_is_looked_at_as_soon_as_it_is_near_though_the_clocks_changed() -> None:
    """90 days with an hour less: it is near 6 minutes later than by days of 24 hours."""
    known = facts(datetime(2026, 1, 15, tzinfo=UTC), every_days=90, tz="Europe/Brussels")
    at = known.starts_at
    while (found := judge(known, at)).state == "ok":
        at = next_look(found, at)
    assert judge(known, at - 60_000_000).state == "ok"


def test_a_daily_plan_that_rests_every_winter_is_judged_after_years() -> None:
    """After more than 1000 days of rest."""
    days = [FIRST + timedelta(k) for k in range(1, 365 * 9)]
    done = tuple(each for each in days if 4 <= each.month <= 10 and each.year < 2026)
    said: dict[str, Any] = {"every_days": 1, "timing": "fixed", "when_inactive": "skip"}
    known = facts(FIRST, done, inactive=[Season("11-01", "03-31")], **said)
    now = datetime(2026, 3, 20, tzinfo=UTC)
    assert judge(known, micros(now)).due_by == micros(datetime(2026, 4, 1, tzinfo=UTC))


def test_what_is_listed_as_missed_is_bounded() -> None:
    known = facts(FIRST, every_km=Decimal("0.01"), km=Use(Bounds(2 * 10**11, 2 * 10**11)))
    assert len(judge(known, known.starts_at).numbers) == MOST_MISSED


@pytest.mark.parametrize("timing", ["fixed", "shifted"])
@pytest.mark.parametrize("many", [39, 40, 41, 80, 81, 200])
def test_services_of_any_number_leave_it_where_each_after_the_other_does(timing: str, many: int) -> None:
    """They come early as often as late, so that none makes up for those before it."""
    rng = random.Random(many)
    days = [FIRST + timedelta(30 * k + rng.randrange(-20, 21)) for k in range(1, many + 1)]
    shifts: dict[str, Any] = {"shift_late": 0.5, "shift_early": 0.5} if timing == "shifted" else {}
    known = facts(FIRST, tuple(days), every_days=30, timing=timing, **shifts)
    rule = Recurrence(30, "day")
    grid = dates(Calendar(rule, "UTC", (), is_shifted=True))
    stand = Standing(known.starts_at, 1, 1)
    for at in known.done:
        stand = standing(grid, shift_of(known.plan), stand, [at])
    assert stand_of(known, rule) == stand
