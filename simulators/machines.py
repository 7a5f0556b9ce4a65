"""Machines and what they do: contiguous segments in whole milliseconds, and what their counters come to on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import exp
from typing import Literal

from simulators.weather import DAY_MS, Weather
from simulators.world import Chance
from simulators.yard import Point, Route

Kind = Literal["truck", "crane"]
WARMING_MS, COOLING_MS = 20 * 60_000, 80 * 60_000


@dataclass(frozen=True, slots=True)
class Machine:
    """An asset with its tracker, and what its counters say before anything here happens."""

    asset: str
    kind: Kind
    imei: str
    engine_ms: int
    driven_mm: int

    def chance(self, seed: int, name: str) -> Chance:
        """A stream of chance of its own."""
        return Chance(f"{seed}/machine/{self.asset}/{name}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which a machine does one thing: it is off, stands with its engine on, hoists, or drives a route."""

    begin_ms: int
    end_ms: int
    point: Point
    """Where it begins."""
    engine: bool = False
    load: int = 0
    """Mean engine load, percent."""
    hoist: bool = False
    route: Route | None = None

    def driven_mm(self, at_ms: int) -> int:
        """How far it has driven in here."""
        if self.route is None:
            return 0
        return round(self.route.length_m * 1000) * (at_ms - self.begin_ms) // (self.end_ms - self.begin_ms)

    def place(self, at_ms: int) -> tuple[Point, int | None]:
        """Where it is, and its course while it drives."""
        if self.route is None:
            return self.point, None
        return self.route.at(self.driven_mm(at_ms) / 1000)

    def until(self, at_ms: int) -> "Segment":
        """Its first part."""
        shorter = None if self.route is None else self.route.until(self.driven_mm(at_ms) / 1000)
        return replace(self, end_ms=at_ms, route=shorter)


class Sheet:
    """Segments as they are planned, one after the other."""

    def __init__(self, now_ms: int, point: Point) -> None:
        self.now_ms = now_ms
        self.point = point
        self._made: list[Segment] = []

    def rest(self, until_ms: int) -> None:
        """The engine is off until a moment."""
        if until_ms > self.now_ms:
            self._made.append(Segment(self.now_ms, until_ms, self.point))
            self.now_ms = until_ms

    def stand(self, ms: int, load: int, *, hoist: bool = False) -> None:
        """The engine is on."""
        self._made.append(Segment(self.now_ms, self.now_ms + ms, self.point, engine=True, load=load, hoist=hoist))
        self.now_ms += ms

    def drive(self, route: Route, speed_mps: float, load: int) -> None:
        """Along a route; nothing if it is shorter than a step."""
        ms = round(route.length_m / speed_mps * 1000)
        if ms > 0:
            end_ms = self.now_ms + ms
            self._made.append(Segment(self.now_ms, end_ms, self.point, engine=True, load=load, route=route))
            self.now_ms, self.point = end_ms, route.points[-1]

    def take(self) -> list[Segment]:
        """What was planned since the last call."""
        made, self._made = self._made, []
        return made


@dataclass(frozen=True, slots=True)
class State:
    """What is true of a machine at one moment."""

    segment: Segment
    engine_ms: int
    driven_mm: int
    heat_c: float
    """Of the gearbox of a sound machine."""


class Meters:
    """What the counters and the gearbox have come to where a segment begins."""

    def __init__(self, machine: Machine, weather: Weather, heat_c: float | None = None) -> None:
        self.engine_ms, self.driven_mm, self.heat_c = machine.engine_ms, machine.driven_mm, heat_c
        self._weather = weather

    def at(self, segment: Segment, at_ms: int) -> State:
        """At a moment of the segment that begins here."""
        ran = at_ms - segment.begin_ms if segment.engine else 0
        return State(
            segment,
            self.engine_ms + ran,
            self.driven_mm + segment.driven_mm(at_ms),
            self._heat(segment, at_ms),
        )

    def past(self, segment: Segment) -> None:
        """Go to the end of it."""
        end = self.at(segment, segment.end_ms)
        self.engine_ms, self.driven_mm, self.heat_c = end.engine_ms, end.driven_mm, end.heat_c

    def _heat(self, segment: Segment, at_ms: int) -> float:
        """A gearbox warms towards what load and air make of it, and cools towards the air."""
        air = self._weather.air_c(segment.begin_ms)
        target, lag_ms = (38 + 0.7 * air + 0.5 * segment.load, WARMING_MS) if segment.engine else (air, COOLING_MS)
        before = air if self.heat_c is None else self.heat_c
        return target + (before - target) * exp((segment.begin_ms - at_ms) / lag_ms)


@dataclass(slots=True)
class Day:
    """What a machine did on one UTC day."""

    run_ms: int = 0
    hoist_ms: int = 0
    driven_mm: int = 0


class Days:
    """Run time, hoisting and distance of each UTC day."""

    def __init__(self) -> None:
        self.days: dict[int, Day] = {}

    def add(self, segment: Segment) -> None:
        """One more segment, cut at midnight."""
        begin_ms = segment.begin_ms
        while begin_ms < segment.end_ms:
            number = begin_ms // DAY_MS
            end_ms = min(segment.end_ms, (number + 1) * DAY_MS)
            day = self.days.setdefault(number, Day())
            if segment.engine:
                day.run_ms += end_ms - begin_ms
                day.hoist_ms += end_ms - begin_ms if segment.hoist else 0
                day.driven_mm += segment.driven_mm(end_ms) - segment.driven_mm(begin_ms)
            begin_ms = end_ms


def runs(segments: Iterable[Segment]) -> Iterator[tuple[int, int]]:
    """When the engine ran: begin and end of each stretch, the last one up to where the segments end."""
    begin_ms = end_ms = None
    for segment in segments:
        if segment.engine:
            begin_ms, end_ms = segment.begin_ms if begin_ms is None else begin_ms, segment.end_ms
        elif begin_ms is not None and end_ms is not None:
            yield begin_ms, end_ms
            begin_ms = None
    if begin_ms is not None and end_ms is not None:
        yield begin_ms, end_ms
