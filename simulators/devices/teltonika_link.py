"""A tracker's TCP connection to its server: the login, packets out, counts in."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from simulators.devices.teltonika_codec import login, packet
from simulators.record import Record

ACCEPTED, REFUSED = b"\1", b"\0"
COUNT_BYTES = 4
PIECE_PAUSE_S = 0.02


class LinkLost(Exception):
    """There is no server, or it does not answer, or not what a server answers."""


class LoginRefused(Exception):
    """The server does not want this IMEI."""


class Link:
    """Connects. Each wait lasts at most `timeout_s`. Raises LinkLost, as every method does but the last two."""

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        try:
            self._socket = socket.create_connection(address, timeout_s)
            # What is written in pieces must leave in pieces.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own, servers = self._socket.getsockname(), self._socket.getpeername()
        except OSError as error:
            raise LinkLost(str(error)) from error
        if own == servers:
            # Nobody listens, and the port that the kernel chose for this end happens to be the server's.
            self._socket.close()
            raise LinkLost("connected to itself")

    def login(self, imei: str) -> None:
        """Says who this is. Raises LoginRefused when the server says no."""
        self._send(login(imei), ())
        answer = self._exactly(1)
        if answer == REFUSED:
            raise LoginRefused(imei)
        if answer != ACCEPTED:
            raise LinkLost(f"login answered with {answer.hex()}")

    def send(self, packets: Sequence[Sequence[Record]], cuts: Callable[[int], list[int]]) -> None:
        """Sends them in one write, or in pieces with pauses where `cuts` says of so many bytes."""
        data = b"".join(packet(each) for each in packets)
        self._send(data, cuts(len(data)))

    def _send(self, data: bytes, cuts: Sequence[int]) -> None:
        for begin, end in pairwise([0, *cuts, len(data)]):
            if begin:
                time.sleep(PIECE_PAUSE_S)
            try:
                self._socket.sendall(data[begin:end])
            except OSError as error:
                raise LinkLost(str(error)) from error

    def counts(self, number: int) -> Iterator[int]:
        """The next `number` counts that the server says."""
        for _ in range(number):
            yield int.from_bytes(self._exactly(COUNT_BYTES), "big")

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                chunk = self._socket.recv(size - len(data))
            except OSError as error:
                raise LinkLost(str(error)) from error
            if not chunk:
                raise LinkLost("the server closed the connection")
            data += chunk
        return data

    def deafen(self) -> None:
        """Ends every wait for an answer, now and later, without the server's noticing. For another thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()
