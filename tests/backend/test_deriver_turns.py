"""The deriver's turns: whoever waits to write, such as ingest, gets as long as a turn took."""

from threading import Event

import pytest

from backend import deriver
from backend.deriver import EVERY_S, MOST_PAUSE_S, Deriver
from tests.backend.books import Yard


class Turns(Event):
    """The clock and the stop of a deriver whose turns take these seconds; what it waits after each."""

    def __init__(self, took_s: list[float]) -> None:
        super().__init__()
        self.left, self.now, self.waits = took_s, 1000.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if not self.left:
            self.set()
        return self.is_set()


def test_it_pauses_after_each_turn_and_longer_when_there_was_nothing_to_do(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns([0.25, 3.0, 0.0])
    folding = Deriver(yard.book, lambda: 0)

    def step() -> int:
        took = turns.left.pop(0)
        turns.now += took
        return int(took > 0)

    monkeypatch.setattr(folding, "step", step)
    monkeypatch.setattr(deriver, "time", turns)
    folding.run(turns)
    assert turns.waits == [0.25, MOST_PAUSE_S, EVERY_S]
