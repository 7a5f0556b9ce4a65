"""Readings and notes on a meter in any order, late, repeated or withdrawn: one and the same book."""

import random
from pathlib import Path

from backend.book.db import read
from backend.book.meter_notes import MeterNote
from backend.verify.folds import Seen, checkpoints_rebuilt, derived_rebuilt, states_rebuilt
from models.reading import Reading
from tests.backend.books import Template, Yard, facts
from tests.backend.meter_telling import NOTES, NOW, RUN, said, tell, used, withdraw

ON_BOTH = True


def rebuilt(yard: Yard) -> list[str]:
    with read(yard.book) as tx:
        seen = Seen(tx)
        return [wrong for check in (derived_rebuilt, states_rebuilt, checkpoints_rebuilt) for wrong in check(seen)[1]]


def told(yard: Yard, seed: int) -> None:
    """As it happened, or shuffled; the deriver works now and then."""
    acts: list[Reading | MeterNote] = [*said(*RUN), *NOTES, NOTES[3]]
    if seed:
        random.Random(seed).shuffle(acts)
    for number, act in enumerate(acts):
        if isinstance(act, MeterNote):
            tell(yard, act)
        else:
            yard.send([act])
        if act is NOTES[1]:
            withdraw(yard, act.id)
        if number % 4 == seed:
            yard.settle(0)
    yard.settle()


def test_no_order_of_telling_matters(template: Template, tmp_path: Path, store: str) -> None:
    books = []
    for seed in (1,) if store == "postgres" else range(4):
        yard = Yard.copy(template, tmp_path / f"{seed}.db", NOW)
        told(yard, seed)
        assert rebuilt(yard) == []
        books.append((facts(yard.book), used(yard, "engine_hours"), used(yard, "engine_hours", 12, 35)))
        yard.book.dispose()
    assert books.count(books[0]) == len(books)
    assert books[0][1] == (102, 102), "10 + 2 before the reset, then from 0 to 90"
