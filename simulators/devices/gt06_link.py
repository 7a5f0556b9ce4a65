"""A GT06 tracker's TCP connection to its server: packets out, type and serial number of each answer in."""

import contextlib
import socket
import time
from collections.abc import Sequence
from itertools import pairwise

from simulators.devices.gt06_codec import MARK, STOP, crc_itu

ANSWER_BYTES = 10
PIECE_PAUSE_S = 0.02


class LinkLost(Exception):
    """There is no server, or it does not answer, or not what a server answers."""


class Gt06Link:
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

    def send(self, data: bytes, cuts: Sequence[int]) -> None:
        """Sends, in pieces with pauses where `cuts` says."""
        for begin, end in pairwise([0, *cuts, len(data)]):
            if begin:
                time.sleep(PIECE_PAUSE_S)
            try:
                self._socket.sendall(data[begin:end])
            except OSError as error:
                raise LinkLost(str(error)) from error

    def answers(self, expected: set[tuple[int, int]], timeout_s: float) -> list[tuple[int, int]]:
        """Those of the expected answers, types and serial numbers, that came in time; others are passed over."""
        heard: list[tuple[int, int]] = []
        until = time.monotonic() + timeout_s
        while len(heard) < len(expected) and time.monotonic() < until:
            try:
                answer = self._answer()
            except LinkLost:
                break
            if answer in expected and answer not in heard:
                heard.append(answer)
        return heard

    def _answer(self) -> tuple[int, int]:
        data = b""
        while len(data) < ANSWER_BYTES:
            try:
                chunk = self._socket.recv(ANSWER_BYTES - len(data))
            except OSError as error:
                raise LinkLost(str(error)) from error
            if not chunk:
                raise LinkLost("the server closed the connection")
            data += chunk
        body, crc = data[2:6], int.from_bytes(data[6:8], "big")
        if not (data.startswith(MARK + b"\x05") and data.endswith(STOP) and crc == crc_itu(body)):
            raise LinkLost(f"answered with {data.hex()}")
        return body[1], int.from_bytes(body[2:], "big")

    def deafen(self) -> None:
        """Ends every wait for an answer, now and later, without the server's noticing. For another thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()
