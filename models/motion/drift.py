"""How far two odometers of one asset counted in the same time, where both can be compared, the newest way first."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

from msgspec import Struct

DENSE_US = 30_000_000
"""Fixes that are farther apart on the mean cut the corners of the way."""


class Piece(NamedTuple):
    """Millimetres that an odometer counted between two moments; `sure`, or perhaps more of them."""

    begin_at: int
    end_at: int
    mm: int
    sure: bool


class Window(NamedTuple):
    """A time in which odometers can be compared."""

    begin_at: int
    end_at: int


class Compared(Struct, frozen=True):
    """Two odometers and the millimetres that each counted in the same time."""

    names: tuple[str, str]
    mm: tuple[int, int]

    @property
    def share(self) -> float:
        """By which share of the greater they differ."""
        return abs(self.mm[0] - self.mm[1]) / max(self.mm) if max(self.mm) else 0.0


def observed(stretches: Iterable[tuple[str, int, int, int]]) -> list[Window]:
    """Where GPS saw the whole way, the newest first; `stretches` are (what, begin, end, fixes) of trips and stops.

    A gap between two of them is a way that nobody saw; what was transported no wheel counted.
    """
    found: list[Window] = []
    after = False
    for what, begin, end, fixes in sorted(stretches, key=lambda each: each[1:3], reverse=True):
        is_seen = what == "stop" or (what == "trip" and end - begin <= DENSE_US * max(1, fixes - 1))
        if is_seen and after and end >= found[-1].begin_at:
            found[-1] = Window(begin, found[-1].end_at)
        elif is_seen:
            found.append(Window(begin, end))
        after = is_seen
    return found


def without(windows: Iterable[Window], unseen: Iterable[Window]) -> list[Window]:
    """The windows, the newest first, without times that nobody observed: it may have gone away and come back."""
    found: list[Window] = []
    gaps = sorted(unseen)
    for window in windows:
        begin = window.begin_at
        for gap in gaps[bisect_right(gaps, begin, key=_end) :]:
            if gap.begin_at >= window.end_at:
                break
            if begin < gap.begin_at:
                found.append(Window(begin, gap.begin_at))
            begin = max(begin, gap.end_at)
        if begin < window.end_at:
            found.append(Window(begin, window.end_at))
    return sorted(found, reverse=True)


def compared(
    names: tuple[str, str], both: tuple[Sequence[Piece], Sequence[Piece]], windows: Iterable[Window], enough_mm: int
) -> Compared:
    """What two odometers counted in the windows (the newest first), until one of them has counted enough.

    The pieces of each are by time and do not overlap.
    """
    totals = (0, 0)
    for window in windows if both[0] and both[1] else ():
        for begin, end in _cut(window, both):
            totals = (totals[0] + _within(both[0], begin, end), totals[1] + _within(both[1], begin, end))
            if max(totals) >= enough_mm:
                return Compared(names, totals)
    return Compared(names, totals)


def _cut(window: Window, both: tuple[Sequence[Piece], Sequence[Piece]]) -> Iterator[Window]:
    """Parts of a window in which both count, the newest first. It begins and ends where no piece is cut.

    No part has to do with a piece that is not sure.
    """
    begin = max(window.begin_at, *(pieces[0].begin_at for pieces in both))
    end = min(window.end_at, *(pieces[-1].end_at for pieces in both))
    begin = max([begin, *(cut.end_at for pieces in both if (cut := _over(pieces, begin)) is not None)])
    end = min([end, *(cut.begin_at for pieces in both if (cut := _over(pieces, end)) is not None)])
    inside = [piece for pieces in both for piece in _reaching(pieces, begin, end)]
    edges = sorted({begin, end, *(piece.begin_at for piece in inside if begin < piece.begin_at)})
    doubts = [piece for piece in inside if not piece.sure]
    for low, high in [*pairwise(edges)][::-1] if begin < end else []:
        if not any(doubt.begin_at < high and low < doubt.end_at for doubt in doubts):
            yield Window(low, high)


def _over(pieces: Sequence[Piece], at: int) -> Piece | None:
    """The piece that a moment would cut."""
    found = bisect_right(pieces, at, key=_end)
    return pieces[found] if found < len(pieces) and pieces[found].begin_at < at else None


def _reaching(pieces: Sequence[Piece], begin: int, end: int) -> Iterator[Piece]:
    return takewhile(lambda piece: piece.begin_at < end, islice(pieces, bisect_right(pieces, begin, key=_end), None))


def _within(pieces: Sequence[Piece], begin: int, end: int) -> int:
    """Of a piece that reaches over an end, the share of its time."""
    total = 0
    for piece in _reaching(pieces, begin, end):
        inside = min(piece.end_at, end) - max(piece.begin_at, begin)
        total += piece.mm * inside // (piece.end_at - piece.begin_at)
    return total


def _end(span: Piece | Window) -> int:
    return span.end_at
