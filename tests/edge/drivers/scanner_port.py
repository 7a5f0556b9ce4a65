"""A pty as a scanner's cable: the test holds the scanner's end."""

import os
import pty
import select
import time
import tty
from typing import Any

from edge.drivers.serial_scanner import ScannerSettings, SerialScanner


class Port:
    """A pty: the test holds the scanner's end, the driver opens `name`."""

    def __init__(self) -> None:
        self.end, self._other = pty.openpty()
        tty.setraw(self._other)
        self.name = os.ttyname(self._other)

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.end, data[:512]) :]

    def unplug(self) -> None:
        for end in (self._other, self.end):
            if end >= 0:
                os.close(end)
        self._other = self.end = -1


def scanner(port: Port, **settings: Any) -> SerialScanner:
    return SerialScanner("scanner-1", ScannerSettings(port=port.name, **{"gap_s": 0.05, **settings}))


def open_and_ready(run: Any) -> None:
    run.until(lambda: run.answers == 1)


def heard(port: Port, expected: bytes, seconds: float = 5) -> bytes:
    """What the scanner's end receives, until it is as long as expected."""
    found = b""
    until = time.monotonic() + seconds
    while len(found) < len(expected) and time.monotonic() < until:
        if select.select([port.end], [], [], 0.02)[0]:
            found += os.read(port.end, 4096)
    return found
