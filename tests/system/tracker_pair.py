"""What the tests of listening drivers share: a gateway with its outbox on a disk, and what simulated devices noted.

The disk may be slow and fail. A test adds the driver, the devices, and what goes wrong between them.
"""

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Generic, Protocol, TypeVar

import pytest

from edge import intake as intake_module
from edge import supervisor as supervisor_module
from edge.driver import Driver
from edge.intake import Intake
from edge.outbox import Outbox
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Reading
from models.wire import decode, encode


class Wire:
    """Between trackers and gateway: `cut` resets every connection, whatever is under way in either direction."""

    def __init__(self, gateway: tuple[str, int]) -> None:
        self.gateway = gateway
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.server.getsockname()
        self.ends: list[socket.socket] = []
        self.threads = [Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.server.accept()
                try:
                    far = socket.create_connection(self.gateway)
                except OSError:
                    near.close()
                    continue
                self.ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    self.threads.append(Thread(target=self.pump, args=(source, sink), daemon=True))
                    self.threads[-1].start()

    @staticmethod
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        for each in self.ends:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.threads[0].join()
        self.server.close()
        self.cut()
        for thread in self.threads:
            thread.join()
        for each in self.ends:
            each.close()


class Device(Protocol):
    def start(self) -> None: ...
    def stop(self, timeout_s: float) -> int: ...


R = TypeVar("R")
D = TypeVar("D", bound=Device)


class Gateway(Generic[R, D]):
    """A driver on an outbox, and devices; `acked` is what they noted, `too_early` what was not on the disk by then."""

    fail_share = 0.1

    def __init__(
        self,
        path: Path,
        driver: Callable[[str], Driver],
        readings: Callable[[str, R], Iterable[Reading]],
        *,
        slow: bool = False,
    ) -> None:
        self.driver, self.readings, self.slow = driver, readings, slow
        self.chance = random.Random(5)
        self.outbox = Outbox(path)
        self.intake = Intake(self.put)
        self.lock = Lock()
        self.durable: set[bytes] = set()
        self.acked: list[tuple[str, R]] = []
        self.too_early: list[R] = []
        self.bad_frames = 0
        self.devices: dict[str, D] = {}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address: tuple[str, int] = free.getsockname()
        self.switch_on()

    def switch_on(self) -> None:
        self.supervisor = Supervisor({"trackers": self.driver("{}:{}".format(*self.address))}, self.intake.put)
        self.supervisor.start(lambda: None)

    def switch_off(self) -> None:
        assert self.supervisor.stop(5) == []
        self.bad_frames += sum(device.bad_frames for device in self.supervisor.devices())

    def pause_s(self) -> float:
        return self.chance.uniform(0, 0.03)

    def put(self, some: Sequence[Reading]) -> "Future[None]":
        """A disk that is slow and now and then fails."""
        if self.slow:
            time.sleep(self.pause_s())
            if self.chance.random() < self.fail_share:
                failed: Future[None] = Future()
                failed.set_exception(OSError("the disk is full"))
                return failed
        done = self.outbox.put(some)
        done.add_done_callback(lambda _: self.keep(some))
        return done

    def keep(self, some: Sequence[Reading]) -> None:
        with self.lock:
            self.durable |= {encode(each) for each in some}

    def add(self, name: str, device: D) -> D:
        self.devices[name] = device
        device.start()
        return device

    def note(self, name: str, record: R) -> None:
        with self.lock:
            self.acked.append((name, record))
            if not self.said([(name, record)]) <= self.durable:
                self.too_early.append(record)

    def said(self, records: Iterable[tuple[str, R]]) -> set[bytes]:
        return {encode(each) for name, record in records for each in self.readings(name, record)}

    def texts(self) -> Iterator[bytes]:
        """Every reading that is in the outbox."""
        for line in self.outbox.lines():
            seq = 1
            while rows := self.outbox.rows(line.epoch, seq, 500):
                yield from (text for _, text in rows)
                seq = rows[-1][0] + 1

    def told(self) -> Counter[bytes]:
        """Every reading of a device that is in the outbox."""
        return Counter(text for text in self.texts() if not isinstance(decode(text), DeviceEvent))

    def until(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, (self.supervisor.devices(), len(self.acked))
            time.sleep(0.01)

    def close(self) -> None:
        for device in self.devices.values():
            device.stop(0)
        self.supervisor.stop(5)
        assert self.intake.close(5) == 0
        self.outbox.close()


def fixture_of(gateway: Callable[..., Gateway[Any, Any]]) -> Any:
    """A fixture that makes gateways on an outbox of the test and closes them."""

    @pytest.fixture
    def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Gateway[Any, Any]]]:
        monkeypatch.setattr(supervisor_module, "FIRST_BACKOFF_S", 0.1)
        monkeypatch.setattr(intake_module, "RETRY_S", 0.05)
        with ExitStack() as made:
            yield lambda *args, **named: made.enter_context(closing(gateway(tmp_path / "outbox.db", *args, **named)))

    return pair
