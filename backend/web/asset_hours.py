"""The hours of an asset as its page shows them: a bar for each UTC day, and the stretches behind a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec
from sqlalchemy import Connection, select

from backend import usage
from backend.book.schema import run
from backend.step import DAY_US
from models.motion.meter import Usage, clipped
from models.reading import EPOCH
from models.register import Register

DAYS = 30
MOST_STRETCHES = 100
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Day:
    """What a machine ran on one UTC day: surely `least`, possibly `most` milliseconds."""

    number: int
    """Days since 1970."""
    least: int
    most: int

    @property
    def date(self) -> date:
        return EPOCH.date() + timedelta(days=self.number)

    @property
    def hours(self) -> tuple[float, float]:
        return self.least / HOUR_MS, self.most / HOUR_MS


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of use, and what of it falls on the day that is asked for."""

    usage: Usage
    least: int
    most: int


def days(tx: Connection, register: Register, asset: str, now: int) -> list[Day]:
    """The last DAYS days, with today up to now; from one query."""
    meter = usage.hours_meter(register, asset, now)
    today = now // DAY_US
    first = today - DAYS + 1
    least, most = [0] * DAYS, [0] * DAYS
    for each in _usages(tx, register, asset, (first * DAY_US, now)):
        if each.meter != meter:
            continue
        for number in range(max(first, each.begin_at // DAY_US), min(today, each.end_at // DAY_US) + 1):
            share = clipped(each, number * DAY_US, min(now, (number + 1) * DAY_US))
            least[number - first] += share.least
            most[number - first] += share.most
    return [Day(first + k, least[k], most[k]) for k in range(DAYS)]


def stretches(tx: Connection, register: Register, asset: str, day: int, now: int) -> list[Stretch]:
    """What the hours of a day are made of, by time, at most MOST_STRETCHES."""
    meter = usage.hours_meter(register, asset, now)
    span = (day * DAY_US, min(now, (day + 1) * DAY_US))
    found: list[Stretch] = []
    for each in _usages(tx, register, asset, span):
        if each.meter == meter and each.begin_at < span[1]:
            share = clipped(each, *span)
            if share.most:
                found.append(Stretch(each, share.least, share.most))
    return sorted(found, key=lambda one: one.usage.begin_at)[:MOST_STRETCHES]


def total(found: Sequence[Day]) -> str:
    """What the days come to, in words.

    >>> total([Day(0, 5_400_000, 5_400_000), Day(1, 0, 3_600_000)])
    '1.5 to 2.5 h'
    """
    least, most = (sum(day.hours[k] for day in found) for k in (0, 1))
    return f"{least:,.1f} h" if least == most else f"{least:,.1f} to {most:,.1f} h"


def _usages(tx: Connection, register: Register, asset: str, span: tuple[int, int]) -> list[Usage]:
    return usage.rows_of(tx, asset, *span) + usage.open_of(tx, register, asset, span[1])


def behind(tx: Connection, register: Register, asset: str, ident: str, now: int) -> list[str] | None:
    """The content hashes that a stretch rests on; None if it is unknown: it was decided anew, or has ended since."""
    row = tx.execute(select(run.c.evidence).where(run.c.id == ident, run.c.asset == asset)).one_or_none()
    if row is not None:
        return msgspec.json.decode(row.evidence, type=list[str])
    return next((each.evidence for each in usage.open_of(tx, register, asset, now) if each.id == ident), None)
