"""An asset's local day cut into cells: off, idle, moving, working, transported, unobserved; they fill it exactly.

Where stretches overlap: what was not observed, then what ran, then what was transported, else it was off. What ran was
working (power take-off or hoist on), else moving (in a trip), else idle; if whether it worked was not observed, neither
can be said, and the cell is unobserved. So an asset worked for all working cells at least, and for those and the
unobserved ones at most; the same holds of every other kind.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from models.errors import Refused
from models.motion.gain import UNOBSERVED
from models.motion.meter import RUNTIME, WORK, Usage
from models.reading import micros

OFF, IDLE, MOVING, WORKING, TRANSPORTED = "off", "idle", "moving", "working", "transported"
RUNNING, UNCLEAR = "running", "unclear"
"""Of stretches only. Unclear: whether it worked was not observed."""
CELLS = (OFF, IDLE, MOVING, WORKING, TRANSPORTED, UNOBSERVED)


class Stretch(Struct, frozen=True):
    """What is known of a span of microseconds: running, working, moving, transported, unobserved or unclear.

    `evidence`: the ids of the rows that say so; `version`: of the parameters under which they were derived.
    """

    begin_at: int
    end_at: int
    what: str
    evidence: tuple[str, ...]
    version: int | None = None


class Cell(Struct, frozen=True):
    """A part of a day in which an asset did one of CELLS, the rows behind that and the versions of their parameters."""

    begin_at: int
    end_at: int
    what: str
    evidence: tuple[str, ...]
    versions: tuple[int, ...]


def local_day(day: date, zone: str) -> tuple[int, int]:
    """When a day begins and ends in a time zone, in microseconds: 23 or 25 h apart where the clocks change.

    Midnight is the first moment of a day, also where the clocks jump over it or it comes twice. Raises Refused.

    >>> begin, end = local_day(date(2026, 10, 25), "Europe/Brussels")
    >>> (end - begin) / 3_600_000_000
    25.0
    """
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"time zone: a name such as Europe/Brussels expected, got {zone[:64]!r}"
        raise Refused(msg) from error
    try:
        begin, end = (datetime.combine(each, time(), place) for each in (day, day + timedelta(days=1)))
        return micros(begin), micros(end)
    except OverflowError as error:
        msg = f"day: one from 0001-01-02 to 9999-12-30 expected, got {day}"
        raise Refused(msg) from error


def stretch_of(row: Usage, version: int | None = None) -> Stretch | None:
    """What a stretch of use says of a day; None for counters, which do not say when."""
    if row.meter == RUNTIME:
        what = RUNNING if row.why is None else UNOBSERVED
    elif row.meter in WORK:
        what = WORKING if row.why is None else UNCLEAR
    else:
        return None
    return Stretch(row.begin_at, row.end_at, what, (row.id,), version)


def cells(begin_at: int, end_at: int, stretches: Iterable[Stretch]) -> list[Cell]:
    """The cells of a day, in order, without a hole; the stretches may overlap and reach over its ends.

    What no stretch covers is off: so the time before an asset was first heard, and that to come, are to be given as
    unobserved.
    """
    found: list[Cell] = []
    for what, group in groupby(_pieces(begin_at, end_at, stretches), lambda piece: piece.what):
        pieces = [*group]
        behind = [each for piece in pieces for each in piece.behind]
        rows = dict.fromkeys(row for each in behind for row in each.evidence)
        versions = {each.version for each in behind if each.version is not None}
        found.append(Cell(pieces[0].begin_at, pieces[-1].end_at, what, tuple(rows), tuple(sorted(versions))))
    return found


class _Piece(NamedTuple):
    begin_at: int
    end_at: int
    what: str
    behind: Sequence[Stretch]


def _pieces(begin_at: int, end_at: int, stretches: Iterable[Stretch]) -> Iterator[_Piece]:
    """The day cut wherever a stretch begins or ends."""
    within = [each for each in stretches if max(each.begin_at, begin_at) < min(each.end_at, end_at)]
    waiting = deque(sorted(within, key=lambda each: (each.begin_at, each.end_at, each.what, each.evidence)))
    edges = {begin_at, end_at, *(at for each in within for at in (each.begin_at, each.end_at))}
    active: list[Stretch] = []
    for begin, end in pairwise(sorted(at for at in edges if begin_at <= at <= end_at)):
        active = [each for each in active if each.end_at > begin]
        while waiting and waiting[0].begin_at <= begin:
            active.append(waiting.popleft())
        yield _Piece(begin, end, *_verdict(active))


def _verdict(active: Sequence[Stretch]) -> tuple[str, Sequence[Stretch]]:
    """What an asset did, and which stretches say so."""

    def over(what: str) -> list[Stretch]:
        return [each for each in active if each.what == what]

    if unseen := over(UNOBSERVED):
        return UNOBSERVED, unseen
    if running := over(RUNNING):
        for what, cell in ((WORKING, WORKING), (UNCLEAR, UNOBSERVED), (MOVING, MOVING)):
            if saying := over(what):
                return cell, [*running, *saying]
        return IDLE, running
    if carried := over(TRANSPORTED):
        return TRANSPORTED, carried
    return OFF, ()
