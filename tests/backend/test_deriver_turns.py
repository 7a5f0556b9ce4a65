"""The deriver's turns: whoever waits to write, such as ingest, gets as long as a turn held the book's lock."""

from threading import Event

import pytest

from backend import deriver
from backend.deriver import EVERY_S, MOST_PAUSE_S, Deriver
from tests.backend.books import Yard


class Turns(Event):
    """The clock and the stop of a deriver whose turns (take, hold the lock for) these seconds; what it waits after."""

    def __init__(self, turns: list[tuple[float, float]]) -> None:
        super().__init__()
        self.left, self.now, self.waits = turns, 1000.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if not self.left:
            self.set()
        return self.is_set()


def test_it_leaves_the_lock_for_as_long_as_it_held_it_and_waits_when_there_was_nothing_to_do(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns([(0.25, 0.25), (3.0, 3.0), (1.0, 0.75), (1.0, 0.25), (0.0, 0.0)])
    folding = Deriver(yard.book, lambda: 0)

    def step() -> int:
        took, held = turns.left.pop(0)
        turns.now += took
        folding.held_s += held
        return int(took > 0)

    monkeypatch.setattr(folding, "step", step)
    monkeypatch.setattr(deriver, "time", turns)
    folding.run(turns)
    assert turns.waits == [0.25, MOST_PAUSE_S, 0.5, 0.0, EVERY_S]
