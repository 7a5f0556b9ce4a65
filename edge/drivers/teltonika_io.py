"""From an AVL record to readings: the position, and what each IO element means.

The maker gives an element an id; what is wired to it only the integrator knows. So the meanings that hold for every
tracker are built in, and the device's `io` table adds to them, changes them, or switches them off.
"""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, cast

import msgspec
from msgspec import Struct, structs

from edge.driver import BadFrame
from edge.drivers.teltonika_frame import Record
from edge.gps_week import unrolled
from models.reading import Fix, Input, Meter, Name, Reading, Signal, from_micros, micros
from models.wire import NEWEST

MAX_ID = 65_535
NEWEST_MS = micros(NEWEST) // 1000
_MAX_NUMBER_BYTES = 8
_MAX_LAT_E7, _MAX_LON_E7 = 900_000_000, 1_800_000_000
_ID = re.compile(r"[1-9][0-9]{0,4}")
_MEANINGS = ("input", "meter", "signal", "field", "ignore")
_MEASURED, _NO_NUMBERS = {"meter", "signal"}, {"input", "ignore"}


class Element(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one element means: exactly one of `input`, `meter`, `signal`, `field` and `ignore`."""

    input: Name | None = None
    """A binary input's name; any value but 0 is on."""
    meter: Name | None = None
    """A counter's name; it needs a unit."""
    signal: Name | None = None
    """A measured quantity's name; it needs a unit."""
    field: Literal["hdop"] | None = None
    """A field of the fix."""
    ignore: Literal[True] | None = None
    """Drop it."""
    unit: Name | None = None
    """UCUM."""
    divide_by: int | float | None = None
    """The raw value divided by this is the value; 1 if not given."""
    signed: bool = False
    """Whether the raw value is two's complement."""
    absent: tuple[int, ...] = ()
    """Raw values that mean that there is no value, such as a sensor that is not connected: no reading then."""

    def __post_init__(self) -> None:
        said = [name for name in _MEANINGS if getattr(self, name) is not None]
        if len(said) != 1:
            msg = f"exactly one of {', '.join(_MEANINGS)} expected, got {', '.join(said) or 'none'}"
            raise ValueError(msg)
        if (self.unit is not None) != (said[0] in _MEASURED):
            msg = (
                f"unit: {'a UCUM unit' if said[0] in _MEASURED else 'none'} expected with {said[0]}, got {self.unit!r}"
            )
            raise ValueError(msg)
        if self.divide_by is not None and not 0 < self.divide_by < math.inf:
            msg = f"divide_by: a number above 0 expected, got {self.divide_by}"
            raise ValueError(msg)
        if self.divide_by is not None and said[0] in _NO_NUMBERS:
            msg = f"divide_by: none expected with {said[0]}, got {self.divide_by}"
            raise ValueError(msg)

    @property
    def means(self) -> tuple[str, str]:
        """Which meaning, and the name in it."""
        return next((kind, str(name)) for kind in _MEANINGS if (name := getattr(self, kind)) is not None)

    def number(self, raw: bytes) -> int | None:
        """The raw value as a number, or None where there is none: texts of variable length, and absent values."""
        if not 1 <= len(raw) <= _MAX_NUMBER_BYTES:
            return None
        number = int.from_bytes(raw, signed=self.signed)
        return None if number in self.absent else number


Table = Mapping[int, Element]
"""AVL id to meaning, by rising id."""

DEFAULTS: Table = {
    16: Element(meter="tracker_odometer", unit="km", divide_by=1000),
    66: Element(signal="external_voltage", unit="V", divide_by=1000),
    87: Element(meter="odometer", unit="km", divide_by=1000),
    182: Element(field="hdop", divide_by=10),
    239: Element(input="ignition"),
    240: Element(input="moving"),
    449: Element(meter="engine_hours", unit="h", divide_by=3600),
}
"""The same on every tracker: what it added up itself in m, external voltage in mV, the machine's total mileage (by CAN)
in m, HDOP, ignition, movement, ignition-on s."""


def table(entries: Mapping[str, object]) -> Table:
    """The built-in meanings with those of a device's `io` table. Raises ValueError naming the key.

    >>> [ident for ident in table({"21": {"signal": "gsm", "unit": "1"}, "449": {"ignore": True}})]
    [16, 21, 66, 87, 182, 239, 240]
    >>> table({"1": {"inptu": "hoist"}})
    Traceback (most recent call last):
    ...
    ValueError: io.1.inptu: unknown key; did you mean input?
    """
    merged = dict(DEFAULTS)
    for key, entry in entries.items():
        if not _ID.fullmatch(key) or int(key) > MAX_ID:
            msg = f"io.{key}: an AVL id of 1 ... {MAX_ID} expected"
            raise ValueError(msg)
        merged[int(key)] = _element(f"io.{key}", entry)
    used = {ident: element for ident, element in sorted(merged.items()) if element.ignore is None}
    taken: dict[tuple[str, str], int] = {}
    for ident, element in used.items():
        if (other := taken.setdefault(element.means, ident)) != ident:
            kind, name = element.means
            msg = f"io.{ident}: {kind} {name!r} is what {other} gives; to replace that, {other} = {{ ignore = true }}"
            raise ValueError(msg)
    return used


def _element(where: str, entry: object) -> Element:
    if not isinstance(entry, dict):
        msg = f"{where}: a table expected, got {entry!r}"
        raise ValueError(msg)  # noqa: TRY004 - a configuration's errors are ValueErrors
    for key in cast("dict[str, object]", entry):
        if key not in Element.__struct_fields__:
            near = difflib.get_close_matches(key, Element.__struct_fields__, 1, 0.4)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(Element.__struct_fields__)}"
            msg = f"{where}.{key}: unknown key; {hint}"
            raise ValueError(msg)
    try:
        return msgspec.convert(entry, Element)
    except msgspec.ValidationError as error:
        msg = f"{where}: {error}"
        raise ValueError(msg) from error


def readings(device: str, record: Record, elements: Table, received_at: datetime) -> list[Reading]:
    """What a record says, at the record's time: the fix, then the elements that mean something, by rising id.

    A time that a rollover of the GPS week set back is repaired; the device's own is then in `device_at`.
    Raises BadFrame if the time is one that the wire does not carry.
    """
    if record.at_ms >= NEWEST_MS:
        msg = f"record: a time before {NEWEST:%Y} expected, got {record.at_ms} ms"
        raise BadFrame(msg)
    device_at = from_micros(record.at_ms * 1000)
    at = unrolled(device_at, received_at)
    said: list[tuple[Element, int]] = []
    for ident, element in elements.items():
        raw = record.io.get(ident)
        if raw is not None and (number := element.number(raw)) is not None:
            said.append((element, number))
    hdop = next((_value(element, number) for element, number in said if element.field == "hdop"), None)
    told: list[Reading] = [_fix(device, at, record, hdop), *_elements(device, at, said)]
    return told if at == device_at else [structs.replace(each, device_at=device_at) for each in told]


def _fix(device: str, at: datetime, record: Record, hdop: float | None) -> Fix:
    """Valid with satellites in view and a place on the earth that is not 0 N 0 E, where receivers begin.

    Without a fix, trackers send the last position, with satellites, speed and course 0.
    """
    placed = abs(record.lat_e7) <= _MAX_LAT_E7 and abs(record.lon_e7) <= _MAX_LON_E7
    valid = record.satellites > 0 and placed and (record.lat_e7, record.lon_e7) != (0, 0)
    return Fix(
        device,
        at,
        lat=record.lat_e7 / 1e7 if placed else None,
        lon=record.lon_e7 / 1e7 if placed else None,
        altitude_m=float(record.altitude_m),
        speed_mps=record.speed_kmh / 3.6 if valid else None,
        course_deg=float(record.course_deg) if valid else None,
        hdop=hdop,
        satellites=record.satellites,
        valid=valid,
    )


def _elements(device: str, at: datetime, said: list[tuple[Element, int]]) -> Iterator[Reading]:
    for element, number in said:
        if element.input is not None:
            yield Input(device, at, element.input, number != 0)
        elif element.meter is not None and element.unit is not None:
            yield Meter(device, at, element.meter, _value(element, number), element.unit)
        elif element.signal is not None and element.unit is not None:
            yield Signal(device, at, element.signal, _value(element, number), element.unit)


def _value(element: Element, number: int) -> float:
    return number / (1 if element.divide_by is None else element.divide_by)
