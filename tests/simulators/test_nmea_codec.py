"""The simulated receiver's sentences, against ones written by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from simulators.devices.nmea_codec import Position, burst, sentence, told

AT = datetime(2026, 11, 26, 8, 0, 0, 250_000, tzinfo=UTC)
HERE = Position(
    AT,
    has_fix=True,
    lat=-37.860833333,
    lon=145.122666667,
    altitude_m=545.4,
    speed_kmh=36.0,
    course_deg=84.4,
    satellites=5,
    hdop=0.9,
)


def test_a_burst() -> None:
    assert burst(HERE) == [
        sentence(body)
        for body in (
            "GPRMC,080000.250,A,3751.65000,S,14507.36000,E,19.438,84.4,261126,,,A",
            "GPVTG,84.4,T,,M,19.438,N,36.000,K,A",
            "GPGGA,080000.250,3751.65000,S,14507.36000,E,1,05,0.9,545.4,M,44.5,M,,",
            "GPGSA,A,3,01,02,03,04,05,,,,,,,,0.9,0.9,0.9",
            "GPGSV,2,1,05,01,23,025,31,02,26,050,32,03,29,075,33,04,32,100,34",
            "GPGSV,2,2,05,05,35,125,35",
            "GPZDA,080000.250,26,11,2026,00,00",
        )
    ]


def test_a_burst_without_a_fix() -> None:
    assert burst(replace(HERE, has_fix=False, satellites=0), "GN") == [
        sentence(body)
        for body in (
            "GNRMC,080000.250,V,,,,,,,261126,,,N",
            "GNVTG,,T,,M,,N,,K,N",
            "GNGGA,080000.250,,,,,0,00,,,M,,M,,",
            "GNGSA,A,1,,,,,,,,,,,,,,,",
            "GNGSV,1,1,00",
            "GNZDA,080000.250,26,11,2026,00,00",
        )
    ]


def test_a_known_checksum() -> None:
    """From the Wikipedia's and everybody's example."""
    assert sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,").endswith("*47\r\n")


@pytest.mark.parametrize(
    ("degrees", "place"),
    [(0.0, "0000.00000,N"), (-0.0000001, "0000.00001,S"), (50.99999999, "5100.00000,N"), (-89.9999, "8959.99400,S")],
)
def test_minutes_never_are_sixty(degrees: float, place: str) -> None:
    assert f",{place}," in burst(replace(HERE, lat=degrees))[0]


@pytest.mark.parametrize("degrees", [0.0, -3.73, 51.06, 50.99999999, -0.0000001, 179.123456789])
def test_what_is_told_is_within_a_hundred_thousandth_of_a_minute(degrees: float) -> None:
    assert abs(told(degrees) - degrees) <= 0.5e-5 / 60 + 1e-9
