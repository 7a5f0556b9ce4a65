"""The seeded world: a clock, chance, an agenda and the truth log. One seed gives one world, byte for byte.

Nothing in here asks the machine what time it is, and no set is iterated. Who plays the world (fast for a history, in
step with a real clock for a live run) calls `step`; what happens is written to the truth log before any device is told.
"""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count
from random import Random
from typing import Protocol

import msgspec

from models.reading import from_micros, micros

SECOND = 1_000_000
Act = Callable[[], None]


class Chance(Random):
    """A stream of chance."""

    def happens(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random() < share

    def one_of(self, shares: dict[str, float]) -> str:
        """One of the names, by their shares."""
        return self.choices(list(shares), list(shares.values()))[0]


class Truth(Protocol):
    """Where truth lines go: any text file."""

    def write(self, line: str, /) -> object: ...


class World:
    """Clock, chance and agenda. Times are whole microseconds UTC."""

    def __init__(self, seed: int, start: datetime, truth: Truth | None = None) -> None:
        self.seed = seed
        self.now_us = micros(start)
        self.truth = truth
        self._agenda: list[tuple[int, int, Act]] = []
        self._order = count()
        self._dice: dict[str, Chance] = {}

    def chance(self, name: str) -> Chance:
        """A stream of chance of its own per name, so that what one part draws never shifts another's."""
        if name not in self._dice:
            self._dice[name] = Chance(f"{self.seed}/{name}")
        return self._dice[name]

    def at(self, at_us: int, act: Act) -> None:
        """Put an act on the agenda. Acts of one moment happen in the order in which they were put."""
        heapq.heappush(self._agenda, (at_us, next(self._order), act))

    def next_us(self) -> int | None:
        """When the next act is due, or None with an empty agenda."""
        return self._agenda[0][0] if self._agenda else None

    def step(self) -> None:
        """Set the clock to the next act and do it."""
        self.now_us, _, act = heapq.heappop(self._agenda)
        act()

    def run(self, until_us: int) -> None:
        """Do everything due before a moment, then set the clock to it."""
        while self._agenda and self._agenda[0][0] < until_us:
            self.step()
        self.now_us = until_us

    def clear(self) -> None:
        """Drop what is still on the agenda."""
        self._agenda.clear()

    def tell(self, what: str, **fields: object) -> None:
        """One line of truth."""
        if self.truth is not None:
            self.truth.write(msgspec.json.encode({"what": what, **fields}).decode() + "\n")


def stamp(at_us: int) -> str:
    """RFC 3339 with microseconds, as every truth line has it.

    >>> stamp(1_000_005)
    '1970-01-01T00:00:01.000005Z'
    """
    return from_micros(at_us).isoformat(timespec="microseconds").replace("+00:00", "Z")
