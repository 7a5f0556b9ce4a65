"""The edge's AEMP driver, its outbox on a disk, and a simulated provider: after a fault every value is there, once."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from edge import supervisor as supervisor_module
from edge.drivers import aemp, aemp_fetch
from edge.drivers.aemp import AempDriver, AempSettings
from edge.intake import Intake
from edge.outbox import Outbox
from edge.supervisor import Supervisor
from models.reading import DeviceEvent
from models.wire import decode, encode
from simulators.devices.aemp import FAULTS, PREFIX, AempServer, Shown
from simulators.devices.aemp_fleet import Element, Form, reading

PINS = [f"SIM{number:014}" for number in range(25)]
START_US = 1_790_000_000_000_000
FAULT_S = 0.5
STATES = {"lost", "restored", "bad_frames", "refused"}


class Pair:
    """A provider, and a gateway that polls it all the time."""

    def __init__(self, path: Path, form: Form, login: str = "", **settings: Any) -> None:
        self.lock = Lock()
        self.sent: dict[bytes, None] = {}
        self.served: set[bytes] = set()
        self.server = AempServer(("127.0.0.1", 0), PINS, self.note, Shown(10, form, 3, login))
        self.server.start()
        self.outbox = Outbox(path)
        self.intake = Intake(self.outbox.put)
        url = self.server.url.removesuffix(f"{PREFIX.removeprefix('/aemp')}1")
        self.settings = AempSettings(url, poll_s=0.05, **settings)
        self.now_us = START_US
        self.current: dict[tuple[str, str], bytes] = {}
        self.send()
        self.switch_on()

    def switch_on(self) -> None:
        self.supervisor = Supervisor({"feed": AempDriver("feed", self.settings)}, self.intake.put)
        self.supervisor.start(lambda: None)

    def note(self, pin: str, element: Element) -> None:
        with self.lock:
            self.served.add(encode(reading(pin, element)))

    def send(self) -> None:
        self.now_us += 60_000_000
        for pin, element in self.server.send(self.now_us):
            text = encode(reading(pin, element))
            self.sent[text] = None
            self.current[pin, element.name] = text

    def told(self, *, states: bool = False) -> Counter[bytes]:
        """What is in the outbox of machines, or else of the device itself."""
        found: Counter[bytes] = Counter()
        for line in self.outbox.lines():
            seq = 1
            while rows := self.outbox.rows(line.epoch, seq, 500):
                found.update(text for _, text in rows if self.is_state(text) == states)
                seq = rows[-1][0] + 1
        return found

    @staticmethod
    def is_state(text: bytes) -> bool:
        each = decode(text)
        return isinstance(each, DeviceEvent) and each.name in STATES

    def until(self, true: Callable[[], bool], seconds: float = 15.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, (self.supervisor.devices(), self.server.asked)
            time.sleep(0.02)

    def has_all(self) -> bool:
        return set(self.current.values()) <= self.told().keys()

    def close(self) -> None:
        self.server.stop()
        self.supervisor.stop(5)
        assert self.intake.close(5) == 0
        self.outbox.close()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pair]]:
    monkeypatch.setattr(supervisor_module, "FIRST_BACKOFF_S", 0.05)
    monkeypatch.setattr(aemp, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(aemp_fetch, "PAGE_S", 0.3)
    monkeypatch.setattr(aemp_fetch, "LEAST_RETRY_S", 0.2)
    monkeypatch.setattr(aemp_fetch, "MOST_RETRY_S", 0.2)
    pairs: list[Pair] = []

    def made(form: Form = "xml", login: str = "", **settings: Any) -> Pair:
        pairs.append(Pair(tmp_path / "outbox.db", form, login, **settings))
        return pairs[-1]

    yield made
    for each in pairs:
        each.close()


@pytest.mark.parametrize("form", ["xml", "json"])
def test_every_value_arrives_and_once(make: Callable[..., Pair], form: Form) -> None:
    both = make(form)
    for _ in range(5):
        both.until(both.has_all)
        both.send()
    both.until(both.has_all)
    told = both.told()
    assert told == Counter(both.sent.keys())
    [state] = both.supervisor.devices()
    assert (state.state, state.bad_frames) == ("reading", 0)


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_every_value_is_there_and_once(make: Callable[..., Pair], fault: str) -> None:
    both = make("json" if fault in {"loop", "busy"} else "xml")
    both.until(both.has_all)
    both.server.fault(fault, 60)
    asked = both.server.asked
    for _ in range(3):
        both.send()
        time.sleep(FAULT_S / 4)
    both.until(lambda: both.server.asked > asked + 1)
    both.until(lambda: bool(both.told(states=True)))  # it is noticed, also where half a second is soon over
    both.server.fault("", 0)
    both.until(both.has_all)
    both.send()
    both.until(both.has_all)
    both.until(lambda: both.supervisor.devices()[0].state == "reading")
    told = both.told()
    assert set(told.values()) == {1}
    assert told.keys() <= both.sent.keys()
    assert both.served <= told.keys()


def test_a_gateway_that_starts_again_tells_only_what_is_there(make: Callable[..., Pair]) -> None:
    both = make()
    both.until(both.has_all)
    assert both.supervisor.stop(5) == []
    both.switch_on()
    both.send()
    both.until(both.has_all)
    told = both.told()
    assert told.keys() <= both.sent.keys()
    assert max(told.values()) == 2, "once more after the start, which is harmless"


def test_a_password_is_asked_for(make: Callable[..., Pair], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    both = make(login="fleet:pass", username="fleet", password_file=str(secret))
    both.until(lambda: both.supervisor.devices()[0].state == "refused")
    assert both.told() == Counter()
    secret.write_text("pass\n")
    both.until(both.has_all)
