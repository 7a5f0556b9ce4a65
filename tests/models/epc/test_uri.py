"""URIs and element strings: every field checked, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.epc import decode, encode, parse_elements, parse_uri
from models.errors import BadCode

ALL_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def test_seven_characters_are_escaped_and_no_others() -> None:
    escaped = ALL_82
    for character in '%"&/<>?':
        escaped = escaped.replace(character, f"%{ord(character):02X}")
    serials = [ALL_82[start : start + 20] for start in range(0, 82, 20)]
    parts = [parse_elements(f"(01)80614141123458(21){each}", 7).uri.split(".", 2)[2] for each in serials]
    assert "".join(parts) == escaped
    assert [parse_uri(f"urn:epc:id:sgtin:0614141.812345.{part}").serial for part in parts] == serials
    assert parse_uri("urn:epc:id:sgtin:0614141.812345.a%2fb").uri == "urn:epc:id:sgtin:0614141.812345.a%2Fb"


@pytest.mark.parametrize(
    ("uri", "part"),
    [
        ("urn:epc:id:sgtin:0614141.812345", "sgtin: 3 fields"),
        ("urn:epc:id:sgtin:0614141.81234.6789", "reference of 6 digits"),
        ("urn:epc:id:sgtin:06141.812345.6789", "company prefix"),
        ("urn:epc:id:sgtin:061414\u0661.812345.6789", "company prefix"),
        ("urn:epc:id:sgtin:0614141.81234\u0661.6789", "reference"),
        ("urn:epc:id:sgtin:0614141.812345.", "set of 82"),
        ("urn:epc:id:sgtin:0614141.812345.a b", "set of 82"),
        ("urn:epc:id:sgtin:0614141.812345.a/b", "escaped"),
        ("urn:epc:id:sgtin:0614141.812345.a%41", "escaped"),
        ("urn:epc:id:sgtin:0614141.812345.a%2", "escaped"),
        ("urn:epc:id:sgtin:0614141.812345.\u017f", "set of 82"),
        ("urn:epc:id:sgtin:0614141.812345.123456789012345678901", "1 to 20 characters"),
        ("urn:epc:id:grai:0614141.12345.12345678901234567", "1 to 16 characters"),
        ("urn:epc:id:gdti:0614141.12345.123456789012345678", "1 to 17 characters"),
        ("urn:epc:id:giai:061414112345.1234567890123456789", "1 to 18 characters"),
        ("urn:epc:id:sscc:0614141.1234567890.1", "reference of 10 digits"),
        ("urn:epc:id:gsrn:0614141.123456789", "reference of 10 digits"),
        ("urn:epc:id:gid:268435456.0.0", "gid: a number below 2\\^28"),
        ("urn:epc:id:gid:01.0.0", "without leading zeros"),
        ("urn:epc:id:gid:" + "9" * 5000 + ".0.0", "gid"),
        ("urn:epc:id:upui:0614141.812345.6789", "known here"),
        ("urn:epc:id:sgtin-96:0614141.812345.6789", "known here"),
        ("0614141.812345.6789", "known here"),
        ("urn:epc:tag:sgtin-96:8.0614141.812345.6789", "filter of 0 to 7"),
        ("urn:epc:tag:sgtin-97:3.0614141.812345.6789", "known here"),
        ("urn:epc:tag:sgtin:3.0614141.812345.6789", "known here"),
        ("urn:epc:tag:sgtin-96:0614141.812345.6789", "filter"),
    ],
)
def test_refusals_name_the_part(uri: str, part: str) -> None:
    with pytest.raises(BadCode, match=part):
        parse_uri(uri)
    with pytest.raises(BadCode, match=part):
        encode(uri)


@pytest.mark.parametrize(
    "tag_uri",
    [
        "sgtin-96:3.0614141.812345.06789",
        "sgtin-96:3.0614141.812345.A",
        "sgtin-96:3.0614141.812345.274877906944",
        "giai-96:3.061414112345.9999999999999",
        "giai-96:3.061414.10000000000000000000",
        "gdti-113:3.0614141.12345.12A",
        "gdti-96:3.0614141.12345.2199023255552",
    ],
)
def test_what_the_named_coding_cannot_hold_is_not_encoded(tag_uri: str) -> None:
    with pytest.raises(BadCode, match=f"{tag_uri.partition(':')[0]} cannot hold"):
        encode(f"urn:epc:tag:{tag_uri}")


def test_a_filter_is_0_to_7_and_that_of_the_tag_uri_wins() -> None:
    with pytest.raises(BadCode, match="filter of 0 to 7"):
        encode("urn:epc:id:sscc:0614141.1234567890", 8)
    assert decode(encode("urn:epc:tag:sscc-96:3.0614141.1234567890", 6)).filter == 3


@pytest.mark.parametrize(
    ("text", "company_digits", "uri"),
    [
        ("(01)80614141123458(21)A(21)B", 7, "sgtin:0614141.812345.A(21)B"),
        ("(414)0614141123452", 7, "sgln:0614141.12345.0"),
        ("(414)0614141123452(254)0", 7, "sgln:0614141.12345.0"),
        ("(414)0614141123452", 12, "sgln:061414112345..0"),
        ("(8004)0614141ABC", 7, "giai:0614141.ABC"),
        ("(253)06141411234525678", 7, "gdti:0614141.12345.5678"),
    ],
)
def test_element_strings(text: str, company_digits: int, uri: str) -> None:
    code = parse_elements(text, company_digits)
    assert (code.uri, code.coding, code.tag_uri, code.filter) == (f"urn:epc:id:{uri}", None, None, None)
    assert code.elements == text.removesuffix("(254)0")


@pytest.mark.parametrize(
    ("text", "company_digits", "part"),
    [
        ("(01)80614141123459(21)6789", 7, "check digit 8"),
        ("(00)106141412345678909", 7, "check digit 8"),
        ("(8003)006141411234535678", 7, "check digit 2"),
        ("(01)80614141123458", 7, "known here"),
        ("(10)LOT", 7, "known here"),
        ("", 7, "known here"),
        ("(8003)00614141123452", 7, "known here"),  # without a serial it is a type of asset
        ("(8004)061", 7, "company prefix"),
        ("(8004)0614141", 7, "1 to 23 characters"),
        ("(01)80614141123458(21)6 9", 7, "set of 82"),
        ("(01)80614141123458(21)67\n", 7, "known here"),
        ("(01)80614141123458(21)6789", 5, "6 to 12 digits"),
        ("(01)\u0668" + "0614141123458(21)6789", 7, "known here"),
    ],
)
def test_refused_element_strings(text: str, company_digits: int, part: str) -> None:
    with pytest.raises(BadCode, match=part):
        parse_elements(text, company_digits)


PIECES = st.lists(
    st.sampled_from(
        ["urn:epc:id:", "urn:epc:tag:", "sgtin", "sgtin-198", "giai:", "gid:", "gid-96:", ":3.", ".", "%2F"]
    )
    | st.sampled_from(["(01)", "(21)", "(8004)", "(253)", "0614141", "812345", "80614141123458"])
    | st.text(max_size=5),
    max_size=8,
).map("".join)


@given(PIECES, st.integers(-1, 9))
def test_any_text_parses_or_is_refused(text: str, number: int) -> None:
    for read in (parse_uri, lambda each: decode(encode(each, number)), lambda each: parse_elements(each, number)):
        try:
            code = read(text)
        except BadCode:
            continue
        assert parse_uri(code.uri).uri == code.uri
