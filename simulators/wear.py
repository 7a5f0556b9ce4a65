"""How a gearbox wears: a hidden life that hours under load use up, signs before most failures, and decoys of none.

A life is drawn at each overhaul (Weibull, so that the hazard rises with hours since then) and used up by engine hours,
the faster the higher the load. Four failures in five are announced for days by heat and vibration, the fifth is sudden.
Decoys look like signs and lead to nothing: heavy jobs, a loose sensor, and hot weather (weather.py).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.machines import Kind, Machine, Segment
from simulators.weather import DAY_MS, HOUR_MS
from simulators.world import Chance

COMPONENT = "gearbox"
SUDDEN_SHARE = 0.2
OIL_SHARE = 0.4
SHAPE = 2.2
SCALE_H: dict[Kind, float] = {"truck": 640.0, "crane": 650.0}
"""Weibull scale of a life, in engine hours at normal load."""
NORMAL_LOAD = 45
WORN = tuple((0.35 + 0.65 * load / NORMAL_LOAD) ** 1.5 for load in range(101))
"""How much of a life an hour at a load uses up, over one at normal load."""
HEAVY_EVERY_DAYS, LOOSE_EVERY_DAYS = 45, 80


@dataclass(frozen=True, slots=True)
class Signs:
    """What a wearing gearbox, or a loose sensor, adds to a sound one's signals at full drift and full load."""

    vibration_mm_s: float = 0.0
    heat_c: float = 0.0
    oil_bar: float = 0.0
    loose_mm_s: float = 0.0


SOUND = Signs()


@dataclass(frozen=True, slots=True)
class Life:
    """One gearbox from overhaul to failure, as chance gives it."""

    hours: float
    """Engine hours at normal load."""
    drift_ms: int
    """How long before its failure the signs begin; 0 is sudden."""
    signs: Signs
    repair_ms: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Signs that grow from nothing to full between two moments, and are gone after."""

    begin_ms: int
    end_ms: int
    signs: Signs

    def at(self, at_ms: int) -> Signs:
        """What they have grown to."""
        if not self.begin_ms <= at_ms < self.end_ms:
            return SOUND
        level = ((at_ms - self.begin_ms) / (self.end_ms - self.begin_ms)) ** 1.3
        full = self.signs
        return Signs(full.vibration_mm_s * level, full.heat_c * level, full.oil_bar * level)


@dataclass(frozen=True, slots=True)
class Decoy:
    """Heavy jobs (`load` percent more) or a loose sensor (`loose_mm_s` more vibration) for some days."""

    begin_ms: int
    end_ms: int
    load: int = 0
    loose_mm_s: float = 0.0


class Decoys:
    """A machine's decoys of one sort, in order of time; none overlap."""

    def __init__(self, decoys: Sequence[Decoy]) -> None:
        self._decoys = decoys
        self._begins = [decoy.begin_ms for decoy in decoys]

    def at(self, at_ms: int) -> Decoy | None:
        """The one that is on."""
        number = bisect_right(self._begins, at_ms) - 1
        return self._decoys[number] if number >= 0 and at_ms < self._decoys[number].end_ms else None

    def load(self, at_ms: int) -> int:
        """How much more load there is."""
        decoy = self.at(at_ms)
        return decoy.load if decoy else 0


def life(machine: Machine, chance: Chance) -> Life:
    """A new gearbox's."""
    hours = chance.weibullvariate(SCALE_H[machine.kind], SHAPE)
    sudden = chance.happens(SUDDEN_SHARE)
    drift_ms = int(chance.uniform(3, 8) * DAY_MS)
    oil_bar = chance.uniform(0.25, 0.6) if chance.happens(OIL_SHARE) else 0.0
    signs = Signs(chance.uniform(1.2, 2.6), chance.uniform(10, 20), oil_bar)
    return Life(hours, 0 if sudden else drift_ms, signs, int(chance.uniform(24, 48) * HOUR_MS))


def used_h(segment: Segment) -> float:
    """How much of a life a segment uses up."""
    return (segment.end_ms - segment.begin_ms) / HOUR_MS * WORN[segment.load] if segment.engine else 0.0


def heavy_jobs(chance: Chance, span: tuple[int, int]) -> Decoys:
    """Some days of heavy jobs now and then, between two moments."""
    return Decoys(
        [
            Decoy(begin_ms, begin_ms + int(chance.uniform(1.5, 4) * DAY_MS), load=chance.randint(12, 22))
            for begin_ms in _begins(chance, span, HEAVY_EVERY_DAYS)
        ]
    )


def loose_sensors(chance: Chance, span: tuple[int, int]) -> Decoys:
    """A vibration sensor that comes loose now and then, and is fastened after a day or two."""
    return Decoys(
        [
            Decoy(begin_ms, begin_ms + int(chance.uniform(0.8, 2) * DAY_MS), loose_mm_s=chance.uniform(0.7, 1.6))
            for begin_ms in _begins(chance, span, LOOSE_EVERY_DAYS)
        ]
    )


def _begins(chance: Chance, span: tuple[int, int], every_days: int) -> list[int]:
    """Moments within a span, at least a week apart."""
    begins: list[int] = []
    at_ms = span[0]
    while True:
        at_ms += int((7 + chance.expovariate(1 / (every_days - 7))) * DAY_MS)
        if at_ms >= span[1]:
            return begins
        begins.append(at_ms)
