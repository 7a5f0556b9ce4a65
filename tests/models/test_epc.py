from random import Random

import pytest
from epcpy import hex_to_tag_encodable
from hypothesis import given
from hypothesis import strategies as st

from models.epc import check_digit, decode, encode
from models.errors import BadCode

# Pure-identity URI, filter and tag memory of the worked examples of the Tag Data Standard (appendix E.3).
EXAMPLES = [
    ("urn:epc:id:sgtin:0614141.812345.6789", 3, "3074257bf7194e4000001a85"),
    ("urn:epc:id:sscc:0614141.1234567890", 3, "3174257bf4499602d2000000"),
    ("urn:epc:id:sgln:0614141.12345.5678", 3, "3274257bf46072000000162e"),
    ("urn:epc:id:grai:0614141.12345.5678", 3, "3374257bf40c0e400000162e"),
    ("urn:epc:id:giai:0614141.5678", 3, "3474257bf40000000000162e"),
    ("urn:epc:id:gsrn:0614141.1234567890", 3, "2d74257bf4499602d2000000"),
    ("urn:epc:id:gdti:0614141.12345.5678", 3, "2c74257bf46072000000162e"),
    ("urn:epc:id:gid:31415.271828.1414", None, "350007ab70425d4000000586"),
]


@pytest.mark.parametrize(("uri", "filter_value", "epc_hex"), EXAMPLES)
def test_worked_examples_both_ways(uri: str, filter_value: int | None, epc_hex: str) -> None:
    code = decode(epc_hex)
    assert (code.uri, code.filter) == (uri, filter_value)
    assert encode(uri, filter_value or 0) == epc_hex


def test_keys_with_check_digits() -> None:
    assert decode(encode("urn:epc:id:sgtin:9521321.100010.7")).gtin == "19521321000107"
    assert decode(encode("urn:epc:id:sscc:9521321.1000000042", 6)).sscc == "195213210000000428"
    assert decode(encode("urn:epc:id:giai:9521321.400")).gtin is None


@pytest.mark.parametrize("digits", ["629104150021", "0614141000001", "19521321000000042"])
def test_check_digit_makes_the_weighted_sum_a_multiple_of_ten(digits: str) -> None:
    whole = digits + check_digit(digits)
    assert sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(whole))) % 10 == 0


@pytest.mark.parametrize(
    ("epc_hex", "part"),
    [
        ("3074257bf7194e4000001a", "96 bits"),
        ("3074257bf7194e4000001a8g", "hexadecimal"),
        ("30 4257bf7194e4000001a85", "hexadecimal"),
        ("e2003412dc03011852233147", "header 0xe2"),
        ("307c257bf7194e4000001a85", "partition"),
        ("3077fffff7194e4000001a85", "company prefix"),
        ("3174257bf4499602d2000001", "reserved"),
    ],
)
def test_refusals_name_the_part(epc_hex: str, part: str) -> None:
    with pytest.raises(BadCode, match=part):
        decode(epc_hex)


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:sgtin:0614141.812345",
        "urn:epc:id:sgtin:0614141.81234.6789",
        "urn:epc:id:sgtin:0614141.812345.274877906944",
        "urn:epc:id:sgtin:0614141.812345.06789",
        "urn:epc:id:sgtin:06141.812345.6789",
        "urn:epc:id:giai:0614141.ABC",
        "urn:epc:id:upui:0614141.812345.6789",
        "0614141.812345.6789",
    ],
)
def test_what_96_bits_cannot_hold_is_not_encoded(uri: str) -> None:
    with pytest.raises(BadCode):
        encode(uri)


HEADERS = (0x30, 0x31, 0x32, 0x33, 0x34, 0x2D, 0x2C, 0x35)


def _oracle(epc_hex: str) -> str | None:
    try:
        return str(hex_to_tag_encodable(epc_hex).epc_uri)
    except Exception:  # noqa: BLE001 - whatever the oracle raises, it refuses
        return None


def test_agrees_with_epcpy_on_random_bits() -> None:
    chance = Random(96)
    read = 0
    for _ in range(1500):
        zeros = chance.choice((0, 24))
        body = chance.getrandbits(82 - zeros) << zeros
        partition = chance.randrange(7)
        # Company prefixes that start with a zero bit are within their decimal digits; the rest mostly are not.
        bits = chance.choice(HEADERS) << 88 | chance.randrange(8) << 85 | partition << 82 | body >> chance.randrange(2)
        epc_hex = f"{bits:024x}"
        theirs = _oracle(epc_hex)
        try:
            mine = decode(epc_hex)
        except BadCode:
            continue
        assert mine.uri == theirs
        assert encode(mine.uri, mine.filter or 0) == epc_hex
        read += 1
    assert read > 300


@given(st.binary(min_size=12, max_size=12))
def test_any_96_bits_decode_or_are_refused(raw: bytes) -> None:
    try:
        code = decode(raw.hex())
    except BadCode:
        return
    assert encode(code.uri, code.filter or 0) == raw.hex()


@given(st.text(alphabet="0123456789.:abcdefgilnrstu", max_size=40))
def test_any_uri_encodes_or_is_refused(body: str) -> None:
    uri = f"urn:epc:id:{body}"
    try:
        assert decode(encode(uri)).uri == uri
    except BadCode:
        return
