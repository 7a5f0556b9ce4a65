"""A machine's working days: what a truck and a crane do between morning and evening, weekends quieter.

Every day has a stream of chance of its own, so what happened before changes no other day.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulators.machines import Machine, Segment, Sheet
from simulators.weather import DAY_MS, HOUR_MS
from simulators.world import Chance
from simulators.yard import PLACES, SITE_2, Point, route, way, zone

MINUTE_MS = 60_000
OPENING_MS, CLOSING_MS = 6 * HOUR_MS, 20 * HOUR_MS
SHORTEST_MS = HOUR_MS
WEEKEND = (5, 6)
ERRANDS = ("gate", "dock", "dock", "dock", "crane-pad", "fuel", "workshop", "park")
PAD_M = (22.0, 16.0)
"""How far from the middle of its pad a crane stands, at most."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds besides the usual hours."""

    first_ms: int = 0
    """Nothing begins before."""
    home_ms: int | None = None
    """From here on a truck stays in the yard."""
    stop_ms: int | None = None
    """From here on nothing begins."""
    heavy: Callable[[int], int] = lambda _at_ms: 0
    """How much more load than usual there is, in percent."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One working day."""

    chance: Chance
    opening_ms: int
    closing_ms: int
    quiet: bool
    heavy: int
    rules: Rules

    def ms(self, least_s: float, most_s: float) -> int:
        """Some time between these seconds."""
        return self.chance.randint(int(least_s * 1000), int(most_s * 1000))

    def load(self, least: int, most: int) -> int:
        """Some load, more of it while jobs are heavy."""
        return min(96, self.chance.randint(least, most) + self.heavy)

    def idle(self) -> int:
        """The load of an engine that only runs."""
        return self.chance.randint(12, 20)

    def may_leave(self, at_ms: int) -> bool:
        """Whether a truck may drive out of the yard."""
        return self.rules.home_ms is None or at_ms < self.rules.home_ms

    def stopped(self, at_ms: int) -> bool:
        """Whether nothing more begins, not even the way home."""
        return self.rules.stop_ms is not None and at_ms >= self.rules.stop_ms


def work_days(machine: Machine, seed: int, sheet: Sheet, rules: Rules) -> Iterator[Segment]:
    """From where the sheet stands on, day after day without end."""
    day_ms = sheet.now_ms - sheet.now_ms % DAY_MS
    while True:
        shift = _shift(
            machine.chance(seed, f"day/{day_ms // DAY_MS}"), day_ms, max(sheet.now_ms, rules.first_ms), rules
        )
        if shift is not None:
            sheet.rest(shift.opening_ms)
            WORK[machine.kind](sheet, shift)
        day_ms += DAY_MS
        sheet.rest(day_ms)
        yield from sheet.take()


def _shift(chance: Chance, day_ms: int, first_ms: int, rules: Rules) -> Shift | None:
    quiet = (day_ms // DAY_MS + 3) % 7 in WEEKEND
    opening_ms = day_ms + OPENING_MS + chance.randint(5 * MINUTE_MS, 50 * MINUTE_MS)
    closing_ms = day_ms + CLOSING_MS - chance.randint(HOUR_MS, 2 * HOUR_MS)
    if quiet:
        closing_ms -= chance.randint(6 * HOUR_MS, 8 * HOUR_MS)
    works = not quiet or chance.happens(0.6)
    opening_ms = max(opening_ms, first_ms)
    if rules.stop_ms is not None:
        closing_ms = min(closing_ms, rules.stop_ms)
    if not works or closing_ms - opening_ms < SHORTEST_MS:
        return None
    return Shift(chance, opening_ms, closing_ms, quiet, rules.heavy(day_ms + DAY_MS // 2), rules)


def _truck(sheet: Sheet, shift: Shift) -> None:
    """Errands in the yard with the engine off in between, and some trips to the customer's site."""
    chance = shift.chance
    trips = chance.randint(0, 1) if shift.quiet else chance.randint(1, 3)
    leaves = sorted(chance.randrange(shift.opening_ms, shift.closing_ms) for _ in range(trips))
    while sheet.now_ms < shift.closing_ms:
        sheet.stand(shift.ms(30, 150), shift.idle())
        if leaves and sheet.now_ms >= leaves[0]:
            leaves.pop(0)
            if shift.may_leave(sheet.now_ms):
                _deliver(sheet, shift)
        for _ in range(chance.randint(2, 5)):
            if sheet.now_ms < shift.closing_ms:
                _errand(sheet, shift, chance.choice(ERRANDS))
        sheet.rest(sheet.now_ms + shift.ms(360, 1980))
    if not shift.stopped(sheet.now_ms):
        sheet.stand(shift.ms(30, 90), shift.idle())
        sheet.drive(way(sheet.point, "park"), chance.uniform(4, 6), shift.load(25, 45))
        sheet.rest(sheet.now_ms + MINUTE_MS)


def _errand(sheet: Sheet, shift: Shift, place: str) -> None:
    """Drive somewhere in the yard and wait there with the engine on."""
    x, y = PLACES[place]
    spot = (x + shift.chance.uniform(-6, 6), y + shift.chance.uniform(-6, 6))
    sheet.drive(way(sheet.point, place, spot), shift.chance.uniform(4, 6), shift.load(35, 60))
    sheet.stand(shift.ms(120, 540), shift.idle())


def _deliver(sheet: Sheet, shift: Shift) -> None:
    """To the customer's site and back, unloading with the engine off."""
    chance = shift.chance
    sheet.drive(way(sheet.point, SITE_2), chance.uniform(11, 14), shift.load(50, 70))
    sheet.stand(shift.ms(60, 240), shift.idle())
    sheet.rest(sheet.now_ms + shift.ms(900, 2100))
    sheet.stand(shift.ms(60, 180), shift.idle())
    sheet.drive(way(sheet.point, "gate"), chance.uniform(11, 14), shift.load(35, 55))


def _crane(sheet: Sheet, shift: Shift) -> None:
    """On its pad all day, hoisting in turns; to the park for the night."""
    chance = shift.chance
    sheet.stand(shift.ms(120, 300), shift.idle())
    if zone(sheet.point) != "crane-pad":
        sheet.drive(way(sheet.point, "crane-pad", _on_pad(chance)), chance.uniform(1.3, 1.8), shift.load(30, 45))
    while sheet.now_ms < shift.closing_ms:
        block_end_ms = sheet.now_ms + shift.ms(2400, 5400)
        while sheet.now_ms < min(block_end_ms, shift.closing_ms):
            _hoist(sheet, shift)
        sheet.rest(sheet.now_ms + shift.ms(2700, 6600))
        if sheet.now_ms < shift.closing_ms:
            sheet.stand(shift.ms(60, 180), shift.idle())
    if not shift.stopped(sheet.now_ms):
        sheet.stand(shift.ms(60, 180), shift.idle())
        sheet.drive(way(sheet.point, "park"), chance.uniform(1.3, 1.8), shift.load(30, 45))
        sheet.rest(sheet.now_ms + MINUTE_MS)


def _hoist(sheet: Sheet, shift: Shift) -> None:
    """Lift, then wait for the next load; now and then move a few metres."""
    chance = shift.chance
    sheet.stand(shift.ms(80, 240), shift.load(55, 80), hoist=True)
    sheet.stand(shift.ms(120, 420), chance.randint(18, 28))
    if chance.happens(0.1):
        sheet.drive(route((sheet.point, few_metres_on(chance, sheet.point))), 0.8, shift.load(25, 40))


def few_metres_on(chance: Chance, here: Point) -> Point:
    """Another point of the pad, not far from here."""
    (x, y), (most_x, most_y) = PLACES["crane-pad"], PAD_M
    x_m = min(x + most_x, max(x - most_x, here[0] + chance.uniform(-6, 6)))
    return x_m, min(y + most_y, max(y - most_y, here[1] + chance.uniform(-6, 6)))


def _on_pad(chance: Chance) -> Point:
    x, y = PLACES["crane-pad"]
    return x + chance.uniform(-PAD_M[0], PAD_M[0]), y + chance.uniform(-PAD_M[1], PAD_M[1])


WORK: dict[str, Callable[[Sheet, Shift], None]] = {"truck": _truck, "crane": _crane}
