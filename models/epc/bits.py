"""EPCs as bits: tag memory to its fields, and back. Tag Data Standard 1.13 sections 14.3 to 14.5.

A code whose length is no multiple of 16 fills its last word with zeros, as readers report it: 198 bits arrive as 200 or
208. The filter value is kept: 2 and 6 tell a case from a unit load.
"""

from functools import lru_cache

from models.epc import coding as tables
from models.epc.code import Epc, build
from models.epc.coding import Coding
from models.epc.text import is_digits, is_number, pack, unpack, unpack_digits
from models.epc.uri import parse_uri
from models.errors import BadCode

_WORD, _BYTE = 16, 8
_FILTERS = range(8)


@lru_cache(maxsize=4096)
def decode(epc_hex: str) -> Epc:
    """An EPC from the hexadecimal digits of a tag. Raises BadCode naming the part that is wrong.

    >>> decode("3074257bf7194e4000001a85").uri
    'urn:epc:id:sgtin:0614141.812345.6789'
    >>> decode("3674257bf6b7a659b2c2bf100000000000000000000000000000").elements
    '(01)70614141123451(21)32a/b'
    """
    try:
        raw = bytes.fromhex(epc_hex)
    except ValueError:
        raw = b""
    if not raw or len(raw) * 2 != len(epc_hex):
        msg = f"epc: hexadecimal digits expected, got {epc_hex[:60]!r}"
        raise BadCode(msg)
    header = raw[0]
    coding = tables.BY_HEADER.get(header)
    if coding is not None:
        return _decode(coding, _exact(coding.name, coding.bits, raw))
    if header == tables.GID_HEADER:
        return _decode_gid(_exact(tables.GID, sum(tables.GID_BITS) + _BYTE, raw))
    msg = f"epc: header 0x{header:02x} is none of the schemes known here"
    raise BadCode(msg)


def _exact(name: str, bits: int, raw: bytes) -> int:
    """The bits of the code without what fills its last word."""
    spare = len(raw) * _BYTE - bits
    value = int.from_bytes(raw, "big")
    if not spare:
        return value
    if not 0 < spare <= -bits % _WORD:
        msg = f"{name}: {bits} bits ({-(-bits // _BYTE) * 2} hex digits) expected, got {len(raw) * 2} digits"
        raise BadCode(msg)
    if value & ((1 << spare) - 1):
        msg = f"{name}: zeros expected behind its {bits} bits"
        raise BadCode(msg)
    return value >> spare


def _decode(coding: Coding, bits: int) -> Epc:
    head = bits >> (coding.bits - tables.HEAD_BITS)
    partition = head & 7
    if partition >= len(tables.COMPANY_BITS):
        msg = f"{coding.scheme}: partition 0 to 6 expected, got {partition}"
        raise BadCode(msg)
    reference_bits, company_digits = coding.reference_bits[partition], tables.COMPANY_DIGITS[partition]
    rest = bits & ((1 << coding.serial_bits) - 1)
    reference = bits >> coding.serial_bits & ((1 << reference_bits) - 1)
    company = bits >> (coding.serial_bits + reference_bits) & ((1 << tables.COMPANY_BITS[partition]) - 1)
    fields = [_digits(coding.scheme, "company prefix", company, company_digits)]
    left = coding.digits - company_digits
    if coding.scheme != "giai":
        fields.append(_digits(coding.scheme, "reference", reference, left))
        if coding.tail != "none":
            fields.append(_tail(coding, rest, coding.serial_bits, tables.SCHEMES[coding.scheme].serial))
        elif rest:
            msg = f"{coding.scheme}: the last {coding.serial_bits} bits are reserved, zeros expected"
            raise BadCode(msg)
    else:
        fields.append(_tail(coding, reference, reference_bits, left))
    return build(coding.scheme, fields, head >> 3 & 7, coding.name)


def _tail(coding: Coding, value: int, bits: int, most: int) -> str:
    if coding.tail == "number":
        return str(value)
    try:
        if coding.tail == "text":
            return unpack(value, bits, most)
        return unpack_digits(value, most)
    except BadCode as error:
        msg = f"{coding.name}: {error}"
        raise BadCode(msg) from error


def _decode_gid(bits: int) -> Epc:
    fields: list[str] = []
    for width in reversed(tables.GID_BITS):
        fields.insert(0, str(bits & ((1 << width) - 1)))
        bits >>= width
    return build("gid", fields, None, tables.GID)


def _digits(scheme: str, field: str, value: int, digits: int) -> str:
    if value >= 10**digits:
        msg = f"{scheme}: {field} of {digits} digits expected, got {value}"
        raise BadCode(msg)
    return str(value).zfill(digits) if digits else ""


def encode(uri: str, filter_value: int = 0) -> str:
    """The hexadecimal digits of a URI in whole words of 16 bits: the inverse of `decode`. Raises BadCode.

    A pure-identity URI becomes the shortest coding that holds it, with this filter; a tag URI names both.

    >>> encode("urn:epc:id:sgtin:0614141.812345.6789", 3)
    '3074257bf7194e4000001a85'
    """
    code = parse_uri(uri)
    if code.scheme == "gid":
        return _encode_gid(code)
    if code.filter is None and filter_value not in _FILTERS:
        msg = f"{code.scheme}: a filter of 0 to 7 expected, got {filter_value}"
        raise BadCode(msg)
    for coding in _candidates(code):
        value = _encode(coding, code, filter_value if code.filter is None else code.filter)
        if value is not None:
            return f"{value << -coding.bits % _WORD:0{-(-coding.bits // _WORD) * 4}x}"
    msg = f"epc: {uri!r} has a field that {code.coding or 'its scheme'} cannot hold"
    raise BadCode(msg)


def _encode_gid(code: Epc) -> str:
    value = tables.GID_HEADER
    for part, width in zip((code.company, code.reference, code.serial or ""), tables.GID_BITS, strict=True):
        value = value << width | int(part)
    return f"{value:024x}"


def _candidates(code: Epc) -> list[Coding]:
    if code.coding is not None:
        return [tables.BY_NAME[code.coding]]
    return [coding for coding in tables.CODINGS if coding.scheme == code.scheme]


def _encode(coding: Coding, code: Epc, filter_value: int) -> int | None:
    """The code's bits, or None if a field does not fit."""
    partition = tables.COMPANY_DIGITS.index(len(code.company))
    reference_bits = coding.reference_bits[partition]
    fields: list[tuple[int | None, int]]
    if code.scheme == "giai":
        last = _encode_tail(coding, code.reference, reference_bits)
        fields = [(last, reference_bits)]
    else:
        last = _encode_tail(coding, code.serial or "", coding.serial_bits)
        fields = [(int(code.reference or 0), reference_bits), (last, coding.serial_bits)]
    value = (coding.header << 3 | filter_value) << 3 | partition
    value = value << tables.COMPANY_BITS[partition] | int(code.company)
    for number, bits in fields:
        if number is None or number >> bits:
            return None
        value = value << bits | number
    return value


def _encode_tail(coding: Coding, text: str, bits: int) -> int | None:
    match coding.tail:
        case "none":
            return 0
        case "text":
            return pack(text, bits)
        case "digits":
            return int(f"1{text}") if is_digits(text) else None
        case "number":
            return int(text) if is_number(text) else None
