"""What GT06 packets say, as readings: the maker's examples, and the rules by which a reading is or is not made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.gt06_frame import Framer, Packet
from edge.drivers.gt06_message import decode
from edge.drivers.gt06_readings import readings
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal
from tests.edge.drivers.gt06_client import ACC, AT, CELL, FIXED, HAS_ACC, LAT, LON, NORTH_EAST, clock, place

DEVICE, RECEIVED_AT = "imei:353413532150362", datetime(2026, 11, 26, 8, tzinfo=UTC)
UTC_CLOCK = timedelta()


def packet(text: str) -> Packet:
    framer = Framer()
    framer.feed(bytes.fromhex(text))
    found = framer.packet()
    assert found is not None
    return found


def said(kind: int, content: bytes, *, long: bool = False, ahead: timedelta = UTC_CLOCK) -> list[Reading]:
    return readings(DEVICE, decode(Packet(kind, content, 1, long)), RECEIVED_AT, ahead)


def values(found: list[Reading]) -> dict[str, Any]:
    """By name; the fix by its valid bit."""
    out: dict[str, Any] = {}
    for each in found:
        match each:
            case Fix():
                out["fix"] = each.valid
            case Input():
                out[each.name] = each.on
            case Meter() | Signal():
                out[each.name] = (each.value, each.unit)
            case DeviceEvent():
                out[each.name] = each.detail
    return out


def test_the_location_of_the_document() -> None:
    text = "787822220F0C1D023305C9027AC8180C46586000140001CC00287D001F71000001000820860D0A"
    found = readings(DEVICE, decode(packet(text)), RECEIVED_AT, UTC_CLOCK)
    at = datetime(2015, 12, 29, 2, 51, 5, tzinfo=UTC)
    assert found == [
        Fix(DEVICE, at, LAT / 1.8e6, LON / 1.8e6, speed_mps=0.0, course_deg=0.0, satellites=9, valid=True),
        Input(DEVICE, at, "ignition", on=False),
    ]


def test_the_alarm_of_the_document() -> None:
    text = "787825260F0C1D030B26C9027AC8180C4658600004000901CC00287D001F718004041302000C472A0D0A"
    found = readings(DEVICE, decode(packet(text)), RECEIVED_AT, UTC_CLOCK)
    assert values(found) == {
        "fix": False,
        "ignition": False,
        "charging": False,
        "immobilised": True,
        "battery_level": (pytest.approx(66.67, abs=0.01), "%"),
        "gsm_signal": (4.0, "1"),
        "alarm": "tampering",
    }
    [fix] = [each for each in found if isinstance(each, Fix)]
    assert (fix.lat, fix.speed_mps, fix.course_deg) == (LAT / 1.8e6, None, None), "the last place, and nothing of now"


def test_a_heartbeat_is_of_now() -> None:
    found = readings(DEVICE, decode(packet("78780A134004040001000FDCEE0D0A")), RECEIVED_AT, UTC_CLOCK)
    assert {each.at for each in found} == {RECEIVED_AT}
    assert values(found)["ignition"] is False
    assert "fix" not in values(found)
    assert values(said(0x13, bytes.fromhex("4604040001")))["ignition"] is True
    assert values(said(0x23, bytes.fromhex("c2016504 0001")))["battery_voltage"] == (3.57, "V")


@pytest.mark.parametrize(
    ("kind", "behind", "expected"),
    [
        (0x12, CELL, {}),
        (0x12, CELL + (1234).to_bytes(4), {"tracker_odometer": (1.234, "km")}),
        (0x22, CELL, {}),
        (0x22, CELL + b"\x01\x00\x01", {"ignition": True}),
        (0x22, CELL + b"\x00\x05\x00" + (5).to_bytes(4), {"ignition": False, "tracker_odometer": (0.005, "km")}),
        (0x22, b"\x81\xcc\x00\x00" + CELL[3:] + b"\x01\x00\x00", {"ignition": True}),
        (0x22, CELL + bytes(16), {}),
        (0x2D, CELL + b"\x01\x00\x00", {"ignition": True}),
        (0xA0, bytes(15) + b"\x01\x00\x00", {"ignition": True}),
        (0x37, CELL + b"\x01\x00\x00\x00\x27\x02\x04\x9f", {"ignition": True, "external_voltage": (11.83, "V")}),
        (0x10, b"", {}),
        (0x1A, bytes(23), {}),
    ],
)
def test_ignition_is_told_only_where_the_packet_tells_it(kind: int, behind: bytes, expected: dict[str, Any]) -> None:
    """Least of all for a stored place: what the engine did then is not known."""
    assert values(said(kind, clock() + place() + behind)) == {"fix": True, **expected}


@pytest.mark.parametrize(("status", "on"), [(HAS_ACC | ACC, True), (HAS_ACC, False), (ACC, None), (0, None)])
def test_acc_in_the_status_word(status: int, on: bool | None) -> None:  # noqa: FBT001
    found = values(said(0x12, clock() + place(status | FIXED | NORTH_EAST) + CELL))
    assert found.get("ignition") is on


@pytest.mark.parametrize(
    ("status", "lat", "lon"),
    [(1 << 10, 1, 1), (0, -1, 1), (1 << 10 | 1 << 11, 1, -1), (1 << 11, -1, -1)],
)
def test_hemispheres(status: int, lat: int, lon: int) -> None:
    [fix] = said(0x10, clock() + place(status | FIXED | 1))
    assert isinstance(fix, Fix)
    assert (fix.lat, fix.lon) == (lat * LAT / 1.8e6, lon * LON / 1.8e6)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, {"valid": True, "satellites": 9, "speed_mps": 10.0, "course_deg": 332.0}),
        ({"satellites": 0}, {"valid": True, "satellites": None}),
        ({"status": NORTH_EAST, "satellites": 0}, {"valid": False, "satellites": 0, "speed_mps": None}),
        ({"lat": 0, "lon": 0}, {"valid": False, "lat": 0.0, "course_deg": None}),
        ({"lat": 162_000_001}, {"valid": False, "lat": None, "lon": None}),
        ({"lon": 324_000_001}, {"valid": False, "lat": None, "lon": None}),
        ({"status": FIXED | NORTH_EAST | 1023}, {"valid": True, "course_deg": None}),
    ],
)
def test_what_is_a_fix(sent: dict[str, Any], expected: dict[str, Any]) -> None:
    [fix] = said(0x10, clock() + place(**sent))
    assert {name: getattr(fix, name) for name in expected} == expected


def test_a_clock_that_lost_1024_weeks_is_put_right_and_its_own_time_kept() -> None:
    wrong = AT - timedelta(weeks=1024)
    found = said(0x22, clock(wrong) + place() + CELL + b"\x01\x00\x00")
    assert [(each.at, each.device_at) for each in found] == [(AT, wrong)] * 2
    ahead = AT + timedelta(days=400)
    assert [(each.at, each.device_at) for each in said(0x10, clock(ahead) + place())] == [(ahead, None)]


def test_a_clock_of_local_time() -> None:
    [fix] = said(0x10, clock() + place(), ahead=timedelta(hours=5, minutes=30))
    assert (fix.at, fix.device_at) == (AT - timedelta(hours=5, minutes=30), None)


@pytest.mark.parametrize(
    "when",
    ["000000000000", "1a0d01000000", "1a0b1f000000", "1a0b17180000", "1a0b17093c00", "1a0b1709003d", "ff0101000000"],
)
def test_a_place_at_no_time_is_none(when: str) -> None:
    with pytest.raises(BadFrame, match="time"):
        said(0x10, bytes.fromhex(when) + place())


def test_a_leap_second_is_a_time() -> None:
    [fix] = said(0x10, bytes.fromhex("100c1f173b3c") + place())
    assert fix.at == datetime(2017, 1, 1, tzinfo=UTC)


def test_a_clock_that_was_never_set_costs_a_place_that_is_none_and_nothing_else() -> None:
    found = said(0x22, bytes(6) + place(status=NORTH_EAST, satellites=0) + CELL + b"\x01\x00\x00")
    assert values(found) == {"ignition": True}
    assert found[0].at == RECEIVED_AT


@pytest.mark.parametrize("kind", [0x18, 0x24, 0x28, 0x2C, 0x2E, 0x33, 0xA1, 0xA2, 0xF3])
def test_a_tracker_that_does_not_know_where_it_is_says_when(kind: int) -> None:
    assert said(kind, clock() + bytes(40)) == [Fix(DEVICE, AT, valid=False)]


@pytest.mark.parametrize(
    ("length", "cells"),
    [(8, 8), (9, 8), (9, 9), (10, 9), (16, 15), (15, 15), (0, 0), (0, 8)],
)
@pytest.mark.parametrize(("kind", "fence"), [(0x16, 0), (0x26, 0), (0x27, 1), (0xA4, 1)])
@pytest.mark.parametrize("mileage", [b"", (7000).to_bytes(4)])
def test_the_state_is_found_whatever_the_cells_length_says(
    length: int, cells: int, kind: int, fence: int, mileage: bytes
) -> None:
    state = bytes.fromhex("4605041302") + b"\xff" * fence
    found = values(said(kind, clock() + place() + bytes([length]) + bytes(cells) + state + mileage))
    assert (found["alarm"], found["ignition"], found["gsm_signal"]) == ("tampering", True, (4.0, "1"))
    assert found.get("tracker_odometer") == ((7.0, "km") if mileage else None)


def test_a_state_that_is_not_found_is_kept_as_it_came() -> None:
    found = values(said(0x26, clock() + place() + bytes(3)))
    assert found == {"fix": True, "information": "unread 000000"}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("4400000002", {}),
        ("4400000102", {"alarm": "sos"}),
        ("5400000002", {"alarm": "power_cut"}),
        ("5400000202", {"alarm": "power_cut"}),
        ("44000000ea", {}),
        ("440000ea02", {"alarm": "code 234"}),
        ("440000fe02", {"ignition": True}),
        ("460000ff02", {"ignition": False}),
    ],
)
def test_alarms(state: str, expected: dict[str, Any]) -> None:
    found = said(0x26, clock() + place() + b"\x09" + CELL + bytes.fromhex(state))
    got = {name: value for name, value in values(found).items() if name in {"alarm", *expected}}
    assert got == expected
    assert sum(isinstance(each, DeviceEvent) for each in found) == ("alarm" in expected)


@pytest.mark.parametrize(
    ("level", "expected"), [(0, 0.0), (3, 50.0), (6, 100.0), (7, 7.0), (100, 100.0), (101, None), (255, None)]
)
def test_battery_levels(level: int, expected: float | None) -> None:
    found = values(said(0x13, bytes([0x44, level, 4, 0, 2])))
    assert found.get("battery_level") == (None if expected is None else (expected, "%"))


def test_alerts_without_a_place() -> None:
    found = values(said(0x19, bytes.fromhex("028f0a29e10036f12003040102")))
    assert (found["alarm"], "fix" in found) == ("sos", False)
    assert values(said(0xA9, clock() + bytes(30) + b"\x13\x02")) == {"fix": False, "alarm": "tampering"}
    cells = b"\x09" + CELL + b"\x20" + b"\x02ab" + b"\x00"
    assert values(said(0x33, clock() + b"\x00" + cells + b"\xa5", long=True)) == {"fix": False, "alarm": "door"}
    found = values(said(0x33, clock() + b"\x0c" + place() + cells + b"\xa0", long=True))
    assert found == {"fix": True}


def test_a_heartbeat_of_modules() -> None:
    found = values(said(0x36, bytes.fromhex("46040400020018020177006a015d0032017f")))
    assert (found["battery_voltage"], found["battery_level"]) == ((3.75, "V"), (93.0, "%"))


def test_packets_of_modules_are_of_utc_whatever_the_zone() -> None:
    at = int(AT.timestamp())
    module = (0x33).to_bytes(2) + (18).to_bytes(2) + at.to_bytes(4) + b"\x08\x00\xe8" + place()[1:]
    content = module + bytes.fromhex("002800010b 002e00040000f0c1")
    found = said(0x70, content, long=True, ahead=timedelta(hours=8))
    assert {each.at for each in found} == {AT}
    assert values(found) == {"fix": True, "tracker_odometer": (61.633, "km")}
    [fix] = [each for each in found if isinstance(each, Fix)]
    assert (fix.altitude_m, fix.hdop, fix.satellites, fix.speed_mps) == (232.0, 1.1, 8, 10.0)


def test_a_location_with_the_state_behind_it() -> None:
    behind = b"\x08" + CELL + bytes.fromhex("0604e32933130200468b000025")
    found = values(said(0x22, b"\x01" + bytes(8) + clock(AT + timedelta(hours=1)) + clock() + place() + behind))
    assert found == {
        "fix": True,
        "ignition": True,
        "charging": True,
        "immobilised": False,
        "external_voltage": (12.51, "V"),
        "battery_voltage": (4.1, "V"),
        "gsm_signal": (51.0, "1"),
        "alarm": "tampering",
        "tracker_odometer": (18.059, "km"),
        "engine_hours": (37 / 60, "h"),
    }


def test_a_fuel_probe() -> None:
    line = clock() + b"!AIOIL,02,008.290,029.600,519J,0400,008.43,0,00,AB"
    assert values(said(0x94, b"\x0d" + line, long=True)) == {
        "fuel_temperature": (29.6, "Cel"),
        "information": "serial !AIOIL,02,008.290,029.600,519J,0400,008.43,0,00,AB",
    }


def test_texts() -> None:
    assert values(said(0x21, bytes(4) + b"\x01hi\x1b[2J", long=True)) == {"information": "answer hi [2J"}
    assert values(said(0x21, bytes(4) + b"\x02" + "ж".encode("utf-16-be"), long=True)) == {"information": "answer ж"}
    assert values(said(0x94, b"\x04" + b"A" * 3000, long=True)) == {"information": ("status " + "A" * 3000)[:1024]}
