"""The balance of days: over ten time zones and two years what an asset did adds up to each local day, exactly.

Days around every change of clocks, and one in twenty of the others; with STOCKYARD_LONG=1 all of them.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from models.motion.day import CELLS, RUNNING, UNCLEAR, Stretch, cells, local_day
from models.reading import from_micros

ZONES = {
    "Europe/Brussels": (23, 25),
    "Europe/London": (23, 25),
    "America/New_York": (23, 25),
    "America/St_Johns": (23, 25),
    "America/Santiago": (23, 25),
    "Africa/Cairo": (23, 25),
    "Asia/Beirut": (23, 25),
    "Asia/Kathmandu": (24, 24),
    "Australia/Lord_Howe": (23.5, 24.5),
    "Pacific/Auckland": (23, 25),
}
"""The shortest and the longest day of each."""
FIRST, DAYS = date(2025, 1, 1), 730
HOUR, QUARTER = 3_600_000_000, 900_000_000
EACH = 1 if os.environ.get("STOCKYARD_LONG") else 20
KINDS = (RUNNING, RUNNING, "working", "moving", "transported", "unobserved", UNCLEAR)


def stretches(zone: str) -> list[Stretch]:
    """Two years of what an asset may do, across midnights and changes of clocks; to the microsecond."""
    chance = random.Random(zone)
    at = local_day(FIRST, zone)[0] - 50 * HOUR
    end = at + (DAYS + 5) * 24 * HOUR
    found: list[Stretch] = []
    while at < end:
        span = chance.randrange(1, 9 * HOUR)
        found.append(Stretch(at, at + span, chance.choice(KINDS), (f"r{len(found)}",)))
        at += chance.choice((span, span // 2, span + chance.randrange(HOUR)))
    return found


def days(zone: str) -> Iterator[date]:
    """Every twentieth, and those on which the clocks change, with their neighbours."""
    place = ZoneInfo(zone)
    offsets = [datetime(day.year, day.month, day.day, 12, tzinfo=place).utcoffset() for day in _all()]
    for number, day in enumerate(_all()):
        near = offsets[max(0, number - 2) : number + 3]
        if number % EACH == 0 or len({*near}) > 1:
            yield day


def _all() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(DAYS)]


def length_by_clock(day: date, zone: str) -> int:
    """How long a local day is by asking the clock every quarter of an hour, which no clock jumps by less than."""
    place = ZoneInfo(zone)
    begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000 - 16 * HOUR
    times = range(begin, begin + 58 * HOUR, QUARTER)
    return sum(from_micros(at).astimezone(place).date() == day for at in times) * QUARTER


@pytest.mark.parametrize("zone", ZONES)
def test_what_it_did_fills_every_day(zone: str) -> None:
    known = stretches(zone)
    lengths: set[float] = set()
    for day in days(zone):
        begin, end = local_day(day, zone)
        mine = [each for each in known if each.begin_at < end and each.end_at > begin]
        found = cells(begin, end, mine)
        sums = {what: sum(each.end_at - each.begin_at for each in found if each.what == what) for what in CELLS}
        assert sum(sums.values()) == end - begin == length_by_clock(day, zone)
        assert (found[0].begin_at, found[-1].end_at) == (begin, end)
        assert all(one.end_at == other.begin_at for one, other in pairwise(found))
        lengths.add((end - begin) / HOUR)
    assert (min(lengths), max(lengths)) == ZONES[zone]


@pytest.mark.parametrize("zone", ZONES)
def test_days_follow_each_other_without_a_hole(zone: str) -> None:
    bounds = [local_day(day, zone) for day in _all()]
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
