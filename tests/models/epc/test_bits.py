"""Tag memory both ways: the worked examples of the Tag Data Standard, what fills the last word, and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.epc import Epc, check_digit, decode, encode
from models.errors import BadCode

# Tag URI, tag memory and element string of the worked examples of the Tag Data Standard (appendix E.3). Two of them
# have misprints there: the indicator of SGTIN-198 and a zero too many in the element string of GIAI-202.
EXAMPLES = [
    ("sgtin-96:3.0614141.812345.6789", "3074257bf7194e4000001a85", "(01)80614141123458(21)6789"),
    ("sgtin-198:3.0614141.712345.32a%2Fb", "3674257bf6b7a659b2c2bf1" + "0" * 29, "(01)70614141123451(21)32a/b"),
    ("sscc-96:3.0614141.1234567890", "3174257bf4499602d2000000", "(00)106141412345678908"),
    ("sgln-96:3.0614141.12345.5678", "3274257bf46072000000162e", "(414)0614141123452(254)5678"),
    ("sgln-195:3.0614141.12345.32a%2Fb", "3974257bf46072cd9615f88" + "0" * 29, "(414)0614141123452(254)32a/b"),
    ("grai-96:3.0614141.12345.5678", "3374257bf40c0e400000162e", "(8003)006141411234525678"),
    ("grai-170:3.0614141.12345.32a%2Fb", "3774257bf40c0e59b2c2bf1" + "0" * 21, "(8003)0061414112345232a/b"),
    ("giai-96:3.0614141.5678", "3474257bf40000000000162e", "(8004)06141415678"),
    ("giai-202:3.0614141.32a%2Fb", "3874257bf59b2c2bf1" + "0" * 34, "(8004)061414132a/b"),
    ("gsrn-96:3.0614141.1234567890", "2d74257bf4499602d2000000", "(8018)061414112345678902"),
    ("gdti-96:3.0614141.12345.5678", "2c74257bf46072000000162e", "(253)06141411234525678"),
    (
        "gdti-174:3.4012345.98765.ABCDefgh012345678",
        "3e74f4e4e7039b061438997367d0c18b266d1ab66ee0",
        "(253)4012345987652ABCDefgh012345678",
    ),
    (
        "gdti-113:3.4012345.98765.12345678901234567",
        "3a74f4e4e7039ac790e65d7aa5c38000",
        "(253)401234598765212345678901234567",
    ),
    ("gid-96:31415.271828.1414", "350007ab70425d4000000586", None),
]


@pytest.mark.parametrize(("tag_uri", "epc_hex", "elements"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_worked_examples_both_ways(tag_uri: str, epc_hex: str, elements: str | None) -> None:
    code = decode(epc_hex)
    assert (code.tag_uri, code.elements) == (f"urn:epc:tag:{tag_uri}", elements)
    assert decode(epc_hex.upper()) == code
    assert encode(f"urn:epc:tag:{tag_uri}") == epc_hex
    if code.coding != "gdti-113":
        assert encode(code.uri, code.filter or 0) == epc_hex


def test_a_whole_code() -> None:
    assert decode("3074257bf7194e4000001a85") == Epc(
        scheme="sgtin",
        company="0614141",
        reference="812345",
        serial="6789",
        filter=3,
        uri="urn:epc:id:sgtin:0614141.812345.6789",
        gtin="80614141123458",
        coding="sgtin-96",
    )


def test_keys_with_check_digits() -> None:
    assert decode(encode("urn:epc:id:sgtin:9521321.100010.7")).gtin == "19521321000107"
    assert decode(encode("urn:epc:id:sscc:9521321.1000000042", 6)).sscc == "195213210000000428"
    giai = decode(encode("urn:epc:id:giai:9521321.400"))
    assert (giai.gtin, giai.sscc, giai.key) == (None, None, "9521321400")


@pytest.mark.parametrize("digits", ["629104150021", "0614141000001", "19521321000000042"])
def test_check_digit_makes_the_weighted_sum_a_multiple_of_ten(digits: str) -> None:
    whole = digits + check_digit(digits)
    assert sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(whole))) % 10 == 0


@pytest.mark.parametrize(
    ("uri", "coding"),
    [
        ("sgtin:0614141.812345.274877906943", "sgtin-96"),
        ("sgtin:0614141.812345.274877906944", "sgtin-198"),
        ("sgtin:0614141.812345.0", "sgtin-96"),
        ("sgtin:0614141.812345.06789", "sgtin-198"),
        ("sgtin:0614141.812345.A.B.C", "sgtin-198"),
        ("grai:0614141.12345.0000000000000000", "grai-170"),
        ("sgln:061414112345..1", "sgln-96"),
        ("sgln:061414112345..-", "sgln-195"),
        ("giai:061414.4611686018427387903", "giai-96"),
        ("giai:061414.4611686018427387904", "giai-202"),
        ("giai:061414112345.9999999999999", "giai-202"),
        ("giai:061414112345.4398046511103", "giai-96"),
        ("giai:061414112345.123456789012345678", "giai-202"),
        ("giai:0614141.ABC", "giai-202"),
        ("gdti:0614141.12345.2199023255552", "gdti-174"),
    ],
)
def test_the_shortest_coding_that_holds_it(uri: str, coding: str) -> None:
    code = decode(encode(f"urn:epc:id:{uri}", 5))
    assert (code.uri, code.coding, code.filter) == (f"urn:epc:id:{uri}", coding, 5)


LONG = "3674257bf6b7a659b2c2bf1" + "0" * 29


@pytest.mark.parametrize(
    ("epc_hex", "read"),
    [
        (LONG, True),
        (LONG[:50], True),  # 200 bits: whole bytes
        (LONG[:48], False),
        (LONG + "00", False),
        (LONG[:-1] + "1", False),
        ("3074257bf7194e4000001a8500", False),
        ("3a74f4e4e7039ac790e65d7aa5c380", True),
        ("3a74f4e4e7039ac790e65d7aa5c38000", True),
        ("3a74f4e4e7039ac790e65d7aa5c3c000", False),
    ],
)
def test_zeros_fill_the_last_word_and_nothing_else_does(epc_hex: str, *, read: bool) -> None:
    try:
        assert decode(epc_hex).coding is not None
    except BadCode:
        assert not read
    else:
        assert read


def serial(*codes: int) -> str:
    """SGTIN-198 with these 7-bit characters as its serial."""
    value = 0
    for code in (*codes, *[0] * (20 - len(codes))):
        value = value << 7 | code
    head = int.from_bytes(bytes.fromhex(LONG), "big") >> 150 << 150
    return f"{head | value << 10:052x}"


def test_serial_of_the_helper_is_the_example() -> None:
    assert serial(*b"32a/b") == LONG


@pytest.mark.parametrize(
    ("epc_hex", "part"),
    [
        ("", "hexadecimal"),
        ("307", "hexadecimal"),
        ("3074257bf7194e4000001a", "sgtin-96: 96 bits"),
        ("3074257bf7194e4000001a8g", "hexadecimal"),
        ("30 4257bf7194e4000001a85", "hexadecimal"),
        ("e2003412dc03011852233147", "header 0xe2"),
        ("307c257bf7194e4000001a85", "partition"),
        ("3077fffff7194e4000001a85", "company prefix"),
        ("3174257bf4499602d2000001", "reserved"),
        ("36" + "7c" + LONG[4:], "partition"),
        (serial(), "sgtin-198: 1 to 20 characters"),
        (serial(0, 65), "1 to 20 characters"),  # a character behind the zeros
        (serial(65, 0, 66), "1 to 20 characters"),
        (serial(65, 32), "set of 82"),
        (serial(0x23), "set of 82"),
        (serial(0x7F), "set of 82"),
        ("3a74f4e4e7039a80000000000000", "113 bits"),
        (f"{int('3a74f4e4e7039ac790e65d7aa5c38000', 16) >> 73 << 73 | 23 << 15:032x}", "behind a 1"),
        (f"{int('3a74f4e4e7039ac790e65d7aa5c38000', 16) >> 73 << 73 | 1 << 15:032x}", "behind a 1"),
        (f"{int('3874257bf59b2c2bf1' + '0' * 34, 16) | 1 << 6:052x}", "giai-202: 1 to 23 characters"),
        (f"{int('380' + '0' * 49, 16) | 65 << 155 | 65 << 14:052x}", "giai-202: 1 to 18 characters"),
    ],
)
def test_refusals_name_the_part(epc_hex: str, part: str) -> None:
    with pytest.raises(BadCode, match=part):
        decode(epc_hex)


HEADERS = bytes((0x30, 0x31, 0x32, 0x33, 0x34, 0x2D, 0x2C, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3E))


@given(st.sampled_from(HEADERS), st.sampled_from((12, 16, 22, 25, 26)), st.data())
def test_any_bits_decode_or_are_refused(header: int, size: int, data: st.DataObject) -> None:
    raw = bytes([header]) + data.draw(st.binary(min_size=size - 1, max_size=size - 1))
    try:
        code = decode(raw.hex())
    except BadCode:
        return
    assert code.tag_uri is not None
    assert encode(code.tag_uri).startswith(raw.hex())


@given(st.text(max_size=60))
def test_any_text_decodes_or_is_refused(text: str) -> None:
    with pytest.raises(BadCode):
        decode(text)
