"""Two books that are told the same: one keeps its journal for ever, the other is sealed and pruned now and then."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from backend.book import register, sealed
from backend.book.db import read, write
from backend.keeping.sealed_days import Sealer
from models.errors import Refused
from models.reading import Reading, micros
from tests.backend.books import DAY, SECOND, Template, Yard, facts
from tests.backend.stories import EPOCHS, Change, Story

JOURNAL_DAYS = 1
"""The shortest that there is: what is before today's midnight is sealed, and the day before yesterday goes."""


@dataclass
class Pair:
    """The two, and what came too late for the one that is sealed."""

    kept: Yard
    pruned: Yard
    late: list[Reading] = field(default_factory=list[Reading])
    refused: list[Change] = field(default_factory=list[Change])

    @classmethod
    def make(cls, template: Template, folder: Path, now: int) -> "Pair":
        """Two copies of one book."""
        folder.mkdir()
        kept, pruned = (Yard.copy(template, folder / f"{name}.db", now) for name in ("kept", "pruned"))
        return cls(kept, pruned)

    @property
    def both(self) -> tuple[Yard, Yard]:
        return self.kept, self.pruned

    @property
    def boundary(self) -> int:
        """What is before is sealed."""
        with read(self.pruned.book) as tx:
            return sealed.boundary(tx)

    def on(self, work: Callable[[Yard], Any]) -> None:
        """The same on both."""
        for yard in self.both:
            work(yard)

    def wait(self, us: int) -> None:
        for yard in self.both:
            yard.clock.now += us

    def send(self, told: Sequence[tuple[str, Reading]], epoch: str, times: int = 1) -> None:
        """As early as the wire allows. What is sealed the one keeps apart, and the other is not told."""
        now = max(self.kept.clock.now, *(micros(reading.at) - DAY for _, reading in told))
        boundary = self.boundary
        self.late += [reading for _, reading in told if micros(reading.at) < boundary]
        for yard in self.both:
            yard.clock.now = now
            counted = [each for each in told if yard is self.pruned or micros(each[1].at) >= boundary]
            messages = [
                yard.message([reading for owner, reading in counted if owner == gateway], epoch, gateway)
                for gateway in sorted({owner for owner, _ in counted})
            ]
            yard.ingest.take(messages * times)

    def declare(self, change: Change) -> None:
        """What is sealed the one refuses, and the other is not told."""
        since = {"valid_from": change.valid_from, "now": self.kept.clock.now}
        for yard in (self.pruned, self.kept):
            try:
                with write(yard.book) as tx:
                    register.put(tx, change.kind, change.id, change.body, actor="test", **since)
            except sealed.Sealed:
                assert yard is self.pruned
                assert change.valid_from < self.boundary
                self.refused.append(change)
                return
            except Refused:
                assert yard is self.pruned
                return

    def seal(self, journal_days: int = JOURNAL_DAYS) -> int:
        """Seal and prune the one as far as it can be."""
        return Sealer(self.pruned.book, self.pruned.clock, journal_days).all(Event())

    def same(self) -> None:
        """Everything derived is the same, but for checkpoints of sealed days, and keys of then that stand at nothing.

        A tracker that is declared to be one later has such: nobody folds any more what it said of sealed days.
        """
        kept, pruned = facts(self.kept.book), facts(self.pruned.book)
        first = -1 if self.boundary == sealed.EVER else self.boundary // DAY
        for each in (kept, pruned):
            each["checkpoints"] = [text for text in each["checkpoints"] if _number(text, "day") >= first]
            each["states"] = [
                text
                for text in each["states"]
                if _number(text, "last_at") >= self.boundary or f"'state': {sealed.NOTHING!r}" not in text
            ]
        for name, of in kept.items():
            assert of == pruned[name], name

    def close(self) -> None:
        self.on(lambda yard: yard.book.dispose())


def _number(row: str, name: str) -> int:
    return int(row.partition(f"'{name}': ")[2].partition(",")[0])


def tell(pair: Pair, story: Story, chance: random.Random) -> None:
    """Nearly in order, changes in between, the deriver now and then, and sealing whenever it may be."""
    delay = chance.choice((1, 10, 600, 6 * 3600, 24 * 3600))
    late = [(micros(r.at) + round(chance.expovariate(1 / delay) * SECOND), i) for i, (_, r) in enumerate(story.told)]
    told = [story.told[i] for _, i in sorted(late)]
    if chance.random() < 0.3:
        told.append(told.pop(chance.randrange(len(told))))
    changes = list(story.changes)
    while told or changes:
        if changes and (chance.random() < 0.2 or not told):
            pair.declare(changes.pop(0))
        elif told:
            piece, told = told[: (many := chance.randint(1, 6))], told[many:]
            pair.send(piece, chance.choice(EPOCHS), chance.choice((1, 1, 2)))
        pair.wait(chance.choice((0, 1, 5, 40, 3600)) * SECOND)
        what = chance.random()
        if what < 0.3:
            pair.on(lambda yard: yard.deriver.step())
        elif what < 0.6:
            pair.wait(chance.choice((0, 0, DAY // 2, DAY)))
            pair.on(lambda yard: yard.settle(60 * SECOND))
            pair.seal()
