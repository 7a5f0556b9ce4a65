"""One record of a simulated tracker, before it is a frame: what every part of the simulators calls a record.

The IO elements are those that docs/contract.md's example gateway maps; `readings` says what a gateway makes of a record
by the contract's words, because the simulators share no code with the edge.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from models.reading import Fix, Input, Meter, Reading, Signal, from_micros

IGNITION, MOVING, HOIST, HDOP = 239, 240, 1, 182
EXTERNAL_MV, TRACKER_M, ODOMETER_M, ENGINE_S = 66, 16, 87, 449
GEARBOX_DECIDEGREES, VIBRATION_UM_S, OIL_MBAR, LOAD_PERCENT = 72, 9, 6, 114
SIZES = {
    IGNITION: 1,
    MOVING: 1,
    HOIST: 1,
    HDOP: 2,
    EXTERNAL_MV: 2,
    TRACKER_M: 4,
    ODOMETER_M: 4,
    ENGINE_S: 4,
    GEARBOX_DECIDEGREES: 4,
    VIBRATION_UM_S: 2,
    OIL_MBAR: 2,
    LOAD_PERCENT: 1,
}
"""Bytes of each element on the wire."""
INPUTS = {IGNITION: "ignition", MOVING: "moving", HOIST: "hoist"}
METERS = {
    TRACKER_M: ("tracker_odometer", "km", 1000),
    ODOMETER_M: ("odometer", "km", 1000),
    ENGINE_S: ("engine_hours", "h", 3600),
}
"""What a tracker adds up itself, and what the machine counts."""
SIGNALS = {
    EXTERNAL_MV: ("external_voltage", "V", 1000),
    GEARBOX_DECIDEGREES: ("gearbox_temperature", "Cel", 10),
    VIBRATION_UM_S: ("gearbox_vibration", "mm/s", 1000),
    OIL_MBAR: ("oil_pressure", "bar", 1000),
    LOAD_PERCENT: ("engine_load", "%", 1),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One AVL record. `at_us` is a whole millisecond; the speed is km/h and 0 without a fix, as trackers send it."""

    at_us: int
    lat: float
    """Degrees, a multiple of 1e-7."""
    lon: float
    altitude_m: int
    course_deg: int
    satellites: int
    """0: no fix, and the position is the last one known."""
    speed_kmh: int
    io: tuple[tuple[int, int], ...]
    """(AVL id, raw value), by rising id."""
    event_id: int = 0
    """The element whose change caused the record; 0: time or distance did."""
    priority: int = 0


def readings(imei: str, record: Record) -> Iterator[Reading]:
    """The readings that a gateway makes of a record, all at the record's time."""
    device, at, values = f"imei:{imei}", from_micros(record.at_us), dict(record.io)
    valid = record.satellites > 0
    yield Fix(
        device,
        at,
        lat=record.lat,
        lon=record.lon,
        altitude_m=float(record.altitude_m),
        speed_mps=record.speed_kmh / 3.6 if valid else None,
        course_deg=float(record.course_deg) if valid else None,
        hdop=values[HDOP] / 10 if HDOP in values else None,
        satellites=record.satellites,
        valid=valid,
    )
    for ident, raw in record.io:
        if ident in INPUTS:
            yield Input(device, at, INPUTS[ident], bool(raw))
        elif ident in METERS:
            name, unit, divide_by = METERS[ident]
            yield Meter(device, at, name, raw / divide_by, unit)
        elif ident in SIGNALS:
            name, unit, divide_by = SIGNALS[ident]
            yield Signal(device, at, name, raw / divide_by, unit)
