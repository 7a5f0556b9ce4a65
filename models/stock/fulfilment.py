"""Which movements fill which order lines: receipts those to suppliers, issues those of customers.

A pure function of the set of both: whatever order they became known in, movements fill in event time the oldest line
that was open then. A movement that was taken back is not among them; one the other way takes back what was filled last.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


class Line(NamedTuple):
    """So much of a SKU, expected from `since` until it is cancelled; microseconds.

    `party` is the supplier or customer, `lot` the lot and `place` the place that alone will do; None: any.
    """

    id: str
    sku: str
    quantity: Decimal
    since: int
    until: int | None = None
    party: str | None = None
    lot: str | None = None
    place: str | None = None


class Move(NamedTuple):
    """What came or went (positive), or came back (negative). `party` is None if the place does not tell who it was.

    `places` are those where it did: a location, a door; only lines that name a place ask for them.
    """

    id: str
    at: int
    sku: str
    quantity: Decimal
    party: str | None = None
    lot: str | None = None
    places: frozenset[str] = frozenset()


class Part(NamedTuple):
    """So much of a line was filled by a movement; of no line: it was not ordered, or is more than was."""

    line: str | None
    move: str
    at: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Filled:
    """How a line stands: what came for it, when first and last, and what is still to come."""

    received: Decimal
    outstanding: Decimal
    first_at: int | None
    last_at: int | None


def fill(lines: Iterable[Line], moves: Iterable[Move]) -> list[Part]:
    """The parts that stand after all movements, by SKU and in the order in which they were filled."""
    return [part for each in _fillings(lines, moves) for part in each.parts]


def came_for(lines: Iterable[Line], moves: Iterable[Move]) -> list[Part]:
    """What every movement filled when it came, whatever was taken back of it later."""
    return [part for each in _fillings(lines, moves) for part in each.came]


def _fillings(lines: Iterable[Line], moves: Iterable[Move]) -> "list[_Filling]":
    of_sku: defaultdict[str, tuple[list[Line], list[Move]]] = defaultdict(lambda: ([], []))
    for line in lines:
        of_sku[line.sku][0].append(line)
    for move in moves:
        of_sku[move.sku][1].append(move)
    return [_Filling(*of_sku[sku]) for sku in sorted(of_sku)]


class _Filling:
    """One SKU's lines while they are filled."""

    def __init__(self, lines: Iterable[Line], moves: Sequence[Move]) -> None:
        self._lines = sorted(lines, key=lambda each: (each.since, each.id))
        self._left = {line.id: line.quantity for line in self._lines}
        self._moves = {move.id: move for move in moves}
        self.parts: list[Part] = []
        self.came: list[Part] = []
        for move in sorted(moves, key=lambda each: (each.at, -each.quantity, each.id)):
            if move.quantity > 0:
                self._fill(move)
            else:
                self._take_back(move)

    def _fill(self, move: Move) -> None:
        rest, before = move.quantity, len(self.parts)
        for line in self._lines:
            took = min(rest, self._left[line.id])
            if took > 0 and is_open(line, move.at) and suits(line, move):
                self._left[line.id] -= took
                self.parts.append(Part(line.id, move.id, move.at, took))
                rest -= took
        if rest > 0:
            self.parts.append(Part(None, move.id, move.at, rest))
        self.came += self.parts[before:]

    def _take_back(self, move: Move) -> None:
        """From what was not ordered first, then from what was filled last; of the same party and lot."""
        suiting = {line.id for line in self._lines if suits(line, move)}
        rest = -move.quantity
        for is_ordered in (False, True):
            for n in range(len(self.parts) - 1, -1, -1):
                part = self.parts[n]
                fits = part.line in suiting if is_ordered else part.line is None and self._alike(part.move, move)
                took = min(rest, part.quantity) if fits else Decimal(0)
                self.parts[n] = part._replace(quantity=part.quantity - took)
                rest -= took
                if part.line is not None:
                    self._left[part.line] += took
        self.parts = [part for part in self.parts if part.quantity]

    def _alike(self, came: str, back: Move) -> bool:
        move = self._moves[came]
        return move.lot == back.lot and (None in (move.party, back.party) or move.party == back.party)


def is_open(line: Line, at: int) -> bool:
    """Whether a line is waited for at a time."""
    return line.since <= at and (line.until is None or at < line.until)


def suits(line: Line, move: Move) -> bool:
    """Whether a movement of its SKU is what a line waits for."""
    of_party = line.party is None or move.party is None or line.party == move.party
    is_there = line.place is None or line.place in move.places
    return of_party and is_there and (line.lot is None or line.lot == move.lot)


def standings(lines: Iterable[Line], parts: Iterable[Part]) -> dict[str, Filled]:
    """How every line stands, by its id. Of what is cancelled nothing is to come."""
    mine: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        if part.line is not None:
            mine[part.line].append(part)
    return {line.id: _standing(line, mine[line.id]) for line in lines}


def _standing(line: Line, parts: Sequence[Part]) -> Filled:
    received = sum((part.quantity for part in parts), Decimal(0))
    return Filled(
        received=received,
        outstanding=line.quantity - received if line.until is None else Decimal(0),
        first_at=min((part.at for part in parts), default=None),
        last_at=max((part.at for part in parts), default=None),
    )
