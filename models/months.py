"""Accounting months, UTC: their numbers and their texts, and which of them can still be closed.

Stock and assets close their books by the same months, and have nothing else of this in common.
"""

import re
from datetime import UTC, date, datetime, time

from models.errors import Clash, Refused
from models.reading import from_micros, micros

_MONTH = re.compile(r"(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])")


class BadPeriod(Refused):
    """Not a month, or one that cannot be closed; the message says what was expected."""


def month_of(at: int) -> int:
    """The month of a time in microseconds, counted from year 0."""
    when = from_micros(at)
    return when.year * 12 + when.month - 1


def begin_of(month: int) -> int:
    """When a month begins, in microseconds."""
    return micros(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC))


def first_of(month: int) -> date:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def begin_of_day(day: date) -> int:
    """When a day begins, in microseconds."""
    return micros(datetime.combine(day, time(), UTC))


def month_text(month: int) -> str:
    """As people write it.

    >>> month_text(2026 * 12 + 8)
    '2026-09'
    """
    return f"{month // 12:04}-{month % 12 + 1:02}"


def parse_month(text: str) -> int:
    """A month of 1970 to 2199 from YYYY-MM. Raises BadPeriod."""
    found = _MONTH.fullmatch(text)
    if found is None:
        msg = f"period: a month like 2026-09 expected, got {text[:20]!r}"
        raise BadPeriod(msg)
    return int(found[1]) * 12 + int(found[2]) - 1


def check_closing(month: int, closed_to: int | None, now: int) -> bool:
    """Whether a month may be closed now; False if it is closed already. Raises BadPeriod before it is over."""
    if closed_to is not None and month <= closed_to:
        return False
    if begin_of(month + 1) > now:
        msg = f"period: a month that is over expected, {month_text(month)} is not"
        raise BadPeriod(msg)
    return True


def check_open(month: int, closed_to: int | None) -> None:
    """Raises Clash if a month is closed: it stays so."""
    if closed_to is not None and month <= closed_to:
        msg = (
            f"period: {month_text(month)} is closed and stays so; what changes is posted in {month_text(closed_to + 1)}"
        )
        raise Clash(msg)
