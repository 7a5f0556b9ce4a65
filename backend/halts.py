"""Halts: where a later fold of a key may begin within a day, so that a backlog is not folded from midnight each time.

A backlog comes in order of time, and its keys are dirty again and again, each time from a little later. How a key stood
before what came late, and at some places after, is remembered, in memory only; the last of them before what comes late
next holds if nothing before it changed: the readings are as many, the day began alike, the register is the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from backend import journal_days
from backend.step import DAY_US
from models.register import Register

MOST, MOST_OF_KEY, STRIDE = 20_000, 3, 50
"""Halts that are remembered, of all keys and of one, the latest, and how many readings are between two of them."""
HaltKey = tuple[str, int, str]
"""(step, device_id, subject)."""


@dataclass(frozen=True, slots=True)
class Halt:
    """A key when everything before `since` had been folded, from the beginning of its day on."""

    since: int
    last_at: int
    state: bytes
    rows: frozenset[str]
    """Ids of the rows that were derived of that day before `since`: they stand as they are."""
    register: Register
    begun_with: bytes
    """The checkpoint of its day."""
    journalled: int
    """Readings of its device in that day before `since`."""

    def holds(self, tx: Connection, register: Register, device_id: int, day: tuple[int, bytes]) -> bool:
        """Whether a fold may begin here: nothing before it is new. `day`: where else it would begin, its checkpoint."""
        is_same = register is self.register and day == (self.since // DAY_US, self.begun_with)
        return is_same and journal_days.count_before(tx, device_id, self.since) == self.journalled


@dataclass(frozen=True, slots=True)
class Way:
    """How far a fold goes, and where it may begin."""

    most: int | None = None
    """About so many readings of one key alone, in whole days; None: all."""
    halts: Mapping[HaltKey, Sequence[Halt]] = field(default_factory=dict[HaltKey, Sequence[Halt]])


class Posted(Protocol):
    """Keys that were folded, and posted since."""

    @property
    def of_keys(self) -> Collection[HaltKey]: ...

    @property
    def halts(self) -> Mapping[HaltKey, Sequence[Halt]]: ...


def remember(halts: dict[HaltKey, Sequence[Halt]], posted: Sequence[Posted]) -> None:
    """Keep the halts of what was posted, instead of those before."""
    for folding in posted:
        for key in folding.of_keys:
            halts.pop(key, None)
        halts.update(folding.halts)
    left = sum(map(len, halts.values())) - MOST
    for key in [*halts]:
        if left <= 0:
            break
        left -= len(halts.pop(key))
