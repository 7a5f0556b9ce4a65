"""Devices are opened for ever; their states, events and logs say each thing once."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from edge import supervisor as module
from edge.driver import DeviceLost, DeviceRefused, Health, Put
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Reading, Scan
from models.wire import Reply


class Scripted:
    """A driver whose n-th run does the n-th thing of the script, and the last for ever."""

    def __init__(self, *script: Callable[[Put, Health, Event], object]) -> None:
        self.script = script
        self.runs = 0
        self.replies: list[Reply] = []

    def run(self, put: Put, health: Health, stop: Event) -> None:
        act = self.script[min(self.runs, len(self.script) - 1)]
        self.runs += 1
        act(put, health, stop)

    def reply(self, reply: Reply) -> None:
        self.replies.append(reply)

    def probe(self) -> str:
        return "here"


class Listening(Scripted):
    """One that trackers connect to."""

    def trackers(self) -> dict[str, int]:
        return {"connected": 2, "silent": 1}


def lost(_put: Put, _health: Health, _stop: Event) -> None:
    raise DeviceLost("cable")


def refused(_put: Put, _health: Health, _stop: Event) -> None:
    raise DeviceRefused("busy")


def bug(_put: Put, _health: Health, _stop: Event) -> None:
    raise ZeroDivisionError


def reads(put: Put, health: Health, stop: Event) -> None:
    health.reading()
    put([Scan("s", datetime.now(UTC), "A"), Scan("s", datetime.now(UTC), "B")])
    stop.wait()


def reads_then_lost(_put: Put, health: Health, _stop: Event) -> None:
    health.reading()
    raise DeviceLost("cable")


def bad_frames(_put: Put, health: Health, stop: Event) -> None:
    health.reading()
    for number in range(500):
        health.bad_frame(f"garbage {number}")
    stop.wait()


class Kept:
    """What a supervisor puts and says."""

    def __init__(self) -> None:
        self.readings: list[Any] = []
        self.changes = 0

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        self.readings += readings
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def changed(self) -> None:
        self.changes += 1

    def events(self) -> list[tuple[str, str | None]]:
        return [(event.name, event.detail) for event in self.readings if isinstance(event, DeviceEvent)]


def run_until(driver: Scripted, true: Callable[[Supervisor, Kept], bool]) -> tuple[Supervisor, Kept]:
    kept = Kept()
    supervisor = Supervisor({"s": driver}, kept.put)
    assert supervisor.devices()[0].state == "connecting"
    supervisor.start(kept.changed)
    until = time.monotonic() + 10
    while not true(supervisor, kept):
        assert time.monotonic() < until, (supervisor.devices(), kept.readings)
        time.sleep(0.005)
    state = supervisor.devices()[0]
    assert supervisor.stop(5) == []
    assert supervisor.devices()[0].state == state.state
    return supervisor, kept


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_BACKOFF_S", 0.02)


def test_a_loss_and_a_recovery_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    driver = Scripted(lost, lost, lost, refused, refused, reads)
    supervisor, kept = run_until(driver, lambda s, _: s.devices()[0].state == "reading")
    assert kept.events() == [("lost", "cable"), ("refused", "busy"), ("restored", None)]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]
    assert kept.changes == 3
    assert driver.runs == 6
    assert supervisor.devices()[0].readings == 2


def test_the_first_retry_is_at_once_and_the_next_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_BACKOFF_S", 1000.0)
    driver = Scripted(lost)
    run_until(driver, lambda _s, _k: driver.runs == 2)
    time.sleep(0.1)
    assert driver.runs == 2


def test_a_device_that_dies_after_its_greeting_is_not_hammered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_BACKOFF_S", 1000.0)
    monkeypatch.setattr(module.random, "random", lambda: 1.0)
    driver = Scripted(reads_then_lost)
    run_until(driver, lambda _s, _k: driver.runs == 2)
    assert driver.runs == 2


def test_a_bug_is_logged_once_and_the_device_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    driver = Scripted(bug, bug, bug, reads)
    _, kept = run_until(driver, lambda s, _: s.devices()[0].state == "reading")
    assert [record.message for record in caplog.records if record.exc_info] == ["s: the driver failed"]
    assert [name for name, _ in kept.events()] == ["lost", "restored"]


def test_bad_frames_are_all_counted_and_published_now_and_then() -> None:
    supervisor, kept = run_until(Scripted(bad_frames), lambda s, _: s.devices()[0].bad_frames == 500)
    assert supervisor.devices()[0].bad_frames == 500
    assert kept.events() == [("bad_frames", "1, the last: garbage 0"), ("bad_frames", "499, the last: garbage 499")]


def test_a_reply_goes_to_its_device_alone_and_its_text_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    driver = Scripted(reads)
    supervisor = Supervisor({"s": driver}, Kept().put)
    reply = Reply("s", datetime.now(UTC), ok=True, text="40 x BOLT-M8 received")
    refusal = Reply("s", datetime.now(UTC), ok=False, text="no such item\n\x1b[2Jx")
    supervisor.reply(reply)
    supervisor.reply(refusal)
    supervisor.reply(Reply("other", datetime.now(UTC), ok=True, text="x"))
    assert driver.replies == [reply, refusal]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "s: scan taken: '40 x BOLT-M8 received'"),
        ("INFO", "s: scan refused: 'no such item\\n\\x1b[2Jx'"),
    ]


def test_trackers_are_added_up_over_the_drivers_that_have_some() -> None:
    drivers = {"door": Scripted(reads), "a": Listening(reads), "b": Listening(reads)}
    assert Supervisor(drivers, Kept().put).trackers() == {"connected": 4, "silent": 2}
    assert Supervisor({"door": Scripted(reads)}, Kept().put).trackers() is None
