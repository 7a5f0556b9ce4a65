"""What one LLRP connection says unasked: tag reports go to the hearing, events become device and input readings."""

import logging
import math
import time
from collections.abc import Callable
from typing import Protocol

from edge.clock_offset import NEAR_ZERO_US
from edge.driver import DeviceLost, Health
from edge.drivers import llrp_control
from edge.drivers.epc_prefix import wanted
from edge.drivers.llrp_frame import ERROR_MESSAGE, EVENT, RO_ACCESS_REPORT, UNASKED, id_of, kind_of
from edge.drivers.llrp_heard import LAST_US, Hearing, host_time_us
from edge.drivers.llrp_settings import LlrpSettings
from models.reading import DeviceEvent, Input, Reading, from_micros

COMPLAINTS_EVERY_S = 60.0
MANY = 1000
"""So many readings are passed on at once: a reader may tell much while it is being set up."""
_MAX_DETAIL = 1000
log = logging.getLogger(__name__)


class Captures(Protocol):
    """What keeps the frames that a reader sends of itself."""

    def frame(self, host_us: int, frame: bytes) -> None:
        """One whole frame, and when it came: the host's microseconds UTC."""


class Complaints:
    """What one reader complains of, over its connections: the first is told at once, further ones once a minute."""

    def __init__(self) -> None:
        self._told_at = -math.inf
        self._count = 0
        self._last = ""

    def add(self, words: str) -> None:
        """One exception, or an error message that answers nothing."""
        self._count += 1
        self._last = words

    def due(self, now: float) -> str | None:
        """What is to be told at `now`, monotonic seconds, if anything is."""
        if not self._count or now < self._told_at + COMPLAINTS_EVERY_S:
            return None
        count, self._count, self._told_at = self._count, 0, now
        return self._last if count == 1 else f"{count}, the last: {self._last}"


class Unasked:
    """Frames in, sightings and other readings out. Made anew for each connection."""

    def __init__(self, device: str, settings: LlrpSettings, health: Health, capture: Captures | None = None) -> None:
        self.hearing = Hearing(device, settings.window_s, health)
        self.hearing.wanted = wanted(settings.include, settings.exclude)
        self.complaints = Complaints()
        self.spill: Callable[[list[Reading]], object] = _nowhere
        """Takes readings when MANY wait; a reader that is only tried has none to tell."""
        self.polled: int | None = None
        """The id of the last request for a report."""
        self.may_fail: int | None = None
        """The id of a request whose answer does not matter."""
        self.answers_polls = True
        self.greeting: str | None = None
        self.inputs: dict[int, bool] = {}
        """The last state of each input that was told, by port."""
        self.health = health
        self._device = device
        self._names = settings.inputs()
        self._capture = capture
        self._readings: list[DeviceEvent | Input] = []

    def readings(self) -> list[DeviceEvent | Input]:
        """The device and input readings since the last call."""
        self._complain()
        readings, self._readings = self._readings, []
        return readings

    def take(self, frame: bytes) -> None:
        """One frame that answers no request. Raises BadFrame, or DeviceLost if the reader says goodbye."""
        kind = kind_of(frame)
        if self._capture is not None and kind in UNASKED:
            self._capture.frame(host_time_us(), frame)
        if kind == RO_ACCESS_REPORT:
            self.hearing.report(frame)
        elif kind == EVENT:
            self._event(llrp_control.reader_event(llrp_control.decode(frame)[1]))
        elif kind == ERROR_MESSAGE:
            self._error(id_of(frame), llrp_control.status_words(llrp_control.decode(frame)[1]))
        if len(self._readings) + self.hearing.sightings.ended >= MANY:
            self.spill([*self.readings(), *self.hearing.sightings.take()])

    def publish(self, name: str, detail: str) -> None:
        """A device event of now, with the next readings."""
        self._readings.append(DeviceEvent(self._device, from_micros(host_time_us()), name, detail[:_MAX_DETAIL]))

    def input(self, port: int, on: bool, utc_us: int | None = None) -> None:  # noqa: FBT001 - the reading's own field
        """The state of an input, told at `utc_us` by the reader's clock; published if the input has a name."""
        self.inputs[port] = on
        name = self._names.get(port)
        if name is None:
            return
        host_us = host_time_us()
        at, device_at = host_us, utc_us if utc_us and utc_us < LAST_US else None
        if device_at is not None and 0 < device_at + self.hearing.offset.correction_us <= host_us + NEAR_ZERO_US:
            at = device_at + self.hearing.offset.correction_us
        told_at = None if device_at is None or device_at == at else from_micros(device_at)
        self._readings.append(Input(self._device, from_micros(at), name, on, told_at))

    def _error(self, number: int, words: str) -> None:
        """An error message about request `number`; some readers say 0."""
        if number == self.may_fail:
            return
        if self.polled is None or number not in (0, self.polled):
            self.complaints.add(f"error message: {words}")
        elif self.answers_polls:
            log.info("%s: %s; reports are not asked for any more", self._device, words)
            self.answers_polls = False

    def _complain(self) -> None:
        words = self.complaints.due(time.monotonic())
        if words is not None:
            log.warning("%s: reader exception: %s", self._device, words[:_MAX_DETAIL])
            self.publish("reader_exception", words)

    def _event(self, event: llrp_control.ReaderEvent) -> None:
        self.hearing.told_utc(event.utc_us)
        if event.connection is not None:
            self.greeting = event.connection
        if event.antenna is not None:
            self.publish("antenna_up" if event.antenna_up else "antenna_down", f"antenna {event.antenna}")
        if event.gpi is not None:
            self.input(event.gpi, event.gpi_on, event.utc_us)
        if event.buffer_percent is not None:
            self.publish("buffer_warning", f"the reader's report buffer is {event.buffer_percent} % full")
        if event.overflow:
            self.publish("overrun", "the reader's report buffer was full: it has lost reads")
        if event.exception is not None:
            self.complaints.add(event.exception)
            self._complain()
        if event.closed:
            self.publish("connection_closed", "the reader ended the session")
            msg = "the reader ended the session"
            raise DeviceLost(msg)


def _nowhere(_readings: list[Reading]) -> None:
    """Nobody is told."""
