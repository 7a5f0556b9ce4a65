"""GT06 packets built by hand from Concox's document, a tracker that sends them, and the driver in a thread."""

import socket
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from edge.drivers.gt06 import Gt06Driver, Gt06Settings
from tests.edge.drivers.tracker_client import Site

IMEI = "353413532150362"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LAT, LON = 0x027AC818, 0x0C465860
NORTH_EAST, FIXED, HAS_ACC, ACC = 1 << 10, 1 << 12, 1 << 14, 1 << 15
CELL = bytes.fromhex("01cc00287d001f71")


def crc(data: bytes) -> int:
    """Bit by bit, as X.25 has it."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
    return value ^ 0xFFFF


def packet(kind: int, content: bytes = b"", serial: int = 1, *, long: bool = False) -> bytes:
    length = struct.pack("!H" if long else "!B", len(content) + 5)
    body = length + bytes([kind]) + content + struct.pack("!H", serial)
    return (b"\x79\x79" if long else b"\x78\x78") + body + struct.pack("!H", crc(body)) + b"\r\n"


def login(imei: str = IMEI, zone: str = "", serial: int = 1) -> bytes:
    return packet(0x01, bytes.fromhex(f"0{imei}2200{zone}"), serial)


def clock(at: datetime = AT) -> bytes:
    return bytes([at.year - 2000, at.month, at.day, at.hour, at.minute, at.second])


def place(
    status: int = NORTH_EAST | FIXED | 332, satellites: int = 9, speed: int = 36, lat: int = LAT, lon: int = LON
) -> bytes:
    return struct.pack("!BIIBH", 0xC0 | satellites, lat, lon, speed, status)


def location(number: int = 0, serial: int = 1) -> bytes:
    """0x22 with ACC on, a second later and a metre of mileage further each time."""
    content = clock(AT + timedelta(seconds=number)) + place() + CELL
    return packet(0x22, content + b"\x01\x00\x00" + struct.pack("!I", 1000 + number), serial)


class Gt06Tracker:
    """A connection to a listener; it waits for every answer, at most 5 s."""

    def __init__(self, port: int, imei: str | None = IMEI) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.serial = 0
        if imei is not None:
            assert self.send(login(imei)) == packet(0x01)

    def send(self, data: bytes, size: int = 10) -> bytes:
        """Send it, and what comes back."""
        self.socket.sendall(data)
        return self.heard(size)

    def heard(self, size: int = 10) -> bytes:
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

    def is_silent(self, seconds: float = 0.3) -> bool:
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


class Gt06Site(Site):
    """As that of the other trackers, with the GT06 driver."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.driver: Any = Gt06Driver("trackers", Gt06Settings(listen=f"127.0.0.1:{self.port}", **settings))

    def gt06(self, imei: str | None = IMEI) -> Gt06Tracker:
        tracker = Gt06Tracker(self.port, imei)
        self.trackers.append(tracker)  # type: ignore[arg-type]
        return tracker
