"""Fixed UHF readers by LLRP 1.0.1 (Impinj, Zebra, Alien, ...): one inventory that never stops, reported as it goes.

The reader is set up from nothing on each connection: its old ROSpecs are deleted, ours added and started. Unasked come
every n tags; GET_REPORT asks for the rest when they are late, because a reader may merge all reads of a lone tag into
one entry and then never reaches n.
"""

import logging
import socket
import time
from contextlib import closing, suppress
from threading import Event
from typing import Annotated

from msgspec import Meta, Struct

from edge.address import host_port
from edge.clock_offset import STEP_US, ClockOffset
from edge.driver import BadFrame, DeviceLost, DeviceRefused, Health, Put
from edge.drivers import llrp_control
from edge.drivers.llrp_frame import GET_REPORT, header
from edge.drivers.llrp_session import TICK_S, Session
from edge.drivers.llrp_unasked import Unasked, host_time_us
from models.reading import DeviceEvent, Reading, from_micros
from models.wire import Reply

PORT = 5084
_CONNECT_S = 5.0
log = logging.getLogger(__name__)

Antenna = Annotated[int, Meta(ge=1, le=255)]


class LlrpSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "llrp"."""

    address: str
    """HOST or HOST:PORT; port 5084 if none."""
    antennas: tuple[Antenna, ...] = ()
    """Antenna ports to use; empty: all that the reader has."""
    window_s: Annotated[float, Meta(ge=0.05, le=60)] = 0.5
    """Reads of one tag at one antenna within this time are one reading."""
    report_every_n: Annotated[int, Meta(ge=1, le=1000)] = 10
    """The reader reports every n tags."""
    report_poll_s: Annotated[float, Meta(ge=0, le=60)] = 0.5
    """After this long without a report it is asked for one; 0: never."""
    keepalive_s: Annotated[float, Meta(ge=0.1, le=600)] = 5.0
    """The reader says so often that it is alive; three silent intervals are a loss."""
    session: Annotated[int, Meta(ge=0, le=3)] = 1
    """Gen2 session: 0 and 1 read a tag that stays again and again, 2 and 3 seldom."""
    tag_population: Annotated[int, Meta(ge=1, le=65535)] = 32
    """Tags expected at once."""
    tx_power_dbm: float | None = None
    """Transmit power; left as the reader has it if not given."""

    def __post_init__(self) -> None:
        host_port(self.address, PORT)


class LlrpDriver:
    """One fixed reader."""

    def __init__(self, device: str, settings: LlrpSettings) -> None:
        self._device = device
        self._settings = settings
        self._published_offset_us = 0

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. Raises DeviceLost, DeviceRefused (busy, or a setting it does not take)."""
        with closing(self._connect()) as connection:
            unasked = Unasked(self._device, self._settings.window_s, health)
            session = Session(connection, unasked, stop, self._settings.keepalive_s)
            try:
                self._set_up(session, unasked)
                health.reading()
                self._read(session, unasked, put, stop)
            finally:
                put(unasked.sightings.flush())
                if stop.is_set():
                    _say_goodbye(session)

    def reply(self, reply: Reply) -> None:
        """A reader has no person before it."""

    def probe(self) -> str:
        """Connect and hear the reader's greeting. Raises DeviceLost."""
        with closing(self._connect()) as connection:
            unasked = Unasked(self._device, self._settings.window_s, _Silent())
            session = Session(connection, unasked, Event(), self._settings.keepalive_s)
            _expect_greeting(session, unasked)
            session.send("CLOSE_CONNECTION")
        return f"an LLRP reader answers at {self._settings.address}"

    def _connect(self) -> socket.socket:
        host, port = host_port(self._settings.address, PORT)
        try:
            return socket.create_connection((host, port), timeout=_CONNECT_S)
        except OSError as error:
            msg = f"connecting to {host}:{port}: {error}"
            raise DeviceLost(msg) from error

    def _set_up(self, session: Session, unasked: Unasked) -> None:
        """From greeting to a running radio. Raises DeviceLost, DeviceRefused."""
        settings = self._settings
        inventory = llrp_control.Inventory(
            settings.antennas,
            settings.report_every_n,
            settings.session,
            settings.tag_population,
            settings.tx_power_dbm,
        )
        try:
            _expect_greeting(session, unasked)
            reader = llrp_control.capabilities(session.request("GET_READER_CAPABILITIES", RequestedData=0))
            config = session.request("GET_READER_CONFIG", RequestedData=0)
            session.request("SET_READER_CONFIG", **llrp_control.reader_config(settings.keepalive_s))
            session.request("DELETE_ROSPEC", ROSpecID=0)
            session.request("ADD_ROSPEC", **llrp_control.rospec(inventory, reader))
            session.request("ENABLE_ROSPEC", ROSpecID=llrp_control.ROSPEC_ID)
            session.request("START_ROSPEC", ROSpecID=llrp_control.ROSPEC_ID)
            if llrp_control.holds_reports(config):
                session.send("ENABLE_EVENTS_AND_REPORTS")
        except BadFrame as error:
            msg = f"setting up: {error}"
            raise DeviceLost(msg) from error
        log.info("%s: reader with %d antennas, firmware %s", self._device, reader.antennas, reader.firmware)

    def _read(self, session: Session, unasked: Unasked, put: Put, stop: Event) -> None:
        poll_s = self._settings.report_poll_s
        while not stop.is_set():
            now = time.monotonic()
            wait_s = unasked.sightings.wait_s(now)
            session.read(min(TICK_S, poll_s or TICK_S, TICK_S if wait_s is None else wait_s))
            now = time.monotonic()
            readings: list[Reading] = [
                *unasked.events(),
                *self._clock_step(unasked.offset),
                *unasked.sightings.due(now),
            ]
            if readings:
                put(readings)
            if poll_s and unasked.answers_polls and now - unasked.reported >= poll_s:
                unasked.reported = now
                session.send_bytes(header(GET_REPORT, session.next_id()))

    def _clock_step(self, offset: ClockOffset) -> list[DeviceEvent]:
        estimate, before = offset.estimate, self._published_offset_us
        if estimate is None or abs(estimate - before) <= STEP_US:
            return []
        self._published_offset_us = estimate
        detail = f"host - reader = {estimate / 1e6:.3f} s, was {before / 1e6:.3f} s"
        return [DeviceEvent(self._device, from_micros(host_time_us()), "clock_offset", detail)]


class _Silent:
    """Health of a device that is only tried."""

    def reading(self) -> None:
        """Nobody is told."""

    def bad_frame(self, why: str) -> None:
        """Nobody counts."""


def _expect_greeting(session: Session, unasked: Unasked) -> None:
    """The ConnectionAttemptEvent that a reader opens with. Raises DeviceRefused if it has another client."""
    until = time.monotonic() + _CONNECT_S
    while unasked.greeting is None:
        if time.monotonic() > until:
            msg = f"no LLRP greeting within {_CONNECT_S:g} s: is this the reader's LLRP port?"
            raise DeviceLost(msg)
        session.read(TICK_S)
    if unasked.greeting != "Success":
        msg = f"reader busy: {unasked.greeting}"
        raise DeviceRefused(msg)


def _say_goodbye(session: Session) -> None:
    """Stop the radio and close, without waiting: the reader may be gone already."""
    with suppress(DeviceLost):
        session.send("DELETE_ROSPEC", ROSpecID=0)
        session.send("CLOSE_CONNECTION")
