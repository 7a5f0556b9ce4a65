"""A Teltonika UDP server for tests, written from the maker's wiki and not from the simulator.

It checks each datagram to the last byte; what it answers is up to the test.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from simulators.record import Record
from tests.simulators.avl_server import Bytes, record

Answer = Callable[[bytes, int], list[bytes]]
"""The honest answer to a datagram, and how many came before it, to what is sent."""


def honest(answer: bytes, _before: int) -> list[bytes]:
    return [answer]


class DatagramServer:
    """Listens on a free port; `packets` are (sender's port, packet id, AVL packet id, records) in order."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.packets: list[tuple[int, int, int, list[Record]]] = []
        self.imeis: set[str] = set()
        self.wrong: list[BaseException] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.socket.getsockname()
        self.thread = Thread(target=self._serve, daemon=True)
        self.thread.start()

    def records(self) -> list[Record]:
        return [each for *_, records in self.packets for each in records]

    def close(self) -> None:
        self.socket.sendto(b"", self.address)
        self.thread.join()
        self.socket.close()
        assert not self.wrong

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                data, whence = self.socket.recvfrom(65_536)
                if not data:
                    return
                try:
                    answer = self._take(data, whence[1])
                except (AssertionError, struct.error) as error:
                    self.wrong.append(error)
                    return
                for each in self.answer(answer, len(self.packets) - 1):
                    self.socket.sendto(each, whence)

    def _take(self, data: bytes, port: int) -> bytes:
        left = Bytes(data)
        length, packet_id, unused, avl_id, digits = left.take("HHBBH")
        assert (length, unused, digits) == (len(data) - 2, 1, 15)
        self.imeis.add(left.raw(15).decode("ascii"))
        codec, count = left.take("BB")
        assert codec == 0x8E
        records = [record(left) for _ in range(count)]
        assert left.take("B") == (count,)
        assert left.at == len(data)
        self.packets.append((port, packet_id, avl_id, records))
        return struct.pack("!HHBBB", 5, packet_id, 1, avl_id, count)


@contextmanager
def serving(answer: Answer = honest) -> Iterator[DatagramServer]:
    server = DatagramServer(answer)
    try:
        yield server
    finally:
        server.close()
