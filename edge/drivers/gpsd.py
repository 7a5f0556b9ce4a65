"""GPS receivers that a gpsd on this machine or another one serves: its JSON over TCP.

gpsd knows receivers that speak other languages than NMEA, shares one among programs, and disciplines clocks with it.
It is asked to watch and nothing else; the receiver is set up where gpsd is.
"""

import socket
import time
from contextlib import closing
from threading import Event
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from edge.address import host_port
from edge.driver import BadFrame, DeviceLost, DeviceRefused, Health, Put
from edge.drivers.fix_pace import Pace
from edge.drivers.gpsd_report import PROTOCOL, Error, Reports, Sky, Tpv, Version, decode
from models.reading import Fix, from_micros
from models.wire import Reply

PORT = 2947
"""IANA's for gpsd."""
TICK_S, CONNECT_S = 0.1, 5.0
QUIET_S = 0.5
"""A slow receiver takes so long between the sentences that gpsd reports one time from."""
MAX_LINE_BYTES = 65_536
_READ_BYTES = 16_384
_SHOWN = 60


class GpsdSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "gpsd"."""

    address: str = f"127.0.0.1:{PORT}"
    """HOST:PORT of gpsd; 2947 if the port is not said."""
    gpsd_device: Annotated[str, Meta(max_length=127)] = ""
    """Which of gpsd's receivers, as it calls it: /dev/ttyACM0. Empty: the first that it reports of."""
    every_s: Annotated[float, Meta(ge=0, le=86_400)] = 1.0
    """The shortest time between two fixes; a change between fix and no fix is told at once. 0: every fix."""
    silent_s: Annotated[float, Meta(ge=1, le=86_400)] = 30.0
    """Without a report for so long the receiver is lost: it is off, or not plugged in."""

    def __post_init__(self) -> None:
        host_port(self.address, PORT, "address")


class GpsdDriver:
    """One receiver of one gpsd."""

    def __init__(self, device: str, settings: GpsdSettings) -> None:
        self._settings = settings
        self._reports = Reports(device, settings.gpsd_device)
        self._pace = Pace(settings.every_s)

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. Raises DeviceLost when gpsd or the receiver goes, DeviceRefused when gpsd says no."""
        with closing(self._connect()) as connection:
            self._reports.begin()
            try:
                self._read(_Link(connection), put, health, stop)
            finally:
                self._tell(self._reports.pause(), put)

    def reply(self, reply: Reply) -> None:
        """A receiver has no person before it."""

    def probe(self) -> str:
        """Connect and wait for the greeting. Raises DeviceLost, DeviceRefused."""
        with closing(self._connect()) as connection:
            version = self._greeting(_Link(connection), Event())
        return f"gpsd {version.release if version else '?'} answers at {self._settings.address}"

    def _connect(self) -> socket.socket:
        host, port = host_port(self._settings.address, PORT)
        try:
            connection = socket.create_connection((host, port), timeout=CONNECT_S)
        except (OSError, UnicodeError) as error:  # the latter of a name that cannot be one
            msg = f"connecting to {host}:{port}: {error}"
            raise DeviceLost(msg) from error
        connection.settimeout(TICK_S)
        return connection

    def _greeting(self, link: "_Link", stop: Event) -> Version | None:
        """Gpsd speaks first; None when stopped before. Raises DeviceLost, DeviceRefused."""
        until = time.monotonic() + CONNECT_S
        while time.monotonic() < until:
            if stop.is_set():
                return None
            for line in link.lines():
                try:
                    version = decode(line)
                except BadFrame:
                    version = None
                if not isinstance(version, Version):
                    msg = f"gpsd's greeting expected, got {line[:_SHOWN]!r}"
                    raise DeviceLost(msg)
                if version.proto_major != PROTOCOL:
                    msg = f"gpsd {version.release}: its protocol {PROTOCOL} expected, got {version.proto_major}"
                    raise DeviceRefused(msg)
                return version
        msg = f"no greeting within {CONNECT_S:g} s: is this gpsd's port?"
        raise DeviceLost(msg)

    def _read(self, link: "_Link", put: Put, health: Health, stop: Event) -> None:
        if self._greeting(link, stop) is None:
            return
        watch: dict[str, object] = {"class": "WATCH", "enable": True, "json": True}
        if self._settings.gpsd_device:
            watch["device"] = self._settings.gpsd_device
        link.send(b"?WATCH=" + msgspec.json.encode(watch) + b";\n")
        is_told = False
        heard = spoke = time.monotonic()
        while not stop.is_set():
            lines = link.lines()
            now = time.monotonic()
            if lines:
                heard = now
            elif now - heard >= QUIET_S:
                self._tell(self._reports.pause(), put)
            for why in link.wrong():
                health.bad_frame(why)
            if self._take(lines, put, health):
                spoke = now
                if not is_told:
                    health.reading()
                    is_told = True
            if now - spoke >= self._settings.silent_s:
                msg = f"gpsd answers, but reports no receiver for {self._settings.silent_s:g} s"
                raise DeviceLost(msg)

    def _take(self, lines: list[bytes], put: Put, health: Health) -> bool:
        """Whether the receiver reports in any of them. Raises DeviceRefused."""
        received_at = from_micros(time.time_ns() // 1000)
        is_any = False
        for line in lines:
            try:
                report = decode(line)
            except BadFrame as error:
                health.bad_frame(str(error))
                continue
            if isinstance(report, Error):
                msg = f"gpsd: {report.message}"
                raise DeviceRefused(msg)
            if isinstance(report, Tpv | Sky) and self._reports.concerns(report):
                is_any = True
                self._tell(self._reports.take(report, received_at), put)
        return is_any

    def _tell(self, fix: Fix | None, put: Put) -> None:
        if fix is not None and self._pace.tells(fix):
            put([fix])


class _Link:
    """A connection to gpsd as lines."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self._is_overrun = False
        self._wrong: list[str] = []

    def send(self, data: bytes) -> None:
        """All of it. Raises DeviceLost."""
        try:
            self._connection.sendall(data)
        except OSError as error:
            msg = f"sending: {error}"
            raise DeviceLost(msg) from error

    def lines(self) -> list[bytes]:
        """The lines that have come, without their ends; none after TICK_S of silence. Raises DeviceLost."""
        try:
            data = self._connection.recv(_READ_BYTES)
        except TimeoutError:
            return []
        except OSError as error:
            msg = f"reading: {error}"
            raise DeviceLost(msg) from error
        if not data:
            msg = "gpsd hung up"
            raise DeviceLost(msg)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if lines and self._is_overrun:
            del lines[0]
            self._is_overrun = False
        if len(self._buffer) > MAX_LINE_BYTES:
            if not self._is_overrun:
                self._wrong.append(f"gpsd: a line of at most {MAX_LINE_BYTES} bytes expected")
            self._buffer, self._is_overrun = b"", True
        return [line for line in lines if line.strip()]

    def wrong(self) -> list[str]:
        """What was too long since the last time of asking."""
        wrong, self._wrong = self._wrong, []
        return wrong
