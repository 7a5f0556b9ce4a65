"""A machine's past: working days, failures and repairs between two moments, computed whole from a seed.

Machines depend on nothing but seed, name and the moments, so each is computed alone and in any order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf

from simulators import wear
from simulators.machines import Machine, Segment, Sheet, runs
from simulators.shifts import Rules, work_days
from simulators.wear import Decoys, Drift, Signs
from simulators.weather import DAY_MS
from simulators.yard import PLACES, Point

Span = tuple[int, int]
LOOK_AHEAD_MS = 9 * DAY_MS
"""A failure so soon after the end has shown signs before it."""
AFTER_REPAIR_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Failure:
    """A gearbox that failed, and when it was as new again."""

    at_ms: int
    repaired_ms: int


@dataclass(frozen=True, slots=True)
class Story:
    """What is not left to chance."""

    rules: Rules = field(default_factory=Rules)
    fails: bool = True
    """Whether gearboxes fail by chance."""
    drift: Drift | None = None
    mended: Failure | None = None
    """A failure from before, repaired in here."""
    decoys_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What a machine did and what was done to it. The segments are contiguous from begin to end."""

    machine: Machine
    seed: int
    begin_ms: int
    end_ms: int
    segments: Sequence[Segment]
    failures: Sequence[Failure]
    """In order of time; the first may lie before the begin, the last repair after the end."""
    drifts: Sequence[Drift]
    loose: Decoys

    def signs(self, at_ms: int) -> Signs:
        """What wear and a loose sensor add to the signals at a moment."""
        found = next((signs for drift in self.drifts if (signs := drift.at(at_ms)) is not wear.SOUND), wear.SOUND)
        loose = self.loose.at(at_ms)
        return found if loose is None else replace(found, loose_mm_s=loose.loose_mm_s)

    @property
    def runs(self) -> Iterator[tuple[int, int]]:
        """When the engine ran."""
        return runs(self.segments)

    @property
    def point(self) -> Point:
        """Where the machine is at the end."""
        return self.segments[-1].place(self.end_ms)[0] if self.segments else PLACES["park"]


def past(machine: Machine, seed: int, span: Span, story: Story) -> Past:
    """Everything from the first moment of the span to the second."""
    begin_ms, end_ms = span
    until_ms = end_ms + LOOK_AHEAD_MS if story.fails else end_ms
    decoys = (begin_ms, until_ms if story.decoys_until_ms is None else story.decoys_until_ms)
    heavy = wear.heavy_jobs(machine.chance(seed, "heavy"), decoys)
    rules = replace(story.rules, heavy=heavy.load)
    segments: list[Segment] = []
    failures = [] if story.mended is None else [story.mended]
    drifts = [] if story.drift is None else [story.drift]
    sheet = Sheet(begin_ms, PLACES["park"])
    for number in count():
        chance = machine.chance(seed, f"life/{number}")
        life = wear.life(machine, chance)
        hours = life.hours * (1.0 if number else chance.uniform(0.1, 1.0)) if story.fails else inf
        lived, failed = _live(work_days(machine, seed, sheet, rules), hours, until_ms)
        segments += lived
        if not failed:
            break
        begun_ms, at_ms = lived[0].begin_ms, lived[-1].end_ms
        failures.append(Failure(at_ms, at_ms + life.repair_ms))
        if life.drift_ms:
            drifts.append(Drift(max(begun_ms, at_ms - life.drift_ms), at_ms, life.signs))
        sheet = Sheet(at_ms, lived[-1].place(at_ms)[0])
        sheet.rest(at_ms + life.repair_ms + AFTER_REPAIR_MS)
    loose = wear.loose_sensors(machine.chance(seed, "loose"), decoys)
    happened = [failure for failure in failures if failure.at_ms < end_ms]
    return Past(machine, seed, begin_ms, end_ms, _clip(segments, end_ms), happened, drifts, loose)


def _live(days: Iterator[Segment], hours: float, until_ms: int) -> tuple[list[Segment], bool]:
    """Working days until a life of so many hours is used up, or until a moment. Whether it failed."""
    lived: list[Segment] = []
    left_h = hours
    for segment in days:
        used_h = wear.used_h(segment)
        if used_h >= left_h:
            share = left_h / used_h
            at_ms = segment.begin_ms + max(1, round((segment.end_ms - segment.begin_ms) * share))
            lived.append(segment.until(at_ms))
            return lived, True
        left_h -= used_h
        lived.append(segment)
        if segment.end_ms >= until_ms:
            break
    return lived, False


def _clip(segments: list[Segment], end_ms: int) -> list[Segment]:
    kept = [segment for segment in segments if segment.begin_ms < end_ms]
    if kept and kept[-1].end_ms > end_ms:
        kept[-1] = kept[-1].until(end_ms)
    return kept
