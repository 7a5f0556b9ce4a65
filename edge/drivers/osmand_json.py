"""The JSON that Traccar Client sends since its version 9, and the location library beneath it, as `osmand` reads it.

After traccar.org/osmand, "JSON format": speed is in m/s, the battery's level a share of 1, the odometer in metres. A
request has one location or an array of them. Each is brought to the names of the older query form, so that there is one
set of rules; what is of the wrong type is named by its path.
"""

from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from edge.driver import BadFrame
from edge.drivers.osmand_request import MAX_RECORDS, Said, device_of, readings, unread
from edge.drivers.text_values import wrong
from models.reading import Reading

_ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)
_MAX_DETAIL = 1024
_UNKNOWN = -1
Number = int | float


class _Body(Struct):
    device_id: str | int | None = None
    location: Raw = Raw(b"null")


class _Coords(Struct):
    latitude: Number | None = None
    longitude: Number | None = None
    accuracy: Number | None = None
    speed: Number | None = None
    heading: Number | None = None
    altitude: Number | None = None


class _Battery(Struct):
    level: Number | None = None
    is_charging: bool | None = None


class _Extras(Struct):
    alarm: str | None = None


class _Stamp(Struct):
    timestamp: str | int | float | None = None


class _Location(_Stamp):
    coords: _Coords | None = None
    is_moving: bool | None = None
    odometer: Number | None = None
    battery: _Battery | None = None
    extras: _Extras | list[Raw] | None = None


_body = msgspec.json.Decoder(_Body)
_bodies = msgspec.json.Decoder(list[_Body])
_stamp = msgspec.json.Decoder(_Stamp)
_location = msgspec.json.Decoder(_Location)
_records = msgspec.json.Decoder(list[Raw])


def from_json(text: bytes, named: str | None, received_at: datetime) -> Said:
    """All records of a body; `named` is the identifier that its query says, if any. Raises BadFrame if it has none."""
    try:
        bodies = _bodies.decode(text) if text.lstrip()[:1] == b"[" else [_body.decode(text)]
        records = [record for body in bodies for record in _split(body.location)]
    except _ERRORS as error:
        raise _not_json("", error) from error
    names = {str(body.device_id) for body in bodies if body.device_id is not None} | ({named} if named else set[str]())
    if len(names) != 1:
        raise wrong("device_id", "one identifier", ", ".join(sorted(names)))
    device = device_of(names.pop())
    if not 1 <= len(records) <= MAX_RECORDS:
        raise wrong("location", f"1 to {MAX_RECORDS} records", str(len(records)))
    return _said(device, records, received_at)


def _said(device: str, records: list[Raw], received_at: datetime) -> Said:
    said: list[Reading] = []
    mistakes: list[str] = []
    for place, record in enumerate(records):
        try:
            said += readings(device, _values(record), received_at, 1.0)
        except BadFrame as error:
            mistakes.append(f"record {place}: {error}")
            detail = f"{error}: {bytes(record).decode(errors='replace')}"
            said.append(unread(device, _stamped(record), received_at, detail))
    return Said(device, said, mistakes)


def _split(location: Raw) -> list[Raw]:
    text = bytes(location).lstrip()
    if text[:1] == b"[":
        return _records.decode(text)
    return [] if text == b"null" else [location]


def _stamped(record: Raw) -> dict[str, str]:
    """No more of a location than its time."""
    try:
        timestamp = _stamp.decode(record).timestamp
        return {} if timestamp in {None, ""} else {"timestamp": str(timestamp)}
    except _ERRORS:
        return {}


def _values(record: Raw) -> dict[str, str]:
    """A location as the parameters of a query."""
    try:
        return _named(_location.decode(record))
    except _ERRORS as error:
        raise _not_json("location", error) from error


def _named(location: _Location) -> dict[str, str]:
    coords, battery = location.coords or _Coords(), location.battery or _Battery()
    level = battery.level
    values = {
        "timestamp": location.timestamp,
        "lat": coords.latitude,
        "lon": coords.longitude,
        "accuracy": coords.accuracy,
        "speed": coords.speed,
        "bearing": coords.heading,
        "altitude": coords.altitude,
        "motion": location.is_moving,
        "odometer": location.odometer,
        "batt": None if level is None else round(level * 100, 6) if level >= 0 else _UNKNOWN,
        "charge": battery.is_charging,
        "alarm": location.extras.alarm if isinstance(location.extras, _Extras) else None,
    }
    return {name: str(value) for name, value in values.items() if value not in {None, ""}}


def _not_json(where: str, error: Exception) -> BadFrame:
    """The library's own words; it names a member by its path."""
    return BadFrame(f"{where or 'body'}: {error}"[:_MAX_DETAIL])
