"""Characters of serials: the GS1 set of 82, their escapes in URIs, and strings of 7-bit characters in tag memory.

GS1 General Specifications figure 7.11-1 (the set), Tag Data Standard sections 5.4 (escapes), 14.3.3 and 14.4.2
(strings: left-justified, and only zero bits behind them) and 14.3.6 (digits behind a 1).
"""

import re

from models.errors import BadCode

_CHARACTER = 7
_ESCAPED = '"%&/<>?'
_ESCAPES = str.maketrans({character: f"%{ord(character):02X}" for character in _ESCAPED})
_ESCAPE = re.compile("%(2[256Ff]|3[CEFcef])")
_URI = re.compile(r"(?:[!'()*+,\-.0-9:;=A-Z_a-z]|" + _ESCAPE.pattern + ")+")
_SET_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")
_SET_82_BYTES = re.compile(_SET_82.pattern.encode())
_SHOWN = 40


def is_text(text: str, most: int) -> bool:
    """Whether these are 1 to `most` characters of the set of 82."""
    return len(text) <= most and _SET_82.fullmatch(text) is not None


def is_digits(text: str) -> bool:
    """Whether these are ASCII digits, at least one."""
    return text.isascii() and text.isdecimal()


def is_number(text: str) -> bool:
    """Whether this is a decimal number without leading zeros."""
    return is_digits(text) and (text == "0" or text[0] != "0")


def escape(text: str) -> str:
    """A serial as URIs have it.

    >>> escape("32a/b")
    '32a%2Fb'
    """
    return text.translate(_ESCAPES)


def unescape(part: str) -> str:
    """The inverse of `escape`. Raises BadCode for a character, or an escape, that has no place in a URI of GS1."""
    if not _URI.fullmatch(part):
        msg = f"epc: characters of GS1's set of 82, seven of them escaped, expected, got {part[:_SHOWN]!r}"
        raise BadCode(msg)
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), part)


def unpack(value: int, bits: int, most: int) -> str:
    """The string of 7-bit characters in a field of `bits` bits. Raises BadCode.

    >>> unpack(0b0110011_0110010_1100001 << 9, 30, 4)
    '32a'
    """
    spare = bits % _CHARACTER
    raw = bytes(value >> shift & 0x7F for shift in range(bits - _CHARACTER, -1, -_CHARACTER)).rstrip(b"\0")
    if value & ((1 << spare) - 1) or len(raw) > most or not _SET_82_BYTES.fullmatch(raw):
        msg = f"1 to {most} characters of GS1's set of 82 and then zero bits expected, got {raw!r}"
        raise BadCode(msg)
    return raw.decode("ascii")


def pack(text: str, bits: int) -> int:
    """The field of `bits` bits of a string, the inverse of `unpack`."""
    value = 0
    for character in text:
        value = value << _CHARACTER | ord(character)
    return value << (bits - _CHARACTER * len(text))


def unpack_digits(value: int, most: int) -> str:
    """Digits with their leading zeros: a number that begins with a 1, which is not one of them. Raises BadCode.

    >>> unpack_digits(1007, 17)
    '007'
    """
    text = str(value)
    if text[0] != "1" or not 1 < len(text) <= most + 1:
        msg = f"1 to {most} digits behind a 1 expected, got {text}"
        raise BadCode(msg)
    return text[1:]
