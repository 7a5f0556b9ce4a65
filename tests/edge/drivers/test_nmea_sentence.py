"""NMEA sentences: tables of what they say and of what is wrong with them, and 100,000 damaged ones.

STOCKYARD_RUNS says how many damaged ones there are; else 15,000.
"""

import os
import random
from datetime import date
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.nmea_sentence import KMH_MPS, KNOT_MPS, MAX_BYTES, Said, checksum_of, parse
from edge.drivers.nmea_source import Lines
from tests.edge.drivers.nmea_lines import GGA, RMC, line

PLACE = {"lat": -37.860833333333332, "lon": 145.12266666666667}
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            RMC,
            {"kind": "RMC", "time_us": 29_916_750_000, "day": date(2026, 9, 13), "valid": True, **PLACE}
            | {"speed_mps": 22.4 * KNOT_MPS, "course_deg": 84.4},
        ),
        (
            GGA,
            {"kind": "GGA", "time_us": 29_916_750_000, "valid": True, **PLACE}
            | {"hdop": 0.9, "satellites": 8, "altitude_m": 545.4},
        ),
        ("GARMC,,V,,,,,,,,,,N,V", {"kind": "RMC", "valid": False}),
        ("BDRMC,010203,V,0000.0000,N,00000.0000,W,,,010180,,", {"valid": False, "lat": 0.0, "lon": 0.0}),
        ("GPRMC,240000,A,0000.0,S,00000.0,E,.5,360,311279,,", {"time_us": 24 * HOUR_US, "day": date(2079, 12, 31)}),
        ("GPRMC,235960.5,A,0000.0,S,00000.0,E,,,010180", {"time_us": 24 * HOUR_US + 500_000, "day": date(1980, 1, 1)}),
        ("GPRMC,000000,A,0000.0,S,00000.0,E,0.0,0.0,010126,,,S", {"valid": False}),
        ("GPRMC,000000,A,0000.0,S,00000.0,E,0.0,0.0,010126,,,E", {"valid": True}),
        ("GPRMC,000000,A,9000.0,N,18000.0,W,0.0,0.0,290224,,,D,V", {"valid": True, "lat": 90.0, "lon": -180.0}),
        ("GPGGA,000000,,,,,0,00,99.99,,,,,,", {"valid": False, "hdop": 99.99, "satellites": 0, "lat": None}),
        ("GPGGA,000000,0101.0,N,00101.0,E,2,12,1,-28,M", {"valid": True, "altitude_m": -28.0}),
        ("GPGGA,000000,0101.0,N,00101.0,E,6,12,1,1,M,,M,,", {"valid": None}),
        ("GPGGA,000000,0101.0,N,00101.0,E,8,12,1,1,M,,M,,", {"valid": False}),
        ("GPGGA,000000,0101.0,N,00101.0,E,,12,1,1,M,,M,,", {"valid": None}),
        ("GNGNS,014035.00,4332.69262,S,17235.48549,E,RR,13,0.9,25.63,11.24,,", {"valid": True, "satellites": 13}),
        ("GNGNS,014035.00,,,,,NN,0,,,,,", {"valid": False}),
        ("GNGNS,014035.00,,,,,NE,0,,,,,", {"valid": None}),
        ("GPGLL,4916.45,N,12311.12,W,225444,A,", {"valid": True, "time_us": 82_484_000_000}),
        ("GPGLL,3728.0549,N,12213.8639,W,014413.076,N,V", {"valid": False}),
        ("GNGSA,A,3,80,71,73,79,69,,,,,,,,1.83,1.09,1.47,1", {"hdop": 1.09}),
        ("GPVTG,220.86,T,,M,2.550,N,4.724,K,A", {"speed_mps": 4.724 * KMH_MPS, "course_deg": 220.86}),
        ("GPVTG,,T,,M,2.550,N,,K", {"speed_mps": 2.55 * KNOT_MPS, "course_deg": None}),
        ("GPVTG,0.0,T,,M,0.0,N,0.0,K,N", {"speed_mps": None, "course_deg": None}),
        ("GPZDA,160012.71,11,03,2026,-1,00", {"time_us": 57_612_710_000, "day": date(2026, 3, 11)}),
        ("GPZDA,160012.71,,,,,", {"day": None}),
        ("GPGST,082356.00,1.8,,,,3.0,4.0,5.4", {"accuracy_m": 5.0, "valid": None}),
        ("GPGST,082356.00,,,,,,,", {"accuracy_m": None}),
    ],
)
def test_what_sentences_say(body: str, said: dict[str, Any]) -> None:
    found = parse(line(body))
    assert found is not None
    for field, value in said.items():
        assert getattr(found, field) == (pytest.approx(value) if isinstance(value, float) else value), field


def test_the_kinds_that_say_everything_say_nothing_else() -> None:
    assert parse(line("GPRMC,,V,,,,,,,,,,N")) == Said("RMC", valid=False)
    assert parse(line("GPGGA,,,,,,0,,,,M,,M,,")) == Said("GGA", valid=False)


@pytest.mark.parametrize(
    "body", ["GPGSV,1,1,00", "GPRTE,x", "PUBX,00,1", "PRMC,1", "PGRMC,A", "GPZZZ,", "GPRMCX,", "Q", ""]
)
def test_other_sentences_say_nothing_and_are_not_bad(body: str) -> None:
    assert parse(line(body)) is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (RMC.replace("3751", "9751"), "position: at most 90 and 180 degrees"),
        (RMC.replace("3751.65", "9000.01"), "position: at most 90 and 180 degrees"),
        (RMC.replace("14507", "18107"), "position: at most 90 and 180 degrees"),
        (RMC.replace("3751", "3760"), "GPRMC latitude: ddmm.mmm with minutes below 60 expected, got '3760.6500'"),
        (RMC.replace("14507", "14577"), "GPRMC longitude: dddmm.mmm"),
        (RMC.replace(",S,", ",X,"), "latitude's hemisphere: N or S expected, got 'X'"),
        (RMC.replace(",S,", ",,"), "position: latitude, N or S, longitude and E or W expected"),
        (RMC.replace("3751.6500", ""), "position: latitude"),
        (RMC.replace("3751.6500", "51.6500"), "GPRMC latitude"),
        (RMC.replace("084.4", "-1"), "GPRMC course"),
        (RMC.replace("081836.75", "246000"), "GPRMC time: hhmmss"),
        (RMC.replace("081836.75", "240001"), "GPRMC time"),
        (RMC.replace("081836.75", "081861"), "GPRMC time"),
        (RMC.replace("081836.75", "8:18:36"), "GPRMC time"),
        (RMC.replace("22.4", "nan"), "GPRMC speed: a number from 0 and below 10000 expected, got 'nan'"),
        (RMC.replace("22.4", "1e3"), "GPRMC speed"),
        (RMC.replace("22.4", "1_0"), "GPRMC speed"),
        (RMC.replace("22.4", "-1"), "GPRMC speed"),
        (RMC.replace("22.4", "99999"), "GPRMC speed: a number from 0"),
        (RMC.replace("084.4", "360.5"), "GPRMC course: 0 ... 360 degrees expected"),
        (RMC.replace("130926", "300226"), "date: a day of the calendar expected, got 2026-02-30"),
        (RMC.replace("130926", "13092"), "GPRMC date: ddmmyy"),
        ("GPRMC,081836,A,3751.65,S,14507.36,E", "GPRMC: at least 9 fields expected, got 6"),
        (GGA.replace("545.4", "9999999"), "GNGGA altitude: metres, below 100000"),
        (GGA.replace(",08,", ",0008,"), "GNGGA satellites: at most three digits"),
        (GGA.replace("545.4,M", "545.4,f"), "GNGGA unit: M expected, got 'f'"),
        ("GPZDA,160012,11,03,1026,,", "GPZDA year: 1980 ... 2199"),
        ("GPZDA,160012,31,02,2026,,", "date: a day of the calendar"),
        ("GPVTG,1,2,3,4", "GPVTG unit: T expected, got '2'"),
        (RMC.replace("E,A", "E,1A"), "GPRMC mode: a letter expected, got '1A'"),
    ],
)
def test_what_is_wrong_is_named(body: str, words: str) -> None:
    with pytest.raises(BadFrame) as error:
        parse(line(body))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "sentence: $"),
        (b"GPRMC", "sentence: $"),
        (b"$" + bytes(MAX_BYTES), "at most 256 bytes"),
        (line(RMC)[:-2] + b"00", "checksum: 1F expected, got b'00'"),
        (line(RMC)[:-1], "checksum"),
        (line(RMC) + b" ", "checksum"),
        (line(RMC)[:-3], "checksum: *hh expected at the end"),
        (line("GPRMC,\xb2"), "sentence: ASCII"),
    ],
)
def test_a_sentence_needs_its_frame(raw: bytes, words: str) -> None:
    with pytest.raises(BadFrame) as error:
        parse(raw)
    assert words in str(error.value)


def test_a_checksum_may_be_left_out_but_not_be_wrong() -> None:
    bare = line(RMC)[:-3]
    assert parse(bare, checksum=False) == parse(line(RMC)) == parse(line(RMC).replace(b"*1F", b"*1f"))
    with pytest.raises(BadFrame, match="checksum"):
        parse(bare + b"*00", checksum=False)


@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 127, 128, 129, 255, 256])
def test_the_checksum_is_that_of_one_byte_after_the_other(size: int) -> None:
    body = random.Random(size).randbytes(size)
    expected = 0
    for byte in body:
        expected ^= byte
    assert checksum_of(body) == expected


BODIES = (
    RMC,
    GGA,
    "GPGLL,4916.45,N,12311.12,W,225444,A,A",
    "GPVTG,220.86,T,,M,2.550,N,4.724,K,A",
    "GPZDA,160012.71,11,03,2026,-1,00",
)
GOOD = line("GPRMC,111111,A,5103.6,N,00343.8,E,0.0,0.0,261126,,,A")


def damaged(chance: random.Random) -> bytes:
    """A sentence with a few bytes changed, taken out or put in; half of the time its checksum is right again."""
    body = bytearray(chance.choice(BODIES).encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body))
        match chance.randrange(4):
            case 0:
                body[at] = chance.randrange(256)
            case 1:
                del body[at]
            case 2:
                body.insert(at, chance.choice(b"0123456789,.-$*NSEWAV\x00\xff"))
            case _:
                body[at:at] = body[at : at + chance.randint(1, 9)]
    if chance.random() < 0.5:
        return b"$%s*%02X" % (body, checksum_of(bytes(body)))
    return bytes(chance.choice((b"$%s*4A", b"$%s", b"%s*", b"\\x\\$%s*00")) % body)


def test_damaged_sentences_are_bad_and_the_next_good_one_is_read() -> None:
    number = int(os.environ.get("STOCKYARD_RUNS", "15000"))
    chance, expected = random.Random(20261126), parse(GOOD)
    bad = read = 0
    lines = Lines()
    for _ in range(number):
        stream = damaged(chance) + chance.choice((b"\r\n", b"\n", b"\r")) + GOOD + b"\r\n"
        cut = chance.randrange(len(stream))
        found = [*lines.feed(stream[:cut]), *lines.feed(stream[cut:])]
        for each in found[:-1]:
            try:
                if isinstance(each, BadFrame):
                    raise each
                read += parse(each) is not None
            except BadFrame:
                bad += 1
        assert isinstance(found[-1], bytes)
        assert parse(found[-1]) == expected
    print(f"{number} damaged sentences: {bad} bad, {read} still readable, every good one behind them read")
    assert bad > number / 2
