"""LLRP 1.0.1 in bytes: frames, parameters, status and tag reports, after chapter 16 of the standard.

Only the reader's side, and written from the standard alone, so that no client's reading of it is shared with the
simulator that checks that client.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from struct import error as struct_error

from simulators.devices.llrp_numbers import Code, Message, Param

__all__ = ["Code", "Fault", "Message", "Param", "SeenTag", "Selector", "event", "fields", "frame", "tlv", "walk"]

VERSION = 1
HEADER = Struct("!HII")
MAX_FRAME = 1 << 20
MAX_COUNT = 0xFFFF
EPC_96_BYTES = 12
TV_BIT = 0x80
TV_SIZES = dict(enumerate((2, 8, 8, 8, 8, 1, 2, 2, 4, 2, 2, 2, 12, 2, 2, 4, 2, 4, 2, 2), 1))
TLV_HEADER = Struct("!HH")
TLV_TYPE = 0x3FF
PC_96_BITS = 0x3000


class Fault(Exception):
    """What a request has wrong, as the LLRPStatus that answers it."""

    def __init__(self, code: Code, text: str, field: int | None = None, why: Code = Code.A_INVALID) -> None:
        super().__init__(text)
        self.code, self.text, self.field, self.why = code, text, field, why

    def status(self) -> bytes:
        """The LLRPStatus parameter: the field at fault, within the ROSpec where the code says parameter."""
        detail = b""
        if self.field is not None:
            detail = tlv(Param.FIELD_ERROR, Struct("!HH").pack(self.field, self.why))
            if self.code is Code.M_PARAMETER_ERROR:
                detail = tlv(Param.PARAMETER_ERROR, Struct("!HH").pack(Param.ROSPEC, Code.P_FIELD_ERROR), detail)
        text = self.text.encode()
        return tlv(Param.STATUS, TLV_HEADER.pack(self.code, len(text)), text, detail)


def frame(kind: int, number: int, body: bytes = b"") -> bytes:
    """One message with its header.

    >>> frame(Message.KEEPALIVE, 7).hex()
    '043e0000000a00000007'
    """
    return HEADER.pack(VERSION << 10 | kind, HEADER.size + len(body), number) + body


def tlv(kind: int, *parts: bytes) -> bytes:
    """One TLV parameter.

    >>> tlv(Param.CONNECTION_ATTEMPT, bytes(2)).hex()
    '010000060000'
    """
    value = b"".join(parts)
    return TLV_HEADER.pack(kind, TLV_HEADER.size + len(value)) + value


def success() -> bytes:
    """The LLRPStatus of a request that was done."""
    return tlv(Param.STATUS, TLV_HEADER.pack(Code.SUCCESS, 0))


def event(now_us: int, *events: bytes) -> bytes:
    """The body of a READER_EVENT_NOTIFICATION at `now_us` on the reader's clock."""
    return tlv(Param.EVENT_DATA, tlv(Param.UTC_TIMESTAMP, now_us.to_bytes(8, "big")), *events)


def fields(layout: str, data: bytes, what: str) -> tuple[int, ...]:
    """The fixed fields at the start of `data`; raises Fault when they are not there."""
    try:
        return Struct("!" + layout).unpack_from(data)
    except struct_error:
        raise Fault(Code.M_PARAMETER_ERROR, f"{what}: {len(data)} bytes are too few") from None


def walk(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The parameters of `data` as (type, value); raises Fault at the first that does not fit its parent."""
    at = 0
    while at < len(data):
        if data[at] & TV_BIT:
            kind = data[at] & ~TV_BIT
            start, end = at + 1, at + 1 + TV_SIZES.get(kind, len(data))
        else:
            kind, size = fields("HH", data[at : at + TLV_HEADER.size], "parameter header")
            kind, start, end = kind & TLV_TYPE, at + TLV_HEADER.size, at + size
        if not start <= end <= len(data):
            raise Fault(Code.M_PARAMETER_ERROR, f"parameter {kind} does not fit the {len(data)} bytes around it")
        yield kind, data[start:end]
        at = end


@dataclass(frozen=True, slots=True)
class Selector:
    """TagReportContentSelector (13.2.1.1): the high ten bits of `flags`, and of C1G2EPCMemorySelector the two.

    `impinj` names the vendor's fields, by the subtypes that report them: 56 phase, 57 peak RSSI, 68 Doppler.
    """

    flags: int = 0xFFC0
    memory: int = 0
    impinj: frozenset[int] = frozenset()

    def has(self, bit: int) -> bool:
        """Bit 15 is ROSpecID, 12 antenna, 11 channel, 10 RSSI, 9 first seen, 8 last seen, 7 count."""
        return bool(self.flags >> bit & 1)

    def encode(self) -> bytes:
        """The standard's parameter."""
        return tlv(
            Param.CONTENT_SELECTOR,
            self.flags.to_bytes(2, "big"),
            tlv(Param.MEMORY_SELECTOR, bytes([self.memory])),
        )


@dataclass(slots=True)
class SeenTag:
    """One TagReportData in the making: the reads of one tag at one antenna since the last report.

    `vendor` holds whole custom parameters by subtype; those that the client asked for are told.
    """

    epc: bytes
    antenna: int
    rssi_dbm: float
    channel: int
    first_us: int
    last_us: int
    count: int = 1
    spec_index: int = 1
    vendor: dict[int, bytes] | None = None

    def encode(self, rospec: int, selector: Selector) -> bytes:
        """TagReportData (16.2.7.3) with the fields that the client selected, in the standard's order.

        >>> SeenTag(bytes(12), 1, -48.2, 1, 1594174805140192, 0).encode(1, Selector(0x1600)).hex()
        '00f0001f8d00000000000000000000000081000186d0820005a9e4bef862e0'
        """
        pc = (PC_96_BITS if len(self.epc) == EPC_96_BYTES else len(self.epc) // 2 << 11).to_bytes(2, "big")
        rssi = max(-128, min(127, round(self.rssi_dbm)))
        known = (
            (15, 9, rospec.to_bytes(4, "big")),
            (14, 14, self.spec_index.to_bytes(2, "big")),
            (13, 10, b"\0\1"),
            (12, 1, self.antenna.to_bytes(2, "big")),
            (10, 6, rssi.to_bytes(1, "big", signed=True)),
            (11, 7, self.channel.to_bytes(2, "big")),
            (9, 2, self.first_us.to_bytes(8, "big")),
            (8, 4, self.last_us.to_bytes(8, "big")),
            (7, 8, min(self.count, MAX_COUNT).to_bytes(2, "big")),
        )
        parts = [b"\x8d" + self.epc] if len(self.epc) == EPC_96_BYTES else [self._long_epc()]
        parts += [bytes([TV_BIT | kind]) + value for bit, kind, value in known if selector.has(bit)]
        if selector.memory & 0x40:
            parts.append(b"\x8c" + pc)
        if selector.memory & 0x80:
            parts.append(b"\x8b" + (crc_hqx(pc + self.epc, 0xFFFF) ^ 0xFFFF).to_bytes(2, "big"))
        if selector.has(6):
            parts.append(b"\x90" + bytes(4))
        parts += [value for subtype, value in (self.vendor or {}).items() if subtype in selector.impinj]
        return tlv(Param.TAG_REPORT_DATA, *parts)

    def _long_epc(self) -> bytes:
        return tlv(Param.EPC_DATA, (len(self.epc) * 8).to_bytes(2, "big"), self.epc)
