"""One LLRP connection: socket, frames, transactions by message id, keepalives.

A session is made anew for each connection and keeps nothing of the one before: half a frame or an unanswered request
must not outlive its socket.
"""

import socket
import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from edge.driver import BadFrame, DeviceLost, DeviceRefused, Health
from edge.drivers import llrp_control
from edge.drivers.llrp_frame import (
    ERROR_MESSAGE,
    FROM_READER,
    KEEPALIVE,
    KEEPALIVE_ACK,
    MAX_CONTROL_BYTES,
    Framer,
    header,
    id_of,
    kind_of,
)

SILENT_INTERVALS = 3
TICK_S = 0.25
_READ_BYTES = 65_536
_SEND_S = 5.0


class Session:
    """The connection `connection`; keepalives are expected every `keepalive_s`."""

    def __init__(self, connection: socket.socket, health: Health, stop: Event, keepalive_s: float) -> None:
        self._socket = connection
        self._health = health
        self._stop = stop
        self._silence_s = keepalive_s * SILENT_INTERVALS
        self._framer = Framer()
        self._id = 0
        self._heard = time.monotonic()

    def frame(self, wait_s: float) -> bytes | None:
        """The next frame, or None after at most wait_s seconds. Keepalives are answered here.

        Raises DeviceLost when the connection ended, is out of step, or brought no whole frame for three intervals.
        """
        found = self._whole_frame()
        if found is None:
            self._receive(max(wait_s, 0.001))
            found = self._whole_frame()
        now = time.monotonic()
        if found is None:
            if now - self._heard > self._silence_s:
                msg = f"no keepalive for {self._silence_s:g} s"
                raise DeviceLost(msg)
            return None
        self._heard = now
        if kind_of(found) == KEEPALIVE:
            self.send_bytes(header(KEEPALIVE_ACK, id_of(found)))
            return None
        return found

    def request(self, name: str, fields: Mapping[str, object], aside: Callable[[bytes], None]) -> dict[str, Any]:
        """Send a message and return its answer's fields; other frames that arrive first go to `aside`.

        Raises DeviceRefused if the reader says no, DeviceLost if it does not answer, BadFrame if it answers nonsense.
        """
        sent = self.send(name, fields)
        until = time.monotonic() + self._silence_s
        while time.monotonic() < until:
            if self._stop.is_set():
                msg = "stopping"
                raise DeviceLost(msg)
            frame = self.frame(TICK_S)
            if frame is None:
                continue
            if id_of(frame) != sent or not _answers(frame):
                aside(frame)
                continue
            answer, answered = llrp_control.decode(frame)
            llrp_control.check_status(name, answered)
            if answer != f"{name}_RESPONSE":
                msg = f"{name}: {name}_RESPONSE expected, got {answer}"
                raise DeviceRefused(msg)
            return answered
        msg = f"{name}: no answer within {self._silence_s:g} s"
        raise DeviceLost(msg)

    def send(self, name: str, fields: Mapping[str, object] | None = None) -> int:
        """Send a control message; returns its id."""
        number = self.next_id()
        self.send_bytes(llrp_control.encode(name, number, fields))
        return number

    def next_id(self) -> int:
        """An id that this connection has not used."""
        self._id += 1
        return self._id

    def send_bytes(self, frame: bytes) -> None:
        """Send a frame. Raises DeviceLost."""
        try:
            self._socket.settimeout(_SEND_S)
            self._socket.sendall(frame)
        except OSError as error:
            msg = f"sending: {error}"
            raise DeviceLost(msg) from error

    def _whole_frame(self) -> bytes | None:
        while True:
            try:
                frame = self._framer.next()
            except BadFrame as error:
                self._health.bad_frame(str(error))
                continue
            if self._framer.skipped > MAX_CONTROL_BYTES:
                msg = f"out of step: no frame in {self._framer.skipped} bytes"
                raise DeviceLost(msg)
            if frame is None or kind_of(frame) in FROM_READER:
                return frame
            self._health.bad_frame(f"message type {kind_of(frame)} is not a reader's")

    def _receive(self, wait_s: float) -> None:
        try:
            self._socket.settimeout(wait_s)
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return
        except OSError as error:
            msg = f"receiving: {error}"
            raise DeviceLost(msg) from error
        if not data:
            msg = "the reader closed the connection"
            raise DeviceLost(msg)
        self._framer.feed(data)


def _answers(frame: bytes) -> bool:
    """Whether a frame is an answer, not a report or event whose own numbering happens to have the same id."""
    kind = kind_of(frame)
    return kind == ERROR_MESSAGE or kind < 60  # noqa: PLR2004 - reports, keepalives and events are 60 ... 63
