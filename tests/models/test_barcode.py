from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.barcode import COMMANDS, Gs1, OwnCode, is_own, parse
from models.epc import decode, encode
from models.errors import BadCode

GTIN = "09506000134352"
GS = "\x1d"


@pytest.mark.parametrize(
    ("data", "symbology", "expected"),
    [
        ("9521321500013", "]E0", Gs1(gtin="09521321500013")),
        ("614141000036", "]E0", Gs1(gtin="00614141000036")),
        ("952132150001312", "]E3", Gs1(gtin="09521321500013")),
        ("952132150001312345", "]E3", Gs1(gtin="09521321500013")),
        ("96385074", "]E4", Gs1(gtin="00000096385074")),
        ("19521321000107", "]I1", Gs1(gtin="19521321000107")),
        ("19521321000107", "]I0", Gs1(gtin="19521321000107")),
        (f"01{GTIN}10LOT7{GS}3040", "]C1", Gs1(gtin=GTIN, lot="LOT7", count=40)),
        (f"{GS}01{GTIN}{GS}10LOT7{GS}{GS}3040{GS}", "]d2", Gs1(gtin=GTIN, lot="LOT7", count=40)),
        (f"02{GTIN}3712", "]C1", Gs1(gtin=GTIN, count=12)),
        (f"01{GTIN}1726112321S-1", "]d2", Gs1(gtin=GTIN, expiry=date(2026, 11, 23), serial="S-1")),
        (f"01{GTIN}17260200", "]Q3", Gs1(gtin=GTIN, expiry=date(2026, 2, 28))),
        (f"01{GTIN}15270131", "]J1", Gs1(gtin=GTIN, best_before=date(2027, 1, 31))),
        (f"01{GTIN}1527013117270228", "]e0", Gs1(GTIN, expiry=date(2027, 2, 28), best_before=date(2027, 1, 31))),
        (f"01{GTIN}3103001250", "]e0", Gs1(gtin=GTIN, weight_kg=Decimal("1.250"))),
        (f"01{GTIN}3100001250", "]e0", Gs1(gtin=GTIN, weight_kg=Decimal(1250))),
        (f"01{GTIN}3105000001308", "]e1", Gs1(gtin=GTIN, weight_kg=Decimal("0.00001"), count=8)),
        ("00195213210000000428", "]C1", Gs1(sscc="195213210000000428")),
        (f"4149521321000001254A{GS}", "]C1", Gs1(location="9521321000001.A")),
        ("4149521321000001", "]C1", Gs1(location="9521321000001")),
        ("8003006141411234525678", "]C1", Gs1(grai="06141411234525678")),
        ("800300614141123452", "]C1", Gs1(grai="0614141123452")),
        ("8004061414132a/b", "]C1", Gs1(giai="061414132a/b")),
        (f"https://id.gs1.org/01/{GTIN}/10/LOT7", "]Q1", Gs1(gtin=GTIN, lot="LOT7")),
        ("HTTP://shop.example/p/01/9506000134352/22/V1/21/a%2Fb?x=1", "]d1", Gs1(gtin=GTIN, serial="a/b")),
        (
            f"https://id.gs1.org/01/{GTIN}?10=L7&21=S%2F9&17=261123&3102=000150&linkType=pip",
            "]Q4",
            Gs1(gtin=GTIN, lot="L7", serial="S/9", expiry=date(2026, 11, 23), weight_kg=Decimal("1.50")),
        ),
        ("https://example.org/8004/06141415678", "]d2", Gs1(giai="06141415678")),
        ("https://example.org/414/9521321000001/254/A", "]Q3", Gs1(location="9521321000001.A")),
        ("https://example.org/00/195213210000000428", "]Q0", Gs1(sscc="195213210000000428")),
    ],
)
def test_gs1(data: str, symbology: str | None, expected: Gs1) -> None:
    assert parse(data, symbology) == expected


OWN = [
    ("SY:RECEIVE", OwnCode("RECEIVE")),
    ("sy:Assign", OwnCode("ASSIGN")),
    ("sy:loc:Desk", OwnCode("LOC", "Desk")),
    ("SY:QTY: 2.5 ", OwnCode("QTY", "2.5")),
    ("SY:+3", OwnCode("+", "3")),
    ("Sy:+2.5", OwnCode("+", "2.5")),
    ("SY:BADGE:Ann:7", OwnCode("BADGE", "Ann:7")),
    ("SY:EPC:3074257BF7194e4000001a85", OwnCode("EPC", "3074257BF7194e4000001a85")),
]


@pytest.mark.parametrize(("data", "expected"), OWN)
@pytest.mark.parametrize("symbology", [None, "]C0", "]C1", "]E0", "]Q1", "]zz"])
def test_own_codes_in_any_symbology(data: str, symbology: str | None, expected: OwnCode) -> None:
    assert parse(data, symbology) == expected


def test_every_command_and_no_other() -> None:
    assert {name for name, valued in COMMANDS.items() if not valued} == {
        *("RECEIVE", "ISSUE", "MOVE", "COUNT", "RETURN", "ASSIGN", "PACK", "CONFIRM", "CANCEL", "UNDO")
    }
    for name, valued in COMMANDS.items():
        code = f"SY:{name}" if name.isalpha() else "SY:"
        assert parse(f"{code}{':' if name.isalpha() else '+'}x" if valued else code, None) == OwnCode(
            name, "x" if valued else None
        )


@pytest.mark.parametrize(
    ("data", "symbology", "why"),
    [
        ("9521321500014", "]E0", "check digit"),
        ("7032069804988", None, "symbology"),  # without one it would also read as AI 7032
        ("7032069804988", "]C0", "not a GS1"),
        ("96385074", "]E0", "digits expected"),
        ("7032069804988", "]E4", "digits expected"),
        (" 614141000036", "]E0", "digits expected"),
        ("952132150001\u0663", "]E0", "ASCII"),
        ("952132150001412", "]E3", "check digit"),
        ("19521321000108", "]I0", "check digit"),
        (f"01{GTIN[:-1]}310LOT7", "]C1", "check digit"),
        ("00195213210000000429", "]C1", "check digit"),
        ("4149521321000002", "]C1", "check digit"),
        ("8003006141411234535678", "]C1", "check digit 2 expected, got 3"),
        ("8003106141411234525678", "]C1", "8003"),
        (f"01{GTIN}17261199", "]C1", "17"),
        (f"01{GTIN}17260230", "]C1", "260230"),
        (f"01{GTIN}15261300", "]C1", "261300"),
        (f"01{GTIN}11260230", "]C1", "260230"),
        (f"01{GTIN}10A{GS}10B", "]C1", "twice"),
        (f"01{GTIN}02{GTIN}3705", "]C1", "only one"),
        (f"01{GTIN}305{GS}376", "]C1", "only one"),
        (f"01{GTIN}31020001003103001000", "]C1", "only one"),
        (f"01{GTIN}30{GS}10A", "]C1", "AI \\(30\\)"),
        (f"01{GTIN}10{GS}3012", "]C1", "10"),
        (f"01{GTIN}10{'L' * 20}21S", "]C1", "a separator expected"),  # it would go on as AI 21
        (f"01{GTIN}3106001250", "]C1", "3106"),
        (f" 01{GTIN}", "]C1", " 01"),
        (f"01{GTIN}10LOT 7", "]C1", "separator expected"),
        ("", "]C1", "no GS1 element"),
        (GS, "]C1", "no GS1 element"),
        ("RECEIVE", None, "symbology"),
        ("0109506000134352\u0661", "]C1", "ASCII"),
        (f"https://id.gs1.org/01/{GTIN[:-1]}3", "]Q1", "check digit"),
        (f"https://id.gs1.org/01/{GTIN}?10=A&10=B", "]Q1", "twice"),
        (f"https://id.gs1.org/01/{GTIN}/10/A?10=B", "]Q1", "twice"),
        (f"https://id.gs1.org/01/{GTIN}?17=261399", "]Q1", "17"),
        (f"https://id.gs1.org/01/{GTIN}?30=%D9%A1", "]Q1", "ASCII"),
        (f"https://id.gs1.org/01/{GTIN}/10/A%00", "]Q1", "10"),
        ("https://shop.example/product/7", "]Q1", "primary identifier"),
        ("https://[::1/01/1", "]Q1", "IPv6"),
        (f"https://id.gs1.org/01/{GTIN}", "]C0", "not a GS1"),
        ("ftp://id.gs1.org/01/1", "]Q1", "not a GS1"),
        ("SY:", None, "expected after SY:"),
        ("SY:JUMP", None, "expected after SY:"),
        ("SY:I\u017f\u017fUE", None, "expected after SY:"),
        ("SY:RECEIVE\n", None, "expected after SY:"),
        ("SY:QTY", None, "needs a value"),
        ("SY:+", None, "needs a value"),
        ("SY:LOC: ", None, "needs a value"),
        ("SY:ISSUE:7", None, "takes no value"),
    ],
)
def test_refusals_say_why(data: str, symbology: str | None, why: str) -> None:
    with pytest.raises(BadCode, match=why):
        parse(data, symbology)


def test_the_scanners_own_symbology_stands_in_and_the_codes_comes_first() -> None:
    assert parse("9521321500013", None, default="]E0") == Gs1(gtin="09521321500013")
    assert parse("96385074", "]E4", default="]E0") == Gs1(gtin="00000096385074")
    with pytest.raises(BadCode, match="digits expected"):
        parse("96385074", None, default="]E0")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (f"01{GTIN}10AB12317261231", "17261231"),
        (f"01{GTIN}10AB1231726123121S1", "17261231"),
        (f"01{GTIN}10AB12315261231", "15261231"),
        (f"01{GTIN}10AB1233103001234", "3103001234"),
        (f"01{GTIN}21S111261231", "11261231"),
        (f"01{GTIN}10AB12317261331", None),  # no month 13
        (f"01{GTIN}1017261231", None),  # nothing before it
        (f"01{GTIN}10L20171231", None),
        (f"01{GTIN}10AB123{GS}17261231", None),
        (f"01{GTIN}10AB17261231Z", None),
    ],
)
def test_a_value_that_ends_like_an_element_is_flagged_and_kept(data: str, what: str | None) -> None:
    code = parse(data, "]C1")
    assert isinstance(code, Gs1)
    assert code.gtin == GTIN
    if what is None:
        assert code.warning is None
    else:
        assert f"{what} may be an element" in (code.warning or "")
        assert what in f"{code.lot}{code.serial}"


@pytest.mark.parametrize("uri", ["giai:0614141.32a%2Fb", "grai:0614141.12345.5678", "grai:0614141.12345.A1"])
def test_the_label_of_an_asset_and_its_tag_have_one_key(uri: str) -> None:
    tag = decode(encode(f"urn:epc:id:{uri}"))
    assert tag.elements is not None
    label = parse(tag.elements.replace("(", "").replace(")", ""), "]C1")
    assert isinstance(label, Gs1)
    assert tag.key in (label.giai, label.grai)


@pytest.mark.parametrize(
    ("yymmdd", "year", "expected"),
    [
        ("510101", 2000, 1951),
        ("500101", 2000, 2050),
        ("010101", 2051, 2101),
        ("020101", 2051, 2002),
        ("990101", 2026, 1999),
    ],
)
def test_the_century_comes_from_the_year_of_the_scan(yymmdd: str, year: int, expected: int) -> None:
    code = parse(f"01{GTIN}17{yymmdd}", "]C1", year)
    assert isinstance(code, Gs1)
    assert code.expiry == date(expected, 1, 1)


SYMBOLOGIES = st.sampled_from(
    ["]C0", "]C1", "]d1", "]d2", "]Q1", "]Q3", "]E0", "]E3", "]E4", "]I1", "]e0", "]A0", "]J1", None, "x"]
)
AIS = st.sampled_from(
    [
        "01",
        "02",
        "00",
        "10",
        "17",
        "21",
        "30",
        "37",
        "414",
        "254",
        "3103",
        "7003",
        "8003",
        "8004",
        "8005",
        "3910",
        "253",
    ]
)
LINKS = st.sampled_from(
    [GS, "http", "https://a/", "https://[", "/01/", f"/01/{GTIN}", "/10/", "?", "&", "=", "?17=", "%", "%2F", "%FF"]
)
PIECES = st.lists(
    AIS | LINKS | st.text(alphabet="0123456789", max_size=18) | st.text(max_size=6) | st.sampled_from(["SY:", "LOC:"]),
    max_size=8,
).map("".join)


@given(PIECES, SYMBOLOGIES, st.integers(1970, 2199))
@example(f"01{GTIN}39101239999999999999", "]C1", 2026)
@example("https://a:b:c/01/1", "]Q1", 2026)
def test_any_text_parses_or_is_refused(data: str, symbology: str | None, year: int) -> None:
    try:
        code = parse(data, symbology, year)
    except BadCode:
        return
    assert isinstance(code, OwnCode) == is_own(data)
