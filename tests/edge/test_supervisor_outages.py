"""Outages of any length on a clock that only waits move: reading again within the backoff's bound, and said once."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import pairwise
from random import Random
from threading import Event
from typing import Any

import pytest

from edge import supervisor as module
from edge.driver import DeviceLost, DeviceRefused, Driver, Health, Put
from edge.supervisor import FIRST_BACKOFF_S, MAX_BACKOFF_S, STEADY_S, Supervisor, backoff_s
from models.reading import DeviceEvent, Reading
from models.wire import Reply

CONNECT_S = 5.0
START = 1000.0


class Clock(Event):
    """Time that passes only in `wait`, and in what a driver does."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += timeout
        return self.is_set()


class Reader:
    """A device that is away for the given spans of time; `why` is what a try then ends with, after CONNECT_S."""

    def __init__(self, clock: Clock, away: Sequence[tuple[float, float]], why: Callable[[], DeviceLost]) -> None:
        self._clock, self._away, self._why = clock, list(away), why
        self.reading_at: list[float] = []
        self.tries: list[float] = []

    def run(self, _put: Put, health: Health, stop: Event) -> None:
        self.tries.append(self._clock.now)
        if self._away and self._away[0][0] <= self._clock.now < self._away[0][1]:
            self._clock.now += CONNECT_S
            raise self._why()
        health.reading()
        self.reading_at.append(self._clock.now)
        self._away = [span for span in self._away if span[0] > self._clock.now]
        if not self._away:
            stop.set()
            return
        self._clock.now = self._away[0][0]
        raise DeviceLost("connection reset")

    def reply(self, reply: Reply) -> None:
        """It has no person before it."""

    def probe(self) -> str:
        return "here"


def lost() -> DeviceLost:
    return DeviceLost("connecting: timed out")


def busy() -> DeviceLost:
    return DeviceRefused("reader busy: Failed (a Client initiated connection already exists)")


def supervised(
    monkeypatch: pytest.MonkeyPatch, chance: Callable[[], float], make: Callable[[Clock], Driver]
) -> list[tuple[str, str | None]]:
    """The driver run to its end on a clock of its own; the device events that were published."""
    clock = Clock()
    monkeypatch.setattr(module, "Event", lambda: clock)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module.random, "random", chance)
    published: list[Any] = []

    def put(readings: Sequence[Reading]) -> "Future[None]":
        published.extend(readings)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    supervisor = Supervisor({"door-1": make(clock)}, put)
    supervisor.start(lambda: None)
    [thread] = supervisor._threads
    thread.join(20)
    assert not thread.is_alive()
    return [(event.name, event.detail) for event in published if isinstance(event, DeviceEvent)]


@pytest.mark.parametrize("outage_s", [0.5, 4.0, 29.0, 61.0, 3600.0, 86_400.0])
@pytest.mark.parametrize("chance", [lambda: 1.0, Random(1).random])
@pytest.mark.parametrize("why", [lost, busy])
def test_after_an_outage_it_reads_again_within_the_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, outage_s: float, chance: Any, why: Any
) -> None:
    caplog.set_level(logging.INFO)
    begin, end = START + 100, START + 100 + outage_s
    readers: list[Reader] = []

    def make(clock: Clock) -> Driver:
        readers.append(Reader(clock, [(begin, end)], why))
        return readers[-1]

    events = supervised(monkeypatch, chance, make)
    [reader] = readers
    assert reader.tries[1] == begin
    assert reader.reading_at[1] - end <= MAX_BACKOFF_S + CONNECT_S
    assert max(later - earlier for earlier, later in pairwise(reader.tries[1:])) <= MAX_BACKOFF_S + CONNECT_S
    detail = str(why())
    state = "refused" if why is busy else "lost"
    told = [("lost", "connection reset"), *([("refused", detail)] if why is busy else []), ("restored", None)]
    assert events == told
    lines = [record.getMessage() for record in caplog.records]
    refused = f"door-1: refused: {detail}; trying again until it answers"
    assert lines == [
        "door-1: reading",
        "door-1: lost: connection reset; trying again until it answers",
        *([refused] if state == "refused" else []),
        "door-1: reading again",
    ]


def test_a_device_that_is_lost_again_and_again_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [(START + 50 + 200 * n, START + 100 + 200 * n) for n in range(50)]
    readers: list[Reader] = []

    def make(clock: Clock) -> Driver:
        readers.append(Reader(clock, spans, lost))
        return readers[-1]

    events = supervised(monkeypatch, Random(7).random, make)
    assert len(readers[0].reading_at) == 51
    assert {begin for begin, _ in spans} <= set(readers[0].tries), "after each steady reading it is tried at once"
    late = [at - end for at, (_, end) in zip(readers[0].reading_at[1:], spans, strict=True)]
    assert max(late) <= MAX_BACKOFF_S + CONNECT_S
    assert [name for name, _ in events] == ["lost", "restored"] * 50


@pytest.mark.parametrize(
    ("failures", "most_s"), [(1, 0.0), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 16.0), (7, 30.0), (10**6, 30.0)]
)
def test_backoff_is_full_jitter_up_to_the_cap(failures: int, most_s: float) -> None:
    assert (backoff_s(failures, 0.0), backoff_s(failures, 0.5), backoff_s(failures, 1.0)) == (0.0, most_s / 2, most_s)
    assert FIRST_BACKOFF_S < STEADY_S < MAX_BACKOFF_S


def test_an_outage_that_is_now_lost_now_busy_is_told_once_of_each(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turns = iter(range(1000))
    events = supervised(
        monkeypatch,
        lambda: 1.0,
        lambda clock: Reader(clock, [(START + 100, START + 700)], lambda: busy() if next(turns) % 2 else lost()),
    )
    assert [name for name, _ in events] == ["lost", "refused", "restored"]
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 2
