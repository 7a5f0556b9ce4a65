"""RO_ACCESS_REPORT to tag reads (LLRP 1.0.1, 17.1.30 and 17.2.7.3). Only BadFrame comes out of bad bytes.

A reader repeats one layout of parameters for every tag. The first tag of a layout is walked, every length checked
against its parent; that gives one struct format, and the next tag that fits it, headers and all, is one unpack.
"""

import math
import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import msgspec

from edge.driver import BadFrame
from edge.drivers.llrp_frame import HEADER_BYTES, TLV, parameters, tlv_at

# TV parameters by type. 1 antenna; seen: 2 first UTC, 3 first uptime, 4 last UTC, 5 last uptime; 6 peak RSSI,
# 7 channel, 8 count, 9 ROSpec, 10 inventory spec, 11 CRC, 12 PC, 13 EPC-96, 14 spec index, 15 request result,
# 16 AccessSpec, 17 OpSpec, 18 singulation details, 19 and 20 XPC.
_TV = dict(enumerate(("H", *"QQQQbHHIHHH", "12s", *"HHIHIHH"), 1))
_EPC, _PHASE, _RSSI, _DOPPLER, _OTHER = 13, 21, 22, 23, 24
_TAG_REPORT, _EPC_DATA, _CUSTOM = 240, 241, 1023
_IMPINJ = 25882
_IMPINJ_SLOT = {56: _PHASE, 57: _RSSI, 68: _DOPPLER}
_USED = (_EPC, 1, 6, 7, 8, 2, 4, 3, 5, _PHASE, _RSSI, _DOPPLER)
_MAX_LAYOUTS = 64


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


class _Layout(msgspec.Struct, frozen=True, gc=False):
    """How the tags of one length are laid out: headers and payloads by turns, and which payload is which value."""

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    headers: tuple[bytes, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]


# By length of the tag report, for all readers: an entry that another thread replaced is only made again.
_layouts: dict[int, _Layout] = {}


def tag_reads(frame: bytes) -> list[TagRead]:
    """The reads of one RO_ACCESS_REPORT frame. Raises BadFrame.

    Parameters that are not known are skipped. A read without an EPC has epc "".

    >>> report = bytes.fromhex("043d 00000020 00000001 00f0 0016 8d 3034257bf7194e4000001a85 810002 86c6")
    >>> [(read.epc, read.antenna, read.rssi_dbm) for read in tag_reads(report)]
    [('3034257bf7194e4000001a85', 2, -58)]
    """
    reads: list[TagRead] = []
    for kind, start, end in parameters(frame, HEADER_BYTES, len(frame)):
        if kind == _TAG_REPORT:
            reads.append(_tag_read(frame, start, end))
    return reads


def _tag_read(frame: bytes, start: int, end: int) -> TagRead:
    layout = _layouts.get(end - start)
    values = layout.unpack(frame, start) if layout else ()
    if layout is None or values[::2] != layout.headers:
        layout = _layout(frame, start, end)
        if len(_layouts) >= _MAX_LAYOUTS:
            _layouts.clear()
        _layouts[end - start] = layout
        values = layout.unpack(frame, start)
    epc, antenna, rssi, channel, count, first, last, first_up, last_up, phase, fine, doppler = layout.pick(
        (*values[1::2], None)
    )
    return TagRead(
        epc.hex() if epc else "",
        antenna,
        rssi if fine is None else fine / 100,
        channel,
        count,
        first,
        last,
        first_up,
        last_up,
        None if phase is None else (phase & 0xFFF) * math.tau / 4096,
        None if doppler is None else doppler / 16,
    )


def _layout(frame: bytes, start: int, end: int) -> _Layout:
    """The layout of the tag between start and end. Raises BadFrame."""
    formats = ["!"]
    slots: dict[int, int] = dict.fromkeys(_USED, -1)
    at = start
    while at < end:
        slot, piece, stop = _tv(frame, at) if frame[at] & 0x80 else _tlv(frame, at, end)
        if stop > end:
            msg = f"tag report: TV parameter {slot} at {at} ends after its tag"
            raise BadFrame(msg)
        slots[slot] = len(formats) - 1
        formats.append(piece)
        at = stop
    whole = struct.Struct("".join(formats))
    used = itemgetter(*(slots[slot] for slot in _USED))
    return _Layout(whole.unpack_from, whole.unpack_from(frame, start)[::2], used)


def _tv(frame: bytes, at: int) -> tuple[int, str, int]:
    """(slot, format of header and payload, end) of the TV parameter at `at`."""
    slot = frame[at] & 0x7F
    if slot not in _TV:
        msg = f"tag report: TV parameter {slot} at {at} is unknown, and so is its length"
        raise BadFrame(msg)
    return slot, f"1s{_TV[slot]}", at + 1 + struct.calcsize(f"!{_TV[slot]}")


def _tlv(frame: bytes, at: int, end: int) -> tuple[int, str, int]:
    """The same of a TLV parameter. EPCData (17.2.7.3.1) is a 16-bit count of bits, then the bits in whole bytes."""
    kind, stop = tlv_at(frame, at, end)
    body = stop - at - TLV.size
    if kind == _EPC_DATA:
        size = (int.from_bytes(frame[at + 4 : at + 6]) + 7) // 8
        if body < 2 or size > body - 2:  # noqa: PLR2004 - the count of bits
            msg = f"EPCData at {at}: {size} bytes expected after a count of bits, {body - 2} there"
            raise BadFrame(msg)
        return _EPC, f"6s{size}s{body - 2 - size}x", stop
    if kind == _CUSTOM and body >= 10:  # noqa: PLR2004 - vendor, subtype, 16-bit value
        vendor, subtype = struct.unpack_from("!II", frame, at + 4)
        if vendor == _IMPINJ and subtype in _IMPINJ_SLOT:
            return _IMPINJ_SLOT[subtype], f"12sh{body - 10}x", stop
    return _OTHER, f"4s{body}s", stop
