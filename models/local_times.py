"""Times of day in a time zone: quiet hours that end, and digests that are due; exact where the clocks change.

A time that the clocks jump over is as much later as they jump; of one that comes twice it is the first.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.declared_alerts import Quiet
from models.errors import Refused
from models.reading import from_micros, micros


def zone_named(name: str) -> ZoneInfo:
    """A time zone of the IANA database. Raises Refused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"time_zone: one like Europe/Brussels expected, got {name!r}"
        raise Refused(msg) from error


def quiet_until(quiet: Quiet | None, zone: str, now: int) -> int | None:
    """When the quiet hours that `now` is in end, microseconds; None if it is in none.

    >>> night = Quiet(begin="22:00", end="06:00")
    >>> at = micros(datetime(2026, 10, 24, 21, 30, tzinfo=UTC))
    >>> from_micros(quiet_until(night, "Europe/Brussels", at)).isoformat()
    '2026-10-25T05:00:00+00:00'
    """
    if quiet is None:
        return None
    tz = zone_named(zone)
    begin, end = time.fromisoformat(quiet.begin), time.fromisoformat(quiet.end)
    over = timedelta(days=1 if end <= begin else 0)
    today = from_micros(now).astimezone(tz).date()
    for day in (today - timedelta(days=1), today):
        ends_at = _at(day + over, end, tz)
        if _at(day, begin, tz) <= now < ends_at:
            return ends_at
    return None


def last_due(times: Sequence[str], zone: str, now: int) -> int | None:
    """The last of these times of day that is not after now, microseconds; None without any."""
    tz = zone_named(zone)
    today = from_micros(now).astimezone(tz).date()
    days = (today - timedelta(days=1), today)
    due = (_at(day, each, tz) for day in days for text in times for each in _each(text))
    return max((at for at in due if at <= now), default=None)


def _each(text: str) -> Iterable[time]:
    hour, _, minute = text.partition(":")
    hours = range(24) if hour == "*" else [int(hour)]
    return (time(each, int(minute)) for each in hours)


def _at(day: date, at: time, tz: ZoneInfo) -> int:
    return micros(datetime.combine(day, at, tz).astimezone(UTC))
