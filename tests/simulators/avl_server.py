"""A Teltonika server for tests, written from the maker's wiki and not from the simulator: own decoder, own CRC.

What it answers is up to the test.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

from simulators.record import GEARBOX_DECIDEGREES, Record

SIGNED = {GEARBOX_DECIDEGREES}
Answer = Callable[[list[Record]], bytes | None]
"""Records of a packet to the bytes that answer it: b"" is silence, None hangs up."""


def honest(records: list[Record]) -> bytes:
    return len(records).to_bytes(4, "big")


class Moody:
    """A server's answers, one after the other, then honest ones."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)

    def __call__(self, some: list[Record]) -> bytes | None:
        return self.answers.pop(0) if self.answers else honest(some)


def crc(data: bytes) -> int:
    """Bit by bit, as on the wiki."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


class Bytes:
    """A cursor over a packet's data."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("!" + layout, self.data, self.at)
        self.at += struct.calcsize("!" + layout)
        return values

    def raw(self, size: int) -> bytes:
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]


def decode(packet: bytes) -> list[Record]:
    """A whole packet; asserts that it is well formed to the last byte."""
    preamble, size = struct.unpack_from("!II", packet)
    data, end = packet[8 : 8 + size], packet[8 + size :]
    assert (preamble, len(data), len(end)) == (0, size, 4)
    assert int.from_bytes(end, "big") == crc(data)
    left = Bytes(data)
    codec, count = left.take("BB")
    assert codec == 0x8E
    records = [record(left) for _ in range(count)]
    assert left.take("B") == (count,)
    assert left.at == size
    return records


def record(left: Bytes) -> Record:
    ms, priority, lon, lat, altitude, course, satellites, speed, event, total = left.take("QBiihHBHHH")
    io: list[tuple[int, int]] = []
    for size in (1, 2, 4, 8):
        for _ in range(left.take("H")[0]):
            [ident] = left.take("H")
            io.append((ident, int.from_bytes(left.raw(size), "big", signed=ident in SIGNED)))
    for _ in range(left.take("H")[0]):
        ident, size = left.take("HH")
        io.append((ident, int.from_bytes(left.raw(size), "big")))
    assert len(io) == total
    place = lat / 1e7, lon / 1e7
    return Record(ms * 1000, *place, altitude, course, satellites, speed, tuple(sorted(io)), event, priority)


@dataclass
class AvlServer:
    """Listens on a free port; `packets` are (connection from 1, records) in the order in which they came."""

    answer: Answer = honest
    logins: list[bytes] = field(default_factory=list)
    """Answers to the first logins; the later ones are accepted."""
    port: int = 0
    packets: list[tuple[int, list[Record]]] = field(default_factory=list)
    imeis: list[str] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)
    wrong: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", self.port))
        self.address: tuple[str, int] = self.server.getsockname()
        self.connections: list[socket.socket] = []
        self.threads = [Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.threads[0].join()
        self.server.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        assert not self.wrong

    def records(self) -> list[Record]:
        return [each for _, records in self.packets for each in records]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                self.connections.append(connection)
                thread = Thread(target=self._serve, args=(connection, len(self.connections)), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError, EOFError):
            try:
                self._talk(connection, number)
            except (AssertionError, struct.error) as error:
                self.wrong.append(error)
        self.ended.add(number)

    def _talk(self, connection: socket.socket, number: int) -> None:
        [size] = struct.unpack("!H", exactly(connection, 2))
        self.imeis.append(exactly(connection, size).decode("ascii"))
        connection.sendall(self.logins.pop(0) if self.logins else b"\1")
        while True:
            head = exactly(connection, 8)
            records = decode(head + exactly(connection, int.from_bytes(head[4:], "big") + 4))
            self.packets.append((number, records))
            answer = self.answer(records)
            if answer is None:
                return
            connection.sendall(answer)


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


def wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.005)


@contextmanager
def serving(answer: Answer = honest, logins: tuple[bytes, ...] = ()) -> Iterator[AvlServer]:
    server = AvlServer(answer, list(logins))
    try:
        yield server
    finally:
        server.close()
