"""Agreement with epcpy, a library of others, on random values of every coding that it has.

It limits the serial of GRAI, GIAI and GDTI by its escaped length, cuts a GIAI at a colon and fails on some pairs of
escapes: values are made such that none of it shows. It writes the extension "0" of a location, which stands for none
(section 7.4). It has no GDTI-113.
"""

from importlib import import_module
from random import Random
from typing import Any

import pytest
from epcpy.utils.parsers import epc_pure_identity_to_tag_encodable, hex_to_tag_encodable

from models.epc import decode, encode, parse_elements, parse_uri
from models.errors import BadCode

CODINGS = {
    "sgtin-96": (13, 38),
    "sgtin-198": (13, 20),
    "sscc-96": (17, None),
    "sgln-96": (12, 41),
    "sgln-195": (12, 20),
    "grai-96": (12, 38),
    "grai-170": (12, 16),
    "giai-96": (None, 42),
    "giai-202": (None, 18),
    "gsrn-96": (17, None),
    "gdti-96": (12, 41),
    "gdti-174": (12, 17),
    "gid-96": (None, None),
}
PLAIN = "!'()*+,-.0123456789:;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
ESCAPED = ["%22", "%25", "%26", "%2F", "%3C", "%3E", "%3F"]
BY_ESCAPED_LENGTH = ("grai-170", "giai-202", "gdti-174")
ROUNDS = 10_000


def number(chance: Random, bits: int) -> str:
    return str(chance.getrandbits(chance.randint(1, bits)))


def text(chance: Random, coding: str, most: int) -> str:
    """A serial that needs the long coding: with a leading zero, or a character that is no digit."""
    plain = PLAIN.replace(":", "") if coding == "giai-202" else PLAIN
    parts: list[str] = [chance.choice("0A-")]
    for _ in range(chance.randrange(1, most)):
        escaped = chance.random() < 0.2 and len(parts[-1]) == 1
        parts += [chance.choice(ESCAPED) if escaped else chance.choice(plain)]
    while len(parts) > 1 and len("".join(parts)) > most and coding in BY_ESCAPED_LENGTH:
        parts.pop()
    return "".join(parts) if parts != ["0"] else "0A"


def body(chance: Random, coding: str) -> str:
    if coding == "gid-96":
        return ".".join(number(chance, bits) for bits in (28, 24, 36))
    digits, tail = CODINGS[coding]
    size = chance.randint(6, 12)
    fields = ["".join(chance.choices("0123456789", k=size))]
    if digits is not None:
        fields.append("".join(chance.choices("0123456789", k=digits - size)))
    if tail is not None:
        fields.append(number(chance, tail) if coding.endswith("-96") else text(chance, coding, tail))
    return ".".join(fields)


def how(coding: str, filter_value: int) -> dict[str, Any]:
    """What epcpy wants to be told."""
    name = coding.partition("-")[0]
    module = import_module(f"epcpy.epc_schemes.{name}")
    scheme = getattr(module, name.upper()).BinaryCodingScheme(coding)
    if name == "gid":
        return {"binary_coding_scheme": scheme}
    filters = getattr(module, f"{name.upper()}FilterValue")
    return {"binary_coding_scheme": scheme, "filter_value": filters(str(filter_value))}


def test_agrees_with_epcpy_on_random_values_of_every_coding() -> None:
    chance = Random(4)
    seen = dict.fromkeys(CODINGS, 0)
    for number_ in range(ROUNDS):
        coding = list(CODINGS)[number_ % len(CODINGS)]
        uri = f"urn:epc:id:{coding.partition('-')[0]}:{body(chance, coding)}"
        told = how(coding, filter_value := chance.randrange(8))
        theirs: Any = epc_pure_identity_to_tag_encodable(uri)
        epc_hex = theirs.hex(**told).lower()
        assert encode(uri, filter_value) == epc_hex, uri
        mine = decode(epc_hex)
        assert mine.uri == uri == hex_to_tag_encodable(epc_hex).epc_uri
        assert mine.tag_uri == theirs.tag_uri(**told)
        assert encode(mine.tag_uri or "") == epc_hex
        assert parse_uri(uri).key == mine.key
        if coding != "gid-96":
            elements = theirs.gs1_element_string()
            assert mine.elements == (elements.removesuffix("(254)0") if mine.serial == "0" else elements)
            assert mine.elements is not None
            assert parse_elements(mine.elements, len(mine.company)).uri == uri
            assert (mine.key or "").startswith(theirs.gs1_key())
        seen[coding] += 1
    print(f"{sum(seen.values()):,} random values of {len(seen)} codings equal: bits both ways, URIs, element strings")
    assert min(seen.values()) >= ROUNDS // len(CODINGS)


HEADERS = {0x36: 26, 0x39: 26, 0x37: 22, 0x38: 26, 0x3E: 22} | dict.fromkeys(
    (0x30, 0x31, 0x32, 0x33, 0x34, 0x2D, 0x2C, 0x35), 12
)


def test_agrees_with_epcpy_on_random_bits() -> None:
    chance = Random(96)
    read = 0
    for _ in range(3000):
        header = chance.choice(list(HEADERS))
        bits = HEADERS[header] * 8
        # Company prefixes that start with a zero bit are within their decimal digits; the rest mostly are not.
        value = header << 6 | chance.randrange(8) << 3 | chance.randrange(7)
        tail = chance.getrandbits(bits - 14) >> chance.randrange(2)
        if header in (0x31, 0x2D):
            tail = tail >> 24 << 24
        epc_hex = f"{value << (bits - 14) | tail:0{bits // 4}x}"
        try:
            mine = decode(epc_hex)
        except BadCode:
            continue
        assert mine.uri == hex_to_tag_encodable(epc_hex).epc_uri
        assert mine.tag_uri is not None
        assert encode(mine.tag_uri) == epc_hex
        read += 1
    assert read > 300


@pytest.mark.parametrize("coding", CODINGS)
def test_values_are_of_the_coding_they_are_made_for(coding: str) -> None:
    chance = Random(1)
    uris = [f"urn:epc:id:{coding.partition('-')[0]}:{body(chance, coding)}" for _ in range(50)]
    assert {decode(encode(uri)).coding for uri in uris} == {coding}
