"""Where NMEA sentences come from: a serial port, a TCP server, or UDP datagrams; and bytes to whole lines."""

import errno
import re
import socket
import termios
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import partial
from urllib.parse import parse_qs, urlsplit

import serial
from msgspec import Struct

from edge.address import host_port
from edge.driver import BadFrame, DeviceLost, DeviceRefused
from edge.drivers.nmea_sentence import MAX_BYTES

TICK_S = 0.1
CONNECT_S = 5.0
BAUDRATE = 4800
"""The standard's own (NMEA 0183, section 3.1)."""
_MOST_BAUD, _LEAST_BAUD = 4_000_000, 50
_READ_BYTES, _DATAGRAM_BYTES = 4096, 65_535
_END = re.compile(rb"[\r\n]+")
_BLANK = b" \t\0"
_SHOWN = 60

Receive = Callable[[], bytes]
"""What has arrived, or b"" after TICK_S of silence. Raises DeviceLost."""


class Where(Struct, frozen=True):
    """A source, taken apart."""

    kind: str
    """serial, tcp or udp."""
    host: str = ""
    port: int = 0
    path: str = ""
    baudrate: int = BAUDRATE


def where(source: str) -> Where:
    """A source of the configuration. Raises ValueError.

    >>> where("serial:///dev/ttyUSB0?baudrate=9600").baudrate, where("udp://0.0.0.0:10110").port
    (9600, 10110)
    """
    parts = urlsplit(source)
    if parts.scheme in {"tcp", "udp"} and not (parts.path or parts.query or parts.fragment):
        return Where(parts.scheme, *host_port(parts.netloc, key="source"))
    query = parse_qs(parts.query, keep_blank_values=True)
    rate = query.pop("baudrate", [str(BAUDRATE)])
    if parts.scheme != "serial" or parts.netloc or not parts.path.strip("/") or query or parts.fragment:
        msg = f"source: tcp://HOST:PORT, udp://HOST:PORT or serial:///dev/NAME?baudrate=N expected, got {source!r}"
        raise ValueError(msg)
    if len(rate) != 1 or not rate[0].isdecimal() or not _LEAST_BAUD <= int(rate[0]) <= _MOST_BAUD:
        msg = f"source: a baudrate of {_LEAST_BAUD} ... {_MOST_BAUD} expected, got {source!r}"
        raise ValueError(msg)
    return Where("serial", path=parts.path, baudrate=int(rate[0]))


@contextmanager
def opened(place: Where) -> Generator[Receive]:
    """The source, open for as long as the context lasts. Raises DeviceLost, DeviceRefused if its port is taken."""
    if place.kind == "serial":
        with closing(_port(place)) as port:
            yield partial(_from_port, port)
        return
    try:
        connection = _listening(place) if place.kind == "udp" else _connected(place)
    except (OSError, UnicodeError) as error:  # the latter of a name that cannot be one
        msg = f"{place.kind}://{place.host}:{place.port}: {error}"
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise (DeviceRefused if taken else DeviceLost)(msg) from error
    with connection:
        connection.settimeout(TICK_S)
        yield partial(_from_socket, connection, is_udp=place.kind == "udp")


class Lines:
    r"""Bytes of one source to sentences from their $; whatever else there is becomes a BadFrame.

    The first line may have begun before we listened. Encapsulated sentences (`!AIVDM`) and TAG blocks (`\...\`) are
    of NMEA too, and left out.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._is_first = True
        self._is_overrun = False

    def feed(self, data: bytes) -> list[bytes | BadFrame]:
        """The sentences that these bytes end, in order."""
        found: list[bytes | BadFrame] = []
        *lines, self._buffer = _END.split(self._buffer + data)
        for line in lines:
            found += self._line(line.strip(_BLANK))
            self._is_first = self._is_overrun = False
        if len(self._buffer) > MAX_BYTES:
            if not (self._is_overrun or self._is_first):
                found.append(BadFrame(f"sentence: an end within {MAX_BYTES} bytes expected"))
            self._is_overrun = True
            self._buffer = self._buffer[max(self._buffer.rfind(b"$"), len(self._buffer) - MAX_BYTES) :]
        return found

    def _line(self, line: bytes) -> list[bytes | BadFrame]:
        before, dollar, sentence = line.rpartition(b"$")
        if not dollar:
            before, sentence = sentence, b""
        found: list[bytes | BadFrame] = []
        is_known = before[:1] == b"!" if not dollar else before[:1] == before[-1:] == b"\\"
        if before and not (is_known or self._is_first or self._is_overrun):
            found.append(BadFrame(f"sentence: $ expected, got {before[:_SHOWN]!r}"))
        if dollar:
            found.append(dollar + sentence)
        return found


def _connected(place: Where) -> socket.socket:
    return socket.create_connection((place.host, place.port), timeout=CONNECT_S)


def _listening(place: Where) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        place.host, place.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _port(place: Where) -> serial.Serial:
    try:
        return serial.Serial(place.path, place.baudrate, timeout=TICK_S, exclusive=True)
    except (OSError, ValueError, termios.error) as error:
        msg = (error.strerror if isinstance(error, OSError) else None) or f"{place.path}: {error}"
        raise DeviceLost(msg) from error


def _from_socket(connection: socket.socket, *, is_udp: bool) -> bytes:
    try:
        if is_udp:
            return connection.recv(_DATAGRAM_BYTES) + b"\n"  # a datagram holds whole sentences, not always their ends
        data = connection.recv(_READ_BYTES)
    except TimeoutError:
        return b""
    except OSError as error:
        msg = f"reading: {error}"
        raise DeviceLost(msg) from error
    if not data:
        msg = "hung up"
        raise DeviceLost(msg)
    return data


def _from_port(port: serial.Serial) -> bytes:
    try:
        data: bytes = port.read(1)
        return data + port.read(port.in_waiting) if data and port.in_waiting else data
    except OSError as error:
        msg = f"reading: {error}"
        raise DeviceLost(msg) from error
