from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.barcode import Gs1, OwnCode, is_own, parse
from models.errors import BadCode

GTIN = "09506000134352"
GS = "\x1d"


@pytest.mark.parametrize(
    ("data", "symbology", "expected"),
    [
        ("9521321500013", "]E0", Gs1(gtin="09521321500013")),
        ("614141000036", "]E0", Gs1(gtin="00614141000036")),
        ("96385074", "]E4", Gs1(gtin="00000096385074")),
        ("19521321000107", "]I1", Gs1(gtin="19521321000107")),
        (f"01{GTIN}10LOT7{GS}3040", "]C1", Gs1(gtin=GTIN, lot="LOT7", count=40)),
        (f"02{GTIN}3712", "]C1", Gs1(gtin=GTIN, count=12)),
        (f"01{GTIN}1726112321S-1", "]d2", Gs1(gtin=GTIN, expiry=date(2026, 11, 23), serial="S-1")),
        (f"01{GTIN}17260200", "]Q3", Gs1(gtin=GTIN, expiry=date(2026, 2, 28))),
        (f"01{GTIN}", "]e0", Gs1(gtin=GTIN)),
        ("00195213210000000428", "]C1", Gs1(sscc="195213210000000428")),
        (f"4149521321000001254A{GS}", "]C1", Gs1(location="9521321000001.A")),
        (f"https://id.gs1.org/01/{GTIN}/10/LOT7", "]Q1", Gs1(gtin=GTIN, lot="LOT7")),
        ("SY:RECEIVE", None, OwnCode("RECEIVE")),
        ("sy:loc:Desk", "]C0", OwnCode("LOC", "Desk")),
        ("SY:QTY: 2.5 ", "]C0", OwnCode("QTY", "2.5")),
    ],
)
def test_codes(data: str, symbology: str | None, expected: Gs1 | OwnCode) -> None:
    assert parse(data, symbology) == expected


@pytest.mark.parametrize(
    ("data", "symbology", "why"),
    [
        ("9521321500014", "]E0", "check digit"),
        ("7032069804988", None, "symbology"),  # without one it would also read as AI 7032
        ("7032069804988", "]C0", "not a GS1"),
        ("96385074", "]E0", "digits expected"),
        ("7032069804988", "]E4", "digits expected"),
        (f"01{GTIN[:-1]}310LOT7", "]C1", "check digit"),
        ("00195213210000000429", "]C1", "check digit"),
        ("4149521321000002", "]C1", "check digit"),
        (f"01{GTIN}17261199", "]C1", "17"),
        (f"01{GTIN}17260230", "]C1", "260230"),
        (f"01{GTIN}10A{GS}10B", "]C1", "twice"),
        (f"01{GTIN}02{GTIN}3705", "]C1", "only one"),
        (f"01{GTIN}305{GS}376", "]C1", "only one"),
        ("", "]C1", "no GS1 element"),
        (GS, "]C1", "no GS1 element"),
        ("RECEIVE", None, "symbology"),
        ("0109506000134352\u0661", "]C1", "ASCII"),
        ("SY:", None, "expected after SY:"),
        ("SY:JUMP", None, "expected after SY:"),
        ("SY:QTY", None, "needs a value"),
        ("SY:LOC: ", None, "needs a value"),
        ("SY:ISSUE:7", None, "takes no value"),
    ],
)
def test_refusals_say_why(data: str, symbology: str | None, why: str) -> None:
    with pytest.raises(BadCode, match=why):
        parse(data, symbology)


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


SYMBOLOGIES = st.sampled_from(["]C0", "]C1", "]d2", "]Q1", "]Q3", "]E0", "]E4", "]I1", "]e0", "]A0", None])
AIS = st.sampled_from(
    ["01", "02", "00", "10", "17", "21", "30", "37", "414", "254", "3103", "7003", "8005", GS, "http"]
)
PIECES = st.lists(AIS | st.text(alphabet="0123456789", max_size=18) | st.text(max_size=6), max_size=8).map("".join)


@given(PIECES, SYMBOLOGIES)
def test_any_text_parses_or_is_refused(data: str, symbology: str | None) -> None:
    try:
        code = parse(data, symbology)
    except BadCode:
        return
    assert isinstance(code, OwnCode) == is_own(data)
