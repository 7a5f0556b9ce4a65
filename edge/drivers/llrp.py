"""Fixed UHF readers by LLRP 1.0.1 (Impinj, Zebra, Alien, ...): one inventory that never stops, reported as it goes.

The reader is set up from nothing on each connection: its old ROSpecs are deleted, ours added and started. Unasked come
every n tags; GET_REPORT asks for the rest when they are late, because a reader may merge all reads of a lone tag into
one entry and then never reaches n.
"""

import time
from contextlib import closing
from pathlib import Path
from threading import Event

from edge.clock_offset import STEP_US, ClockOffset
from edge.driver import Health, Put
from edge.drivers.llrp_antennas import Antennas
from edge.drivers.llrp_capture import Capture
from edge.drivers.llrp_connect import connect, expect_greeting, say_goodbye
from edge.drivers.llrp_heard import host_time_us
from edge.drivers.llrp_session import TICK_S, Session
from edge.drivers.llrp_settings import LlrpSettings
from edge.drivers.llrp_setup import ask_report, check, set_up
from edge.drivers.llrp_unasked import Complaints, Unasked
from models.reading import DeviceEvent, Reading, from_micros
from models.wire import Reply

__all__ = ["LlrpDriver", "LlrpSettings", "Silent"]
_MEBIBYTE = 2**20


class LlrpDriver:
    """One fixed reader."""

    def __init__(self, device: str, settings: LlrpSettings) -> None:
        self._device = device
        self._settings = settings
        self._published_offset_us = 0
        self._antennas = Antennas(settings.antenna_quiet_s, settings.antennas)
        self._complaints = Complaints()
        file = settings.capture
        self._capture = Capture(Path(file), settings.capture_mb * _MEBIBYTE) if file else None

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. Raises DeviceLost, DeviceRefused (busy, or a setting it does not take)."""
        with closing(connect(self._settings)) as connection:
            unasked = Unasked(self._device, self._settings, health, self._capture)
            unasked.complaints, unasked.spill = self._complaints, put
            session = Session(connection, unasked, stop, self._settings.keepalive_s)
            try:
                expect_greeting(session, unasked)
                set_up(self._device, self._settings, session, unasked)
                health.reading()
                self._read(session, unasked, put, stop)
            finally:
                put([*unasked.readings(), *unasked.hearing.sightings.flush()])
                if stop.is_set():
                    say_goodbye(session)
                    put([*unasked.readings(), *unasked.hearing.sightings.flush()])
                if self._capture is not None:
                    self._capture.close()

    def reply(self, reply: Reply) -> None:
        """A reader has no person before it."""

    def probe(self) -> str:
        """Connect, and ask the reader whether it can do what the settings say. Raises DeviceLost, DeviceRefused."""
        with closing(connect(self._settings)) as connection:
            unasked = Unasked(self._device, self._settings, Silent())
            session = Session(connection, unasked, Event(), self._settings.keepalive_s)
            expect_greeting(session, unasked)
            reader = check(self._settings, session)[0]
            session.send("CLOSE_CONNECTION")
        return f"an LLRP reader of {reader.antennas} antennas, firmware {reader.firmware}, takes these settings"

    def _read(self, session: Session, unasked: Unasked, put: Put, stop: Event) -> None:
        poll_s, hearing = self._settings.report_poll_s, unasked.hearing
        while not stop.is_set():
            now = time.monotonic()
            wait_s = hearing.sightings.wait_s(now)
            session.read(min(TICK_S, poll_s or TICK_S, TICK_S if wait_s is None else wait_s))
            now = time.monotonic()
            readings = self._readings(unasked, now)
            if readings:
                put(readings)
            if poll_s and unasked.answers_polls and now - hearing.reported >= poll_s:
                hearing.reported = now
                ask_report(session, unasked)

    def _readings(self, unasked: Unasked, now: float) -> list[Reading]:
        """What is to be put now."""
        sightings = unasked.hearing.sightings.due(now)
        self._antennas.alive(unasked.hearing.antennas)
        for tag in sightings:
            self._antennas.heard(tag.antenna, tag.epc, now)
        for name, detail in self._antennas.due(now):
            unasked.publish(name, detail)
        return [*unasked.readings(), *self._clock_step(unasked.hearing.offset), *sightings]

    def _clock_step(self, offset: ClockOffset) -> list[DeviceEvent]:
        estimate, before = offset.estimate, self._published_offset_us
        if estimate is None or abs(estimate - before) <= STEP_US:
            return []
        self._published_offset_us = estimate
        detail = f"host - reader = {estimate / 1e6:.3f} s, was {before / 1e6:.3f} s"
        return [DeviceEvent(self._device, from_micros(host_time_us()), "clock_offset", detail)]


class Silent:
    """Health of a device that is only tried."""

    def reading(self) -> None:
        """Nobody is told."""

    def bad_frame(self, why: str) -> None:
        """Nobody counts."""
