"""Teltonika packets built by hand from the maker's wiki, a tracker that sends them, and a `put` that can be held."""

import socket
import struct
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Event, Lock, Thread
from typing import Any

from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from edge.drivers.teltonika_frame import Record, crc16
from models.reading import Reading
from tests.edge.delivery_site import free_port, wait_for

IMEI = "356307042441013"
AT_MS = 1_795_426_200_000  # 2026-11-23 09:30:00 UTC
LAYOUTS = {0x08: ("B", "B", 0), 0x8E: ("H", "H", 0), 0x10: ("H", "B", 1)}


def record(number: int = 0, io: dict[int, bytes] | None = None, **fields: Any) -> Record:
    """One in the yard, a second after the one before."""
    defaults = {
        "at_ms": AT_MS + number * 1000,
        "priority": 0,
        "lon_e7": 37_300_000,
        "lat_e7": 510_600_000 + number,
        "altitude_m": 9,
        "course_deg": 271,
        "satellites": 11,
        "speed_kmh": 36,
        "event_id": 0,
    }
    return Record(**{**defaults, **fields}, io=io if io is not None else {239: b"\x01"})


def body(records: Sequence[Record], codec: int = 0x8E) -> bytes:
    """A frame's data, codec to second count."""
    return (
        bytes([codec, len(records)])
        + b"".join(_record(each, *LAYOUTS[codec]) for each in records)
        + bytes([len(records)])
    )


def frame(data: bytes) -> bytes:
    return bytes(4) + struct.pack("!I", len(data)) + data + struct.pack("!I", crc16(data))


def packet(*records: Record) -> bytes:
    return frame(body(records))


def login(imei: str = IMEI) -> bytes:
    return struct.pack("!H", len(imei)) + imei.encode()


def _record(each: Record, ident: str, count: str, generation: int) -> bytes:
    place = (each.lon_e7, each.lat_e7, each.altitude_m, each.course_deg, each.satellites, each.speed_kmh)
    parts = [struct.pack("!QBiihHBH", each.at_ms, each.priority, *place)]
    parts.append(struct.pack(f"!{ident}{generation}x{count}", each.event_id, len(each.io)))
    for size in (1, 2, 4, 8):
        group = {key: raw for key, raw in each.io.items() if len(raw) == size}
        parts.append(struct.pack(f"!{count}", len(group)))
        parts += [struct.pack(f"!{ident}{size}s", key, raw) for key, raw in group.items()]
    if (ident, count) == ("H", "H"):
        others = {key: raw for key, raw in each.io.items() if len(raw) not in {1, 2, 4, 8}}
        parts.append(struct.pack("!H", len(others)))
        parts += [struct.pack("!HH", key, len(raw)) + raw for key, raw in others.items()]
    return b"".join(parts)


class Tracker:
    """A connection to a listener; it waits for every answer, at most 5 s."""

    def __init__(self, port: int, imei: str | None = IMEI) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        if imei is not None:
            self.socket.sendall(login(imei))
            assert self.heard(1) == b"\x01"

    def send(self, *records: Record) -> int:
        """Send them in one packet; the number of records acknowledged."""
        self.socket.sendall(packet(*records))
        return self.count()

    def count(self) -> int:
        answer = self.heard(4)
        assert len(answer) == 4, f"hung up after {answer!r}"
        return int.from_bytes(answer)

    def heard(self, size: int) -> bytes:
        """So many bytes, or fewer if the listener hangs up."""
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionError:
                break
            if not more:
                break
            data += more
        return data

    def is_silent(self, seconds: float = 0.4) -> bool:
        """Nothing comes, and nobody hangs up."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(5)

    def is_hung_up(self) -> bool:
        return self.heard(1) == b""

    def close(self) -> None:
        self.socket.close()


def datagram(data: bytes, number: int = 1, imei: str = IMEI) -> bytes:
    """A frame's data in a datagram: packet id, AVL packet id and IMEI before it."""
    rest = struct.pack("!HBBH", 0xCA00 | number, 1, number, len(imei)) + imei.encode() + data
    return struct.pack("!H", len(rest)) + rest


class Sender:
    """A tracker that sends datagrams; it waits for every answer, at most 5 s."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        self.socket.send(data)

    def answer(self) -> bytes:
        return self.socket.recv(100)

    def is_silent(self, seconds: float = 0.3) -> bool:
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(100) == b"never"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(5)

    def close(self) -> None:
        self.socket.close()


class Site:
    """The driver in a thread. Readings are durable at once, unless `hold` is set; then when the test says so."""

    def __init__(self, **settings: Any) -> None:
        self.port = free_port()
        self.settings = TeltonikaSettings(listen=f"127.0.0.1:{self.port}", **settings)
        self.driver = TeltonikaDriver("trackers", self.settings)
        self.readings: list[Any] = []
        self.bad: list[str] = []
        self.hold = False
        self.put_error: Exception | None = None
        self.held: list[Future[None]] = []
        self.gate = Event()
        self.gate.set()
        self.answers = 0
        self.error: BaseException | None = None
        self.stop = Event()
        self.trackers: list[Tracker | Sender] = []
        self._lock = Lock()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> "Site":
        self._thread.start()
        wait_for(lambda: self.answers or self.error)
        return self

    def tracker(self, imei: str | None = IMEI) -> Tracker:
        tracker = Tracker(self.port, imei)
        self.trackers.append(tracker)
        return tracker

    def sender(self) -> Sender:
        sender = Sender(self.port)
        self.trackers.append(sender)
        return sender

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        self.gate.wait(30)
        if self.put_error is not None:
            raise self.put_error
        future: Future[None] = Future()
        with self._lock:
            self.readings += readings
            if self.hold:
                self.held.append(future)
            else:
                future.set_result(None)
        return future

    def reading(self) -> None:
        self.answers += 1

    def bad_frame(self, why: str) -> None:
        self.bad.append(why)

    def close(self) -> None:
        self.stop.set()
        self.gate.set()
        if self._thread.ident is not None:
            self._thread.join(5)
            assert not self._thread.is_alive()
        for tracker in self.trackers:
            tracker.close()

    def join(self) -> None:
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self.driver.run(self.put, self, self.stop)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error
