"""What one LLRP connection says unasked: tag reports, events, and by both how the reader's clock stands."""

import logging
import time
from collections.abc import Iterable

from edge.clock_offset import NEAR_ZERO_US, ClockOffset
from edge.driver import DeviceLost, Health
from edge.drivers import llrp_control
from edge.drivers.llrp_frame import ERROR_MESSAGE, EVENT, RO_ACCESS_REPORT, kind_of
from edge.drivers.llrp_report import TagRead, tag_reads
from edge.sightings import Heard, Sightings
from models.reading import DeviceEvent, from_micros, micros
from models.wire import NEWEST

_LAST_US = micros(NEWEST)
log = logging.getLogger(__name__)


class Unasked:
    """Frames in, sightings and device events out. Made anew for each connection."""

    def __init__(self, device: str, window_s: float, health: Health) -> None:
        self.sightings = Sightings(device, window_s)
        self.offset = ClockOffset()
        self.reported = time.monotonic()
        self.answers_polls = True
        self.greeting: str | None = None
        self._uptime = ClockOffset()
        self._device = device
        self.health = health
        self._events: list[DeviceEvent] = []

    def events(self) -> list[DeviceEvent]:
        """The device events since the last call."""
        events, self._events = self._events, []
        return events

    def take(self, frame: bytes) -> None:
        """One frame that answers no request. Raises BadFrame, or DeviceLost if the reader says goodbye."""
        kind = kind_of(frame)
        if kind == RO_ACCESS_REPORT:
            self._report(tag_reads(frame))
        elif kind == EVENT:
            self._event(llrp_control.reader_event(llrp_control.decode(frame)[1]))
        elif kind == ERROR_MESSAGE:
            words = llrp_control.status_words(llrp_control.decode(frame)[1])
            log.info("%s: %s; reports are not asked for any more", self._device, words)
            self.answers_polls = False

    def _report(self, reads: list[TagRead]) -> None:
        host_us, now = host_time_us(), time.monotonic()
        self.reported = now
        utc = _newest(read.last_utc or read.first_utc for read in reads)
        uptime = _newest(read.last_uptime or read.first_uptime for read in reads)
        if utc:
            self.offset.add(host_us, utc)
        elif uptime:
            self._uptime.add(host_us, uptime)
        for read in reads:
            if read.epc and read.antenna:
                self.sightings.add(self._heard(read, host_us), now)
            else:
                self.health.bad_frame("tag report without an EPC or an antenna")

    def _heard(self, read: TagRead, host_us: int) -> Heard:
        """A read in the host's time. Nothing is seen after it is told: such a time is not used."""
        last, first, correction = read.last_utc or read.first_utc, read.first_utc, self.offset.correction_us
        device_at = last if last and last < _LAST_US else None
        if device_at is None:
            last, first = read.last_uptime or read.first_uptime, read.first_uptime
            correction = self._uptime.estimate or 0
        at = last + correction if last else host_us
        if not 0 < at <= host_us + NEAR_ZERO_US:
            at = host_us
        first_at = first + correction if first else at
        return Heard(
            epc=read.epc,
            antenna=read.antenna or 0,
            at=at,
            first_at=first_at if 0 < first_at <= at else at,
            device_at=None if device_at == at else device_at,
            rssi_dbm=read.rssi_dbm,
            count=read.count or 1,
            channel=read.channel,
            phase_rad=read.phase_rad,
            doppler_hz=read.doppler_hz,
        )

    def _event(self, event: llrp_control.ReaderEvent) -> None:
        if event.utc_us and event.utc_us < _LAST_US:
            self.offset.add(host_time_us(), event.utc_us)
        if event.connection is not None:
            self.greeting = event.connection
        if event.antenna is not None:
            self._publish("antenna_up" if event.antenna_up else "antenna_down", f"antenna {event.antenna}")
        if event.overflow:
            self._publish("overrun", "the reader's report buffer was full: it has lost reads")
        if event.exception is not None:
            log.warning("%s: reader exception: %s", self._device, event.exception)
        if event.closed:
            msg = "the reader ended the session"
            raise DeviceLost(msg)

    def _publish(self, name: str, detail: str) -> None:
        self._events.append(DeviceEvent(self._device, from_micros(host_time_us()), name, detail))


def host_time_us() -> int:
    """The host's clock, microseconds UTC."""
    return time.time_ns() // 1000


def _newest(times: Iterable[int | None]) -> int:
    """The latest time that can be one, 0 if there is none."""
    return max((at for at in times if at and at < _LAST_US), default=0)
