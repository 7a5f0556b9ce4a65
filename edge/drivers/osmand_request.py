"""What a phone's HTTP request says, in the protocol of OsmAnd and Traccar Client, as query, form or JSON.

After traccar.org/osmand and traccar/traccar, OsmAndProtocolDecoder.java. A record with a parameter that cannot be read
is a `bad_reading` that names it, and is acknowledged: a phone would send it again for ever, and everything behind it
would wait. Values of which a phone says by a negative number that it does not know them are absent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from edge.driver import BadFrame
from edge.drivers.conversation import bad_reading
from edge.drivers.text_values import (
    ANY,
    COUNTER,
    LAT,
    LON,
    PERCENT,
    Range,
    epoch_time,
    iso_time,
    number,
    truth,
    wrong,
)
from edge.gps_week import unrolled
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal

MAX_RECORDS = 1000
SPEEDS_MPS = {"kn": 1852 / 3600, "km/h": 1 / 3.6, "m/s": 1.0, "mph": 1609.344 / 3600}
"""What a speed is multiplied by."""

_MAX_PARAMETERS, _MAX_NAME, _MAX_ALARM = 100, 125, 200
_IMEI = re.compile(r"[0-9]{15}")
_NAME = re.compile(rf"[^\x00-\x1f\x7f]{{1,{_MAX_NAME}}}")
_IDS = ("id", "deviceid")
_REPEATED = frozenset({"cell", "wifi"})
_COURSE = Range(ANY.least, 360)
_FULL = Range(ANY.least, PERCENT.most)


@dataclass(frozen=True, slots=True)
class Said:
    """What is kept of a request, and what was wrong with some of its records."""

    device: str
    readings: Sequence[Reading]
    wrong: Sequence[str] = ()


Values = Mapping[str, str]
"""One record by the names that its query has; none of the texts is empty."""


def device_of(text: str) -> str:
    """The global device of an identifier: a phone's IMEI, or any other text. Raises BadFrame.

    >>> device_of("861001000719969"), device_of("phone-7")
    ('imei:861001000719969', 'id:phone-7')
    """
    if _IMEI.fullmatch(text):
        return f"imei:{text}"
    if not _NAME.fullmatch(text):
        raise wrong("id", f"1 to {_MAX_NAME} printable characters", text)
    return f"id:{text}"


def parameters(text: bytes) -> dict[str, str]:
    """The parameters of a query or a form, without the empty ones. Raises BadFrame.

    >>> parameters(b"id=7&lat=50.5&lon=&cell=1&cell=2")
    {'id': '7', 'lat': '50.5', 'cell': '2'}
    """
    try:
        pairs = parse_qsl(text.decode(), True, errors="strict", max_num_fields=_MAX_PARAMETERS)  # noqa: FBT003 - parse_qsl's own second parameter
    except ValueError as error:
        msg = f"parameters: {error}"
        raise BadFrame(msg) from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name not in _REPEATED:
            raise wrong(name, "once", f"{values[name]}, {value}")
        values[name] = value
    return {name: value for name, value in values.items() if value}


def from_parameters(values: Values, received_at: datetime, speed_mps: float) -> Said:
    """One record. `speed_mps` is the unit of its speed. Raises BadFrame if it names no tracker."""
    named = [values[name] for name in _IDS if name in values]
    if len(named) != 1:
        raise wrong("id", "one identifier", ", ".join(named))
    device = device_of(named[0])
    try:
        return Said(device, readings(device, values, received_at, speed_mps))
    except BadFrame as error:
        return Said(device, [unread(device, values, received_at, f"{error}: {dict(values)}")], [str(error)])


def unread(device: str, values: Values, received_at: datetime, detail: str) -> DeviceEvent:
    """A record that cannot be read, at its own time where that can, so that it is the same one when sent again."""
    try:
        at, told = _times(values, received_at)
    except BadFrame:
        at, told = received_at, None
    return bad_reading(device, at, detail, told)


def readings(device: str, values: Values, received_at: datetime, speed_mps: float) -> list[Reading]:
    """What a record says, at its own time or else that of its receipt: the fix, then the rest. Raises BadFrame."""
    at, told = _times(values, received_at)
    said: list[Reading] = [_fix(device, (at, told), values, speed_mps)]
    said += [
        Input(device, at, name, truth(key, values[key]), told)
        for key, name in (("ignition", "ignition"), ("motion", "moving"))
        if key in values
    ]
    if values.get("charge", "").lower() in {"true", "false"}:
        said.append(Input(device, at, "charging", truth("charge", values["charge"]), told))
    if "odometer" in values:
        metres = number("odometer", values["odometer"], COUNTER)
        said.append(Meter(device, at, "tracker_odometer", metres / 1000, "km", told))
    if (level := _known("batt", values, _FULL)) is not None:
        said.append(Signal(device, at, "battery_level", level, "%", told))
    if "alarm" in values:
        said.append(DeviceEvent(device, at, "alarm", values["alarm"][:_MAX_ALARM], told))
    return said


def _fix(device: str, times: tuple[datetime, datetime | None], values: Values, speed_mps: float) -> Fix:
    """Valid with a place that is not 0 N 0 E, unless the phone says otherwise.

    A negative accuracy is how iOS says that the place is not one (CLLocation.horizontalAccuracy).
    """
    at, told = times
    lat, lon = _place(values)
    accuracy_m = number("accuracy", values["accuracy"]) if "accuracy" in values else None
    valid = lat is not None and (lat, lon) != (0, 0) and (accuracy_m is None or accuracy_m >= 0)
    if "valid" in values:
        valid = truth("valid", values["valid"]) and valid
    speed = _known("speed", values, ANY)
    course = "bearing" if "bearing" in values else "heading"
    hdop = _known("hdop", values, ANY)
    return Fix(
        device,
        at,
        lat=lat,
        lon=lon,
        altitude_m=number("altitude", values["altitude"]) if "altitude" in values else None,
        speed_mps=None if speed is None else speed * speed_mps,
        course_deg=_known(course, values, _COURSE),
        hdop=hdop or None,
        accuracy_m=accuracy_m if accuracy_m is not None and accuracy_m > 0 else None,
        valid=valid,
        device_at=told,
    )


def _place(values: Values) -> tuple[float | None, float | None]:
    lat, lon = values.get("lat"), values.get("lon")
    if "location" in values:
        if lat is not None or lon is not None:
            raise wrong("location", "none beside lat and lon", values["location"])
        lat, _, lon = values["location"].partition(",")
    if lat is None and lon is None:
        return None, None
    if lat is None or lon is None:
        raise wrong("lat" if lat is None else "lon", "both of lat and lon", "")
    return number("lat", lat, LAT), number("lon", lon, LON)


def _known(name: str, values: Values, within: Range) -> float | None:
    """The number, or None where it is not there or, being negative, not known."""
    if name not in values:
        return None
    value = number(name, values[name], within)
    return value if value >= 0 else None


def _times(values: Values, received_at: datetime) -> tuple[datetime, datetime | None]:
    """`at`, and `device_at` where a week rollover was repaired. Raises BadFrame."""
    if (text := values.get("timestamp")) is None:
        return received_at, None
    told = epoch_time("timestamp", text) or iso_time("timestamp", text)
    at = unrolled(told, received_at)
    return at, None if at == told else told
