"""Books for tests of pruning: passes on some days, sealed as of one of them."""

from collections.abc import Sequence
from threading import Event

from backend.keeping.sealed_days import Sealer
from backend.verify import verify
from models.reading import Reading, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.stories import MIDNIGHT, TAGS

DAYS = 40
"""How long readings are kept."""
A, B = "A" * 12, "B" * 12


def a_pass(at: int, tag: str = TAGS[0]) -> list[Reading]:
    """A carton comes in at door-1."""
    antennas = enumerate((3, 3, 1, 1))
    return [Tag("door-1", from_micros(at + k * SECOND), tag, n, rssi_dbm=-50.0, count=2) for k, n in antennas]


def whole(yard: Yard) -> None:
    assert [(each.name, each.detail) for each in verify(yard.book) if not each.ok] == []


def filled(yard: Yard, days: Sequence[int]) -> None:
    """A pass at noon of each day, and the deriver at rest."""
    for day in days:
        at = MIDNIGHT + day * DAY + DAY // 2
        yard.clock.now = max(yard.clock.now, at)
        yard.send(a_pass(at), A)
    yard.settle()


def pruned(yard: Yard, journal_days: int = DAYS, now: int | None = None) -> int:
    yard.clock.now = max(yard.clock.now, now or 0)
    return Sealer(yard.book, yard.clock, journal_days).all(Event())


def prune_at(yard: Yard, day: int) -> None:
    """The book as it is when the seal of a day was made and its readings are gone."""
    assert pruned(yard, now=MIDNIGHT + (day - 1 + DAYS) * DAY) == 1
