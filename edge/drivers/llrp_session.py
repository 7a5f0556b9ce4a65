"""One LLRP connection: socket, frames, transactions by message id, keepalives.

A session is made anew for each connection and keeps nothing of the one before: half a frame or an unanswered request
must not outlive its socket.
"""

import math
import socket
import time
from threading import Event
from typing import Any

from edge.driver import BadFrame, DeviceLost
from edge.drivers import llrp_control
from edge.drivers.llrp_frame import (
    FROM_READER,
    KEEPALIVE,
    KEEPALIVE_ACK,
    MAX_CONTROL_BYTES,
    RO_ACCESS_REPORT,
    UNASKED,
    Framer,
    header,
    id_of,
    kind_of,
)
from edge.drivers.llrp_unasked import Unasked

SILENT_INTERVALS = 3
GATHER_S = 0.05
"""What follows a report is let gather for so long, or each ten tags of a busy reader would wake this thread.

Not if much was there: a reader that tells of what it kept meanwhile is read as fast as it goes.
"""
TICK_S = 0.25
_READ_BYTES, _MUCH_BYTES = 65_536, 16_384
SEND_S = 5.0
"""A reader that takes nothing for so long is lost."""
_SHORTEST_S = 0.001


class Session:
    """The connection `connection`; what it says unasked goes to `unasked`. Keepalives come every `keepalive_s`."""

    def __init__(self, connection: socket.socket, unasked: Unasked, stop: Event, keepalive_s: float) -> None:
        self._socket = connection
        self._unasked = unasked
        self._stop = stop
        self._silence_s = keepalive_s * SILENT_INTERVALS
        self._framer = Framer()
        self._id = 0
        self._heard = time.monotonic()
        self._received = self._gather_until = -math.inf
        self._unsent = ""
        self._unsent_at = 0.0

    def step(self, wait_s: float) -> bytes | None:
        """Take one frame, waiting at most wait_s seconds for it. Returned is only what may answer a request.

        Raises DeviceLost when the connection ended, is out of step, or brought no whole frame for three intervals.
        """
        frame = self._whole_frame()
        if frame is None:
            self._receive(max(wait_s, _SHORTEST_S))
            frame = self._whole_frame()
        now = time.monotonic()
        if frame is None:
            if now - self._heard > self._silence_s:
                msg = f"no keepalive for {self._silence_s:g} s"
                raise DeviceLost(msg)
            return None
        self._heard = now
        kind = kind_of(frame)
        if kind == KEEPALIVE:
            self.send_bytes(header(KEEPALIVE_ACK, id_of(frame)))
        elif kind in UNASKED:
            if kind == RO_ACCESS_REPORT:
                self._gather_until = self._received + GATHER_S
            self._take(frame)
        else:
            return frame
        return None

    def request(self, name: str, **fields: object) -> dict[str, Any]:
        """Send a message and return its answer's fields.

        Raises DeviceRefused if the reader says no, DeviceLost if it does not answer, BadFrame if it answers nonsense.
        """
        sent = self.send(name, **fields)
        until = time.monotonic() + self._silence_s
        while time.monotonic() < until:
            if self._stop.is_set():
                msg = "stopping"
                raise DeviceLost(msg)
            frame = self.step(TICK_S)
            if frame is None:
                continue
            if id_of(frame) != sent:
                self._take(frame)
                continue
            answer, answered = llrp_control.decode(frame)
            llrp_control.check_status(name, answered)
            if answer != f"{name}_RESPONSE":
                msg = f"{name}: {name}_RESPONSE expected, got {answer}"
                raise BadFrame(msg)
            return answered
        msg = f"{name}: no answer within {self._silence_s:g} s"
        raise DeviceLost(msg)

    def read(self, wait_s: float) -> None:
        """Take one frame, waiting at most wait_s seconds. Raises DeviceLost."""
        frame = self.step(wait_s)
        if frame is not None:
            self._take(frame)

    def _take(self, frame: bytes) -> None:
        try:
            self._unasked.take(frame)
        except BadFrame as error:
            self._unasked.health.bad_frame(str(error))
            self._framer.reject(frame)

    def send(self, name: str, **fields: object) -> int:
        """Send a control message; returns its id."""
        number = self.next_id()
        self.send_bytes(llrp_control.encode(name, number, fields))
        return number

    def next_id(self) -> int:
        """An id that this connection has not used."""
        self._id += 1
        return self._id

    def send_bytes(self, frame: bytes) -> None:
        """Send a frame. If that fails the connection is lost: `step` says so, after it has taken what had arrived."""
        if self._unsent:
            return
        try:
            self._socket.settimeout(SEND_S)
            self._socket.sendall(frame)
        except OSError as error:
            self._unsent, self._unsent_at = f"sending: {error}", time.monotonic()

    def _whole_frame(self) -> bytes | None:
        while True:
            try:
                frame = self._framer.next()
            except BadFrame as error:
                self._unasked.health.bad_frame(str(error))
                continue
            if self._framer.skipped > MAX_CONTROL_BYTES:
                msg = f"out of step: no frame in {self._framer.skipped} bytes"
                raise DeviceLost(msg)
            if frame is None or kind_of(frame) in FROM_READER:
                return frame
            self._unasked.health.bad_frame(f"message type {kind_of(frame)} is not a reader's")

    def _receive(self, wait_s: float) -> None:
        if self._unsent:
            wait_s = _SHORTEST_S
            if time.monotonic() - self._unsent_at > SEND_S:
                raise DeviceLost(self._unsent)
        gather_s = min(wait_s, self._gather_until - time.monotonic())
        if gather_s > 0:
            time.sleep(gather_s)
            wait_s = max(wait_s - gather_s, _SHORTEST_S)
        try:
            self._socket.settimeout(wait_s)
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            if self._unsent:
                raise DeviceLost(self._unsent) from None
            return
        except OSError as error:
            msg = self._unsent or f"receiving: {error}"
            raise DeviceLost(msg) from error
        if not data:
            msg = "the reader closed the connection"
            raise DeviceLost(msg)
        self._framer.feed(data)
        self._received = time.monotonic() if len(data) < _MUCH_BYTES else -math.inf
