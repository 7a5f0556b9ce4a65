"""The coding tables of the Tag Data Standard, sections 14.2 (headers), 14.3 (partitions) and 14.5 (layouts), as data.

Every scheme but GID has the same shape: header (8 bits), filter (3), partition (3), company prefix and reference whose
widths share a constant by the partition, then a serial or reserved zeros. GIAI has no serial: its reference is one.
"""

from typing import Literal, NamedTuple

COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)
COMPANY_DIGITS = (12, 11, 10, 9, 8, 7, 6)
HEAD_BITS = 14
"""Header, filter and partition."""
GID = "gid-96"
GID_HEADER = 0x35
GID_BITS = (28, 24, 36)
GIAI_MOST = 30
"""Characters of company prefix and individual asset reference together."""


class Coding(NamedTuple):
    """One coding table.

    `digits` of company prefix and reference together (of a GIAI: at most), `reference_bits` per partition. `tail` says
    how the serial, or the reference of a GIAI, is written: a number, 7-bit characters, digits behind a 1 (14.3.6), or
    none: reserved zeros.
    """

    name: str
    scheme: str
    header: int
    bits: int
    digits: int
    reference_bits: tuple[int, ...]
    serial_bits: int
    tail: Literal["number", "text", "digits", "none"]


class Scheme(NamedTuple):
    """What a pure identity may hold: digits of company prefix and reference together, most characters of a serial."""

    digits: int
    serial: int


_ITEM = (4, 7, 10, 14, 17, 20, 24)
_PLACE = (1, 4, 7, 11, 14, 17, 21)
_UNIT = (18, 21, 24, 28, 31, 34, 38)
_ASSET_NUMBER = (42, 45, 48, 52, 55, 58, 62)
_ASSET_TEXT = (148, 151, 154, 158, 161, 164, 168)
CODINGS = (
    Coding("sgtin-96", "sgtin", 0x30, 96, 13, _ITEM, 38, "number"),
    Coding("sgtin-198", "sgtin", 0x36, 198, 13, _ITEM, 140, "text"),
    Coding("sscc-96", "sscc", 0x31, 96, 17, _UNIT, 24, "none"),
    Coding("sgln-96", "sgln", 0x32, 96, 12, _PLACE, 41, "number"),
    Coding("sgln-195", "sgln", 0x39, 195, 12, _PLACE, 140, "text"),
    Coding("grai-96", "grai", 0x33, 96, 12, _ITEM, 38, "number"),
    Coding("grai-170", "grai", 0x37, 170, 12, _ITEM, 112, "text"),
    Coding("giai-96", "giai", 0x34, 96, GIAI_MOST, _ASSET_NUMBER, 0, "number"),
    Coding("giai-202", "giai", 0x38, 202, GIAI_MOST, _ASSET_TEXT, 0, "text"),
    Coding("gsrn-96", "gsrn", 0x2D, 96, 17, _UNIT, 24, "none"),
    Coding("gdti-96", "gdti", 0x2C, 96, 12, _PLACE, 41, "number"),
    Coding("gdti-174", "gdti", 0x3E, 174, 12, _PLACE, 119, "text"),
    Coding("gdti-113", "gdti", 0x3A, 113, 12, _PLACE, 58, "digits"),
)
"""A scheme's codings in the order in which they are tried: the deprecated GDTI-113 only if a tag URI asks for it."""
BY_HEADER = {coding.header: coding for coding in CODINGS}
BY_NAME = {coding.name: coding for coding in CODINGS}
SCHEMES = {
    "sgtin": Scheme(13, 20),
    "sscc": Scheme(17, 0),
    "sgln": Scheme(12, 20),
    "grai": Scheme(12, 16),
    "giai": Scheme(0, GIAI_MOST),
    "gsrn": Scheme(17, 0),
    "gdti": Scheme(12, 17),
}
