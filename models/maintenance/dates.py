"""Dates of calendar plans: so many days, weeks, months or years later, in a time zone, at the same hour of its clock.

Counted from one origin, so that after the 31st come the 30th, the 28th and the 31st again. An hour that the clocks
jump over is the one after it, an hour that comes twice is the first of the two.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.declared_plans import Recurrence, Season
from models.errors import Refused
from models.reading import from_micros, micros

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LATEST = date(2199, 12, 31)
DAY = timedelta(days=1)
EPOCH = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises Refused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"tz: a time zone such as Europe/Brussels expected, got {name!r}"
        raise Refused(msg) from error


@lru_cache(maxsize=65_536)
def later(rule: Recurrence, origin: int, count: int, zone: str) -> int:
    """The moment `count` times the rule's span after `origin`, microseconds UTC; count may be 0 or less.

    >>> from datetime import datetime
    >>> at = micros(datetime(2026, 1, 31, 8, tzinfo=UTC))
    >>> [f"{from_micros(later(Recurrence(1, 'month'), at, n, 'UTC')):%m-%d}" for n in (1, 2, 3)]
    ['02-28', '03-31', '04-30']
    """
    local = from_micros(origin).astimezone(zone_of(zone))
    day = _day(rule, local.date(), count)
    if day == local.date():
        return origin
    return micros(datetime.combine(day, local.time(), zone_of(zone)).replace(fold=0).astimezone(UTC))


def first(rule: Recurrence, origin: int, zone: str) -> int:
    """Which count gives the first moment after the origin: 1, or 0 where the rule's own day is still to come."""
    return 0 if later(rule, origin, 0, zone) > origin else 1


@lru_cache(maxsize=1024)
def rests(seasons: tuple[Season, ...]) -> Callable[[int], bool]:
    """Whether a day, in days since 1970, is one of rest; asked often, so what is known of a day is kept."""
    known: dict[int, bool] = {}

    def rests_on(day: int) -> bool:
        if day not in known:
            known[day] = any(_holds(each, date.fromordinal(EPOCH + day)) for each in seasons)
        return known[day]

    return rests_on


def is_inactive(seasons: tuple[Season, ...], day: date) -> bool:
    """Whether a day is one of rest."""
    return bool(seasons) and rests(seasons)(day.toordinal() - EPOCH)


def active_from(seasons: tuple[Season, ...], day: date) -> date | None:
    """The first day from this one on that is none of rest; None if there is none within two years."""
    for ahead in range(731):
        if not is_inactive(seasons, day + ahead * DAY):
            return day + ahead * DAY
    return None


def local_date(at: int, zone: str) -> date:
    """The day of a moment in a time zone."""
    return from_micros(at).date() if zone == "UTC" else from_micros(at).astimezone(zone_of(zone)).date()


def midnight(day: date, zone: str) -> int:
    """When a day begins in a time zone, in microseconds UTC."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)).astimezone(UTC))


def _day(rule: Recurrence, day: date, count: int) -> date:
    steps = rule.every * count
    try:
        if rule.unit == "day":
            return min(day + steps * DAY, LATEST)
        if rule.unit == "week":
            shifted = day + 7 * steps * DAY
            ahead = 0 if rule.weekday is None else WEEKDAYS.index(rule.weekday) - shifted.weekday()
            return min(shifted + ahead * DAY, LATEST)
        months = day.year * 12 + day.month - 1 + steps * (12 if rule.unit == "year" else 1)
        year, month = divmod(months, 12)
        return min(_in_month(rule, day, year, (rule.month or month + 1)), LATEST)
    except (OverflowError, ValueError):
        return LATEST


def _in_month(rule: Recurrence, day: date, year: int, month: int) -> date:
    first_weekday, length = monthrange(year, month)
    if rule.weekday is None or rule.nth is None:
        return date(year, month, min(rule.day or day.day, length))
    number = 1 + (WEEKDAYS.index(rule.weekday) - first_weekday) % 7
    last = number + (length - number) // 7 * 7
    return date(year, month, last if rule.nth == -1 else number + 7 * (rule.nth - 1))


def _holds(season: Season, day: date) -> bool:
    begin, end, today = season.begin, season.end, f"{day:%m-%d}"
    if begin <= end:
        return begin <= today <= end and season.year in {None, day.year}
    begun = day.year if today >= begin else day.year - 1
    return (today >= begin or today <= end) and season.year in {None, begun}
