"""A tracker's datagrams to its server: each names the tracker and its packet, and is acknowledged by itself.

What Link is for TCP. A datagram or its answer may be lost: then nothing was taken, and another link is made.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from simulators.devices.teltonika_codec import datagram
from simulators.devices.tracker_link import LinkLost
from simulators.record import Record

ACK_BYTES, ACK_LENGTH, MOST_ID = 7, 5, 255
LISTEN_S = 0.05


class DatagramLink:
    """Each wait lasts about `timeout_s` at most. Raises LinkLost, as every method does but the last two."""

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._ids = count(1)
        self._sent: list[tuple[int, int]] = []
        self._deaf = False
        self._imei = ""
        try:
            found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(*found[:3])
            self._socket.connect(found[4])
        except OSError as error:
            raise LinkLost(str(error)) from error

    def login(self, imei: str) -> None:
        """Nothing is said: every datagram says it."""
        self._imei = imei

    def send(self, packets: Sequence[Sequence[Record]], cuts: Callable[[int], list[int]]) -> None:  # noqa: ARG002 - a datagram is whole
        """Sends a datagram each."""
        self._sent = []
        for records in packets:
            number = next(self._ids)
            ids = number & 0xFFFF, number % MOST_ID + 1
            self._sent.append(ids)
            try:
                self._socket.send(datagram(records, self._imei, *ids))
            except OSError as error:
                raise LinkLost(str(error)) from error

    def counts(self, number: int) -> Iterator[int]:
        """The counts of the first `number` datagrams sent, in their order, whatever the order of the answers."""
        heard: dict[tuple[int, int], int] = {}
        end = time.monotonic() + self._timeout_s
        for ids in self._sent[:number]:
            while ids not in heard:
                data = self._answer(end)
                if len(data) == ACK_BYTES and int.from_bytes(data[:2]) == ACK_LENGTH:
                    heard[int.from_bytes(data[2:4]), data[5]] = data[6]
            yield heard[ids]

    def _answer(self, end: float) -> bytes:
        """The next datagram. Looked for in short waits: nothing wakes one that waits for a datagram."""
        while not self._deaf and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                return self._receive()
        raise LinkLost("no answer")

    def _receive(self) -> bytes:
        self._socket.settimeout(LISTEN_S)
        try:
            return self._socket.recv(ACK_BYTES + 1)
        except TimeoutError:
            raise
        except OSError as error:
            raise LinkLost(str(error)) from error

    def deafen(self) -> None:
        """Ends every wait for an answer, now and later. For another thread."""
        self._deaf = True

    def close(self) -> None:
        """Frees the port."""
        self._socket.close()
