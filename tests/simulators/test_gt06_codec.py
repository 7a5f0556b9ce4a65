"""The simulated GT06 tracker's bytes: those of Concox's document."""

from dataclasses import replace
from datetime import UTC, datetime

from models.reading import micros
from simulators.devices.gt06_codec import (
    ALARM,
    HEARTBEAT,
    LOCATION,
    LOCATION_OLD,
    LOGIN,
    Report,
    content,
    crc_itu,
    heartbeat,
    kind,
    login,
    packet,
)
from tests.edge.drivers.gt06_client import crc

AT_US = micros(datetime(2015, 12, 29, 2, 51, 5, tzinfo=UTC))
REPORT = Report(AT_US, AT_US, 0x027AC818, 0x0C465860, 0, 0, 9, ignition=False, mileage_m=7)


def test_the_document_s_location() -> None:
    """The place and the cell are its example's; the end is "ACC, upload mode, re-upload, mileage"."""
    expected = "0f0c1d023305c9027ac8180c46586000140001cc00287d001f7100000000000007"
    assert (kind(REPORT), content(REPORT).hex()) == (LOCATION, expected)
    assert content(REPORT, stored=True).hex() == expected[:-10] + "01" + expected[-8:]


def test_a_report_that_does_not_say_the_ignition() -> None:
    silent = replace(REPORT, ignition=None)
    assert (kind(silent), content(silent).hex()[52:]) == (LOCATION_OLD, "00000007")


def test_an_alarm() -> None:
    alarm = replace(REPORT, alarm=0x13, ignition=True)
    assert (kind(alarm), content(alarm).hex()[36:]) == (ALARM, "0901cc00287d001f71460604130200000007")


def test_hemispheres_course_and_no_fix() -> None:
    south_west = replace(REPORT, lat_units=-1, lon_units=-2, course_deg=332, satellites=0)
    assert content(south_west)[6:18].hex() == "c0000000010000000200094c"


def test_logins_and_heartbeats() -> None:
    assert packet(LOGIN, login("353413532150362"), 1).hex().startswith("787811010353413532150362")
    assert packet(HEARTBEAT, heartbeat(REPORT, on=True), 15)[4:9].hex() == "4606040002"
    assert heartbeat(None, on=False).hex() == "0406040002"


def test_the_crc_is_that_of_x25() -> None:
    assert [crc_itu(bytes(range(size))) for size in range(64)] == [crc(bytes(range(size))) for size in range(64)]
