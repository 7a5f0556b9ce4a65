"""The figures in a reading, from its bytes in the journal.

They were validated in full when they were committed; here only what is measured is looked at, as this is done for every
reading and again for each of its ten minutes.
"""

from collections.abc import Callable
from functools import lru_cache

import msgspec
from msgspec import Struct

from backend.telemetry.columns import Columns, columns
from backend.telemetry.rows import FIX

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
NOTHING: tuple[tuple[float, ...], Columns] = ((), columns())
"""What a reading without figures measured."""


def measured(body: bytes) -> tuple[tuple[float, ...], Columns]:
    """The figures of a reading of KINDS, and what they are; none of one that only a later version understands.

    >>> measured(b'{"kind":"input","device":"d","at":"2026-01-01T00:00:00Z","name":"pto","on":true}')
    ((1.0,), Columns(series=(('pto', '1'),)))
    """
    try:
        reading = _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return NOTHING
    if isinstance(reading, _Fix):
        told: tuple[float | None, ...] = msgspec.structs.astuple(reading)
        are_there = tuple([each is not None for each in told])
        return tuple([each + 0.0 for each in told if each is not None]), _of_fix(are_there)
    if isinstance(reading, _Input):
        return (float(reading.on),), columns((reading.name, "1"))
    return (reading.value + 0.0,), columns((reading.name, reading.unit))


@lru_cache(1 << len(FIX))
def _of_fix(are_there: tuple[bool, ...]) -> Columns:
    return columns(*[of for of, is_there in zip(FIX.items(), are_there, strict=True) if is_there])
