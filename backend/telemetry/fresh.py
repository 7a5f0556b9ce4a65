"""Ten minutes of which everything came while the projector followed: it need not read them from the journal again.

What it holds of ten minutes is all there is when the journal has as many readings of them, and stays so while every
further reading is added. Ten minutes with a reading that is there twice are always read: which one counts may change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from backend.telemetry.rows import Bucket, Stream
from backend.telemetry.source import Stretch
from backend.telemetry.source_tens import Whole, counts, wholes

MOST = 100_000
"""Samples and ten minutes in memory, at most some 50 MB; beyond it those that came first are let go."""


class Fresh:
    """Of one projector. It is right at one position of each stream and lets go of everything when it finds another."""

    def __init__(self) -> None:
        self._tens: dict[Bucket, Whole] = {}
        self._are_whole: set[Bucket] = set()
        self._positions: Mapping[Stream, int] = {}
        self._size = 0

    def expect(self, positions: Mapping[Stream, int]) -> None:
        """The store is there now: not where this was right if a write failed, or others wrote, or a book came back."""
        if positions != self._positions:
            self._tens.clear()
            self._are_whole.clear()
            self._size = 0
            self._positions = positions

    def let_go(self, before: int) -> None:
        """Of what begins before a time: it was rolled up, and seldom comes again."""
        for of in [of for of in self._tens if of.begin < before]:
            self._drop(of)

    def add(self, stretches: Iterable[Stretch]) -> None:
        """What was followed, once the store has it."""
        for stretch in stretches:
            self._add(stretch)
        self._positions = {**self._positions, **{each.followed.stream: each.followed.upto for each in stretches}}
        while self._size > MOST:
            self._drop(next(iter(self._tens)))

    def wholes(self, tx: Connection, buckets: Sequence[Bucket]) -> Iterator[Whole]:
        """As `source_tens.wholes`, in any order; what is held is not read."""
        unsure = [of for of in buckets if of in self._tens and of not in self._are_whole]
        there = counts(tx, unsure)
        self._are_whole.update(of for of in unsure if self._tens[of].rows == there.get(of))
        yield from (self._tens[of] for of in buckets if of in self._are_whole)
        yield from wholes(tx, [of for of in buckets if of not in self._are_whole])

    def _add(self, stretch: Stretch) -> None:
        for new in stretch.tens:
            if (ten := self._tens.get(new.bucket)) is None:
                self._tens[new.bucket] = new
                self._size += 1
            else:
                ten.samples.extend(new.samples)
                for kind, n in new.readings.items():
                    ten.readings[kind] = ten.readings.get(kind, 0) + n
            self._size += len(new.samples)
        for of in stretch.repeated:
            self._drop(of)

    def _drop(self, of: Bucket) -> None:
        if ten := self._tens.pop(of, None):
            self._are_whole.discard(of)
            self._size -= len(ten.samples) + 1
