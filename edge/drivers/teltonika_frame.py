"""Teltonika's protocol in bytes: the login, the frames, the records of Codec 8, 8 Extended and 16.

After the maker's wiki, "Teltonika Data Sending Protocols". Framing and content are apart because what is wrong with
them is answered differently: a frame whose length or CRC is wrong is the connection's fault, and the tracker sends it
again; a frame with the right CRC that `decode` refuses would be refused for ever.
"""

import struct
from contextlib import suppress

from msgspec import Struct

from edge.driver import BadFrame

MAX_DATA_BYTES = 64 * 1024
IMEI_DIGITS = 15
ACCEPTED, REFUSED = b"\x01", b"\x00"
MESSAGES = frozenset({0x0C, 0x0D, 0x0E, 0x0F})
"""Codecs of commands and serial ports: texts, not records. They are not counted, and an answer would confuse."""

_LOGIN_BYTES = 2 + IMEI_DIGITS
_PREAMBLE = bytes(4)
_HEADER_BYTES, _CRC_BYTES, _MIN_DATA_BYTES = 8, 4, 3
_PING = b"\xff"
_POLYNOMIAL = 0xA001
_fixed = struct.Struct("!QBiihHBH")
_FIXED_SIZES = (1, 2, 4, 8)


class _Layout(Struct, frozen=True):
    """Where the codecs differ: bytes of an id, bytes of a count, and what they alone have."""

    ident: int
    count: int
    generation: int = 0
    variable: bool = False
    sizes: tuple[int, ...] = _FIXED_SIZES


_LAYOUTS = {0x08: _Layout(1, 1), 0x8E: _Layout(2, 2, variable=True), 0x10: _Layout(2, 1, generation=1)}
_WIDE = {0x08: _Layout(1, 1, sizes=(*_FIXED_SIZES, 16))}
"""Codec 8 with a fifth group, of 16 bytes, as firmware of some models sends it (traccar/traccar,
TeltonikaProtocolDecoder, `extended`). A frame does not say so: it is read so if it cannot be read as the wiki says."""


class Record(Struct, frozen=True):
    """One AVL record, as sent. Without a fix the position is the last one, and satellites, speed and course are 0."""

    at_ms: int
    """Since 1970-01-01 UTC, unsigned 64 bits: any time may come."""
    priority: int
    lon_e7: int
    lat_e7: int
    altitude_m: int
    course_deg: int
    satellites: int
    speed_kmh: int
    event_id: int
    """The element whose change caused the record; 0: time or distance did."""
    io: dict[int, bytes]
    """AVL id to raw value, big-endian. An id that comes twice has its last value."""


def crc16(data: bytes) -> int:
    """CRC-16/IBM (ARC): polynomial 0x8005 reflected, nothing before and nothing after.

    >>> hex(crc16(b"123456789"))
    '0xbb3d'
    """
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def answer(records: int) -> bytes:
    """What acknowledges so many records.

    >>> answer(25).hex()
    '00000019'
    """
    return records.to_bytes(4, "big")


def claimed(data: bytes) -> int:
    """How many records a frame's data says that it has: an answer with this number makes the tracker go on."""
    return data[1]


class Framer:
    """Bytes of one connection to its login and its frames.

    Raises BadFrame as soon as a byte cannot belong. Then the place in the stream is lost for good: a frame has no mark
    that its content could not hold too. Hang up; what was not acknowledged comes again.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        self._buffer += data

    @property
    def begun(self) -> bool:
        """Whether a frame has begun. The bytes 0xFF between frames are network pings, and are dropped."""
        if self._buffer.startswith(_PING):
            self._buffer = self._buffer.lstrip(_PING)
        return bool(self._buffer)

    def login(self) -> str | None:
        """The IMEI that a connection opens with, "" if it names none, or None while it is not whole."""
        buffer = self._buffer
        length = int.from_bytes(buffer[:2])
        if (buffer and buffer[0]) or (len(buffer) > 1 and length not in {0, IMEI_DIGITS}):
            msg = f"login: a length of {IMEI_DIGITS} expected, got {bytes(buffer[:2]).hex()}"
            raise BadFrame(msg)
        digits = bytes(buffer[2:_LOGIN_BYTES]) if length else b""
        if digits and not digits.isdigit():
            msg = f"login: an IMEI of {IMEI_DIGITS} digits expected, got {digits!r}"
            raise BadFrame(msg)
        if len(buffer) < 2 + length or len(buffer) < 2:  # noqa: PLR2004 - the length's own bytes
            return None
        del buffer[: 2 + length]
        return digits.decode("ascii")

    def frame(self) -> bytes | None:
        """The next frame's data, from codec to second count, or None while there is no whole one.

        >>> framer = Framer()
        >>> framer.feed(bytes.fromhex("00000000 00000003 080000 0000c281"))
        >>> framer.frame().hex()
        '080000'
        """
        if not self.begun:
            return None
        buffer = self._buffer
        if any(buffer[:4]):
            msg = f"frame: a preamble of 4 zero bytes expected, got {bytes(buffer[:4]).hex()}"
            raise BadFrame(msg)
        if len(buffer) < _HEADER_BYTES:
            return None
        length = int.from_bytes(buffer[4:_HEADER_BYTES])
        if not _MIN_DATA_BYTES <= length <= MAX_DATA_BYTES:
            msg = f"frame: a length of {_MIN_DATA_BYTES} ... {MAX_DATA_BYTES} expected, got {length}"
            raise BadFrame(msg)
        end = _HEADER_BYTES + length
        if len(buffer) < end + _CRC_BYTES:
            return None
        data, sent = bytes(buffer[_HEADER_BYTES:end]), int.from_bytes(buffer[end : end + _CRC_BYTES])
        del buffer[: end + _CRC_BYTES]
        if (crc := crc16(data)) != sent:
            msg = f"frame: a CRC of {crc:#06x} expected, got {sent:#06x}"
            raise BadFrame(msg)
        return data


def decode(data: bytes) -> list[Record]:
    """The records of a frame's data. Raises BadFrame.

    A record's own total of elements is not compared: the counts of its groups say the same, and the records must end
    exactly where the data do.

    >>> [record] = decode(bytes.fromhex("0801 0000016b40d8ea30 01 000000000000000000000000000000"
    ...                                 "0105 02 1503 0101 01 425e0f 01 f10000601a 01 4e0000000000000000 01"))
    >>> record.at_ms, {ident: raw.hex() for ident, raw in record.io.items()}
    (1560161086000, {21: '03', 1: '01', 66: '5e0f', 241: '0000601a', 78: '0000000000000000'})
    """
    layout = _LAYOUTS.get(data[0]) if data else None
    if layout is None:
        msg = f"data: codec 8, 8E or 10 expected, got {data[:1].hex() or 'nothing'}"
        raise BadFrame(msg)
    if len(data) < _MIN_DATA_BYTES or data[1] != data[-1]:
        msg = f"data: the same number of records at both ends expected, got {data[1:2].hex()} and {data[-1:].hex()}"
        raise BadFrame(msg)
    try:
        return _records(data, layout)
    except BadFrame:
        if (wide := _WIDE.get(data[0])) is not None:
            with suppress(BadFrame):
                return _records(data, wide)
        raise


def _records(data: bytes, layout: _Layout) -> list[Record]:
    """All of them, to the last byte."""
    at, end = 2, len(data) - 1
    records: list[Record] = []
    for _ in range(data[1]):
        record, at = _record(data, at, end, layout)
        records.append(record)
    if at != end:
        msg = f"data: {len(records)} records end at {at}, {end} expected"
        raise BadFrame(msg)
    return records


def _record(data: bytes, at: int, end: int, layout: _Layout) -> tuple[Record, int]:
    """The record at `at`, and where it ends."""
    _check(at, _fixed.size, end)
    at_ms, priority, lon, lat, altitude, course, satellites, speed = _fixed.unpack_from(data, at)
    event_id, at = _number(data, at + _fixed.size, layout.ident, end)
    _, at = _number(data, at, layout.generation + layout.count, end)
    io: dict[int, bytes] = {}
    for size in layout.sizes:
        count, at = _number(data, at, layout.count, end)
        step = layout.ident + size
        _check(at, count * step, end)
        for begin in range(at, at + count * step, step):
            value = begin + layout.ident
            io[int.from_bytes(data[begin:value])] = data[value : begin + step]
        at += count * step
    if layout.variable:
        count, at = _number(data, at, layout.count, end)
        for _ in range(count):
            ident, at = _number(data, at, layout.ident, end)
            size, at = _number(data, at, 2, end)
            _check(at, size, end)
            io[ident] = data[at : at + size]
            at += size
    return Record(at_ms, priority, lon, lat, altitude, course, satellites, speed, event_id, io), at


def _number(data: bytes, at: int, size: int, end: int) -> tuple[int, int]:
    """The unsigned number of `size` bytes at `at`, and where it ends."""
    _check(at, size, end)
    return int.from_bytes(data[at : at + size]), at + size


def _check(at: int, size: int, end: int) -> None:
    if at + size > end:
        msg = f"record: {size} bytes expected at {at}, {end - at} left"
        raise BadFrame(msg)


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_CRC = tuple(_crc_of(byte) for byte in range(256))
