"""A simulated month as facts, folded by `models.motion`: what the tests of this folder have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from models.declared import Circle, Corridor, Zone
from models.motion import track
from models.motion.classes import pace
from models.motion.fences import Fences
from models.motion.fix import Heard
from models.motion.geofence import Shape, shape_of
from models.motion.tracking import Tracking
from models.motion.travel import Travel
from models.reading import Fix, Input, micros
from simulators.fences import Fence, Trace, fences
from simulators.machines import Kind, Machine
from simulators.month import Month, month
from simulators.month_truth import trace
from simulators.past import Span
from simulators.record import readings
from simulators.reporting import Habit, Noise, Report, degrees_of, outages, reports
from simulators.weather import DAY_MS

BEGIN_MS = 20_787 * DAY_MS
"""A Monday."""
IMEI = {"truck": "356307042441013", "crane": "356307042441021"}
ASSET = {"truck": "TRUCK-1", "crane": "CRANE-1"}
S = 1_000_000


@dataclass(frozen=True)
class Told:
    """A month, the zones around it, and what its tracker made of it in order of time."""

    kind: Kind
    month: Month
    fences: Sequence[Fence]
    reports: Sequence[Report]
    outages: Sequence[Span]
    trace: Trace

    @cached_property
    def good_ms(self) -> list[int]:
        """When there was a good fix."""
        return [each.record.at_us // 1000 for each in self.reports if each.good]


def told(kind: Kind, seed: int, days: int, noise: Noise | None = None, habit: Habit | None = None) -> Told:
    """A machine's days from BEGIN_MS on."""
    machine = Machine(ASSET[kind], kind, IMEI[kind], 3_600_000_000, 80_000_000_000)
    lived = month(machine, seed, (BEGIN_MS, BEGIN_MS + days * DAY_MS))
    without = outages(lived)
    said = [*reports(lived, noise or Noise(), habit or Habit(), without)]
    traced = trace(lived)
    return Told(kind, lived, fences(lived.chance("fences")), said, without, traced)


def zone_of(fence: Fence) -> Zone:
    """A simulated fence as the register has it."""
    points = [degrees_of(point) for point in fence.points]
    if fence.radius_m is not None:
        return Zone(fence.zone, circle=Circle(*points[0], fence.radius_m))
    if fence.width_m is not None:
        return Zone(fence.zone, corridor=Corridor(points, fence.width_m))
    return Zone(fence.zone, polygon=points)


def shapes(around: Iterable[Fence]) -> list[Shape]:
    made = [shape_of(fence.zone, zone_of(fence)) for fence in around]
    return [shape for shape in made if shape is not None]


def tracking(kind: Kind, around: Iterable[Fence]) -> Tracking:
    """As the register has it when nothing is said but the category."""
    return Tracking(
        ASSET[kind], 50.0, 600 * S, 7200 * S, Fences.of(shapes(around)), "ignition", pace(kind, None), BEGIN_MS * 1000
    )


def heard(said: Iterable[Report], imei: str) -> list[Heard]:
    """The facts of these records as the fold takes them: by (at, content)."""
    facts: list[Heard] = []
    for report in said:
        for reading in readings(imei, report.record):
            content = sha256(b"%d %s" % (report.record.at_us, type(reading).__name__.encode())).digest()
            if isinstance(reading, Fix):
                facts.append(Heard(micros(reading.at), content, fix=reading))
            elif isinstance(reading, Input) and reading.name == "ignition":
                facts.append(Heard(micros(reading.at), content, on=reading.on))
    return sorted(facts, key=lambda fact: (fact.at, fact.content))


def travelled(given: Told, said: Sequence[Report] | None = None) -> list[Travel]:
    """Every row of a month, with what is open at its end."""
    facts = heard(given.reports if said is None else said, IMEI[given.kind])
    state, rows = track.fold(tracking(given.kind, given.fences), None, facts)
    assert state is not None
    return rows + track.close(state, None)
