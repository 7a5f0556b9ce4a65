"""Serial and USB-CDC barcode scanners, by pyserial.

USB keyboard mode is not read: it loses FNC1 and depends on a keyboard layout; set the scanner to serial (CDC) mode.
"""

import time
from collections import deque
from contextlib import closing
from threading import Event
from typing import Annotated

import serial
from msgspec import Meta, Struct

from edge.driver import BadFrame, DeviceLost, Health, Put
from edge.drivers.scan_frame import Framer, ScanFrame
from models.reading import Scan, from_micros
from models.wire import Reply

_WRITE_S = 1.0
_MAX_REPLIES = 16


class ScannerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "serial_scanner"."""

    port: Annotated[str, Meta(min_length=1)]
    """A device, best by a name that survives replugging (/dev/serial/by-id/...), or a pyserial URL."""
    baudrate: Annotated[int, Meta(ge=50, le=4_000_000)] = 9600
    """Bits per second; USB ignores it."""
    gap_s: Annotated[float, Meta(ge=0.01, le=5)] = 0.1
    """A silence that ends a scan without a terminator."""
    debounce_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    """The same code again within this time is left out; 0: every scan counts, as counting by scanning needs."""
    feedback_ok: Annotated[str, Meta(max_length=256)] = ""
    """Sent to the scanner when its scan was taken: its own beep or light command."""
    feedback_bad: Annotated[str, Meta(max_length=256)] = ""
    """Sent when the scan was refused."""

    def __post_init__(self) -> None:
        for name in ("feedback_ok", "feedback_bad"):
            if not getattr(self, name).isascii():
                msg = f"{name}: ASCII expected; control characters as \\u0007"
                raise ValueError(msg)


class SerialScanner:
    """One scanner on one port, opened for itself alone."""

    def __init__(self, device: str, settings: ScannerSettings) -> None:
        self._device = device
        self._settings = settings
        self._replies: deque[Reply] = deque(maxlen=_MAX_REPLIES)
        self._last: tuple[ScanFrame, float] | None = None

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. Raises DeviceLost when the port cannot be opened or goes away."""
        framer = Framer()
        with closing(self._open()) as port:
            health.reading()
            while not stop.is_set():
                data = _receive(port)
                self._take(framer.feed(data) if data else framer.pause(), put, health)
                self._feed_back(port)

    def reply(self, reply: Reply) -> None:
        """Queue feedback; the reading thread writes it."""
        self._replies.append(reply)

    def probe(self) -> str:
        """Open the port and close it again. Raises DeviceLost."""
        with closing(self._open()):
            return f"{self._settings.port} opens"

    def _open(self) -> serial.Serial:
        settings = self._settings
        try:
            return serial.serial_for_url(
                settings.port,
                baudrate=settings.baudrate,
                timeout=settings.gap_s,
                write_timeout=_WRITE_S,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            msg = (error.strerror if isinstance(error, OSError) else None) or f"{settings.port}: {error}"
            raise DeviceLost(msg) from error

    def _take(self, frames: list[ScanFrame | BadFrame], put: Put, health: Health) -> None:
        scans: list[Scan] = []
        for frame in frames:
            if isinstance(frame, BadFrame):
                health.bad_frame(str(frame))
            elif not self._again(frame):
                at = from_micros(time.time_ns() // 1000)
                scans.append(Scan(device=self._device, at=at, data=frame.data, symbology=frame.symbology))
        if scans:
            put(scans)

    def _again(self, frame: ScanFrame) -> bool:
        """Whether this is the last code once more, within the debounce time of when it counted."""
        now = time.monotonic()
        if self._last and self._last[0] == frame and now - self._last[1] < self._settings.debounce_s:
            return True
        self._last = (frame, now)
        return False

    def _feed_back(self, port: serial.Serial) -> None:
        while self._replies:
            reply = self._replies.popleft()
            text = self._settings.feedback_ok if reply.ok else self._settings.feedback_bad
            try:
                port.write(text.encode("ascii"))
            except serial.SerialTimeoutException:
                return
            except OSError as error:
                msg = f"writing: {error}"
                raise DeviceLost(msg) from error


def _receive(port: serial.Serial) -> bytes:
    """What has arrived, or b"" after a silence of gap_s."""
    try:
        data: bytes = port.read(1)
        if data and port.in_waiting:
            data += port.read(port.in_waiting)
    except OSError as error:
        msg = f"reading: {error}"
        raise DeviceLost(msg) from error
    return data
