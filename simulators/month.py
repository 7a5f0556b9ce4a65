"""A month of one machine as finely as fixes show it, for tests of what is made of them; seeded, byte for byte.

`simulators.past` says what it does; here it speeds up and brakes, waits in traffic, swings its boom, is carried on a
trailer and stands under roofs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import cos, hypot, radians, sin

from simulators.kinematics import ENGINES, Drive, drive, real_way
from simulators.machines import Machine, Segment
from simulators.past import Span, Story, past
from simulators.shifts import MINUTE_MS
from simulators.weather import DAY_MS, HOUR_MS
from simulators.world import Chance
from simulators.yard import NODES, PLACES, SITE_2, Point, Route, way

ROOF_M = 8.0
"""No fix so near to the middle of the workshop."""
BOOM_M = 3.0
"""How far from a crane's middle the receiver on its boom is."""
WAITS_AT = ("village", "canal")
"""Where traffic stops a truck on its way."""
SHORTEST_REST_MS = MINUTE_MS
HALL_SHARE = 0.25
"""So many of the long nights it stands in a hall."""
LONG_MS = 4 * HOUR_MS
CARRIED_MPS = 12.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A machine does one thing: it stands, with its engine on or off, drives, hoists, or is carried with it off."""

    begin_ms: int
    end_ms: int
    point: Point
    """Where it begins; the machine's middle, which only drives move."""
    engine: bool = False
    drive: Drive | None = None
    carried: bool = False
    roof: bool = False
    swing_deg: float = 0.0
    """How far the boom turns during it, and back again."""

    def at(self, at_ms: int) -> tuple[Point, int | None, float]:
        """Where its middle is, its course while it moves, and metres per second."""
        if self.drive is None:
            return self.point, None, 0.0
        metres, speed = self.drive.at(at_ms - self.begin_ms)
        point, course = self.drive.route.at(metres)
        return point, course, speed

    def driven_m(self, at_ms: int) -> float:
        """How far it has driven in here by itself."""
        return 0.0 if self.drive is None or self.carried else self.drive.at(at_ms - self.begin_ms)[0]

    def boom(self, at_ms: int) -> tuple[Point, float]:
        """Where the receiver on the boom is, from where it rests, and how fast it goes."""
        if not self.swing_deg:
            return (0.0, 0.0), 0.0
        third = (self.end_ms - self.begin_ms) / 3
        share = min((at_ms - self.begin_ms) / third, (self.end_ms - at_ms) / third, 1.0)
        angle = radians(self.swing_deg) * share
        speed = 0.0 if share == 1 else abs(radians(self.swing_deg)) / third * 1000 * BOOM_M
        return (BOOM_M * (cos(angle) - 1), BOOM_M * sin(angle)), speed


@dataclass(frozen=True, slots=True)
class Month:
    """One machine between two moments. The stretches are contiguous."""

    machine: Machine
    seed: int
    stretches: Sequence[Stretch]

    @property
    def begin_ms(self) -> int:
        return self.stretches[0].begin_ms

    @property
    def end_ms(self) -> int:
        return self.stretches[-1].end_ms

    def chance(self, name: str) -> Chance:
        """A stream of chance of its own."""
        return self.machine.chance(self.seed, f"month/{name}")


def month(machine: Machine, seed: int, span: Span) -> Month:
    """Everything from the first moment of the span to the second."""
    lived = past(machine, seed, span, Story(fails=False))
    plan = _Plan(machine, machine.chance(seed, "month/plan"), span)
    for segment in lived.segments:
        plan.add(segment)
    return Month(machine, seed, plan.made)


def under_roof(stretch: Stretch, point: Point) -> bool:
    """Whether a receiver sees no sky there."""
    x, y = PLACES["workshop"]
    return stretch.roof or hypot(point[0] - x, point[1] - y) <= ROOF_M


@dataclass
class _Plan:
    """Stretches as they are made, one after the other; what takes longer than planned is taken from the next rest."""

    machine: Machine
    chance: Chance
    span: Span
    made: list[Stretch] = field(default_factory=list[Stretch])
    now_ms: int = 0
    away: Point = (0.0, 0.0)
    """A crane that was carried elsewhere works there as it would here."""
    carries: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])

    def __post_init__(self) -> None:
        self.now_ms, until_ms = self.span
        if self.machine.kind == "crane":
            self.carries = list(_nights(self.chance, self.now_ms, until_ms))

    def add(self, segment: Segment) -> None:
        """What happens next."""
        if segment.route is not None:
            self._drive(segment, segment.route)
        elif segment.engine:
            self._stand(segment)
        else:
            self._rest(segment)

    def _here(self, point: Point) -> Point:
        return point[0] + self.away[0], point[1] + self.away[1]

    def _until(self, end_ms: int, stretch: Stretch) -> None:
        """One more, cut where the month ends; short ones of nothing are left out."""
        end_ms = min(end_ms, self.span[1])
        if end_ms > self.now_ms:
            self.made.append(replace(stretch, begin_ms=self.now_ms, end_ms=end_ms))
            self.now_ms = end_ms

    def _stand(self, segment: Segment) -> None:
        swing = 0.0
        if segment.hoist:
            swing = self.chance.choice((-1, 1)) * self.chance.uniform(40, 150)
        stretch = Stretch(0, 0, self._here(segment.point), engine=True, swing_deg=swing)
        self._until(self.now_ms + segment.end_ms - segment.begin_ms, stretch)

    def _drive(self, segment: Segment, planned: Route) -> None:
        cruise_mps = planned.length_m / (segment.end_ms - segment.begin_ms) * 1000
        for points in _pieces(planned, self.chance):
            moved = real_way([self._here(point) for point in points])
            if moved.length_m < 1:
                continue
            whole = drive(moved, cruise_mps, ENGINES[self.machine.kind])
            if self.now_ms + whole.length_ms > self.span[1]:
                self._until(self.span[1], Stretch(0, 0, moved.points[0], engine=True))
                return
            self._until(self.now_ms + whole.length_ms, Stretch(0, 0, moved.points[0], engine=True, drive=whole))
            if points[-1] != planned.points[-1]:
                usual = self.chance.happens(0.75)
                wait_ms = self.chance.randint(5_000, 90_000) if usual else self.chance.randint(200_000, 400_000)
                self._until(self.now_ms + wait_ms, Stretch(0, 0, moved.points[-1], engine=True))

    def _rest(self, segment: Segment) -> None:
        end_ms = max(segment.end_ms, self.now_ms + SHORTEST_REST_MS)
        roof = end_ms - self.now_ms > LONG_MS and not self.carries and self.chance.happens(HALL_SHARE)
        while self.carries and self.carries[0][0] + HOUR_MS < end_ms and segment.point == PLACES["park"]:
            leave_ms, out = self.carries.pop(0)
            self._until(max(leave_ms, self.now_ms + HOUR_MS), Stretch(0, 0, self._here(segment.point)))
            self._carry(out=out)
        self._until(end_ms, Stretch(0, 0, self._here(segment.point), roof=roof))

    def _carry(self, *, out: bool) -> None:
        """On a trailer to the customer's site or back."""
        x, y = NODES[SITE_2]
        home, there = PLACES["park"], (x + self.chance.uniform(-60, 60), y + self.chance.uniform(-60, 60))
        if not out:
            there = self._here(home)
        road = way(home, SITE_2, there).points
        whole = drive(real_way(road if out else road[::-1]), CARRIED_MPS, ENGINES["truck"])
        stretch = Stretch(0, 0, whole.route.points[0], drive=whole, carried=True)
        self._until(self.now_ms + whole.length_ms, stretch)
        self.away = (there[0] - home[0], there[1] - home[1]) if out else (0.0, 0.0)


def _nights(chance: Chance, begin_ms: int, end_ms: int) -> Iterator[tuple[int, bool]]:
    """When a crane is carried to the customer's site and, some days later, back: once in a month or in a few days."""
    days = (end_ms - begin_ms) // DAY_MS
    if days < 2:  # noqa: PLR2004 - one to go and one to come back
        return
    first = begin_ms + DAY_MS * chance.randrange(0, max(1, days // 2)) + 21 * HOUR_MS + chance.randint(0, 2 * HOUR_MS)
    yield first, True
    yield first + DAY_MS * chance.randint(1, max(1, min(6, days // 2 - 1))) + chance.randint(0, 2 * HOUR_MS), False


def _pieces(planned: Route, chance: Chance) -> Iterator[tuple[Point, ...]]:
    """A route cut where traffic stops it."""
    stops = [NODES[name] for name in WAITS_AT if chance.happens(0.4)]
    points = planned.points
    cuts = [i for i, point in enumerate(points) if point in stops and 0 < i < len(points) - 1]
    begin = 0
    for cut in [*cuts, len(points) - 1]:
        yield points[begin : cut + 1]
        begin = cut
