"""Where received goods go: to the bin that has the same lot, to the zone of their family, or to an empty bin."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from models.units import plain


class Room(NamedTuple):
    """A bin as it stands. `held` is all that is in it or on its way there; `has_item` and `has_lot` are of ours."""

    bin: str
    capacity: Decimal | None
    families: frozenset[str]
    held: Decimal
    has_item: bool
    has_lot: bool

    def left(self, wanted: Decimal) -> Decimal:
        """How much of what is wanted still fits."""
        return wanted if self.capacity is None else min(wanted, max(self.capacity - self.held, Decimal(0)))


def suggest(quantity: Decimal, family: str | None, rooms: Iterable[Room]) -> list[tuple[str, Decimal]]:
    """The bins to bring it to, with how much to each; less than all of it where no bin has room.

    First where the same lot lies, then the same item, then bins of its family, then empty bins of no family; of equals
    the fullest, so that few bins are begun. Another item's bin is taken only in a zone of the family.
    """
    ranked = [(rank, room) for room in rooms if (rank := _rank(room, family)) is not None]
    left = quantity
    found: list[tuple[str, Decimal]] = []
    for _, room in sorted(ranked, key=lambda each: (each[0], -each[1].held, each[1].bin)):
        fits = room.left(left)
        if fits > 0:
            found.append((room.bin, plain(fits)))
            left -= fits
    return found


def _rank(room: Room, family: str | None) -> int | None:
    is_of_family = family is not None and family in room.families
    if room.families and not is_of_family:
        return None
    if room.has_lot or room.has_item:
        return 0 if room.has_lot else 1
    if is_of_family:
        return 2
    return 3 if not room.held else None
