"""A reader on a free port and a client on raw bytes, written from the standard and not from the simulator."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from simulators.devices.llrp import LlrpReader, Telling

REPORT, KEEPALIVE, EVENT = 61, 62, 63


class Client:
    """One LLRP connection. What comes unasked is kept in `reports`, `events`, `keepalives`."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=5)
        self.number = 100
        self.reports: list[bytes] = []
        self.events: list[bytes] = []
        self.keepalives = 0

    def send(self, kind: int, body: bytes = b"", version: int = 1) -> int:
        self.number += 1
        self.socket.sendall(struct.pack("!HII", version << 10 | kind, 10 + len(body), self.number) + body)
        return self.number

    def receive(self) -> tuple[int, int, bytes] | None:
        """(type, id, body), or None when the reader closed."""
        header = self._exactly(10)
        if header is None:
            return None
        word, size, number = struct.unpack("!HII", header)
        assert word >> 10 == 1
        kind, body = word & 0x3FF, self._exactly(size - 10)
        assert body is not None
        if kind == REPORT:
            self.reports.append(body)
        elif kind == EVENT:
            self.events.append(body)
        elif kind == KEEPALIVE:
            self.keepalives += 1
        return kind, number, body

    def ask(self, kind: int, body: bytes = b"", version: int = 1) -> tuple[int, int, bytes]:
        """Sends a request and returns (type, status code, body) of the message that answers it."""
        number = self.send(kind, body, version)
        while message := self.receive():
            if message[1] == number and message[0] not in (REPORT, KEEPALIVE, EVENT):
                return message[0], struct.unpack_from("!H", message[2], 4)[0], message[2]
        raise ConnectionError("closed without an answer")

    def until(self, kind: int) -> bytes:
        """The body of the next message of that type."""
        while message := self.receive():
            if message[0] == kind:
                return message[2]
        raise ConnectionError(f"closed before a message of type {kind}")

    def close(self) -> None:
        self.socket.close()

    def _exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                return None
            data += chunk
        return data


def param(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, 4 + len(value)) + value


def aispec(antennas: tuple[int, ...] = (0,), stop: bytes = bytes(5), inventory: bytes = b"") -> bytes:
    """An AISpec: its stop trigger's value, and what is inside its InventoryParameterSpec."""
    head = struct.pack(f"!H{len(antennas)}H", len(antennas), *antennas)
    return param(183, head + param(184, stop) + param(186, struct.pack("!HB", 1, 1) + inventory))


def rospec(number: int = 1, *, state: int = 0, start: bytes = b"\0", stop: bytes = bytes(5), **rest: object) -> bytes:
    """A ROSpec: `antennas` (default all) or `aispecs`, `report` (trigger, N, selector and memory flags), `custom`."""
    trigger, every, flags, memory = rest.get("report", (1, 0, 0xFFC0, 0))
    boundary = param(178, param(179, start) + param(182, stop))
    aispecs = rest.get("aispecs") or (aispec(rest.get("antennas", (0,))),)
    selector = param(238, struct.pack("!H", flags) + param(348, bytes([memory])))
    report = param(237, struct.pack("!BH", trigger, every) + selector + rest.get("custom", b""))
    return param(177, struct.pack("!IBB", number, 0, state) + boundary + b"".join(aispecs) + report)


@pytest.fixture
def reader() -> Iterator[LlrpReader]:
    device = LlrpReader(("127.0.0.1", 0), telling=Telling(flush_s=0.05))
    device.start()
    yield device
    device.stop()


@pytest.fixture
def make_reader() -> Iterator[Callable[..., LlrpReader]]:
    devices: list[LlrpReader] = []

    def made(**options: object) -> LlrpReader:
        devices.append(LlrpReader(("127.0.0.1", 0), **options))
        devices[-1].start()
        return devices[-1]

    yield made
    for device in devices:
        device.stop()


@pytest.fixture
def connect() -> Iterator[Callable[[LlrpReader], Client]]:
    """Connects and reads the greeting."""
    clients: list[Client] = []

    def connected(device: LlrpReader) -> Client:
        client = Client(device.address)
        clients.append(client)
        client.until(EVENT)
        return client

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def make_param() -> Callable[[int, bytes], bytes]:
    return param


@pytest.fixture
def make_rospec() -> Callable[..., bytes]:
    return rospec


@pytest.fixture
def make_aispec() -> Callable[..., bytes]:
    return aispec


@pytest.fixture
def make_custom() -> Callable[[int, bytes], bytes]:
    """A parameter of vendor 25882."""
    return lambda subtype, value: param(1023, struct.pack("!II", 25882, subtype) + value)
