"""A thread per device: opened again for ever, its state known, one log line on loss and one on recovery."""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event, Lock, Thread

from edge.driver import DeviceLost, DeviceRefused, Driver, Listens, Put
from edge.flow import Flow
from models.reading import DeviceEvent, Reading
from models.wire import DeviceState, Reply

FIRST_BACKOFF_S, MAX_BACKOFF_S = 1.0, 30.0
STEADY_S = 5.0
BAD_FRAMES_EVERY_S = 60.0
_MAX_DETAIL = 1024
log = logging.getLogger(__name__)


def backoff_s(failures: int, chance: float) -> float:
    """Seconds before the next try after so many failures in a row: at once, then full jitter up to the cap.

    >>> [backoff_s(n, 1.0) for n in (1, 2, 3, 4, 9)]
    [0.0, 1.0, 2.0, 4.0, 30.0]
    """
    if failures <= 1:
        return 0.0
    return float(min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(failures - 2, 10)) * chance)


class Supervisor:
    """All devices of a gateway."""

    def __init__(
        self, drivers: Mapping[str, Driver], put: Put, flow: Callable[[str, Event], Flow] | None = None
    ) -> None:
        """`flow`, if given, makes what a device's readings go through, by its name; events go to `put`."""
        self._stop = Event()
        self._devices: dict[str, _Device] = {}
        for name, driver in drivers.items():
            through = None if flow is None else flow(name, self._stop)
            self._devices[name] = _Device((name, driver), put, self._stop, through)
        self._threads: list[Thread] = []

    def start(self, changed: Callable[[], None]) -> None:
        """Open every device; `changed` is called, from any thread, whenever a state changes."""
        for name, device in self._devices.items():
            device.changed = changed
            thread = Thread(target=device.run, name=f"device {name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout_s: float) -> list[str]:
        """Ask every device to end, and wait. The names of those that did not in time."""
        self._stop.set()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in self._threads if thread.is_alive()]

    def devices(self) -> list[DeviceState]:
        """How each device stands, in the order of the configuration."""
        return [device.snapshot() for device in self._devices.values()]

    def trackers(self) -> dict[str, int] | None:
        """Those of all drivers that trackers connect to, added up; None if there is no such driver."""
        counts = [device.driver.trackers() for device in self._devices.values() if isinstance(device.driver, Listens)]
        return {name: sum(count[name] for count in counts) for name in counts[0]} if counts else None

    def reply(self, reply: Reply) -> None:
        """Feedback for the person at a device, also in the log; one for an unknown device is dropped."""
        device = self._devices.get(reply.device)
        if device is not None:
            log.info("%s: scan %s: %r", reply.device, "taken" if reply.ok else "refused", reply.text)
            device.driver.reply(reply)


class _Device:
    """One device's thread and what is known of it."""

    def __init__(self, which: tuple[str, Driver], put: Put, stop: Event, flow: Flow | None) -> None:
        self._name, self.driver = which
        self.changed: Callable[[], None] = _nobody
        self._put = put
        self._flow = flow
        self._stop = stop
        self._lock = Lock()
        self._state, self._since = "connecting", datetime.now(UTC)
        self._readings = self._bad_frames = self._bad_published = 0
        self._bad_at = -BAD_FRAMES_EVERY_S
        self._bad_why = ""
        self._steady_from = float("inf")
        self._last_bug = ""
        self._told: set[str] = set()

    def run(self) -> None:
        """The thread: run the driver again and again until stop."""
        failures = 0
        while not self._stop.is_set():
            self._steady_from = float("inf")
            try:
                self.driver.run(self._deliver, self, self._stop)
                state, why = "lost", "the driver ended"
            except DeviceRefused as error:
                state, why = "refused", str(error)
            except DeviceLost as error:
                state, why = "lost", str(error)
            except Exception as error:  # noqa: BLE001 - the top of a thread: a bug must not end the device for good
                state, why = "lost", self._bug(error)
            if self._stop.is_set():
                break
            failures = 1 if time.monotonic() > self._steady_from else failures + 1
            self._down(state, why)
            self._stop.wait(backoff_s(failures, random.random()))  # noqa: S311 - jitter, not a secret
        self._publish_bad_frames()
        if self._flow is not None:
            self._flow.tell(at_once=True)

    def snapshot(self) -> DeviceState:
        """For the status."""
        if self._flow is not None:
            self._flow.tell_beside()
        with self._lock:
            return DeviceState(self._name, self._state, self._since, self._readings, self._bad_frames)

    def reading(self) -> None:
        """Health: the device answers and is set up."""
        self._steady_from = time.monotonic() + STEADY_S
        was = self._enter("reading")
        if was in {"lost", "refused"}:
            self._publish("restored", None)
        self._told.clear()
        if was != "reading":
            log.info("%s: reading%s", self._name, "" if was == "connecting" else " again")

    def bad_frame(self, why: str) -> None:
        """Health: one frame was skipped. The first is published at once, further ones once a minute."""
        with self._lock:
            self._bad_frames += 1
            self._bad_why = why
        if time.monotonic() - self._bad_at >= BAD_FRAMES_EVERY_S:
            self._publish_bad_frames()

    def _deliver(self, readings: Sequence[Reading]) -> "Future[None]":
        with self._lock:
            self._readings += len(readings)
        if self._bad_frames > self._bad_published and time.monotonic() - self._bad_at >= BAD_FRAMES_EVERY_S:
            self._publish_bad_frames()
        return self._put(readings) if self._flow is None else self._flow.put(readings)

    def _down(self, state: str, why: str) -> None:
        """Lost or refused: each told once per outage, however often one follows the other."""
        self._enter(state)
        if state not in self._told:
            self._told.add(state)
            log.warning("%s: %s: %s; trying again until it answers", self._name, state, why)
            self._publish(state, why)

    def _enter(self, state: str) -> str:
        """Change the state; returns the one before."""
        with self._lock:
            was, self._state = self._state, state
            if was == state:
                return was
            self._since = datetime.now(UTC)
        self.changed()
        return was

    def _bug(self, error: Exception) -> str:
        """One traceback for each error, not for each repetition of it."""
        bug = f"{type(error).__name__}: {error}"
        if bug != self._last_bug:
            log.error("%s: the driver failed", self._name, exc_info=error)
        self._last_bug = bug
        return bug

    def _publish_bad_frames(self) -> None:
        with self._lock:
            new, self._bad_published = self._bad_frames - self._bad_published, self._bad_frames
            why = self._bad_why
        if new:
            self._bad_at = time.monotonic()
            self._publish("bad_frames", f"{new}, the last: {why}")

    def _publish(self, name: str, detail: str | None) -> None:
        self._put([DeviceEvent(self._name, datetime.now(UTC), name, detail and detail[:_MAX_DETAIL])])


def _nobody() -> None:
    """Changes before anybody listens."""
