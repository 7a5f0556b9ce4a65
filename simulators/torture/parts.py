"""Processes that can be killed, stopped and started again by name; each is one part of a site."""

import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

BELOW_EPHEMERAL = (20_000, 32_000)
LOG_TAIL, BUG_CHARACTERS = 30, 4000
KILLED_S, ENDED_S = 5.0, 20.0
POLL_S = 0.03


class PartFailed(Exception):
    """A part did what nobody asked it for, or not in time what it was asked for."""


def wait_for(what: str, met: Callable[[], object], seconds: float) -> float:
    """How long it took. Raises PartFailed."""
    start = time.monotonic()
    while not met():
        if time.monotonic() - start > seconds:
            msg = f"{what}: not within {seconds:g} s"
            raise PartFailed(msg)
        time.sleep(POLL_S)
    return time.monotonic() - start


def free_port() -> int:
    """One that no outgoing connection is given: while nobody listens there it must stay free."""
    while True:
        port = random.SystemRandom().randint(*BELOW_EPHEMERAL)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Part:
    """One process of the site; what it prints is added to its log, whichever run it is."""

    def __init__(self, name: str, folder: Path, command: Sequence[str]) -> None:
        self.name, self.folder, self.command = name, folder, command
        self.log = folder / f"{name}.log"
        self.lock = Lock()
        """Whoever kills, stops or starts it holds this, where several do."""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own parts
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL. Raises PartFailed if it had ended by itself."""
        self.running().send_signal(signal.SIGKILL)
        self.await_killed(KILLED_S)

    def await_killed(self, seconds: float) -> None:
        """Wait until it has died by SIGKILL, and by nothing else. Raises PartFailed."""
        try:
            status = self.running().wait(seconds)
        except subprocess.TimeoutExpired:
            msg = f"{self.name} was not killed within {seconds:g} s"
            raise PartFailed(msg) from None
        self.process = None
        if status != -signal.SIGKILL:
            msg = f"{self.name} had ended by itself with {status}:\n{self.tail()}"
            raise PartFailed(msg)

    def freeze(self) -> None:
        """SIGSTOP: it is there, and does nothing."""
        self.running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.running().send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Ask it to end. Raises PartFailed if its exit status is not 0."""
        process = self.running()
        process.terminate()
        try:
            status = process.wait(ENDED_S)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        self.process = None
        if status != 0:
            msg = f"{self.name} ended with {status}:\n{self.tail()}"
            raise PartFailed(msg)

    def drop(self) -> None:
        """However it is, it is gone after this."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self) -> str:
        """The end of its log."""
        return "\n".join(self.said().splitlines()[-LOG_TAIL:])

    def bugs(self) -> str:
        """The first traceback in its log."""
        return self.said().partition("Traceback")[2][:BUG_CHARACTERS]

    def running(self) -> "subprocess.Popen[bytes]":
        """Its process. Raises PartFailed if there is none."""
        if self.process is None:
            msg = f"{self.name} does not run"
            raise PartFailed(msg)
        return self.process
