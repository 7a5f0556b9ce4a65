"""A serial barcode scanner: [prefix] [AIM identifier] data [suffix], and no acknowledgement, as USB-CDC scanners send.

Here on a pty, as a USB port is. What happens to scanners can be done to it: pulled out and plugged in again, a hang,
half a code, wild bytes.
"""

import contextlib
import os
import select
import termios
import time
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import RLock, Timer

WRITE_TIMEOUT_S = 2.0
RETRY_S = 0.05
GARBAGE_BYTES = 40
READ_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Framing:
    """What a scanner is set to put around its data."""

    prefix: bytes = b""
    suffix: bytes = b"\r"
    aim: bool = True

    def encode(self, data: bytes, aim: str | None) -> bytes:
        r"""One barcode on the line.

        >>> Framing(b"\2", b"\3").encode(b"4006381333931", "]E0")
        b'\x02]E04006381333931\x03'
        """
        return self.prefix + (aim or "").encode("ascii") * self.aim + data + self.suffix


PLAIN = Framing()


class Scanner(ABC):
    """What scanners have in common, whatever the line."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._lock = RLock()
        self._goes_on_at = 0.0
        self._replug: Timer | None = None
        self._wild = Random("scanner")

    @abstractmethod
    def start(self) -> None:
        """Plugs it in. Raises OSError when that cannot be."""

    @abstractmethod
    def _pull(self) -> None:
        """Whoever has the port open sees the device vanish."""

    @abstractmethod
    def _connected(self) -> bool: ...

    @abstractmethod
    def _write(self, message: bytes) -> None:
        """All of it. Raises BrokenPipeError when the listener does not read for two seconds."""

    def stop(self) -> None:
        """Pulls it out for good."""
        with self._lock:
            if self._replug:
                self._replug.cancel()
                self._replug = None
            self._pull()

    @property
    def connected(self) -> bool:
        """Somebody listens."""
        with self._lock:
            return self._connected()

    def scan(self, data: bytes, aim: str | None, note: Callable[[], object] | None = None) -> bool:
        """Sends one barcode. False: nobody listens, or the scanner hangs, and it is lost.

        `note` is called when somebody listens, before the first byte is sent.
        Raises BrokenPipeError when the listener stopped reading and the line stays full for two seconds.
        """
        with self._lock:
            if time.monotonic() < self._goes_on_at or not self._connected():
                return False
            if note is not None:
                note()
            self._write(self._framing.encode(data, aim))
        return True

    def unplug(self, seconds: float) -> None:
        """Pulls it out, and plugs it in again after so long, under the same name."""
        with self._lock:
            self._pull()
            self._plug_in_after(seconds)

    def _plug_in_after(self, seconds: float) -> None:
        if self._replug:
            self._replug.cancel()
        self._replug = Timer(seconds, self._plug_in)
        self._replug.daemon = True
        self._replug.start()

    def _plug_in(self) -> None:
        with self._lock:
            if self._replug is None:
                return
            try:
                self.start()
                self._replug = None
            except OSError:
                self._plug_in_after(RETRY_S)

    def stall(self, seconds: float) -> None:
        """Hangs for so long: what is scanned meanwhile is lost, and the port stays."""
        with self._lock:
            self._goes_on_at = time.monotonic() + seconds

    def half_frame(self, seconds: float = 1.0) -> None:
        """Pulled out in the middle of a code that nobody scanned, and plugged in again after so long."""
        with self._lock:
            if self._connected():
                message = self._framing.encode(b"0000000000000000", "]C1")
                with contextlib.suppress(OSError):
                    self._write(message[: len(message) // 2])
            self.unplug(seconds)

    def garbage(self) -> None:
        """Bytes that are no code, as of a wrong baud rate; then a terminator."""
        with self._lock:
            if self._connected():
                with contextlib.suppress(OSError):
                    self._write(self._wild.randbytes(GARBAGE_BYTES) + b"\r")


class PtyScanner(Scanner):
    """A scanner whose port appears at `link`, a symbolic link to the slave of a pty."""

    def __init__(self, link: Path, framing: Framing = PLAIN) -> None:
        super().__init__(framing)
        self._link = link
        self._master = -1

    def start(self) -> None:
        """Plugs it in. Raises FileExistsError when `link` is there and is no symbolic link."""
        if self._link.exists() and not self._link.is_symlink():
            raise FileExistsError(f"{self._link}: expected nothing or a symbolic link")
        master, slave = os.openpty()
        tty.setraw(slave, termios.TCSANOW)
        name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(master, False)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(name)
        with self._lock:
            self._master = master

    def _pull(self) -> None:
        master, self._master = self._master, -1
        if master >= 0:
            self._link.unlink(missing_ok=True)
            os.close(master)

    def _connected(self) -> bool:
        """Linux reports a hang-up on the master while nobody has the port open."""
        if self._master < 0:
            return False
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))

    def _write(self, message: bytes) -> None:
        self._discard_echo()
        while message:
            if not select.select([], [self._master], [], WRITE_TIMEOUT_S)[1]:
                raise BrokenPipeError(f"{self._link}: the listener does not read")
            with contextlib.suppress(BlockingIOError):
                message = message[os.write(self._master, message) :]

    def _discard_echo(self) -> None:
        """Drops what the listener wrote to the scanner (beeps, settings), so that its line never fills."""
        with contextlib.suppress(BlockingIOError, OSError):
            while os.read(self._master, READ_BYTES):
                pass
