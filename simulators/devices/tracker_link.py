"""A tracker's TCP connection to its server: bytes out, bytes in. What they mean is each protocol's."""

import contextlib
import socket
import time
from collections.abc import Sequence
from itertools import pairwise

PIECE_PAUSE_S = 0.02


class LinkLost(Exception):
    """There is no server, or it does not answer, or not what a server answers."""


class TrackerLink:
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

    def write(self, data: bytes, cuts: Sequence[int]) -> None:
        """Sends, in pieces with pauses where `cuts` says."""
        for begin, end in pairwise([0, *cuts, len(data)]):
            if begin:
                time.sleep(PIECE_PAUSE_S)
            try:
                self._socket.sendall(data[begin:end])
            except OSError as error:
                raise LinkLost(str(error)) from error

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
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
