"""Numbers, truths and times that devices write as text. Strict, because a guess would be a wrong fact.

Each takes the field's name, for the error: BadFrame with what was expected. An empty text is for the caller to see.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from edge.driver import BadFrame
from models.reading import from_micros
from models.wire import NEWEST, OLDEST

MOST_SHOWN = 60
_NUMBER = re.compile(r"[+-]?(\d{1,24}(\.\d{0,24})?|\.\d{1,24})([eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?", re.ASCII)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?:([Zz])|([+ -])(\d\d):?(\d\d))?", re.ASCII
)
_TRUTHS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
_LAST_SECONDS = 2**31 - 1
_DAY_HOURS, _HOUR_MINUTES, _LEAP_SECOND = 24, 60, 60


class Range(NamedTuple):
    """The least and the greatest number that is taken."""

    least: float
    most: float


ANY = Range(-1e15, 1e15)
LAT, LON, PERCENT, COUNTER = Range(-90, 90), Range(-180, 180), Range(0, 100), Range(0, 1e12)


def wrong(field: str, expected: str, got: str) -> BadFrame:
    """The error that names a field, what was expected, and the beginning of what came."""
    return BadFrame(f"{field}: {expected} expected, got {got[:MOST_SHOWN]!r}")


def number(field: str, text: str, within: Range = ANY) -> float:
    """A decimal number with a point, never NaN or infinite. Raises BadFrame.

    >>> number("hdop", "0.9")
    0.9
    >>> number("hdop", "0,9")
    Traceback (most recent call last):
    ...
    edge.driver.BadFrame: hdop: a decimal number expected, got '0,9'
    """
    if not _NUMBER.fullmatch(text):
        raise wrong(field, "a decimal number", text)
    value = float(text)
    if not within.least <= value <= within.most:
        raise wrong(field, f"a number of {within.least:g} ... {within.most:g}", text)
    return value


def truth(field: str, text: str) -> bool:
    """true, 1, on, or false, 0, off. Raises BadFrame."""
    value = _TRUTHS.get(text.lower())
    if value is None:
        raise wrong(field, "true or false", text)
    return value


def epoch_time(field: str, text: str) -> datetime | None:
    """Seconds, or milliseconds from 2**31 - 1 on, since 1970; None if the text is no such number. Raises BadFrame.

    >>> epoch_time("timestamp", "1377177267") == epoch_time("timestamp", "1377177267000")
    True
    """
    if (found := _EPOCH.fullmatch(text)) is None:
        return None
    whole, fraction = int(found[1]), (found[2] or "")[:6].ljust(6, "0")
    micros = whole * 1000 + int(fraction[:3]) if whole >= _LAST_SECONDS else whole * 1_000_000 + int(fraction)
    try:
        return carried(field, from_micros(micros), text)
    except OverflowError as error:
        raise wrong(field, "a time in 1970 ... 2199", text) from error


def iso_time(field: str, text: str) -> datetime:
    """A time of ISO 8601 with date and seconds, in UTC if no zone is said. Raises BadFrame.

    24:00 and a leap second are the beginning of what follows; digits beyond the microsecond are cut. A blank for the
    plus of a zone is what a query makes of it that was not escaped.

    >>> iso_time("at", "2016-01-27T18:55:47.5 01:00").isoformat()
    '2016-01-27T17:55:47.500000+00:00'
    """
    if (found := _ISO.fullmatch(text)) is None:
        raise wrong(field, "a time as 2026-01-31T23:59:59Z", text)
    hours, minutes, seconds, zone_hours, zone_minutes = (int(found[number] or 0) for number in (4, 5, 6, 10, 11))
    day_over = hours == _DAY_HOURS and not minutes and not seconds
    zoned = zone_hours < _DAY_HOURS and zone_minutes < _HOUR_MINUTES
    if not ((hours < _DAY_HOURS or day_over) and minutes < _HOUR_MINUTES and seconds <= _LEAP_SECOND and zoned):
        raise wrong(field, "a time as 2026-01-31T23:59:59Z", text)
    zone = timedelta(hours=zone_hours, minutes=zone_minutes) * (-1 if found[9] == "-" else 1)
    of_day = timedelta(
        hours=hours, minutes=minutes, seconds=seconds, microseconds=int((found[7] or "0")[:6].ljust(6, "0"))
    )
    try:
        return carried(field, datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC) + of_day - zone, text)
    except (ValueError, OverflowError) as error:
        raise wrong(field, "a time as 2026-01-31T23:59:59Z", text) from error


def carried(field: str, at: datetime, text: str) -> datetime:
    """The time, if it is one that the wire carries. Raises BadFrame."""
    if not OLDEST <= at < NEWEST:
        raise wrong(field, "a time in 1970 ... 2199", text)
    return at
