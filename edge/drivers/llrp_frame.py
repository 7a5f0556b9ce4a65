"""LLRP 1.0.1 frames on a TCP stream, and the parameters in them: every length is checked against its parent."""

import re
import struct
from collections.abc import Iterator

from edge.driver import BadFrame

HEADER_BYTES = 10
MAX_FRAME_BYTES = 4 * 1024 * 1024
MAX_CONTROL_BYTES = 64 * 1024
VERSION = 1
GET_REPORT, RO_ACCESS_REPORT, KEEPALIVE, EVENT, KEEPALIVE_ACK, ERROR_MESSAGE = 60, 61, 62, 63, 72, 100
UNASKED = frozenset({RO_ACCESS_REPORT, EVENT})
FROM_READER = frozenset({4, 11, 12, 13, *range(30, 37), *range(50, 55), 56, 57, 61, 62, 63, 100, 1023})

_header = struct.Struct("!HII")
TLV = struct.Struct("!HH")
_MAX_TYPE = 0x3FF
_MAYBE_HEADER = re.compile(rb"[\x04-\x07]")


def header(kind: int, message_id: int) -> bytes:
    """A message without a body.

    >>> header(KEEPALIVE_ACK, 7).hex()
    '04480000000a00000007'
    """
    return _header.pack(VERSION << 10 | kind, HEADER_BYTES, message_id)


def kind_of(frame: bytes) -> int:
    """The message type of a whole frame."""
    return (frame[0] << 8 | frame[1]) & _MAX_TYPE


def id_of(frame: bytes) -> int:
    """The message id of a whole frame."""
    return int.from_bytes(frame[6:10], "big")


class Framer:
    """Bytes of one connection to whole frames.

    A header that cannot be one is a BadFrame; then the next bytes that can be one are looked for, so that what follows
    is still read. `skipped` counts the bytes passed over since the last whole frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._found = False
        self.skipped = 0

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        self._buffer += data

    def reject(self, frame: bytes) -> None:
        """The frame just returned was malformed: its length may have been too, so look for the next within it.

        A frame that was itself found by looking is not searched again, or garbage could be searched without end.
        """
        if not self._found:
            self._buffer[:0] = frame[1:]
            self.skipped = 1

    def next(self) -> bytes | None:
        """The next whole frame, or None while there is none. Raises BadFrame once for each stretch of garbage."""
        while len(self._buffer) >= HEADER_BYTES:
            word, length, _ = _header.unpack_from(self._buffer)
            why = self._wrong(word, length)
            if why is None:
                return self._take(length)
            first = not self.skipped
            begin = _MAYBE_HEADER.search(self._buffer, 1)
            at = begin.start() if begin else len(self._buffer)
            del self._buffer[:at]
            self.skipped += at
            if first:
                raise BadFrame(why)
        return None

    def _take(self, length: int) -> bytes | None:
        if len(self._buffer) < length:
            return None
        frame = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._found = bool(self.skipped)
        self.skipped = 0
        return frame

    def _wrong(self, word: int, length: int) -> str | None:
        cap = MAX_CONTROL_BYTES if self.skipped else MAX_FRAME_BYTES
        if word >> 10 != VERSION:
            return f"header: version {VERSION} expected, got {word >> 10}"
        if not HEADER_BYTES <= length <= cap:
            return f"header: a length of {HEADER_BYTES} ... {cap} expected, got {length}"
        if self.skipped and word & _MAX_TYPE not in FROM_READER:
            return f"header: a reader's message expected, got type {word & _MAX_TYPE}"
        return None


def parameters(frame: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(type, begin, end) of each TLV parameter between start and end. Raises BadFrame."""
    while start < end:
        kind, stop = tlv_at(frame, start, end)
        yield kind, start + TLV.size, stop
        start = stop


def tlv_at(frame: bytes, start: int, end: int) -> tuple[int, int]:
    """(type, end) of the TLV parameter at start, whose parent ends at end."""
    if end - start < TLV.size:
        msg = f"parameter: 4 bytes of header expected at {start}, {end - start} left"
        raise BadFrame(msg)
    kind, length = TLV.unpack_from(frame, start)
    if kind > _MAX_TYPE or length < TLV.size or start + length > end:
        msg = f"parameter {kind} at {start}: a length of 4 ... {end - start} expected, got {length}"
        raise BadFrame(msg)
    return kind, start + length
