"""GT06 in bytes, the tracker's side, after Concox's "GPS Tracker Communication Protocol" (GT06N, JM-VL03).

Written from that document alone, so that no server's reading of it is shared with the simulator that checks that
server.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct

from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal, from_micros

LOGIN, LOCATION_OLD, HEARTBEAT, LOCATION, ALARM = 0x01, 0x12, 0x13, 0x22, 0x26
UNITS_A_DEGREE = 1_800_000
ROLLOVER = timedelta(weeks=1024)
ALARMS = {0x01: "sos", 0x02: "power_cut", 0x03: "vibration", 0x06: "overspeed", 0x13: "tampering", 0x19: "low_battery"}
MOST_SATELLITES, MOST_SPEED = 15, 255
MARK, STOP = b"\x78\x78", b"\x0d\x0a"
GPS_BYTES, REAL_TIME, STORED, ENGLISH = 0xC0, 0, 1, 2
FIXED, WEST, NORTH = 1 << 12, 1 << 11, 1 << 10
ACC, CHARGING, POSITIONED = 1 << 1, 1 << 2, 1 << 6
CELL = bytes.fromhex("01cc00287d001f71")
PLACE = Struct("!BIIBH")
POLYNOMIAL = 0x8408


@dataclass(frozen=True, slots=True)
class Report:
    """One location or alarm, before it is a packet. Times are whole seconds."""

    at_us: int
    """When it was."""
    told_us: int
    """When the tracker's clock said that it was."""
    lat_units: int
    """1/1800000 degree; south and west are negative. Without a fix the last one known."""
    lon_units: int
    course_deg: int
    speed_kmh: int
    satellites: int
    """0: no fix."""
    ignition: bool | None
    """None: it does not say, as those whose heartbeats alone do."""
    mileage_m: int
    alarm: int = 0
    battery: int = 6
    """Sixths."""
    gsm: int = 4


def crc_itu(data: bytes) -> int:
    """As the document's appendix has it.

    >>> hex(crc_itu(b"123456789"))
    '0x906e'
    """
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFF


def packet(kind: int, content: bytes, serial: int) -> bytes:
    """One packet.

    >>> packet(0x13, bytes.fromhex("4004040001"), 15).hex()
    '78780a134004040001000fdcee0d0a'
    """
    body = bytes([len(content) + 5, kind]) + content + serial.to_bytes(2, "big")
    return MARK + body + crc_itu(body).to_bytes(2, "big") + STOP


def login(imei: str) -> bytes:
    """A login's content: the IMEI as 16 digits, a type, UTC and English."""
    return bytes.fromhex(f"0{imei}") + bytes.fromhex("22000001")


def heartbeat(report: Report | None, *, on: bool) -> bytes:
    """A heartbeat's content: how things are now."""
    information = (ACC if on else 0) | CHARGING | (POSITIONED if report and report.satellites else 0)
    return bytes([information, report.battery if report else 6, report.gsm if report else 4, 0, ENGLISH])


def kind(report: Report) -> int:
    """The type that it travels as."""
    if report.alarm:
        return ALARM
    return LOCATION_OLD if report.ignition is None else LOCATION


def content(report: Report, *, stored: bool = False) -> bytes:
    """A report's content. `stored`: it was made while there was no network."""
    place = _time(from_micros(report.told_us)) + _place(report)
    mileage = report.mileage_m.to_bytes(4, "big")
    if report.alarm:
        information = (ACC if report.ignition else 0) | CHARGING | (POSITIONED if report.satellites else 0)
        state = bytes([information, report.battery, report.gsm, report.alarm, ENGLISH])
        return place + bytes([len(CELL) + 1]) + CELL + state + mileage
    if report.ignition is None:
        return place + CELL + mileage
    return place + CELL + bytes([report.ignition, 0, STORED if stored else REAL_TIME]) + mileage


def _time(at: datetime) -> bytes:
    return bytes([at.year - 2000, at.month, at.day, at.hour, at.minute, at.second])


def _place(report: Report) -> bytes:
    status = report.course_deg | (FIXED if report.satellites else 0)
    status |= (NORTH if report.lat_units >= 0 else 0) | (WEST if report.lon_units < 0 else 0)
    return PLACE.pack(
        GPS_BYTES | report.satellites, abs(report.lat_units), abs(report.lon_units), report.speed_kmh, status
    )


def readings(imei: str, report: Report) -> Iterator[Reading]:
    """The readings that a gateway makes of a report, by docs/contract.md's words.

    A clock that lost 1024 weeks is put right there, and its own time kept; one that is ahead is not.
    """
    device, told = f"imei:{imei}", from_micros(report.told_us)
    is_rolled = report.told_us < report.at_us
    at, device_at = (told + ROLLOVER, told) if is_rolled else (told, None)
    valid = report.satellites > 0
    yield Fix(
        device,
        at,
        lat=report.lat_units / UNITS_A_DEGREE,
        lon=report.lon_units / UNITS_A_DEGREE,
        speed_mps=report.speed_kmh / 3.6 if valid else None,
        course_deg=float(report.course_deg) if valid else None,
        satellites=report.satellites,
        valid=valid,
        device_at=device_at,
    )
    if report.ignition is not None:
        yield Input(device, at, "ignition", report.ignition, device_at=device_at)
    yield Meter(device, at, "tracker_odometer", report.mileage_m / 1000, "km", device_at=device_at)
    if report.alarm:
        yield Input(device, at, "charging", on=True, device_at=device_at)
        yield Input(device, at, "immobilised", on=False, device_at=device_at)
        yield Signal(device, at, "battery_level", report.battery * 100 / 6, "%", device_at=device_at)
        yield Signal(device, at, "gsm_signal", float(report.gsm), "1", device_at=device_at)
        yield DeviceEvent(device, at, "alarm", ALARMS[report.alarm], device_at=device_at)
