"""Serial and USB barcode scanners, by pyserial.

Set a USB scanner to its CDC mode ("USB serial", "virtual COM port"): it then is /dev/serial/by-id/usb-... and sends
bytes. Keyboard mode is not read: it loses FNC1, depends on a keyboard layout and types into whatever has the focus.
Let the scanner send the AIM identifier and end its scans with CR.
"""

import socket
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event
from typing import Annotated

import serial
from msgspec import Meta, Struct

from edge.driver import BadFrame, DeviceLost, Health, Put
from edge.drivers.scan_feedback import TEXT, Feedback
from edge.drivers.scan_frame import TERMINATORS, Framer, ScanFrame
from models.reading import Scan, from_micros
from models.wire import Reply

_WRITE_S = 1.0
_POLL_S = 0.05
"""The longest that feedback waits for the reading thread to notice it."""
_PROBES = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
"""A device server that lost its power is noticed within 25 s, though a scanner may rest for hours."""
_BYTES = ("prefix", "suffix", "feedback_ok", "feedback_bad", "feedback_text")


class ScannerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "serial_scanner". Of a byte string each character, at most U+00FF, is one byte."""

    port: Annotated[str, Meta(min_length=1)]
    """A device, best by a name that survives replugging (/dev/serial/by-id/...), or a pyserial URL."""
    baudrate: Annotated[int, Meta(ge=50, le=4_000_000)] = 9600
    """Bits per second; USB ignores it."""
    gap_s: Annotated[float, Meta(ge=0.01, le=5)] = 0.1
    """A silence that ends a scan without a terminator."""
    prefix: Annotated[str, Meta(max_length=64)] = ""
    """Byte string that leads each scan, before the AIM identifier; a scan without it is bad. Empty: STX or nothing."""
    suffix: Annotated[str, Meta(max_length=64)] = ""
    """Byte string that ends each scan, before CR, LF or ETX; a scan without it is bad."""
    symbology: Annotated[str, Meta(pattern=r"^(?:\][A-Za-z][0-9A-Za-z])?$(?!\n)")] = ""
    """AIM identifier to assume when the scanner sends none."""
    debounce_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    """The same code again within this time is left out; 0: every scan counts, as counting by scanning needs."""
    feedback_ok: Annotated[str, Meta(max_length=256)] = ""
    """Byte string sent to the scanner when its scan is on the gateway's disk: its own beep or light command."""
    feedback_bad: Annotated[str, Meta(max_length=256)] = ""
    """Byte string sent when the scan was unreadable, or the backend refused it."""
    feedback_text: Annotated[str, Meta(max_length=256)] = ""
    """Byte string sent with the backend's reply, for scanners with a display; {text} in it is the text."""

    def __post_init__(self) -> None:
        for name in _BYTES:
            if not all(character <= "\xff" for character in getattr(self, name)):
                msg = f"{name}: characters up to U+00FF expected, each one byte; control characters as \\u0007"
                raise ValueError(msg)
        for name in ("prefix", "suffix"):
            if {*TERMINATORS} & {*getattr(self, name).encode("latin-1")}:
                msg = f"{name}: expected without CR, LF and ETX, which end a scan anyway"
                raise ValueError(msg)
        if self.feedback_text and TEXT not in self.feedback_text:
            msg = f"feedback_text: {TEXT} expected in it, got {self.feedback_text!r}"
            raise ValueError(msg)


class SerialScanner:
    """One scanner on one port, opened for itself alone."""

    def __init__(self, device: str, settings: ScannerSettings) -> None:
        self._device = device
        self._settings = settings
        self._feedback = Feedback(settings.feedback_ok, settings.feedback_bad, settings.feedback_text)
        self._last: tuple[ScanFrame, float] | None = None

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. Raises DeviceLost when the port cannot be opened or goes away."""
        settings = self._settings
        framer = Framer(settings.prefix.encode("latin-1"), settings.suffix.encode("latin-1"))
        self._feedback.begin()
        with self._open() as port:
            health.reading()
            heard = time.monotonic()
            while not stop.is_set():
                data = _receive(port)
                now = time.monotonic()
                if data:
                    heard = now
                    self._take(framer.feed(data), put, health)
                elif framer.pending and now - heard >= settings.gap_s:
                    self._take(framer.pause(), put, health)
                self._feed_back(port)

    def reply(self, reply: Reply) -> None:
        """Queue feedback; the reading thread writes it."""
        self._feedback.reply(reply)

    def probe(self) -> str:
        """Open the port and close it again. Raises DeviceLost."""
        with self._open():
            return f"{self._settings.port} opens"

    @contextmanager
    def _open(self) -> Generator[serial.Serial]:
        settings = self._settings
        try:
            port = serial.serial_for_url(
                settings.port,
                baudrate=settings.baudrate,
                timeout=min(settings.gap_s, _POLL_S),
                write_timeout=_WRITE_S,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            msg = (error.strerror if isinstance(error, OSError) else None) or f"{settings.port}: {error}"
            raise DeviceLost(msg) from error
        connection: socket.socket | None = getattr(port, "_socket", None)
        try:
            if connection is not None:
                for level, option, value in _PROBES:
                    connection.setsockopt(level, option, value)
            yield port
        finally:
            port.close()
            if connection is not None:
                connection.close()  # pyserial leaves it open when the peer has gone

    def _take(self, frames: list[ScanFrame | BadFrame], put: Put, health: Health) -> None:
        scans: list[Scan] = []
        for frame in frames:
            if isinstance(frame, BadFrame):
                health.bad_frame(str(frame))
            elif not self._again(frame):
                at = from_micros(time.time_ns() // 1000)
                symbology = frame.symbology or self._settings.symbology or None
                scans.append(Scan(device=self._device, at=at, data=frame.data, symbology=symbology))
        if any(isinstance(frame, BadFrame) for frame in frames):
            self._feedback.refused()
        if scans:
            settled = self._feedback.taken()
            put(scans).add_done_callback(settled)

    def _again(self, frame: ScanFrame) -> bool:
        """Whether this is the last code once more, within the debounce time of when it counted."""
        now = time.monotonic()
        if self._last and self._last[0] == frame and now - self._last[1] < self._settings.debounce_s:
            return True
        self._last = (frame, now)
        return False

    def _feed_back(self, port: serial.Serial) -> None:
        while feedback := self._feedback.take():
            try:
                port.write(feedback)
            except serial.SerialTimeoutException:
                self._feedback.clear()  # the scanner takes none; reading goes on
            except OSError as error:
                msg = f"writing: {error}"
                raise DeviceLost(msg) from error


def _receive(port: serial.Serial) -> bytes:
    """What has arrived, or b"" after a silence. Raises DeviceLost."""
    try:
        data: bytes = port.read(1)
    except OSError as error:
        msg = f"reading: {error}"
        raise DeviceLost(msg) from error
    try:
        if data and port.in_waiting:
            data += port.read(port.in_waiting)
    except OSError:
        return data  # the last byte before the loss counts; the next read raises
    return data
