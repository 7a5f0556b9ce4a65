"""When a meter will have counted so much more: a range, from what it counted on each of the last days.

The expected use of a day is that of its weekday, in whole weeks of which the newer count more. How far sums of many
days stray from it is measured twice, the wider counts: by the variance of weekly sums, widened where busy weeks follow
busy ones, and by how wrong the same forecast would have been about the weeks that are over. The range is Student's,
of COVERAGE, with as many degrees of freedom as weeks; few weeks are helped by a prior and make it wide.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from math import sqrt

from msgspec import Struct

DAY_US = 86_400_000_000
WEEK = 7
MOST_WEEKS, FEWEST_DAYS = 26, 10
HALF_LIFE = 6.0
"""Weeks after which a week counts half."""
PRIOR_WEEKS, PRIOR_SPREAD = 2.0, 0.08
"""As if so many weeks more had been seen, that strayed by such a share of the mean."""
COVERAGE = 0.97
MOST_MISSING = 2
TOGETHER = 1.0
"""So many standard errors of the correlation of neighbouring weeks are taken for chance."""
MOST_SKEW = 0.8
FARTHEST_DAYS = 3650
_NORMAL = 2.17009
"""Quantile of the normal law at (1 + COVERAGE) / 2."""


Rests = Callable[[int], bool]
"""Whether a day, in days since 1970, is one on which nothing is counted."""


class Daily(Struct, frozen=True):
    """What a meter counted on days in a row, in ms, mm or counts; `first` is in days since 1970 (UTC).

    None is a day that was hardly observed and says nothing of the others. The last is the last whole day.
    """

    first: int
    use: tuple[float | None, ...]
    hours: tuple[int, int] = (0, DAY_US)
    """Between these, in microseconds of a day (UTC), it is used."""
    heard_to: int | None = None
    """Until when what was counted is known; None: until now."""


class Profile(Struct, frozen=True):
    """The expected use of each day of a week from Monday on, and the variance of a week's sum; in units of the meter.

    `drift`: variance of the mean itself, relative to its square: a forecast is off by that share however far it goes.
    """

    days: tuple[float, ...]
    week_variance: float
    drift: float
    weeks: float
    week_skew: float = 0.0
    """The third moment of a week's sum: below 0 where what is rare is a day without use."""
    hours: tuple[int, int] = (0, DAY_US)


class Range(Struct, frozen=True):
    """Microseconds UTC; None: later than can be said."""

    soonest: int | None
    latest: int | None


def profile(daily: Daily, rests: Rests | None = None) -> Profile | None:
    """What is to be expected of the days to come; None with less than two weeks of days that were observed."""
    use = daily.use[-MOST_WEEKS * WEEK :]
    first = daily.first + len(daily.use) - len(use)
    if rests is not None:
        use = tuple(None if rests(first + k) else each for k, each in enumerate(use))
    return None if sum(each is not None for each in use) < FEWEST_DAYS else _profile(first, use, daily.hours)


@lru_cache(maxsize=4096)
def _profile(first: int, use: tuple[float | None, ...], hours: tuple[int, int]) -> Profile:
    days = _weekdays(first, use)
    sums = _weeks(first, use, days)
    if not sum(days):
        return Profile(days, 0.0, 0.0, float(len(sums)))
    spread = _spread(sums, sum(days))
    return Profile(days, spread, _drift(first, use, spread), float(len(sums)), _skew(first, use, days), hours)


def reached(known: Profile, now: int, left: tuple[int, int], rests: Rests | None = None) -> Range:
    """From when to when the meter will have counted what is left: (at least, at most) units."""
    least, most = left
    week = sum(known.days)
    if not week:
        return Range(now if least <= 0 else None, None)
    factor = _student(known.weeks + PRIOR_WEEKS - 1)
    soonest = latest = None
    passed = expected = 0.0
    low = high = (0.0, 0.0)
    for day in range(now // DAY_US, now // DAY_US + FARTHEST_DAYS):
        begin, end = (max(now, day * DAY_US + each) for each in known.hours)
        if begin >= end or (rests is not None and rests(day)):
            continue
        part = (end - begin) / (known.hours[1] - known.hours[0])
        passed += part / WEEK
        expected += known.days[(day + 3) % WEEK] * part
        below, above = _strays(known, passed, expected, factor)
        low, high = (low[1], expected - below), (high[1], expected + above)
        if soonest is None and high[1] >= least:
            soonest = _within(high, least, begin, end)
        if low[1] >= most:
            latest = _within(low, most, begin, end)
            break
    return Range(soonest, latest)


def _within(sums: tuple[float, float], wanted: float, begin: int, end: int) -> int:
    """When a sum that goes evenly from one to the other in that time has come to what is wanted."""
    before, after = sums
    return begin if wanted <= before else begin + int((wanted - before) / (after - before) * (end - begin))


def _strays(known: Profile, weeks: float, expected: float, factor: float) -> tuple[float, float]:
    """How far a sum may be below and above what is expected: by Cornish and Fisher with its third moment."""
    sd = sqrt(known.week_variance * weeks + known.drift * expected * expected)
    if not sd:
        return 0.0, 0.0
    skew = min(max(known.week_skew * weeks / sd**3, -MOST_SKEW), MOST_SKEW)
    lean = (factor * factor - 1) * skew / 6
    return max(0.0, factor - lean) * sd, max(0.0, factor + lean) * sd


def _skew(first: int, use: Sequence[float | None], days: Sequence[float]) -> float:
    strays = [each - days[(first + k + 3) % WEEK] for k, each in enumerate(use) if each is not None]
    return WEEK * sum(each**3 for each in strays) / len(strays)


def _weight(age_days: int) -> float:
    return float(0.5 ** (age_days // WEEK / HALF_LIFE))


def _weekdays(first: int, use: Sequence[float | None]) -> tuple[float, ...]:
    """Weighted means by weekday; a weekday that was never seen is as the mean of the others."""
    sums, weights = [0.0] * WEEK, [0.0] * WEEK
    for k, each in enumerate(use):
        if each is not None:
            weekday, weight = (first + k + 3) % WEEK, _weight(len(use) - 1 - k)
            sums[weekday] += weight * each
            weights[weekday] += weight
    mean = sum(sums) / sum(weights)
    return tuple(total / weight if weight else mean for total, weight in zip(sums, weights, strict=True))


def _weeks(first: int, use: Sequence[float | None], days: Sequence[float]) -> list[float]:
    """Sums of whole weeks back from the last day, the newest first; a day or two that are missing are as expected."""
    found: list[float] = []
    for end in range(len(use), WEEK - 1, -WEEK):
        known = [(first + k + 3, each) for k, each in enumerate(use[end - WEEK : end], end - WEEK) if each is not None]
        if len(known) >= WEEK - MOST_MISSING:
            missing = sum(days) - sum(days[weekday % WEEK] for weekday, _ in known)
            found.append(sum(each for _, each in known) + missing)
    return found or [sum(days)]


def _spread(sums: Sequence[float], mean: float) -> float:
    """The variance of weekly sums about their mean, with the prior, and as far as neighbours go together more."""
    own = sum(sums) / len(sums)
    squares = sum((each - own) ** 2 for each in sums)
    together = sum((one - own) * (other - own) for one, other in pairwise(sums))
    rho = together / squares - TOGETHER / sqrt(len(sums)) if squares and len(sums) > WEEK else 0.0
    rho = min(max(rho, 0.0), 0.6)
    prior = PRIOR_WEEKS * (PRIOR_SPREAD * mean) ** 2
    variance = (squares + prior) / (max(len(sums) - 1, 0) + PRIOR_WEEKS)
    return variance * (1 + rho) / (1 - rho)


def _drift(first: int, use: Sequence[float | None], spread: float) -> float:
    """How wrong the mean is, relative and squared: from its own uncertainty, or from its errors about past months.

    Each error has the noise of what it is compared with, which is taken off: only what is more is drift.
    """
    span = 4 * WEEK
    mean = sum(_weekdays(first, use))
    effective = min(len(use) / WEEK, 2 * HALF_LIFE / 0.6931)
    own = spread / effective / mean**2
    errors: list[float] = []
    for end in range(len(use) - span, 4 * WEEK, -2 * WEEK):
        before, after = use[:end], [each for each in use[end : end + span] if each is not None]
        if len(after) < span or sum(each is not None for each in before) < FEWEST_DAYS:
            continue
        told = 4 * sum(_weekdays(first, before))
        if told:
            errors.append(((sum(after) - told) / told) ** 2 - 4 * spread / told**2)
    seen = sum(errors) / len(errors) if errors else 0.0
    return max(own, min(seen, 0.25))


def _student(freedom: float) -> float:
    """The quantile of Student's law by that of the normal one: Abramowitz and Stegun, 26.7.5, three terms."""
    x, f = _NORMAL, max(freedom, 2.0)
    first = (x**3 + x) / 4
    second = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    return x + first / f + second / f**2 + third / f**3
