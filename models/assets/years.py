"""The years of a book: how much of a life falls into each, by the convention; dates of months that have no such day.

A book's year is the calendar's. A stretch of time is [begin, end): its end is the first day that is not in it.
"""

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

Convention = Literal["month", "daily", "half_year"]
HALF = Fraction(1, 2)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month if it has no such day.

    >>> add_months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_ends(first: date, count: int) -> list[date]:
    """The last days of so many months, from the month of `first` on: what is posted is posted on these.

    >>> [str(day) for day in month_ends(date(2024, 2, 29), 3)]
    ['2024-02-29', '2024-03-31', '2024-04-30']
    """
    begin = first.replace(day=1)
    return [add_months(begin, k + 1) - timedelta(days=1) for k in range(count)]


def effective(day: date, convention: Convention) -> date:
    """From when something of that day counts: by months the first one counts whole."""
    return day if convention == "daily" else day.replace(day=1)


def life_begins(begun: date, convention: Convention) -> date:
    """From when a life is counted: with half years, from the middle of the first year, wherever in it that began."""
    return date(begun.year, 7, 1) if convention == "half_year" else effective(begun, convention)


def years(begin: date, end: date, convention: Convention, first: date | None) -> Iterator[tuple[date, date, Fraction]]:
    """The years from one day to another, with the share of a year that each of them counts.

    `first` is when the asset's life began, for the half year; None if its first year is over.
    """
    while begin < end:
        until = min(date(begin.year + 1, 1, 1), end)
        is_first = convention == "half_year" and first is not None and begin.year == first.year
        yield begin, until, HALF if is_first else share(begin, until, convention)
        begin = until


def share(begin: date, end: date, convention: Convention) -> Fraction:
    """How much of a year lies between two days of it."""
    if convention == "daily":
        return Fraction((end - begin).days, 366 if isleap(begin.year) else 365)
    return (_months(end) - _months(begin)) / 12


def portion(begin: date, end: date, until: date, convention: Convention) -> Fraction:
    """Which share of a stretch is over at the begin of a day: by days, or by months that are even within themselves."""
    if convention == "daily":
        return Fraction((until - begin).days, (end - begin).days)
    return (_months(until) - _months(begin)) / (_months(end) - _months(begin))


def _months(day: date) -> Fraction:
    return day.year * 12 + day.month - 1 + Fraction(day.day - 1, monthrange(day.year, day.month)[1])
