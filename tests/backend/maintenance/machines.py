"""Machines of a simulated year, and what is true of them: when they ran, how far they went, what their trackers sent.

A seed gives one world. It knows nothing of the rules that are tested: dates and hours are added up here once more.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from models import wire
from models.reading import Input, Meter, from_micros

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
DAY = 24 * HOUR
FIRST = date(2026, 1, 1)
BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
CLOSED = (("08-01", "08-14"), ("12-24", "12-31"))
"""The company is closed on these days, and says so."""


class Habit(NamedTuple):
    """How evenly a machine is used: spread of a day, of how busy weeks are, chance of a day without work, its trend."""

    name: str
    day: float
    week: float
    idle: float
    trend: float
    """How much more, or less, it is used at the end of the year than in its middle."""


STEADY = Habit("steady", 0.08, 0.02, 0.01, 0.03)
ORDINARY = Habit("ordinary", 0.15, 0.05, 0.03, 0.06)
IRREGULAR = Habit("irregular", 0.30, 0.12, 0.08, 0.10)
HABITS = (STEADY, ORDINARY, STEADY, IRREGULAR, STEADY, ORDINARY, STEADY, ORDINARY, IRREGULAR, STEADY)
"""Of ten machines: in shifts on a line; in a yard; for hire."""


class Sent(NamedTuple):
    """A record of a tracker: when it happened and when it arrives; None: never."""

    at: int
    arrives_at: int | None
    text: bytes


@dataclass
class Machine:
    """One machine with its tracker; `on` are the spans in which its engine ran, in order."""

    name: str
    number: int
    rng: random.Random
    by_ignition: bool
    habit: Habit
    hours_a_day: float
    kmh: float
    on: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    swaps: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])
    """When its meter was replaced, and whether somebody declared a new tracker with it."""
    _sums: list[int] = field(default_factory=list[int])

    def device(self, at: int) -> str:
        """The tracker that is on it at a time; a declared replacement brings another."""
        return f"imei:{self.number:013}{sum(declared and swap <= at for swap, declared in self.swaps):02}"

    def used(self, at: int) -> int:
        """Microseconds that the engine has run since the beginning."""
        k = bisect_right(self.on, (at, 1 << 62))
        if not k:
            return 0
        begin, end = self.on[k - 1]
        return self._sums[k - 1] + min(at, end) - begin

    def reaches(self, since: int, micros: float) -> int | None:
        """When it has run so much since then; None: not in this year."""
        wanted = self.used(since) + micros
        k = bisect_right(self._sums, wanted - 1) - 1
        if k < 0:
            return None
        begin, end = self.on[k]
        at = begin + int(wanted - self._sums[k])
        return at if at <= end else None

    def live(self, days: int) -> None:
        """Run through the year: weeks are busier or not, days differ, some are lost to the weather."""
        rng, busy, total = self.rng, 0.0, 0
        saturdays = rng.random() < 0.3
        for n in range(days):
            day = FIRST + timedelta(n)
            if day.weekday() == 0:
                busy = 0.5 * busy + rng.gauss(0, self.habit.week)
            text = f"{day:%m-%d}"
            idle = day.weekday() == 6 or (day.weekday() == 5 and not saturdays) or rng.random() < self.habit.idle
            if idle or any(low <= text <= high for low, high in CLOSED):
                continue
            share = 0.5 if day.weekday() == 5 else 1.0
            season = 1 + self.habit.trend * ((n - 182) / 182) * (1 if self.number % 2 else -1)
            hours = self.hours_a_day * share * season * (1 + busy) * max(0.3, rng.gauss(1, self.habit.day))
            whole = int(min(max(hours, 0.5), 15) * 60)
            begin = BEGIN + n * DAY + 6 * HOUR + rng.randrange(60) * MINUTE
            first = max(15, int(whole * rng.uniform(0.35, 0.6)))
            pause = begin + first * MINUTE
            again = pause + rng.randrange(20, 60) * MINUTE
            for low, high in ((begin, pause), (again, again + max(10, whole - first) * MINUTE)):
                self.on.append((low, high))
                self._sums.append(total)
                total += high - low

    def records(self, days: int) -> Iterator[Sent]:
        """What the tracker sends: the ignition when it changes, and every hour the ignition or the counters."""
        rng = random.Random(f"{self.name}/{self.hours_a_day}")
        lost, late = _outages(rng, days, 5, (1, 20)), _outages(rng, days, 10, (2, 60))
        newest_first = self.number % 2
        times: list[tuple[int, bool | None]] = [
            (at, on) for low, high in self.on for at, on in ((low, True), (high, False))
        ]
        times += [(BEGIN + k * HOUR + (self.number * 37 % 3600) * SECOND, None) for k in range(days * 24)]
        times.sort(key=lambda each: each[0])
        running = False
        for at, change in times:
            if change is not None:
                running = change
            if any(low <= at < high for low, high in lost):
                continue
            outage = next(((low, high) for low, high in late if low <= at < high), None)
            arrives = at + 20 * SECOND
            if outage is not None:
                low, high = outage
                arrives = high + (high - at if newest_first else at - low) // 60 + 30 * SECOND
            for text in self._said(at, change, running):
                yield Sent(at, arrives, text)

    def _said(self, at: int, change: bool | None, running: bool) -> Iterator[bytes]:  # noqa: FBT001 - as it is
        device, when = self.device(at), from_micros(at)
        if change is not None or self.by_ignition:
            yield wire.encode(Input(device, when, "ignition", running))
        if change is None and not self.by_ignition:
            yield wire.encode(Meter(device, when, "engine_hours", self._shows(at) / HOUR, "h"))
        if change is False or (change is None and running and at // HOUR % 4 == 0):
            yield wire.encode(Meter(device, when, "odometer", self._shows(at) / HOUR * self.kmh, "km"))

    def _shows(self, at: int) -> int:
        """What the meter says: it was 1000 h old, and begins at 0 again when it is replaced."""
        last = max((swap for swap, _ in self.swaps if swap <= at), default=None)
        return self.used(at) + 1000 * HOUR if last is None else self.used(at) - self.used(last)


def _outages(rng: random.Random, days: int, a_year: float, hours: tuple[float, float]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0.0
    while (at := at + rng.expovariate(a_year / 365)) < days:
        begin = BEGIN + int(at * DAY)
        found.append((begin, begin + int(rng.uniform(*hours) * HOUR)))
    return found


def world(seed: int, count: int, days: int) -> list[Machine]:
    """So many machines after so many days of use; every fourth has its meter replaced once, every eighth declared."""
    found: list[Machine] = []
    for k in range(count):
        rng = random.Random(f"{seed}/{k}")
        each = Machine(f"M{k:03}", k, rng, k % 5 == 0, HABITS[k % 10], rng.uniform(4.5, 9.5), rng.uniform(8, 30))
        if k % 4 == 1:
            each.swaps.append((BEGIN + int(rng.uniform(0.2, 0.8) * days) * DAY + 3 * HOUR, k % 8 == 1))
        each.live(days)
        found.append(each)
    return found
