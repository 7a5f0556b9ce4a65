"""RO_ACCESS_REPORT to tag reads in one pass (LLRP 1.0.1, 17.1.30 and 17.2.7.3), each length checked against its parent.

This walk says what a report means; `llrp_report` only does the same faster.
"""

import struct
from typing import Any, NoReturn

import msgspec

from edge.driver import BadFrame
from edge.drivers.llrp_frame import HEADER_BYTES, MAX_FRAME_BYTES, TLV, tlv_at

TAG_REPORT, EPC_DATA, CUSTOM = 240, 241, 1023
TV_BIT = 0x80
MAX_TAGS = 20_000
"""In one report: far more than any reader keeps. A frame has room for a million empty ones, and each costs memory."""
IMPINJ = 25882


class TagRead(msgspec.Struct, frozen=True, gc=False):
    """One TagReportData in the protocol's own units; what was not sent is None, an EPC that was not is b"".

    Times are the reader's microseconds. The three of Impinj (Octane LLRP) are 4096ths of a turn, hundredths of a dBm
    and sixteenths of a hertz.
    """

    epc: bytes = b""
    antenna: int | None = None
    peak_dbm: int | None = None
    channel: int | None = None
    count: int | None = None
    first_utc: int | None = None
    first_uptime: int | None = None
    last_utc: int | None = None
    last_uptime: int | None = None
    impinj_phase: int | None = None
    impinj_cdbm: int | None = None
    impinj_doppler: int | None = None

    @property
    def rssi_cdbm(self) -> int | None:
        """Strength in hundredths of a dBm: the finer of the two that may be there."""
        if self.impinj_cdbm is not None:
            return self.impinj_cdbm
        return None if self.peak_dbm is None else self.peak_dbm * 100


_SLOTS = {name: slot for slot, name in enumerate(TagRead.__struct_fields__)}
UNUSED, EPC = len(_SLOTS), _SLOTS["epc"]
# TV parameters by type: the field they fill and the format of their payload. 9 ROSpec, 10 inventory spec, 11 CRC,
# 12 PC, 14 spec index, 15 request result, 16 AccessSpec, 17 OpSpec, 18 singulation details, 19 and 20 XPC.
_FIELDS = {
    1: ("antenna", "H"),
    2: ("first_utc", "Q"),
    3: ("first_uptime", "Q"),
    4: ("last_utc", "Q"),
    5: ("last_uptime", "Q"),
    6: ("peak_dbm", "b"),
    7: ("channel", "H"),
    8: ("count", "H"),
    13: ("epc", "12s"),
    **{kind: ("", code) for kind, code in zip((9, 10, 11, 12, *range(14, 21)), "IHHHHHIHIHH", strict=True)},
}
TV = {
    TV_BIT | kind: (_SLOTS.get(name, UNUSED), code, 1 + struct.calcsize(f"!{code}"))
    for kind, (name, code) in _FIELDS.items()
}
"""First byte of a TV parameter: (field, format of the payload, bytes in all)."""
_epc_data = struct.Struct("!HHH")
EPC_HEAD_BYTES = _epc_data.size
_IMPINJ = ((56, "impinj_phase", "H"), (57, "impinj_cdbm", "h"), (68, "impinj_doppler", "h"))
_vendor_slots = {struct.pack("!II", IMPINJ, subtype): _SLOTS[name] for subtype, name, _ in _IMPINJ}
VENDOR_CODES = {_SLOTS[name]: code for _, name, code in _IMPINJ}
"""Field of a vendor's value: its format."""
VENDOR_BYTES, VALUE_BYTES = 8, 2
HEAD_BYTES, WHOLE_BYTES = TLV.size + VENDOR_BYTES, TLV.size + VENDOR_BYTES + VALUE_BYTES
_no_tv = (UNUSED, "", MAX_FRAME_BYTES)
_read_tv = [
    (slot, struct.Struct(f"!{code}").unpack_from, size)
    for slot, code, size in (TV.get(kind, _no_tv) for kind in range(256))
]
_read_vendor = {
    struct.pack("!HH", CUSTOM, WHOLE_BYTES) + head: (
        slot,
        struct.Struct(f"!{VENDOR_CODES[slot]}").unpack_from,
    )
    for head, slot in _vendor_slots.items()
}
_absent: list[Any] = [b"", *[None] * UNUSED]


def walk_reads(frame: bytes) -> list[TagRead]:
    """The reads of one RO_ACCESS_REPORT frame. Raises BadFrame. Parameters that are not known are skipped.

    >>> report = bytes.fromhex("043d 00000020 00000001 00f0 0016 8d 3034257bf7194e4000001a85 810002 86c6")
    >>> [(read.epc.hex(), read.antenna, read.rssi_cdbm) for read in walk_reads(report)]
    [('3034257bf7194e4000001a85', 2, -5800)]
    """
    reads: list[TagRead] = []
    at, end = HEADER_BYTES, len(frame)
    while at < end:
        kind, stop = tlv_at(frame, at, end)
        if kind == TAG_REPORT:
            if len(reads) == MAX_TAGS:
                msg = f"tag report: at most {MAX_TAGS} tags expected, got more"
                raise BadFrame(msg)
            reads.append(_tag_read(frame, at + TLV.size, stop))
        at = stop
    return reads


def _tag_read(frame: bytes, at: int, end: int) -> TagRead:
    """The tag between `at` and `end`."""
    values = _absent[:]
    while at < end:
        kind = frame[at]
        if kind & TV_BIT:
            slot, unpack, size = _read_tv[kind]
            begin, at = at + 1, at + size
            if at > end:
                refuse_tv(kind, begin - 1)
            (values[slot],) = unpack(frame, begin)
        elif (known := _read_vendor.get(frame[at : at + HEAD_BYTES])) and at + WHOLE_BYTES <= end:
            slot, unpack = known
            (values[slot],) = unpack(frame, at + HEAD_BYTES)
            at += WHOLE_BYTES
        else:
            slot, value, at = _tlv_value(frame, at, end)
            values[slot] = value
    values.pop()
    return TagRead(*values)


def _tlv_value(frame: bytes, at: int, end: int) -> tuple[int, bytes | int | None, int]:
    """(field, value, end) of the TLV parameter at `at`: the usual EPCData first, for it is in every report."""
    if at + EPC_HEAD_BYTES <= end:
        kind, length, bits = _epc_data.unpack_from(frame, at)
        begin, stop = at + EPC_HEAD_BYTES, at + length
        past = begin + (bits + 7 >> 3)
        if kind == EPC_DATA and past <= stop <= end:
            return EPC, frame[begin:past], stop
    slot, begin, code, stop = tlv(frame, at, end)
    return slot, struct.unpack_from(f"!{code}", frame, begin)[0] if code else None, stop


def tlv(frame: bytes, at: int, end: int) -> tuple[int, int, str, int]:
    """(field, where its value begins, the value's format, end) of the TLV parameter at `at`. Raises BadFrame.

    All bytes before the value decide on it, and nothing after it does. EPCData (17.2.7.3.1) is a 16-bit count of bits,
    then the bits in whole bytes; a Custom parameter is told by vendor and subtype.
    """
    kind, stop = tlv_at(frame, at, end)
    body = at + TLV.size
    if kind == EPC_DATA:
        size = (int.from_bytes(frame[body : body + 2]) + 7) // 8
        if body + 2 + size > stop:
            msg = f"EPCData at {at}: {size} bytes expected after a count of bits, {stop - body - 2} there"
            raise BadFrame(msg)
        return EPC, body + 2, f"{size}s", stop
    if kind == CUSTOM and stop >= body + VENDOR_BYTES:
        slot = _vendor_slots.get(frame[body : body + VENDOR_BYTES])
        if slot is None or stop < body + VENDOR_BYTES + VALUE_BYTES:
            return UNUSED, body + VENDOR_BYTES, "", stop
        return slot, body + VENDOR_BYTES, VENDOR_CODES[slot], stop
    return UNUSED, body, "", stop


def refuse_tv(kind: int, at: int) -> NoReturn:
    """Raise the BadFrame of a TV parameter that is unknown, so its length is too, or that leaves its tag."""
    what = "ends after its tag" if kind in TV else "is unknown, and so is its length"
    msg = f"tag report: TV parameter {kind & ~TV_BIT} at {at} {what}"
    raise BadFrame(msg)
