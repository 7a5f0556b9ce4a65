"""Traccar's rule and ours on the same month, for some ways in which its records may arrive: errors against the truth.

`python -m tests.motion.side_by_side [DAYS [SEEDS]]` prints the table. No fix is wildly off in these months, so that
nothing rests on how filters are set, and no counter of the machine: hours are those of the ignition, distance of GPS.
"""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from models.motion import meter
from models.motion.fences import Fences
from models.motion.gain import Heard
from models.motion.meter import RUNTIME, Metering
from models.reading import Input, micros
from simulators.machines import Kind
from simulators.month_truth import Stay, driven_m, ran_ms
from simulators.record import IGNITION, readings
from simulators.reporting import Noise, Report, live_first, lost, newest_first
from tests.motion import scores
from tests.motion.months import ASSET, IMEI, S, Told, shapes, told, travelled
from tests.motion.scores import Found, found, visits
from tests.motion.traccar_rule import Position, Traccar

KINDS: tuple[Kind, ...] = ("truck", "crane")
LATE_SHARE, LATE_PLACES = 1 / 3, 10


def displaced(reported: Sequence[Report]) -> list[Report]:
    """A third of the records comes up to ten places later."""
    chance = random.Random(len(reported))
    keyed = [(i + chance.randint(1, LATE_PLACES) * (chance.random() < LATE_SHARE), i) for i in range(len(reported))]
    return [reported[i] for _, i in sorted(keyed)]


ARRIVALS: dict[str, Callable[[Sequence[Report]], Sequence[Report]]] = {
    "in order": lambda reported: reported,
    "live record first, then what was kept": live_first,
    "what was kept newest first": newest_first,
    "a third up to 10 places late": displaced,
    "what was kept is lost": lost,
}


@dataclass(frozen=True)
class Outcome:
    """What a rule made of one month."""

    hours: tuple[float, float]
    """At least and at most."""
    km: float
    visits: Sequence[Found]
    transitions: int


@dataclass(frozen=True)
class Case:
    """One month and what is true of it."""

    told: Told

    @cached_property
    def stays(self) -> list[Stay]:
        return scores.stays(self.told)

    @cached_property
    def hours(self) -> float:
        return ran_ms(self.told.month) / 3_600_000

    @cached_property
    def km(self) -> float:
        return driven_m(self.told.month) / 1000

    @cached_property
    def whole(self) -> Outcome:
        """Ours of all records. It is a function of their set: tests/motion/test_month_any_order.py."""
        return ours(self.told, self.told.reports)


@dataclass(frozen=True)
class Line:
    """One line of the table: errors as shares of what is true, counts as they are."""

    arrival: str
    rule: str
    hours: tuple[float, float]
    km: float
    transitions: int
    true_transitions: int
    owed: int
    missed: int
    false: int


def traccars(given: Told, arrived: Sequence[Report]) -> Outcome:
    """What Traccar's rule makes of it."""
    fences = Fences.of(shapes(given.fences))
    rule = Traccar(lambda lat, lon: (shape.zone for shape in fences.at(lat, lon)))
    for report in arrived:
        record = report.record
        rule.arrives(Position(record.at_us // 1000, record.lat, record.lon, bool(dict(record.io)[IGNITION])))
    assert rule.last is not None
    seen: list[Found] = []
    since: dict[str, int] = {}
    for event in rule.events:
        if event.enters:
            since[event.fence] = event.at_ms
        else:
            seen.append(Found(since.pop(event.fence), event.at_ms, event.fence))
    seen += [Found(begin_ms, rule.last.at_ms, fence) for fence, begin_ms in since.items()]
    hours = rule.last.hours_ms / 3_600_000
    return Outcome((hours, hours), rule.last.total_m / 1000, seen, len(rule.events))


def ours(given: Told, arrived: Sequence[Report]) -> Outcome:
    """What ours makes of it, whichever way it arrived."""
    rows = travelled(given, arrived)
    seen = found(rows, "visit")
    end_ms = max(report.record.at_us for report in arrived) // 1000
    open_at_end = sum(row.end_ms >= end_ms for row in seen)
    metering = Metering(ASSET[given.kind], "ignition", 600 * S, 7200 * S)
    state, used = meter.fold(metering, None, [*_inputs(arrived, IMEI[given.kind])])
    used += [] if state is None else meter.close(state, None)
    ran = [row for row in used if row.meter == RUNTIME]
    hours = (sum(row.least for row in ran) / 3_600_000, sum(row.most for row in ran) / 3_600_000)
    km = sum(row.metres for row in found(rows, "distance")) / 1000
    return Outcome(hours, km, seen, 2 * len(seen) - open_at_end)


def _inputs(arrived: Sequence[Report], imei: str) -> Iterator[Heard]:
    """The ignition as the fold of hours takes it."""
    for report in sorted(arrived, key=lambda each: each.record.at_us):
        for reading in readings(imei, report.record):
            if isinstance(reading, Input) and reading.name == "ignition":
                yield Heard(micros(reading.at), "ignition", str(report.record.at_us), on=reading.on)


def lines(cases: Sequence[Case]) -> Iterator[Line]:
    """The table: each way of arrival, by both rules."""
    for arrival, order in ARRIVALS.items():
        arrived = [order(case.told.reports) for case in cases]
        pairs = [*zip(cases, arrived, strict=True)]
        yield _line((arrival, "Traccar"), pairs, [traccars(case.told, each) for case, each in pairs])
        own = [case.whole if len(each) == len(case.told.reports) else ours(case.told, each) for case, each in pairs]
        yield _line((arrival, "Stockyard"), pairs, own)


def _line(name: tuple[str, str], pairs: Sequence[tuple[Case, Sequence[Report]]], outcomes: Sequence[Outcome]) -> Line:
    seen = []
    for (case, arrived), it in zip(pairs, outcomes, strict=True):
        heard = sorted(report.record.at_us // 1000 for report in arrived if report.good)
        seen.append(visits(heard, case.stays, it.visits))
    hours, km = sum(case.hours for case, _ in pairs), sum(case.km for case, _ in pairs)
    least, most = (sum(it.hours[k] for it in outcomes) / hours - 1 for k in (0, 1))
    return Line(
        *name,
        (least, most),
        sum(it.km for it in outcomes) / km - 1,
        sum(it.transitions for it in outcomes),
        sum(2 * len(case.stays) for case, _ in pairs),
        sum(it.owed for it in seen),
        sum(len(it.missed) for it in seen),
        sum(len(it.false) for it in seen),
    )


def table(made: Sequence[Line]) -> str:
    """The lines as Markdown."""
    head = ["records arrive", "rule", "engine hours", "odometer", "fence events (true)", "missed visits of owed"]
    rows = [[*head, "false visits"], ["---"] * (len(head) + 1)]
    for it in made:
        least, most = it.hours
        hours = f"{least:+.2%}" if most - least < 5e-5 else f"{least:+.2%} ... {most:+.2%}"
        row = [it.arrival, it.rule, hours, f"{it.km:+.2%}", f"{it.transitions:,} ({it.true_transitions:,})"]
        rows.append([*row, f"{it.missed:,} of {it.owed:,}", f"{it.false:,}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def cases(days: int, seeds: Sequence[int]) -> list[Case]:
    """A truck and a crane of each seed; without a network for 1 to 12 hours every other day or so."""
    return [Case(told(kind, seed, days, Noise(jump_share=0.0, stray_share=0.0))) for kind in KINDS for seed in seeds]


if __name__ == "__main__":
    days, seeds = [*map(int, sys.argv[1:3]), *(30, 1)[len(sys.argv) - 1 :]]
    print(table([*lines(cases(days, range(1, seeds + 1)))]))
