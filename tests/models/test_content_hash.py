"""The content hash of a reading is what docs/contract.md says, however its text was written: both ways to it."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from models import wire
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Scan, Signal, Tag, Unknown

AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
EARLIER = AT - timedelta(seconds=3)
THERE = timezone(timedelta(hours=5, minutes=30))
READINGS: list[Reading | Unknown] = [
    Tag("door-1", AT, "3056aa", 3, first_at=EARLIER, rssi_dbm=-43.0, rssi_mean_dbm=-44.5, count=5, channel=6),
    Tag("door-1", AT, "3056aa", 3, first_at=EARLIER, device_at=EARLIER, phase_rad=0.5, doppler_hz=-1.25),
    Tag("door-1", AT, "3056aa", 3),
    Scan("scanner-1", AT, "]C1\u001d01\u00e9\u4e2d", "]C1"),
    Fix("imei:356307042441013", AT, 51.0, 3.7, valid=False, satellites=0, speed_mps=0.0),
    Fix("imei:356307042441013", AT, device_at=EARLIER),
    Input("door-2", AT, "photo_eye", on=False),
    Meter("imei:356307042441013", AT, "odometer", 1e21, "km"),
    Signal("imei:356307042441013", AT, "gearbox_temperature", -0.0, "Cel", device_at=AT),
    DeviceEvent("", AT, "restored", 'x"y\\z'),
    Unknown("weight", "scale-1", AT),
    Unknown("weight", "scale-1", AT, device_at=EARLIER),
]


def by_the_contract(reading: Reading | Unknown) -> bytes:
    """Written from the contract, not from the code."""
    told: dict[str, Any] = json.loads(msgspec.json.encode(reading))
    if told.get("device_at") is not None:
        told = {name: value for name, value in told.items() if name not in ("at", "first_at")}
    kept = {name: told[name] for name in sorted(told) if told[name] is not None}
    return sha256(msgspec.json.encode(kept)).digest()


@pytest.mark.parametrize("reading", READINGS, ids=lambda each: type(each).__name__)
def test_it_is_what_the_contract_says(reading: Reading | Unknown) -> None:
    assert wire.content_hash(reading) == by_the_contract(reading)
    assert wire.content_hash(wire.decode(wire.encode(reading))) == by_the_contract(reading)


@pytest.mark.parametrize("reading", READINGS, ids=lambda each: type(each).__name__)
def test_another_time_zone_is_no_other_content(reading: Reading | Unknown) -> None:
    times = [name for name in ("at", "first_at", "device_at") if getattr(reading, name, None) is not None]
    for name in times:
        there = msgspec.structs.replace(reading, **{name: getattr(reading, name).astimezone(THERE)})
        assert wire.content_hash(there) == wire.content_hash(reading)
        assert wire.content_hash(wire.decode(wire.encode(there))) == wire.content_hash(reading)
