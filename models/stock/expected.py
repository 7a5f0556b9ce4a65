"""What is announced to come (an ASN) or to leave, against what did: matched, short, over, and what nobody announced.

A pure function of all announcements and movements that touch each other, whenever they became known: movements fill
the lines of the windows that they fall in, the oldest window first (`models.stock.fulfilment`). What is more than
announced, or another item or lot, is told of the announcement that names whose it is or where it came in.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from models.stock import fulfilment
from models.stock.fulfilment import Move, Part, fill, is_open, suits
from models.units import plain

Kind = Literal["receipt", "shipment"]
Verdict = Literal["waiting", "matched", "short", "over"]
ZERO = Decimal(0)
DAY_US = 86_400_000_000


class Line(NamedTuple):
    """So much of an item, of one lot if it names one; `tags` are those of its cartons and pallets, by name."""

    line: int
    sku: str
    quantity: Decimal
    lot: str | None = None
    tags: tuple[str, ...] = ()


class Expected(Struct, frozen=True, kw_only=True):
    """What is announced for a window (microseconds, `end` not included): from or to a `party`, at a `place`, or any.

    `closed_at` is when a person said that it is over; what happens later is not of it.
    """

    id: str
    kind: Kind
    party: str | None = None
    place: str | None = None
    begin: int
    end: int
    closed_at: int | None = None
    lines: tuple[Line, ...]

    @property
    def until(self) -> int:
        """When it is over."""
        return self.end if self.closed_at is None else min(self.closed_at, self.end)

    def names(self, move: Move) -> bool:
        """Whether a movement is of its delivery, whatever the item: it names the party, or the place of it."""
        if not self.begin <= move.at < self.until or (self.party, self.place) == (None, None):
            return False
        if self.place is None:
            return move.party == self.party
        return self.place in move.places and (None in (self.party, move.party) or move.party == self.party)


class Passed(NamedTuple):
    """A tag, by its name, that went the right way through one of these places."""

    tag: str
    at: int
    places: frozenset[str]


class LineStands(NamedTuple):
    """What came of a line, how much more than announced, and the announced tags that did not pass."""

    line: Line
    came: Decimal
    over: Decimal
    verdict: Verdict
    missing: tuple[str, ...]
    moves: tuple[str, ...]


class Wrong(NamedTuple):
    """What was not announced, and came with it."""

    sku: str
    lot: str | None
    quantity: Decimal
    moves: tuple[str, ...]


class Standing(NamedTuple):
    """How an announcement stands; `is_over`: nothing more is waited for."""

    is_over: bool
    lines: tuple[LineStands, ...]
    wrong: tuple[Wrong, ...]

    @property
    def is_matched(self) -> bool:
        """Whether all that was announced came, and nothing else."""
        return not self.wrong and all(each.verdict == "matched" and not each.missing for each in self.lines)


Key = tuple[str, int]


def judge(
    announced: Sequence[Expected], moves: Iterable[Move], passed: Iterable[Passed], now: int
) -> dict[str, Standing]:
    """How announcements of one kind stand at a time, by id. A movement that was taken back is not among `moves`."""
    every = [*moves]
    index = _Index(announced, sorted({move.at // DAY_US for move in every}))
    known = {move.id: move for move in every if move.quantity > 0 or index.is_waited_for(move)}
    filled: defaultdict[Key, list[Part]] = defaultdict(list)
    over: defaultdict[Key, list[Part]] = defaultdict(list)
    wrong: defaultdict[str, list[Part]] = defaultdict(list)
    for part in fill(index.lines(), known.values()):
        move = known[part.move]
        if part.line is not None:
            filled[index.keys[part.line]].append(part)
        elif (more_of := index.more_of(move)) is not None:
            over[more_of].append(part)
        elif (whose := index.whose(move)) is not None:
            wrong[whose].append(part)
    heard = [*passed]
    return {
        each.id: Standing(
            each.until <= now,
            tuple(
                _stands(each, line, (filled[each.id, line.line], over[each.id, line.line]), heard, now)
                for line in each.lines
            ),
            _wrong(wrong[each.id], known),
        )
        for each in announced
    }


def _line(each: Expected, line: Line) -> fulfilment.Line:
    ident = f"{each.id}/{line.line:04d}"
    return fulfilment.Line(ident, line.sku, line.quantity, each.begin, each.until, each.party, line.lot, each.place)


class _Index:
    """Announcements by those of the days of their windows that are asked for, and their lines by item, oldest first."""

    def __init__(self, announced: Sequence[Expected], days: Sequence[int]) -> None:
        self.keys: dict[str, Key] = {}
        self._of_sku: defaultdict[str, list[fulfilment.Line]] = defaultdict(list)
        self._of_day: defaultdict[int, list[Expected]] = defaultdict(list)
        for each in sorted(announced, key=lambda each: (each.begin, each.id)):
            first, last = bisect_left(days, each.begin // DAY_US), bisect_right(days, each.until // DAY_US)
            for day in days[first:last]:
                self._of_day[day].append(each)
            for line in each.lines:
                waiting = _line(each, line)
                self.keys[waiting.id] = (each.id, line.line)
                self._of_sku[line.sku].append(waiting)

    def lines(self) -> list[fulfilment.Line]:
        """All lines."""
        return [line for lines in self._of_sku.values() for line in lines]

    def is_waited_for(self, move: Move) -> bool:
        """What goes back counts while its item is waited for, or the delivery that it is of; not later."""
        waiting = any(is_open(line, move.at) for line in self._of_sku.get(move.sku, ()))
        return waiting or self.whose(move) is not None

    def more_of(self, move: Move) -> Key | None:
        """The line that a movement has more of than was announced: the oldest that waits for such."""
        lines = self._of_sku.get(move.sku, ())
        return next((self.keys[each.id] for each in lines if is_open(each, move.at) and suits(each, move)), None)

    def whose(self, move: Move) -> str | None:
        """The oldest announcement whose delivery it is of."""
        return next((each.id for each in self._of_day.get(move.at // DAY_US, ()) if each.names(move)), None)


def _stands(
    each: Expected, line: Line, parts: tuple[list[Part], list[Part]], heard: Iterable[Passed], now: int
) -> LineStands:
    filled, more = parts
    came = sum((part.quantity for part in (*filled, *more)), ZERO)
    over = max(came - line.quantity, ZERO)
    verdict: Verdict = "over" if over else "matched" if came == line.quantity else "waiting"
    if verdict == "waiting" and each.until <= now:
        verdict = "short"
    there = {
        tag
        for tag, at, places in heard
        if each.begin <= at < each.until and (each.place is None or each.place in places)
    }
    missing = tuple(tag for tag in line.tags if tag not in there)
    moves = tuple(dict.fromkeys(part.move for part in (*filled, *more)))
    return LineStands(line, plain(came), plain(over), verdict, missing, moves)


def _wrong(parts: Iterable[Part], known: Mapping[str, Move]) -> tuple[Wrong, ...]:
    found: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
    for part in parts:
        found[known[part.move].sku, known[part.move].lot or ""].append(part)
    return tuple(
        Wrong(sku, lot or None, plain(sum((part.quantity for part in of), ZERO)), tuple(part.move for part in of))
        for (sku, lot), of in sorted(found.items())
    )
