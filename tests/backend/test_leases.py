"""Processes that share a SQLite book: one of them runs a part, the others stand by until it has ended."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

from backend.leases import FileLeases


def test_a_part_is_run_by_one_and_then_by_another(tmp_path: Path) -> None:
    running: list[str] = []
    waited: list[int] = []

    def process(name: str) -> tuple[Event, Thread]:
        def run(stop: Event) -> None:
            running.append(name)
            stop.wait()
            running.remove(name)

        stop = Event()
        guarded = FileLeases(tmp_path).while_held("ingest", run, lambda: waited.append(1))
        thread = Thread(target=guarded, args=(stop,))
        thread.start()
        return stop, thread

    first, one = process("first")
    until(lambda: running == ["first"])
    second, two = process("second")
    until(lambda: len(waited) > 1)
    assert running == ["first"]
    first.set()
    until(lambda: running == ["second"])
    second.set()
    for thread in (one, two):
        thread.join(10)
    assert running == []


def until(met: Callable[[], bool]) -> None:
    deadline = monotonic() + 20
    while not met():
        assert monotonic() < deadline
        sleep(0.01)
