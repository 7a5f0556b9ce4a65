"""A record of a tracker as the HTTP request that a phone makes of it, and what a gateway makes of that.

After traccar.org/osmand: parameters in a query or a form, or the JSON of Traccar Client from its version 9 on, which
has neither ignition nor HDOP, and says that there is no place by not saying one.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import urlencode

from models.reading import Fix, Input, Meter, Reading, Signal, from_micros
from simulators.record import HDOP, IGNITION, MOVING, TRACKER_M, Record

Form = Literal["query", "form", "json"]
KNOT_KMH = 1.852
IMEI_DIGITS = 15
MINUTE_US = 60_000_000


def device(number: str) -> str:
    """The device that a phone with this identifier is."""
    return f"{'imei' if len(number) == IMEI_DIGITS and number.isdecimal() else 'id'}:{number}"


def request(number: str, records: Sequence[Record], form: Form) -> bytes:
    """One whole request; only JSON has room for several records."""
    if form == "json":
        locations = [_location(record) for record in records]
        text = json.dumps({"device_id": number, "location": locations if len(locations) > 1 else locations[0]})
        return _post(text.encode(), "application/json")
    [record] = records
    values = urlencode(_parameters(number, record))
    if form == "form":
        return _post(values.encode(), "application/x-www-form-urlencoded")
    return f"GET /?{values} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode()


def readings(number: str, record: Record, form: Form) -> Iterator[Reading]:
    """The readings that a gateway makes of a record whose clock was right, all at the record's time."""
    name, at, values = device(number), from_micros(record.at_us), dict(record.io)
    has_fix, is_json = record.satellites > 0, form == "json"
    placed = has_fix or not is_json
    moving = record.speed_kmh / 3.6 if is_json else record.speed_kmh / KNOT_KMH * (1852 / 3600)
    yield Fix(
        name,
        at,
        lat=record.lat if placed else None,
        lon=record.lon if placed else None,
        altitude_m=float(record.altitude_m) if placed else None,
        speed_mps=moving if has_fix else None,
        course_deg=float(record.course_deg) if has_fix else None,
        hdop=None if is_json else values[HDOP] / 10,
        valid=has_fix,
    )
    if not is_json:
        yield Input(name, at, "ignition", bool(values[IGNITION]))
    yield Input(name, at, "moving", bool(values[MOVING]))
    yield Meter(name, at, "tracker_odometer", values[TRACKER_M] / 1000, "km")
    yield Signal(name, at, "battery_level", float(_battery(record)), "%")


def _parameters(number: str, record: Record) -> dict[str, Any]:
    values = dict(record.io)
    told = {
        "id": number,
        "timestamp": record.at_us // 1000,
        "lat": record.lat,
        "lon": record.lon,
        "altitude": record.altitude_m,
        "hdop": values[HDOP] / 10,
        "batt": _battery(record),
        "ignition": "true" if values[IGNITION] else "false",
        "motion": "true" if values[MOVING] else "false",
        "odometer": values[TRACKER_M],
    }
    if record.satellites:
        return told | {"speed": record.speed_kmh / KNOT_KMH, "bearing": record.course_deg}
    return told | {"valid": "false"}


def _location(record: Record) -> dict[str, Any]:
    values = dict(record.io)
    told: dict[str, Any] = {
        "timestamp": f"{from_micros(record.at_us):%Y-%m-%dT%H:%M:%S}.{record.at_us // 1000 % 1000:03}Z",
        "is_moving": bool(values[MOVING]),
        "odometer": values[TRACKER_M],
        "event": "motionchange",
        "battery": {"level": _battery(record) / 100},
        "activity": {"type": "in_vehicle"},
        "extras": {},
    }
    if record.satellites:
        told["coords"] = {
            "latitude": record.lat,
            "longitude": record.lon,
            "speed": record.speed_kmh / 3.6,
            "heading": record.course_deg,
            "altitude": record.altitude_m,
        }
    return told


def _battery(record: Record) -> int:
    """In percent: it falls by one each minute, and is full again."""
    return 100 - record.at_us // MINUTE_US % 80


def _post(body: bytes, kind: str) -> bytes:
    head = f"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
