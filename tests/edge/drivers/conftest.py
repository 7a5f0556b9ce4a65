"""LLRP bytes built by hand from the standard, a reader that plays a script over TCP, and drivers run in a thread."""

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Event, Thread
from typing import Any

import pytest

from edge.driver import Driver
from models.reading import Reading


class Bytes:
    """Messages and parameters as LLRP 1.0.1 lays them out."""

    SUCCESS = struct.pack("!HHHH", 287, 8, 0, 0)

    @staticmethod
    def frame(kind: int, body: bytes = b"", number: int = 1) -> bytes:
        return struct.pack("!HII", 1 << 10 | kind, 10 + len(body), number) + body

    @staticmethod
    def tlv(kind: int, body: bytes) -> bytes:
        return struct.pack("!HH", kind, 4 + len(body)) + body

    @classmethod
    def status(cls, code: int, words: bytes = b"") -> bytes:
        return cls.tlv(287, struct.pack("!HH", code, len(words)) + words)

    @classmethod
    def tag(cls, epc: str, antenna: int = 1, rssi: int = -60, last_us: int = 0, count: int = 1) -> bytes:
        """TagReportData with EPC-96 or EPCData, antenna, RSSI, channel 7, first and last seen, count."""
        raw = bytes.fromhex(epc)
        code = b"\x8d" + raw if len(raw) == 12 else cls.tlv(241, struct.pack("!H", len(raw) * 8) + raw)
        rest = struct.pack("!BHBbBHBQBQBH", 129, antenna, 134, rssi, 135, 7, 130, last_us, 132, last_us, 136, count)
        return cls.tlv(240, code + rest)

    @classmethod
    def report(cls, *tags: bytes) -> bytes:
        return cls.frame(61, b"".join(tags))

    @classmethod
    def event(cls, *parameters: bytes, utc_us: int | None = None) -> bytes:
        stamp = cls.tlv(128, struct.pack("!Q", utc_us if utc_us is not None else time.time_ns() // 1000))
        return cls.frame(63, cls.tlv(246, stamp + b"".join(parameters)))

    @classmethod
    def greeting(cls, status: int = 0, utc_us: int | None = None) -> bytes:
        return cls.event(cls.tlv(256, struct.pack("!H", status)), utc_us=utc_us)

    @classmethod
    def capabilities(cls, manufacturer: int = 161) -> bytes:
        """Four antennas, two inputs, 10 ... 30 dBm in two levels, modes 0 and 2, two select filters."""
        general = struct.pack("!HHIIH", 4, 0x4000, manufacturer, 1, 3) + b"1.0" + cls.tlv(141, struct.pack("!HH", 2, 0))
        powers = b"".join(cls.tlv(145, struct.pack("!Hh", n, value)) for n, value in ((1, 1000), (81, 3000)))
        hops = cls.tlv(146, b"\x80" + cls.tlv(147, struct.pack("!BBHI", 1, 0, 1, 902_750)))
        modes = b"".join(cls.tlv(329, struct.pack("!IBBBBIIIII", n, 0, 0, 0, 2, 1, 1, 1, 1, 0)) for n in (0, 2))
        band = cls.tlv(143, struct.pack("!HH", 840, 1) + cls.tlv(144, powers + hops + cls.tlv(328, modes)))
        return cls.tlv(137, general) + band + cls.tlv(327, struct.pack("!BH", 0, 2))

    @classmethod
    def gpi_event(cls, port: int, *, on: bool, utc_us: int | None = None) -> bytes:
        return cls.event(cls.tlv(248, struct.pack("!HB", port, on << 7)), utc_us=utc_us)


class ScriptedReader:
    """Answers set-up as a reader does, then sends what `script` gives for each connection, and remembers all it heard.

    `script(n)` is the list of chunks for the n-th connection (from 0); None closes the connection. They are sent when a
    message of type `begin` was answered.
    """

    def __init__(self, llrp: type[Bytes], script: Callable[[int], Sequence[bytes | None]]) -> None:
        self.llrp = llrp
        self.script = script
        self.greeting = llrp.greeting()
        self.refusals: dict[int, bytes] = {}
        self.mute: set[int] = set()
        self.answers = {1: 11, 2: 12, 3: 13, 20: 30, 21: 31, 22: 32, 24: 34, 41: 51, 14: 4, 1023: 1023}
        self.capabilities, self.config = llrp.capabilities(), b""
        self.heard: list[list[tuple[int, int, bytes]]] = []
        self.begin = 22
        self._client: socket.socket | None = None
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.02)
        self._stop = Event()
        self.address = "{}:{}".format(*self._server.getsockname())
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    def kinds(self, connection: int = 0) -> list[int]:
        return [kind for kind, _, _ in self.heard[connection]]

    def say(self, data: bytes) -> None:
        """Of itself, to the client that is there."""
        assert self._client is not None
        self._client.sendall(data)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._server.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._server.accept()
            except TimeoutError:
                continue
            with client, contextlib.suppress(ConnectionError):
                self.heard.append([])
                self._client = client
                self._serve(client, self.heard[-1], self.script(len(self.heard) - 1))

    def _serve(
        self, client: socket.socket, heard: list[tuple[int, int, bytes]], chunks: Sequence[bytes | None]
    ) -> None:
        client.settimeout(0.02)
        client.sendall(self.greeting)
        buffer = b""
        while not self._stop.is_set():
            try:
                data = client.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return
            buffer += data
            while len(buffer) >= 10 and len(buffer) >= (length := int.from_bytes(buffer[2:6], "big")):
                kind, number = struct.unpack_from("!H", buffer)[0] & 0x3FF, int.from_bytes(buffer[6:10], "big")
                heard.append((kind, number, buffer[10:length]))
                buffer = buffer[length:]
                if not self._answer(client, kind, number, chunks):
                    return

    def _answer(self, client: socket.socket, kind: int, number: int, chunks: Sequence[bytes | None]) -> bool:
        answers = self.answers
        told = {1: self.capabilities, 2: self.config}
        vendor = struct.pack("!IB", 25882, 22) if kind == 1023 else b""
        if kind in self.refusals:
            answer = answers.get(kind, 100)
            client.sendall(self.llrp.frame(answer, vendor + self.refusals[kind], number))
        elif kind in answers and kind not in self.mute:
            client.sendall(self.llrp.frame(answers[kind], vendor + self.llrp.SUCCESS + told.get(kind, b""), number))
        if kind == self.begin:
            for chunk in chunks:
                if chunk is None:
                    return False
                client.sendall(chunk)
        return True


class Running:
    """A driver in a thread, as the supervisor runs it; what it puts and says is kept."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.readings: list[Any] = []
        self.bad: list[str] = []
        self.answers = 0
        self.error: BaseException | None = None
        self.stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        self.readings += readings
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def reading(self) -> None:
        self.answers += 1

    def bad_frame(self, why: str) -> None:
        self.bad.append(why)

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, (
                f"not within {seconds} s; {self.error!r}, {self.bad[-3:]}, {self.readings[-3:]}"
            )
            time.sleep(0.01)

    def ended(self) -> BaseException | None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.error

    def close(self) -> None:
        self.stop.set()
        self.ended()

    def _run(self) -> None:
        try:
            self.driver.run(self.put, self, self.stop)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error


@pytest.fixture
def llrp() -> type[Bytes]:
    return Bytes


@pytest.fixture
def scripted(llrp: type[Bytes]) -> Iterator[Callable[..., ScriptedReader]]:
    readers: list[ScriptedReader] = []

    def make(*chunks: bytes | None, script: Callable[[int], Sequence[bytes | None]] | None = None) -> ScriptedReader:
        readers.append(ScriptedReader(llrp, script or (lambda _: chunks)))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def running() -> Iterator[Callable[[Driver], Running]]:
    runs: list[Running] = []

    def start(driver: Driver) -> Running:
        runs.append(Running(driver))
        return runs[-1]

    yield start
    for run in runs:
        run.close()
