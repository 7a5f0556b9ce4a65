"""96-bit Electronic Product Codes: tag memory to scheme, GS1 key and pure-identity URI, and back.

GS1 EPC Tag Data Standard 1.13: section 14.2 (header values), 14.3 (partitions) and 14.5 (coding tables) for the bits,
section 6.3 for the URIs, section 7 for GTIN and SSCC. Every scheme but GID is the same shape: header, filter (3 bits),
partition (3 bits), company prefix and reference whose widths share a constant by the partition, then a serial or
reserved zeros; so one table describes them all. The filter value is kept: 2 and 6 tell a case from a unit load.
"""

from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from models.errors import BadCode

BITS = 96
_COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)
_COMPANY_DIGITS = (12, 11, 10, 9, 8, 7, 6)
_GID_HEADER = 0x35
_GID_BITS = (28, 24, 36)


class _Coding(NamedTuple):
    """One coding table: digits of company prefix and reference together, reference bits per partition, serial bits."""

    scheme: str
    header: int
    digits: int
    reference_bits: tuple[int, ...]
    serial_bits: int
    serial: bool


_CODINGS = (
    _Coding("sgtin", 0x30, 13, (4, 7, 10, 14, 17, 20, 24), 38, serial=True),
    _Coding("sscc", 0x31, 17, (18, 21, 24, 28, 31, 34, 38), 24, serial=False),
    _Coding("sgln", 0x32, 12, (1, 4, 7, 11, 14, 17, 21), 41, serial=True),
    _Coding("grai", 0x33, 12, (4, 7, 10, 14, 17, 20, 24), 38, serial=True),
    _Coding("giai", 0x34, 25, (42, 45, 48, 52, 55, 58, 62), 0, serial=False),
    _Coding("gsrn", 0x2D, 17, (18, 21, 24, 28, 31, 34, 38), 24, serial=False),
    _Coding("gdti", 0x2C, 12, (1, 4, 7, 11, 14, 17, 21), 41, serial=True),
)
_BY_HEADER = {coding.header: coding for coding in _CODINGS}
_BY_SCHEME = {coding.scheme: coding for coding in _CODINGS}


class Epc(Struct, frozen=True):
    """One decoded EPC. `reference` is the scheme's second field: item, serial reference, location, asset type ..."""

    scheme: str
    company: str
    reference: str
    serial: str | None
    filter: int | None
    uri: str
    gtin: str | None = None
    sscc: str | None = None


def check_digit(digits: str) -> str:
    """The GS1 check digit that follows `digits` (GS1 General Specifications 7.9.1).

    >>> check_digit("0950600013435")
    '2'
    """
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


@lru_cache(maxsize=65536)
def decode(epc_hex: str) -> Epc:
    """An EPC from the 24 hexadecimal digits of a tag. Raises BadCode naming the part that is wrong.

    >>> decode("3074257bf7194e4000001a85").uri
    'urn:epc:id:sgtin:0614141.812345.6789'
    """
    if len(epc_hex) != BITS // 4:
        msg = f"epc: {BITS} bits ({BITS // 4} hex digits) expected, got {len(epc_hex)} digits"
        raise BadCode(msg)
    try:
        bits = int.from_bytes(bytes.fromhex(epc_hex), "big")
    except ValueError:
        msg = f"epc: hexadecimal digits expected, got {epc_hex!r}"
        raise BadCode(msg) from None
    header = bits >> 88
    if header == _GID_HEADER:
        return _decode_gid(bits)
    coding = _BY_HEADER.get(header)
    if coding is None:
        msg = f"epc: header 0x{header:02x} is none of the 96-bit schemes known here"
        raise BadCode(msg)
    return _decode(coding, bits)


def _decode(coding: _Coding, bits: int) -> Epc:
    filter_value, partition = bits >> 85 & 7, bits >> 82 & 7
    if partition >= len(_COMPANY_BITS):
        msg = f"{coding.scheme}: partition 0 to 6 expected, got {partition}"
        raise BadCode(msg)
    reference_bits = coding.reference_bits[partition]
    company_digits = _COMPANY_DIGITS[partition]
    company = bits >> (82 - _COMPANY_BITS[partition]) & ((1 << _COMPANY_BITS[partition]) - 1)
    reference = bits >> coding.serial_bits & ((1 << reference_bits) - 1)
    rest = bits & ((1 << coding.serial_bits) - 1)
    if not coding.serial and rest:
        msg = f"{coding.scheme}: the last {coding.serial_bits} bits are reserved, zeros expected"
        raise BadCode(msg)
    company_text = _digits(coding.scheme, "company prefix", company, company_digits)
    reference_text = _digits(coding.scheme, "reference", reference, coding.digits - company_digits)
    if coding.scheme == "giai":
        reference_text = str(reference)
    return _epc(coding.scheme, company_text, reference_text, str(rest) if coding.serial else None, filter_value)


def _decode_gid(bits: int) -> Epc:
    manager, object_class, serial = bits >> 60 & (1 << 28) - 1, bits >> 36 & (1 << 24) - 1, bits & (1 << 36) - 1
    return _epc("gid", str(manager), str(object_class), str(serial), None)


def _digits(scheme: str, field: str, value: int, digits: int) -> str:
    if value >= 10**digits:
        msg = f"{scheme}: {field} of {digits} digits expected, got {value}"
        raise BadCode(msg)
    return str(value).zfill(digits) if digits else ""


def _epc(scheme: str, company: str, reference: str, serial: str | None, filter_value: int | None) -> Epc:
    parts = [company, reference] if serial is None else [company, reference, serial]
    gtin = sscc = None
    if scheme in ("sgtin", "sscc"):
        key = reference[0] + company + reference[1:]
        gtin, sscc = (key + check_digit(key), None) if scheme == "sgtin" else (None, key + check_digit(key))
    return Epc(scheme, company, reference, serial, filter_value, f"urn:epc:id:{scheme}:{'.'.join(parts)}", gtin, sscc)


def encode(uri: str, filter_value: int = 0) -> str:
    """The 24 hexadecimal digits of a pure-identity URI: the inverse of `decode`. Raises BadCode.

    >>> encode("urn:epc:id:sgtin:0614141.812345.6789", 3)
    '3074257bf7194e4000001a85'
    """
    scheme, _, body = uri.removeprefix("urn:epc:id:").partition(":")
    parts = body.split(".")
    coding = _BY_SCHEME.get(scheme)
    wanted = 3 if coding is None or coding.serial else 2
    if (coding is None and scheme != "gid") or len(parts) != wanted or not all(map(_is_number, parts)):
        msg = f"epc: a pure-identity URI of a 96-bit scheme expected, got {uri!r}"
        raise BadCode(msg)
    bits = _encode_gid(parts) if coding is None else _encode(coding, parts, filter_value)
    epc_hex = f"{bits:024x}"
    if decode(epc_hex).uri != uri:
        msg = f"epc: {uri!r} has a field that 96 bits cannot hold"
        raise BadCode(msg)
    return epc_hex


def _is_number(part: str) -> bool:
    return part == "" or (part.isascii() and part.isdecimal())


def _encode(coding: _Coding, parts: list[str], filter_value: int) -> int:
    company, reference = parts[0], parts[1]
    if len(company) not in _COMPANY_DIGITS or filter_value not in range(8):
        msg = f"{coding.scheme}: company prefix of 6 to 12 digits and filter 0 to 7 expected"
        raise BadCode(msg)
    partition = _COMPANY_DIGITS.index(len(company))
    fields = [
        (int(company), _COMPANY_BITS[partition]),
        (int(reference or 0), coding.reference_bits[partition]),
        (int(parts[2] or 0) if coding.serial else 0, coding.serial_bits),
    ]
    return _pack((coding.header << 6) | filter_value << 3 | partition, fields)


def _encode_gid(parts: list[str]) -> int:
    return _pack(_GID_HEADER, [(int(part or 0), bits) for part, bits in zip(parts, _GID_BITS, strict=True)])


def _pack(head: int, fields: list[tuple[int, int]]) -> int:
    for value, bits in fields:
        if value >= 1 << bits:
            msg = f"epc: a number below 2^{bits} expected, got {value}"
            raise BadCode(msg)
        head = head << bits | value
    return head
