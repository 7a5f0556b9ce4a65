"""A GT06 server for tests, written from Concox's document and not from the simulator: own reading, own CRC.

What it answers is up to the test.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

from tests.edge.drivers.gt06_client import crc, packet

Answer = Callable[[int, bytes, int], bytes | None]
"""Type, content and serial number of a packet to what answers it: b"" is silence, None hangs up."""


def honest(kind: int, _content: bytes, serial: int) -> bytes:
    return packet(kind, b"", serial)


@dataclass
class Gt06Server:
    """One at a time is enough; everything heard is kept, a list for each connection."""

    answer: Answer = honest
    heard: list[list[tuple[int, bytes, int]]] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.server.getsockname()
        self.threads = [Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.server.accept()
                self.heard.append([])
                self.threads.append(Thread(target=self.serve, args=(client, self.heard[-1]), daemon=True))
                self.threads[-1].start()

    def serve(self, client: socket.socket, heard: list[tuple[int, bytes, int]]) -> None:
        buffer = b""
        with client, suppress(OSError):
            while data := client.recv(4096):
                buffer += data
                while len(buffer) > 2 and len(buffer) >= buffer[2] + 5:
                    whole, buffer = buffer[: buffer[2] + 5], buffer[buffer[2] + 5 :]
                    body, sent = whole[2:-4], struct.unpack("!H", whole[-4:-2])[0]
                    if (whole[:2], whole[-2:], sent) != (b"\x78\x78", b"\r\n", crc(body)):
                        self.wrong.append(whole)
                        return
                    message = (body[1], body[2:-2], struct.unpack("!H", body[-2:])[0])
                    heard.append(message)
                    answer = self.answer(*message)
                    if answer is None:
                        return
                    client.sendall(answer)

    def packets(self, *kinds: int) -> list[tuple[int, bytes, int]]:
        return [each for connection in self.heard for each in connection if not kinds or each[0] in kinds]

    def close(self) -> None:
        with suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


@contextmanager
def gt06_server(answer: Answer = honest) -> Iterator[Gt06Server]:
    server = Gt06Server(answer)
    try:
        yield server
        assert server.wrong == []
    finally:
        server.close()


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
