"""Readings: what a device said, as facts. One struct per kind of contract.md section 1.

Absent is None, never 0. Times are aware UTC; units come last in a field's name and are UCUM where they are data.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
GLOBAL_DEVICE = ("imei:", "id:")

Time = Annotated[datetime, Meta(tz=True)]
Device = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Epc = Annotated[str, Meta(min_length=2, max_length=124, pattern=r"^([0-9a-f]{2})+$(?!\n)")]
Seq = Annotated[int, Meta(ge=1, lt=2**53)]


class Tag(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="tag"):
    """A sighting: the reads of one tag at one antenna in one window. `rssi_dbm` is the maximum, `at` the last time."""

    device: Device
    at: Time
    epc: Epc
    antenna: Annotated[int, Meta(ge=1, le=65535)]
    first_at: Time | None = None
    device_at: Time | None = None
    rssi_dbm: Annotated[float, Meta(ge=-200, le=100)] | None = None
    rssi_mean_dbm: Annotated[float, Meta(ge=-200, le=100)] | None = None
    count: Annotated[int, Meta(ge=1, le=2**31)] | None = None
    phase_rad: float | None = None
    doppler_hz: float | None = None
    channel: Annotated[int, Meta(ge=0, le=65535)] | None = None


class Scan(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="scan"):
    """One barcode as the scanner sent it, without its terminator; FNC1 is 0x1D, `symbology` the AIM identifier."""

    device: Device
    at: Time
    data: Annotated[str, Meta(min_length=1, max_length=4096)]
    symbology: Annotated[str, Meta(pattern=r"^\][A-Za-z][0-9A-Za-z]$(?!\n)")] | None = None
    device_at: Time | None = None


class Fix(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="fix"):
    """A position: degrees WGS 84, metres, metres per second."""

    device: Device
    at: Time
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None
    accuracy_m: float | None = None
    satellites: Annotated[int, Meta(ge=0, le=1000)] | None = None
    valid: bool | None = None
    device_at: Time | None = None


class Input(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="input"):
    """A binary input that changed or was reported: ignition, engine, pto, hoist, door, photo_eye, moving."""

    device: Device
    at: Time
    name: Name
    on: bool
    device_at: Time | None = None


class Meter(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="meter"):
    """A counter that only rises on the machine: engine_hours (h), odometer (km), starts (1), cycles (1)."""

    device: Device
    at: Time
    name: Name
    value: float
    unit: Name
    device_at: Time | None = None


class Signal(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="signal"):
    """A measured quantity with its UCUM unit."""

    device: Device
    at: Time
    name: Name
    value: float
    unit: Name
    device_at: Time | None = None


class DeviceEvent(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="device"):
    """What happened to the device itself: restored, lost, refused, clock_offset, bad_frames, bad_reading, ..."""

    device: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
    at: Time
    name: Name
    detail: Annotated[str, Meta(max_length=1024)] | None = None
    device_at: Time | None = None


class Gap(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="gap"):
    """Stands for `from_seq` ... `to_seq` of a stream, whose rows the outbox quota forced out."""

    device: Literal[""]
    at: Time
    from_seq: Seq
    to_seq: Seq
    reason: Annotated[str, Meta(max_length=256)]


class Unknown(Struct, frozen=True):
    """A kind that this version does not know: journalled and counted, and no step sees it."""

    kind: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
    device: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
    at: Time
    device_at: Time | None = None


Reading = Tag | Scan | Fix | Input | Meter | Signal | DeviceEvent


def micros(at: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    return (at - EPOCH) // MICROSECOND


def from_micros(us: int) -> datetime:
    """The aware UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=us)
