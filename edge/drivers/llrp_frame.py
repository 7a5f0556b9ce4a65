"""LLRP 1.0.1 frames and tag reports: the fast way in.

The general codec (see llrp_control) is slow for reports and dies on malformed ones, so framing and RO_ACCESS_REPORT are
decoded here in one pass, every length checked against its parent. Only BadFrame comes out of bad bytes.
"""

import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from edge.driver import BadFrame

HEADER_BYTES = 10
MAX_FRAME_BYTES = 4 * 1024 * 1024
MAX_CONTROL_BYTES = 64 * 1024
VERSION = 1
GET_REPORT, RO_ACCESS_REPORT, KEEPALIVE, EVENT, KEEPALIVE_ACK, ERROR_MESSAGE = 60, 61, 62, 63, 72, 100
UNASKED = frozenset({RO_ACCESS_REPORT, EVENT})
FROM_READER = frozenset({4, 11, 12, 13, *range(30, 37), *range(50, 55), 56, 57, 61, 62, 63, 100, 1023})

_header = struct.Struct("!HII")
_tlv = struct.Struct("!HH")
_custom = struct.Struct("!IIh")
_MAX_TYPE = 0x3FF
_MAYBE_HEADER = re.compile(rb"[\x04-\x07]")
# TV parameters by type (LLRP 1.0.1, 17.2.3 and 17.2.7.3).
_TV_LAYOUTS = (
    "",
    *(
        "H",
        "Q",
        "Q",
        "Q",
        "Q",
        "b",
        "H",
        "H",
    ),  # antenna, seen: first UTC, uptime, last UTC, uptime, RSSI, channel, count
    *("I", "H", "H", "H", "12s", "H", "H"),  # ROSpec, inventory spec, CRC, PC, EPC-96, spec index, request result
    *("I", "H", "I", "H", "H"),  # AccessSpec, OpSpec, singulation details, XPC 1, XPC 2
)
_TV_BYTES = [struct.calcsize("!" + layout) for layout in _TV_LAYOUTS] + [0] * (128 - len(_TV_LAYOUTS))
_TV_READ = [struct.Struct("!" + layout).unpack_from for layout in _TV_LAYOUTS]
_EPC_96, _PHASE, _RSSI, _DOPPLER, _SLOTS = 13, 21, 22, 23, 24
_TAG_REPORT, _EPC_DATA, _CUSTOM = 240, 241, 1023
_IMPINJ = 25882
_IMPINJ_SLOT = {56: _PHASE, 57: _RSSI, 68: _DOPPLER}


class TagRead(msgspec.Struct, frozen=True, gc=False):
    """One TagReportData. Times are the reader's own microseconds; what was not sent is None."""

    epc: str
    antenna: int | None = None
    rssi_dbm: float | None = None
    channel: int | None = None
    count: int | None = None
    first_utc: int | None = None
    last_utc: int | None = None
    first_uptime: int | None = None
    last_uptime: int | None = None
    phase_rad: float | None = None
    doppler_hz: float | None = None


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


def tag_reads(frame: bytes) -> list[TagRead]:
    """The reads of one RO_ACCESS_REPORT frame (LLRP 1.0.1, 17.1.30). Raises BadFrame.

    Parameters that are not known are skipped. A read without an EPC has epc "".

    >>> report = bytes.fromhex("043d 00000020 00000001 00f0 0016 8d 3034257bf7194e4000001a85 810002 86c6")
    >>> [(read.epc, read.antenna, read.rssi_dbm) for read in tag_reads(report)]
    [('3034257bf7194e4000001a85', 2, -58)]
    """
    end = len(frame)
    reads: list[TagRead] = []
    for kind, start, stop in parameters(frame, HEADER_BYTES, end):
        if kind == _TAG_REPORT:
            reads.append(_tag_read(frame, start, stop))
    return reads


def parameters(frame: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(type, begin, end) of each TLV parameter between start and end."""
    while start < end:
        if end - start < _tlv.size:
            msg = f"parameter: 4 bytes of header expected at {start}, {end - start} left"
            raise BadFrame(msg)
        kind, length = _tlv.unpack_from(frame, start)
        if kind > _MAX_TYPE or length < _tlv.size or start + length > end:
            msg = f"parameter {kind} at {start}: a length of 4 ... {end - start} expected, got {length}"
            raise BadFrame(msg)
        yield kind, start + _tlv.size, start + length
        start += length


def _tag_read(frame: bytes, at: int, end: int) -> TagRead:
    slots: list[Any] = [None] * _SLOTS
    while at < end:
        kind = frame[at]
        if kind & 0x80:
            kind &= 0x7F
            size = _TV_BYTES[kind]
            if not size or at + size >= end:
                msg = f"tag report: TV parameter {kind} at {at} is unknown or ends after its tag"
                raise BadFrame(msg)
            slots[kind] = _TV_READ[kind](frame, at + 1)[0]
            at += 1 + size
        else:
            kind, start, at = next(parameters(frame, at, end))
            if kind == _EPC_DATA:
                slots[_EPC_96] = _epc_data(frame, start, at)
            elif kind == _CUSTOM:
                _custom_parameter(slots, frame, start, at)
    _, antenna, first_utc, first_uptime, last_utc, last_uptime, rssi, channel, count = slots[:9]
    phase, fine_rssi, doppler = slots[_PHASE:]
    return TagRead(
        (slots[_EPC_96] or b"").hex(),
        antenna,
        rssi if fine_rssi is None else fine_rssi / 100,
        channel,
        count,
        first_utc,
        last_utc,
        first_uptime,
        last_uptime,
        None if phase is None else (phase & 0xFFF) * math.tau / 4096,
        None if doppler is None else doppler / 16,
    )


def _epc_data(frame: bytes, start: int, end: int) -> bytes:
    """EPCData (17.2.7.3.1): a 16-bit count of bits, then the bits, padded to whole bytes."""
    if end - start < 2:  # noqa: PLR2004
        msg = f"EPCData at {start}: a bit count of 2 bytes expected"
        raise BadFrame(msg)
    bits = frame[start] << 8 | frame[start + 1]
    stop = start + 2 + (bits + 7) // 8
    if stop > end:
        msg = f"EPCData at {start}: {bits} bits expected, {(end - start - 2) * 8} there"
        raise BadFrame(msg)
    return frame[start + 2 : stop]


def _custom_parameter(slots: list[Any], frame: bytes, start: int, end: int) -> None:
    """Impinj's phase, fine RSSI and Doppler; any other vendor's parameter is skipped."""
    if end - start >= _custom.size:
        vendor, subtype, value = _custom.unpack_from(frame, start)
        if vendor == _IMPINJ and subtype in _IMPINJ_SLOT:
            slots[_IMPINJ_SLOT[subtype]] = value
