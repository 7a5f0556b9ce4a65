"""How a pallet moves at a dock door. x runs along the wall, y through the door (inside is positive), metres.

Shapes and shares follow the labels of the public dock-door data set used by Alfian et al., Food Control 110 (2020)
107016: two ways through, static, near and turning back. Walking-pace speed is log-normal about 1.3 m/s, a quarter of
the ways through are held up for 1-6 s; a pallet truck is never longer than MAX_PASS_S in range.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import exp

from simulators.world import Chance

MAX_PASS_S = 11.5
REACH_M = 4.0
PAUSE_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Motion:
    """Way points of a pallet's centre: seconds from its beginning, and where."""

    times: tuple[float, ...]
    points: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        return self.times[-1]


def through(chance: Chance, *, inward: bool) -> Motion:
    """Straight through the door, sometimes held up somewhere on the way."""
    side = -1.0 if inward else 1.0
    x = chance.gauss(0, 0.25)
    legs = [(x, side * REACH_M), (x + chance.gauss(0, 0.15), -side * REACH_M)]
    if chance.happens(PAUSE_SHARE):
        stop = chance.uniform(-1.8, 1.8)
        return _walk(chance, [legs[0], (x, stop), legs[1]], pause_s=chance.uniform(1, 6))
    return _walk(chance, legs)


def turn(chance: Chance, *, inside: bool) -> Motion:
    """Comes to the door from one side, stands, and goes back where it came from."""
    side = 1.0 if inside else -1.0
    x = chance.gauss(0, 0.25)
    far = side * chance.uniform(-1.2, 1.2)
    away = (x + chance.gauss(0, 0.3), side * REACH_M)
    return _walk(chance, [(x, side * REACH_M), (x, far), away], pause_s=chance.uniform(0.3, 4))


def past(chance: Chance, *, inside: bool) -> Motion:
    """Along the wall, past the open door."""
    side = 1.0 if inside else -1.0
    y = side * chance.uniform(1.6, 3.2)
    way = chance.choice((-1.0, 1.0))
    return _walk(chance, [(-way * REACH_M, y), (way * REACH_M, y + side * chance.gauss(0, 0.2))])


def still(chance: Chance, *, inside: bool, seconds: float) -> Motion:
    """Parked in range of the door."""
    side = 1.0 if inside else -1.0
    place = (chance.uniform(-1.2, 1.2), side * chance.uniform(1.5, 3.2))
    return Motion((0.0, seconds), (place, place))


def _walk(chance: Chance, legs: list[tuple[float, float]], pause_s: float = 0.0) -> Motion:
    speed = 1.3 * exp(chance.gauss(0, 0.25))
    times, points = [0.0], [legs[0]]
    for here, there in pairwise(legs):
        metres = ((there[0] - here[0]) ** 2 + (there[1] - here[1]) ** 2) ** 0.5
        times.append(times[-1] + metres / speed)
        points.append(there)
        if pause_s and there != legs[-1]:
            times.append(times[-1] + pause_s)
            points.append(there)
    hurry = min(1.0, MAX_PASS_S / times[-1])
    return Motion(tuple(time * hurry for time in times), tuple(points))
