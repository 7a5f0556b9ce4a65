"""What an asset is going to lose: as its plan says by time, and by use as if it went on as in the last year."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from models.assets.depreciation import Used
from models.assets.value import Facts, standing

DAYS = 365
YEARS = 5


class Year(Struct, frozen=True):
    """What a calendar year takes, and the book value at its end; of the present one also what is behind it."""

    year: int
    amount: Decimal
    book_value: Decimal


def going_on(used: Used, since: date, today: date) -> Used:
    """The use, going on from today as in the last 365 days, or as since it was first counted if that is less."""

    def expected(meter: str, begin: date, end: date) -> Fraction:
        first = max(since, today - timedelta(days=DAYS))
        days = (today - first).days
        daily = used(meter, first, today) / days if days > 0 else Fraction(0)
        behind = used(meter, begin, min(end, today)) if begin < today else Fraction(0)
        return behind + daily * max(0, (end - max(begin, today)).days)

    return expected


def years(facts: Facts, today: date, used: Used, count: int = YEARS) -> Iterator[Year]:
    """The present year and those that follow; none of what has gone."""
    if facts.left is not None and facts.left.at <= today:
        return
    expected = going_on(used, facts.begun, today)
    before = standing(facts, date(today.year - 1, 12, 31), expected)
    for year in range(today.year, today.year + count):
        after = standing(facts, date(year, 12, 31), expected)
        yield Year(year, after.accumulated - before.accumulated, after.book_value)
        before = after
