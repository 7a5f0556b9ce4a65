"""The person who services machines: every plan in time, between two runs, except the one that the demo neglects.

A service changes nothing that a machine does, so the services of a past follow from its runs.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulators import story
from simulators.past import Past, Span
from simulators.scenario import Plan
from simulators.shifts import MINUTE_MS
from simulators.weather import DAY_MS, HOUR_MS
from simulators.world import Chance

PAUSE_MS = 25 * MINUTE_MS
"""A service needs the engine off for so long."""
EARLY_SHARE = 0.95
TIDY_MS, TIDY_SHARE = 2 * DAY_MS, 0.75
"""What is not far from due in the last days is done then, so that it is not due soon after."""
OVERRUN_H = 84
"""The neglected plan's engine hours at the end, for 80; earlier services of it are even."""


@dataclass(frozen=True, slots=True)
class Service:
    """A planned service done. `engine_ms`: the machine's engine time since new."""

    id: str
    asset: str
    plan: str
    at_ms: int
    engine_ms: int

    @property
    def hours(self) -> str:
        """Engine hours as a person writes them down."""
        return f"{self.engine_ms / HOUR_MS:.2f}"


class Clock:
    """Engine time since new as a function of time, and when there is time for a service."""

    def __init__(self, past: Past) -> None:
        self.runs = list(past.runs)
        self.begin_ms, self.end_ms = past.begin_ms, past.end_ms
        self._begins = [begin for begin, _ in self.runs]
        self._before = [past.machine.engine_ms]
        for begin, end in self.runs:
            self._before.append(self._before[-1] + end - begin)

    def engine_ms(self, at_ms: int) -> int:
        """Engine time at a moment."""
        number = bisect_right(self._begins, at_ms)
        if not number:
            return self._before[0]
        begin, end = self.runs[number - 1]
        return self._before[number - 1] + min(at_ms, end) - begin

    def pauses(self, first_ms: int) -> list[int]:
        """Moments in pauses that are long enough, from a moment on; every day has some."""
        stretches = [(self.begin_ms, self.begin_ms), *self.runs, (self.end_ms, self.end_ms)]
        found: list[int] = []
        for (_, begin), (end, _) in pairwise(stretches):
            found += range(begin + PAUSE_MS // 2, end - PAUSE_MS // 2, DAY_MS // 2)
        return [at_ms for at_ms in found if at_ms >= first_ms]


def services(past: Past, plans: Sequence[Plan]) -> list[Service]:
    """All services of a machine's past, in order of time."""
    clock = Clock(past)
    done: list[Service] = []
    for plan in plans:
        if plan.asset != past.machine.asset:
            continue
        name = plan.id.removeprefix(f"{plan.asset}/")
        chance = past.machine.chance(past.seed, f"plan/{name}")
        for number, at_ms in enumerate(_moments(plan, clock, past, chance), 1):
            ident = f"sim-{plan.asset}-{name}-{number}"
            done.append(Service(ident, plan.asset, plan.id, at_ms, clock.engine_ms(at_ms)))
    return sorted(done, key=lambda service: (service.at_ms, service.id))


def _moments(plan: Plan, clock: Clock, past: Past, chance: Chance) -> list[int]:
    mended = next((failure.repaired_ms for failure in past.failures if failure.at_ms < past.begin_ms), past.begin_ms)
    first_ms = mended + chance.randint(4, 12) * MINUTE_MS
    if first_ms >= past.end_ms:
        return []
    last_ms = _neglected(clock) if plan.id == story.NEGLECTED and past.end_ms - past.begin_ms >= story.LONG_MS else None
    if last_ms is None or plan.every_hours is None:
        return _in_time(plan, clock, (first_ms, past.end_ms))
    return [*_evenly(clock, (first_ms, last_ms), plan.every_hours), last_ms]


def _neglected(clock: Clock) -> int:
    """When the last service is done, so that the next is due in the last days."""
    end_ms = clock.engine_ms(clock.end_ms)
    return min(
        clock.pauses(clock.begin_ms), key=lambda at_ms: abs(end_ms - clock.engine_ms(at_ms) - OVERRUN_H * HOUR_MS)
    )


def _evenly(clock: Clock, span: Span, every_hours: float) -> list[int]:
    """The first moment and some before the last, with no more than an interval between them."""
    first_ms, last_ms = span
    begun = clock.engine_ms(first_ms)
    ran = clock.engine_ms(last_ms) - begun
    number = int(ran / (every_hours * EARLY_SHARE * HOUR_MS)) + 1
    pauses = clock.pauses(first_ms)
    return [first_ms] + [
        min(pauses, key=lambda at_ms: abs(clock.engine_ms(at_ms) - begun - ran * part // number))
        for part in range(1, number)
    ]


def _in_time(plan: Plan, clock: Clock, span: Span) -> list[int]:
    """The last pause before each due time, hours or days, whichever comes first."""
    done = [span[0]]
    pauses = clock.pauses(span[0] + HOUR_MS)
    for here, later in pairwise([*pauses, span[1]]):
        near = TIDY_SHARE if here >= span[1] - TIDY_MS else EARLY_SHARE
        if _used(plan, clock, (done[-1], later)) >= near and here - done[-1] > HOUR_MS:
            done.append(here)
    return done


def _used(plan: Plan, clock: Clock, span: Span) -> float:
    """Which share of an interval was used up between two moments."""
    begin_ms, end_ms = span
    hours = (clock.engine_ms(end_ms) - clock.engine_ms(begin_ms)) / HOUR_MS
    days = (end_ms - begin_ms) / DAY_MS
    return max(
        hours / plan.every_hours if plan.every_hours else 0.0,
        days / plan.every_days if plan.every_days else 0.0,
    )
