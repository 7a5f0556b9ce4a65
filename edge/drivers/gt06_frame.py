"""GT06's packets in bytes: mark, length, type, content, serial number, CRC, stop.

After Concox's "GPS Tracker Communication Protocol" (GT06N, JM-VL03), chapter "Packet Format". The marks let a reader
find its place again after bytes that are none; the network's own checks make that rare, a tracker's firmware does not.
"""

import binascii
import re
from contextlib import suppress
from typing import NoReturn

from msgspec import Struct

from edge.driver import BadFrame

SHORT, LONG, STOP = b"\x78\x78", b"\x79\x79", b"\x0d\x0a"
MAX_LENGTH = 4096
"""The most that a packet's length may say; the longest known ones are pieces of photos, a little above 1 KiB."""
MAX_SKIPPED = 8192
"""So many bytes without one packet among them are no tracker."""

MAX_LOOKED = 4096
"""So many looks at marks behind a packet that does not end, as they are all looked at whenever a byte comes."""

_LENGTH, _MIN_LENGTH = 1, 5  # bytes of a short packet's length; type, serial number and CRC
_MARK = re.compile(rb"(?=\x78\x78|\x79\x79)")
_WATCH_HEAD, _TIME, _ACCESS_POINT, _OPERATOR, _CELL = 4, 6, 7, 3, 5
_ACCESS_POINTS = frozenset({0x17, 0x69})
_WATCH_BYTES = {(0x01, 0x0D): 15, (0x10, 0x12): 24}
"""Of the packets of watches, by type and second field; of those with access points the field is their number."""
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Packet(Struct, frozen=True):
    """One packet. `serial` is None where it has neither serial number nor CRC, as that of watches."""

    kind: int
    content: bytes
    serial: int | None
    long: bool = False
    """Whether its mark is 0x7979 and its length two bytes."""


def crc_itu(data: bytes) -> int:
    """CRC-16/X-25, which the maker calls CRC-ITU; binascii has it with the bits of every byte the other way round.

    >>> hex(crc_itu(b"123456789"))
    '0x906e'
    """
    crc = binascii.crc_hqx(data.translate(_MIRRORED), 0xFFFF)
    return (_MIRRORED[crc & 0xFF] << 8 | _MIRRORED[crc >> 8]) ^ 0xFFFF


def pack(packet: Packet) -> bytes:
    """A packet with its length and CRC.

    >>> pack(Packet(0x01, b"", serial=5)).hex()
    '7878050100059ff80d0a'
    """
    length = (_MIN_LENGTH + len(packet.content)).to_bytes(_LENGTH + packet.long)
    body = length + bytes([packet.kind]) + packet.content + (packet.serial or 0).to_bytes(2)
    return (LONG if packet.long else SHORT) + body + crc_itu(body).to_bytes(2) + STOP


class Framer:
    """Bytes of one connection to its packets. `unchecked`: watches' packets are taken too."""

    def __init__(self, *, unchecked: bool = False) -> None:
        self._buffer = bytearray()
        self._unchecked = unchecked
        self._looked = 0
        self.skipped = 0
        """Bytes that were none of a packet, since the last one."""

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        self._buffer += data

    @property
    def begun(self) -> bool:
        """Whether a packet has begun; asked after `packet` had no more."""
        return bool(self._buffer)

    def packet(self) -> Packet | None:
        """The next packet, or None while there is no whole one.

        Raises BadFrame when it has dropped bytes that are none; what comes behind them is read by the next call.

        >>> framer = Framer()
        >>> framer.feed(bytes.fromhex("7878050100059ff80d0a"))
        >>> framer.packet()
        Packet(kind=1, content=b'', serial=5, long=False)
        """
        begin = _mark(self._buffer, 0)
        if begin:
            self._drop(begin, f"a mark of 7878 or 7979 expected, got {bytes(self._buffer[:2]).hex()}")
        if not self._buffer:
            return None
        try:
            found = self._first()
        except BadFrame as error:
            self._drop(_mark(self._buffer, 1), str(error))
        if found is None:
            if (whole := self._whole_behind()) is not None:
                self._drop(whole, "an end expected, and there is a whole packet before it")
            return None
        packet, end = found
        del self._buffer[:end]
        self.skipped = self._looked = 0
        return packet

    def _drop(self, number: int, why: str) -> NoReturn:
        del self._buffer[:number]
        self.skipped += number
        msg = f"packet: {why}; {number} bytes dropped"
        raise BadFrame(msg)

    def _first(self) -> tuple[Packet, int] | None:
        """The packet that begins the buffer and where it ends, or None while it is not whole. Raises BadFrame."""
        if not self._unchecked:
            return _checked(self._buffer, 0)
        wrong = None
        try:
            if (found := _checked(self._buffer, 0)) is not None:
                return found
        except BadFrame as error:
            wrong = error
        try:
            return _watch(self._buffer)
        except BadFrame:
            if wrong is None:
                return None
            raise wrong from None

    def _whole_behind(self) -> int | None:
        """Where a whole packet begins behind one that has not ended: then that one's length was wrong."""
        buffer = self._buffer
        for mark in _MARK.finditer(buffer, 1):
            begin = mark.start()
            self._looked += 1
            if self._looked > MAX_LOOKED:
                break
            extent = _extent(buffer, begin)
            if extent is not None and buffer.startswith(STOP, extent[1] - len(STOP)):
                with suppress(BadFrame):
                    if _checked(buffer, begin) is not None:
                        return begin
        if self._looked > MAX_LOOKED:
            self.skipped = MAX_SKIPPED
            self._drop(len(buffer), "an end expected, got nothing but marks")
        return None


def _mark(buffer: bytearray, begin: int) -> int:
    """Where the next mark is, or the first half of one at the very end; if none, the end."""
    if (found := _MARK.search(buffer, begin)) is not None:
        return found.start()
    half = len(buffer) > begin and buffer[-1] in (SHORT[0], LONG[0])
    return len(buffer) - half


def _extent(buffer: bytearray, begin: int) -> tuple[int, int] | None:
    """Where a packet's type is and where it ends, by its length; None while that has not come."""
    head = begin + 2 + _LENGTH + (buffer[begin] == LONG[0])
    if len(buffer) < head:
        return None
    return head, head + int.from_bytes(buffer[begin + 2 : head]) + len(STOP)


def _checked(buffer: bytearray, begin: int) -> tuple[Packet, int] | None:
    """The packet that begins there and where it ends, or None while it is not whole. Raises BadFrame."""
    if (extent := _extent(buffer, begin)) is None:
        return None
    head, end = extent
    check, stop = end - len(STOP) - 2, end - len(STOP)
    if not _MIN_LENGTH <= stop - head <= MAX_LENGTH:
        msg = f"a length of {_MIN_LENGTH} ... {MAX_LENGTH} expected, got {stop - head}"
        raise BadFrame(msg)
    if len(buffer) < end:
        return None
    if not buffer.startswith(STOP, stop):
        msg = f"a stop of 0d0a expected, got {bytes(buffer[stop:end]).hex()}"
        raise BadFrame(msg)
    sent = int.from_bytes(buffer[check:stop])
    if (crc := crc_itu(bytes(buffer[begin + 2 : check]))) != sent:
        msg = f"a CRC of {crc:#06x} expected, got {sent:#06x}"
        raise BadFrame(msg)
    serial = int.from_bytes(buffer[check - 2 : check])
    return Packet(buffer[head], bytes(buffer[head + 1 : check - 2]), serial, buffer[begin] == LONG[0]), end


def _watch(buffer: bytearray) -> tuple[Packet, int] | None:
    """The packet of a watch that begins the buffer. Its second field does not count bytes: see _WATCH_BYTES."""
    if len(buffer) < _WATCH_HEAD:
        return None
    number, kind = buffer[2], buffer[3]
    points = _WATCH_HEAD + _TIME + _ACCESS_POINT * number
    if kind in _ACCESS_POINTS:
        if len(buffer) <= points:
            return None
        end = points + 1 + _OPERATOR + _CELL * buffer[points] + len(STOP)
    elif (end := _WATCH_BYTES.get((kind, number), 0)) == 0:
        raise BadFrame
    if len(buffer) < end:
        return None
    if not buffer.startswith(STOP, end - len(STOP)):
        raise BadFrame
    return Packet(kind, bytes(buffer[_WATCH_HEAD : end - len(STOP)]), None), end
