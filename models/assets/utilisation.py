"""How much an asset was used of the time that it could have been: of all time, of its shifts, of what is aimed at.

A share means nothing without what it is a share of, so each names its base. Hours are between bounds: what nobody
observed may all have been use. `share` is what ran within the base, which is never more than 1; `load` is all that ran,
overtime too, over the hours of the base.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from msgspec import Struct

from models.motion.day import IDLE, MOVING, WORKING, Cell
from models.motion.gain import UNOBSERVED
from models.motion.meter import Bounds
from models.motion.spans import Span, common, length, merged, without

RAN, WORKED = (IDLE, MOVING, WORKING), (WORKING,)
ALL_TIME, SHIFTS, TARGET = "all time", "shifts", "target"
NOTHING = Bounds(0, 0)


class Base(Struct, frozen=True):
    """What use is a share of: its name, its length in microseconds, and when it is; None: at no times of its own."""

    name: str
    us: int
    spans: tuple[Span, ...] | None = None


class Used(Struct, frozen=True):
    """Use of one base, in microseconds: what ran and what worked within it, and all that ran."""

    base: Base
    ran: Bounds | None
    worked: Bounds | None
    in_all: Bounds

    @property
    def share(self) -> tuple[Fraction, Fraction] | None:
        """What ran within the base, of the base; None without a base, or without times of its own."""
        return _share(self.ran, self.base.us)

    @property
    def worked_share(self) -> tuple[Fraction, Fraction] | None:
        """What worked within the base, of the base."""
        return _share(self.worked, self.base.us)

    @property
    def load(self) -> tuple[Fraction, Fraction] | None:
        """All that ran, over the base."""
        return _share(self.in_all, self.base.us)


def use_of(cells: Sequence[Cell], counted: Bounds | None, bases: Iterable[Base]) -> list[Used]:
    """The use that cells of a window tell, of each base; `counted`: what a counter of hours says of it, microseconds.

    A counter does not say when: what it counted fell outside of the base as far as there was room.
    """
    whole = merged((cell.begin_at, cell.end_at) for cell in cells)
    ran = _bounds(cells, RAN, whole)
    in_all = _narrowed(ran, counted, 0)
    found: list[Used] = []
    for base in bases:
        if base.spans is None:
            found.append(Used(base, None, None, in_all))
            continue
        inside = common(whole, merged(base.spans))
        outside = length(without(whole, inside))
        within = _narrowed(_bounds(cells, RAN, inside), counted, outside)
        found.append(Used(base, within, _bounds(cells, WORKED, inside), in_all))
    return found


def added(used: Sequence[Used]) -> Used | None:
    """The use of several assets of bases of one name, as of one."""
    if not used:
        return None
    base = Base(used[0].base.name, sum(each.base.us for each in used))
    ran = [each.ran for each in used if each.ran is not None]
    worked = [each.worked for each in used if each.worked is not None]
    return Used(base, _sum(ran), _sum(worked), _sum([each.in_all for each in used]) or NOTHING)


def _bounds(cells: Sequence[Cell], whats: Sequence[str], spans: Sequence[Span]) -> Bounds:
    sure = merged((cell.begin_at, cell.end_at) for cell in cells if cell.what in whats)
    dark = merged((cell.begin_at, cell.end_at) for cell in cells if cell.what == UNOBSERVED)
    least = length(common(sure, spans))
    return Bounds(least, least + length(common(dark, spans)))


def _narrowed(seen: Bounds, counted: Bounds | None, outside: int) -> Bounds:
    """What both know: no less than either is sure of, no more than either allows."""
    if counted is None:
        return seen
    least = max(seen.least, counted.least - outside)
    return Bounds(least, max(least, min(seen.most, counted.most)))


def _sum(bounds: Sequence[Bounds]) -> Bounds | None:
    return Bounds(sum(each.least for each in bounds), sum(each.most for each in bounds)) if bounds else None


def _share(bounds: Bounds | None, base_us: int) -> tuple[Fraction, Fraction] | None:
    return None if bounds is None or not base_us else (Fraction(bounds.least, base_us), Fraction(bounds.most, base_us))
