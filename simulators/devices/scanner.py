"""A serial barcode scanner on a pty: AIM identifier, data, CR, and no acknowledgement, as USB-CDC scanners send."""

import contextlib
import os
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from threading import Lock

TERMINATOR = b"\r"
WRITE_TIMEOUT_S = 2.0


class PtyScanner:
    """A scanner whose port appears at `link`, a symbolic link to the slave of a pty."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master = -1
        self._lock = Lock()

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

    def stop(self) -> None:
        """Pulls it out: whoever has the port open sees the device vanish."""
        with self._lock:
            master, self._master = self._master, -1
        if master >= 0:
            self._link.unlink(missing_ok=True)
            os.close(master)

    @property
    def connected(self) -> bool:
        """Somebody has the port open: Linux reports a hang-up on the master while nobody has."""
        with self._lock:
            return self._connected()

    def _connected(self) -> bool:
        if self._master < 0:
            return False
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))

    def scan(self, data: bytes, aim: str | None, note: Callable[[], object] | None = None) -> bool:
        """Sends one barcode. False: nobody listens and it is lost, as from a cable into nothing.

        `note` is called when somebody listens, before the first byte is sent.
        Raises BrokenPipeError when the listener stopped reading and the line stays full for two seconds.
        """
        message = (aim or "").encode("ascii") + data + TERMINATOR
        with self._lock:
            if not self._connected():
                return False
            if note is not None:
                note()
            self._discard_echo()
            while message:
                if not select.select([], [self._master], [], WRITE_TIMEOUT_S)[1]:
                    raise BrokenPipeError(f"{self._link}: the listener does not read")
                with contextlib.suppress(BlockingIOError):
                    message = message[os.write(self._master, message) :]
        return True

    def _discard_echo(self) -> None:
        """Drops what the listener wrote to the scanner (beeps, settings), so that its line never fills."""
        with contextlib.suppress(BlockingIOError, OSError):
            while os.read(self._master, 4096):
                pass
