"""What a record says by the table of elements; and the same as the simulators expect of their records."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.driver import BadFrame
from edge.drivers.teltonika_frame import Framer, decode
from edge.drivers.teltonika_io import DEFAULTS, readings, table
from models.reading import EPOCH, Fix, Input, Meter, Reading, Signal
from models.wire import decode as decode_reading
from models.wire import encode
from simulators import record as simulated
from simulators.devices.teltonika_codec import packet
from tests.edge.drivers.tracker_client import IMEI, record

DEVICE = f"imei:{IMEI}"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "deploy" / "edge.example.toml"


def example_table() -> dict[str, Any]:
    devices = tomllib.loads(EXAMPLE.read_text())["device"]
    io: dict[str, Any] = next(device["io"] for device in devices if device["driver"] == "teltonika")
    return io


def said(io: dict[int, bytes], entries: dict[str, object] | None = None, **fields: Any) -> list[Reading]:
    return readings(DEVICE, record(io=io, **fields), table(entries or {}), AT)


def test_the_fix_comes_first_then_elements_by_rising_id() -> None:
    io = {
        449: b"\x00\x00\x0e\x10",
        240: b"\x00",
        239: b"\x01",
        66: b"\x5e\x0f",
        16: b"\x00\x00\x03\xe8",
        87: b"\x00\x00\x07\xd0",
        182: b"\x00\x09",
    }
    assert said({**io, 21: b"\x05", 256: b"WV1ZZZ2EZA6015388", 11: bytes(8)}) == [
        Fix(DEVICE, AT, 51.06, 3.73, 9.0, 10.0, 271.0, 0.9, None, 11, valid=True),
        Meter(DEVICE, AT, "tracker_odometer", 1.0, "km"),
        Signal(DEVICE, AT, "external_voltage", 24.079, "V"),
        Meter(DEVICE, AT, "odometer", 2.0, "km"),
        Input(DEVICE, AT, "ignition", on=True),
        Input(DEVICE, AT, "moving", on=False),
        Meter(DEVICE, AT, "engine_hours", 1.0, "h"),
    ]


@pytest.mark.parametrize(
    ("fields", "place", "valid"),
    [
        ({}, (51.06, 3.73), True),
        ({"satellites": 0}, (51.06, 3.73), False),
        ({"lat_e7": 0, "lon_e7": 0}, (0.0, 0.0), False),
        ({"lat_e7": 0, "lon_e7": 1}, (0.0, 1e-7), True),
        ({"lat_e7": 900_000_000, "lon_e7": -1_800_000_000}, (90.0, -180.0), True),
        ({"lat_e7": 900_000_001}, (None, None), False),
        ({"lon_e7": -1_800_000_001}, (None, None), False),
        ({"lon_e7": -(2**31)}, (None, None), False),
    ],
)
def test_a_fix_is_valid_with_satellites_and_a_place_on_earth(fields: Any, place: Any, valid: object) -> None:
    [fix] = said({}, **fields)
    assert isinstance(fix, Fix)
    assert ((fix.lat, fix.lon), fix.valid) == (place, valid)
    assert (fix.speed_mps, fix.course_deg) == ((10.0, 271.0) if valid else (None, None))
    assert decode_reading(encode(fix)) == fix


def test_the_table_of_a_device_adds_changes_and_drops() -> None:
    entries = {
        "1": {"input": "hoist"},
        "72": {"signal": "gearbox_temperature", "unit": "Cel", "divide_by": 10, "signed": True, "absent": [3000]},
        "66": {"ignore": True},
        "182": {"ignore": True},
        "239": {"input": "engine"},
        "449": {"meter": "engine_hours", "unit": "min", "divide_by": 60.0},
        "11": {"signal": "iccid", "unit": "1"},
    }
    io = {
        1: b"\x02",
        72: b"\xff\xff\xff\xce",
        66: b"\x5e\x0f",
        182: b"\x00\x09",
        239: b"\x01",
        449: b"\x00\x00\x00\x5a",
    }
    fix, *rest = said({**io, 11: bytes(7) + b"\x09"}, entries)
    assert isinstance(fix, Fix)
    assert fix.hdop is None
    assert rest == [
        Input(DEVICE, AT, "hoist", on=True),
        Signal(DEVICE, AT, "iccid", 9.0, "1"),
        Signal(DEVICE, AT, "gearbox_temperature", -5.0, "Cel"),
        Input(DEVICE, AT, "engine", on=True),
        Meter(DEVICE, AT, "engine_hours", 1.5, "min"),
    ]
    assert said({72: b"\x00\x00\x0b\xb8"}, entries) == said({}, entries), "3000: no sensor"
    assert said({1: b"", 239: b"a text, not a number"}, entries) == said({}, entries)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"x": {"input": "hoist"}}, "io.x: an AVL id of 1 ... 65535 expected"),
        ({"0": {"input": "hoist"}}, "io.0: an AVL id"),
        ({"01": {"input": "hoist"}}, "io.01: an AVL id"),
        ({"65536": {"input": "hoist"}}, "io.65536: an AVL id"),
        ({"1": "hoist"}, "io.1: a table expected, got 'hoist'"),
        ({"1": {}}, "io.1: exactly one of input, meter, signal, field, ignore expected, got none"),
        ({"1": {"input": "a", "meter": "b"}}, "io.1: exactly one of .*, got input, meter"),
        ({"1": {"inptu": "hoist"}}, "io.1.inptu: unknown key; did you mean input"),
        ({"1": {"xyz": "hoist"}}, "io.1.xyz: unknown key; known are input, meter"),
        ({"1": {"input": 5}}, "io.1: Expected `str | null`, got `int` - at `\\$.input`"),
        ({"1": {"input": ""}}, "io.1: Expected `str` of length >= 1"),
        ({"1": {"signal": "a"}}, "io.1: unit: a UCUM unit expected with signal, got None"),
        ({"1": {"input": "a", "unit": "V"}}, "io.1: unit: none expected with input, got 'V'"),
        ({"1": {"meter": "a", "unit": "h", "divide_by": 0}}, "io.1: divide_by: a number above 0 expected, got 0"),
        ({"1": {"meter": "a", "unit": "h", "divide_by": float("nan")}}, "divide_by: a number above 0"),
        ({"1": {"meter": "a", "unit": "h", "divide_by": "10"}}, "io.1: Expected `int | float | null`, got `str`"),
        ({"1": {"input": "a", "divide_by": 2}}, "io.1: divide_by: none expected with input, got 2"),
        ({"1": {"field": "pdop"}}, "io.1: Invalid enum value 'pdop'"),
        ({"1": {"ignore": False}}, "io.1: "),
        ({"1": {"input": "ignition"}}, "io.239: input 'ignition' is what 1 gives"),
        ({"181": {"field": "hdop"}}, "io.182: field 'hdop' is what 181 gives"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(entries: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table(entries)


def test_one_meaning_may_move_to_another_element() -> None:
    moved = table({"1": {"input": "ignition"}, "239": {"ignore": True}})
    assert [ident for ident, element in moved.items() if element.input == "ignition"] == [1]
    assert 239 in DEFAULTS


@pytest.mark.parametrize("at_ms", [7_258_118_400_000, 2**63, 2**64 - 1])
def test_a_time_that_the_wire_does_not_carry_is_bad(at_ms: int) -> None:
    with pytest.raises(BadFrame, match=f"a time before 2200 expected, got {at_ms} ms"):
        said({}, at_ms=at_ms)


@pytest.mark.parametrize("at_ms", [0, 7_258_118_399_999])
def test_every_other_time_is_carried(at_ms: int) -> None:
    [fix] = said({}, at_ms=at_ms)
    assert decode_reading(encode(fix)) == fix


def test_a_week_that_rolled_over_is_repaired_and_the_devices_own_time_kept() -> None:
    years_ago = AT - 1024 * timedelta(weeks=1)
    rolled = said({239: b"\x01"}, at_ms=int(years_ago.timestamp() * 1000))
    assert [(each.at, each.device_at) for each in rolled] == [(AT, years_ago)] * 2
    late = said({}, at_ms=int((AT - timedelta(days=6000)).timestamp() * 1000))
    assert [(each.at, each.device_at) for each in late] == [(AT - timedelta(days=6000), None)]


E7 = st.integers(-1_800_000_000, 1_800_000_000)
UNSIGNED = {size: st.integers(0, 256**size - 1) for size in (1, 2, 4)}


def raw_value(ident: int) -> st.SearchStrategy[int]:
    if ident == simulated.GEARBOX_DECIDEGREES:
        return st.integers(-(2**31), 2**31 - 1)
    return st.integers(0, 1) if ident in simulated.INPUTS else UNSIGNED[simulated.SIZES[ident]]


IO = st.fixed_dictionaries({}, optional={ident: raw_value(ident) for ident in simulated.SIZES})
SIMULATED = st.builds(
    simulated.Record,
    at_us=st.integers(0, 7_258_118_399_999).map(lambda ms: ms * 1000),
    lat=st.integers(-900_000_000, 900_000_000).filter(bool).map(lambda e7: e7 / 1e7),
    lon=E7.map(lambda e7: e7 / 1e7),
    altitude_m=st.integers(-(2**15), 2**15 - 1),
    course_deg=st.integers(0, 360),
    satellites=st.integers(0, 24),
    speed_kmh=st.integers(0, 200),
    io=IO.map(lambda io: tuple(sorted(io.items()))),
    event_id=st.sampled_from([0, 239]),
    priority=st.integers(0, 2),
)


@given(st.lists(SIMULATED, min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_the_simulators_expect_the_same_readings_of_their_records(sent: list[simulated.Record]) -> None:
    framer = Framer()
    framer.feed(packet(sent))
    data = framer.frame()
    assert data is not None
    elements = table(example_table())
    found = [reading for each in decode(data) for reading in readings(DEVICE, each, elements, EPOCH)]
    assert found == [reading for each in sent for reading in simulated.readings(IMEI, each)]
    assert [encode(reading) for reading in found] == [
        encode(reading) for each in sent for reading in simulated.readings(IMEI, each)
    ]
