"""The figures in a reading, from its bytes in the journal.

They were validated in full when they were committed; here only what is measured is looked at, as this is done for every
reading and again for each of its ten minutes.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from backend.telemetry.rows import FIX, Figure

KINDS = ("fix", "input", "meter", "signal")
"""Readings of these kinds have figures."""


class _Measured(Struct, tag_field="kind"):
    pass


class _Fix(_Measured, tag="fix"):
    lat: float | None = None
    lon: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None
    accuracy_m: float | None = None
    satellites: float | None = None


class _Input(_Measured, tag="input"):
    name: str
    on: bool


class _Meter(_Measured, tag="meter"):
    name: str
    value: float
    unit: str


class _Signal(_Measured, tag="signal"):
    name: str
    value: float
    unit: str


_decode: Callable[[bytes], _Fix | _Input | _Meter | _Signal] = msgspec.json.Decoder(
    _Fix | _Input | _Meter | _Signal
).decode
_NAMES, _UNITS = zip(*FIX.items(), strict=True)


def measured(body: bytes) -> tuple[Figure, ...]:
    """The figures of a reading of KINDS; none of one that only a later version understands.

    >>> measured(b'{"kind":"input","device":"d","at":"2026-01-01T00:00:00Z","name":"pto","on":true}')
    (('pto', '1', 1.0),)
    """
    try:
        reading = _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ()
    if isinstance(reading, _Fix):
        told = zip(_NAMES, _UNITS, msgspec.structs.astuple(reading), strict=True)
        return tuple([(name, unit, value + 0.0) for name, unit, value in told if value is not None])
    if isinstance(reading, _Input):
        return ((reading.name, "1", float(reading.on)),)
    return ((reading.name, reading.unit, reading.value + 0.0),)
