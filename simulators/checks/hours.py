"""Running hours lie between the bounds that the system gives; where a tracker told everything, they are both bounds."""

from collections.abc import Sequence
from decimal import Decimal

from models.reading import from_micros, micros
from simulators.answers import System
from simulators.answers_fleet import MeterUse
from simulators.checks.found import Found
from simulators.checks.machine import Machine, Span, covered, days

HOUR_US = 3_600_000_000
DIGIT_US = 1_800
"""Half of the last digit: hours are answered to a millionth, which is 3.6 ms."""
COUNTED_US = 1_000_000
"""An hour counter counts whole seconds, so a difference of two of its values is a second off at most."""


def check(system: System, machines: Sequence[Machine]) -> Found:
    """Ask for the whole time that a tracker told about, and for each UTC day of it."""
    found = Found("running hours = truth, or between bounds")
    seen = _Seen(found)
    for one in machines:
        if one.window is None:
            continue
        answers = [*system.meters(one.asset, one.window), *system.meters(one.asset, one.window, by_day=True)]
        runtime = {(micros(each.begin), micros(each.end)): each for each in answers if each.meter == "runtime"}
        each_day = list(days(one.window))
        for span in dict.fromkeys((one.window, *each_day)):
            seen.judge(one, span, runtime.get(span), is_day=span in each_day)
        seen.counter(one, one.window, next((each for each in answers if each.meter == "engine_hours"), None))
    found.figures = seen.figures()
    return found


class _Seen:
    """What was seen on the way, for the figures."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.ran_us = self.unseen_us = self.worst_us = self.counter_us = 0
        self.days = self.exact_days = 0

    def judge(self, one: Machine, span: Span, said: MeterUse | None, *, is_day: bool) -> None:
        """One machine in one span."""
        name, ran_us = f"{one.asset} {_text(span)}", one.ran_us(span)
        if said is None:
            self.found.differences.append(f"{name}: no running hours, truth {hours(ran_us)}")
            return
        least, most = _micros(said.least), _micros(said.most)
        answer = f"{name}: {said.least} to {said.most} h, truth {hours(ran_us)}"
        lost_us, unseen_us = covered(one.lost, span), covered(one.unseen(span), span)
        is_seen = not one.unseen(span)
        if is_seen:
            self.worst_us = max(self.worst_us, abs(least - ran_us), abs(most - ran_us))
        if not least - lost_us - DIGIT_US <= ran_us <= most + lost_us + DIGIT_US:
            self.found.differences.append(answer)
        elif most - least > unseen_us + 2 * DIGIT_US:
            self.found.differences.append(f"{answer}; all but {hours(unseen_us)} was observed")
        elif not is_seen and is_day:
            self.found.listed.append(f"{answer}; {hours(unseen_us)} not observed")
        if is_day:
            self.days += 1
            self.exact_days += is_seen
        if span == one.window:
            self.ran_us += ran_us
            self.unseen_us += most - least

    def counter(self, one: Machine, span: Span, said: MeterUse | None) -> None:
        """The machine's own hour counter, which counts on while its tracker has no power."""
        ran_us = one.ran_us(span)
        if said is None:
            self.found.differences.append(f"{one.asset} {_text(span)}: no engine_hours, truth {hours(ran_us)}")
            return
        off_us = max(abs(_micros(text) - ran_us) for text in (said.least, said.most))
        self.counter_us = max(self.counter_us, off_us)
        if off_us > COUNTED_US + DIGIT_US:
            answer = f"{one.asset} {_text(span)}: its counter {said.least} to {said.most} h"
            self.found.differences.append(f"{answer}, truth {hours(ran_us)}")

    def figures(self) -> dict[str, int | float | str]:
        """Of all machines together; deviations in milliseconds."""
        return {
            "hours": round(self.ran_us / HOUR_US, 3),
            "days": self.days,
            "exactly observed": self.exact_days,
            "unobserved h": round(self.unseen_us / HOUR_US, 3),
            "worst ms": round(self.worst_us / 1000, 1),
            "counter ms": round(self.counter_us / 1000),
        }


def hours(us: int) -> str:
    """Microseconds as hours."""
    return f"{us / HOUR_US:.6f} h"


def _micros(text: str) -> int:
    return round(Decimal(text) * HOUR_US)


def _text(span: Span) -> str:
    begin, end = map(from_micros, span)
    return f"{begin:%m-%d %H:%M:%S} to {end:%m-%d %H:%M:%S}"
