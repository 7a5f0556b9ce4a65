"""Teltonika Codec 8 Extended in bytes, after the maker's wiki, "Teltonika Data Sending Protocols".

Only the tracker's side, and written from that page alone, so that no server's reading of it is shared with the
simulator that checks that server.
"""

from collections.abc import Mapping, Sequence
from struct import Struct

from simulators.record import SIZES, Record

CODEC_8_EXTENDED = 0x8E
MAX_RECORDS = 255
DEGREE = 10_000_000
FIXED_SIZES = (1, 2, 4, 8)
HEAD = Struct("!QBiihHBH")
COUNT = Struct("!H")
VARIABLE = Struct("!HH")
CHANNEL = Struct("!HBB")
NOT_USED = 1
POLYNOMIAL = 0xA001


def login(imei: str) -> bytes:
    """What a tracker says first: its IMEI, after its length.

    >>> login("356307042441013").hex()
    '000f333536333037303432343431303133'
    """
    text = imei.encode("ascii")
    return COUNT.pack(len(text)) + text


def packet(records: Sequence[Record], sizes: Mapping[int, int] = SIZES) -> bytes:
    """One AVL data packet of 1 to 255 records. `sizes` says how many bytes each IO element has.

    Elements of other than 1, 2, 4 or 8 bytes go to the variable-length group. Negative values are two's complement.
    Raises ValueError for a number of records that does not fit, OverflowError or struct.error for such a value.

    >>> packet([Record(1_560_166_592_000_000, 0.0, 0.0, 0, 0, 0, 0, ((1, 1), (72, -1)), event_id=1, priority=1)]).hex()
    '00000000000000328e010000016b412cee00\
01000000000000000000000000000000000100020001000101000000010048ffffffff00000000010000896e'
    """
    data = _data(records, sizes)
    return bytes(4) + len(data).to_bytes(4, "big") + data + crc16(data).to_bytes(4, "big")


def datagram(
    records: Sequence[Record], imei: str, packet_id: int, avl_id: int, sizes: Mapping[int, int] = SIZES
) -> bytes:
    """The same records for UDP: length, packet id, a byte without use, AVL packet id, IMEI; no CRC.

    >>> datagram([Record(0, 0.0, 0.0, 0, 0, 0, 0, ())], "356307042441013", 0xCAFE, 5).hex()
    '003ecafe0105000f3335363330373034323434313031338e01\
000000000000000000000000000000000000000000000000000000000000000000000000000001'
    """
    rest = CHANNEL.pack(packet_id, NOT_USED, avl_id) + login(imei) + _data(records, sizes)
    return COUNT.pack(len(rest)) + rest


def _data(records: Sequence[Record], sizes: Mapping[int, int]) -> bytes:
    """From codec to second count."""
    if not 1 <= len(records) <= MAX_RECORDS:
        raise ValueError(f"{len(records)} records: 1 to {MAX_RECORDS} expected")
    body = b"".join(_record(record, sizes) for record in records)
    return bytes([CODEC_8_EXTENDED, len(records)]) + body + bytes([len(records)])


def crc16(data: bytes) -> int:
    """CRC-16/IBM: reflected, polynomial 0x8005, nothing before and nothing after.

    >>> hex(crc16(b"123456789"))
    '0xbb3d'
    """
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def _record(record: Record, sizes: Mapping[int, int]) -> bytes:
    head = HEAD.pack(
        record.at_us // 1000,
        record.priority,
        round(record.lon * DEGREE),
        round(record.lat * DEGREE),
        record.altitude_m,
        record.course_deg,
        record.satellites,
        record.speed_kmh,
    )
    parts = [head, COUNT.pack(record.event_id), COUNT.pack(len(record.io))]
    for size in FIXED_SIZES:
        group = [COUNT.pack(ident) + _value(raw, size) for ident, raw in record.io if sizes[ident] == size]
        parts += [COUNT.pack(len(group)), *group]
    others = [(ident, raw, sizes[ident]) for ident, raw in record.io if sizes[ident] not in FIXED_SIZES]
    parts.append(COUNT.pack(len(others)))
    parts += [VARIABLE.pack(ident, size) + _value(raw, size) for ident, raw, size in others]
    return b"".join(parts)


def _value(raw: int, size: int) -> bytes:
    return raw.to_bytes(size, "big", signed=raw < 0)


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = [_table_entry(byte) for byte in range(256)]
