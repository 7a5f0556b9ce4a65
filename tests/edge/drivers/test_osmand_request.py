"""What a request of OsmAnd's protocol says: a table of parameters, JSON bodies, and each thing that is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.osmand_http import Request
from edge.drivers.osmand_listener import read
from edge.drivers.osmand_request import SPEEDS_MPS, Said
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal

HEARD = datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC)
AT = datetime(2026, 11, 26, 7, 59, 30, tzinfo=UTC)
STAMP = "timestamp=2026-11-26T07:59:30Z"


def get(query: str, unit: str = "kn") -> Said:
    return read(Request("GET", query.encode(), b""), HEARD, SPEEDS_MPS[unit])


def post(body: bytes, query: bytes = b"") -> Said:
    return read(Request("POST", query, body), HEARD, SPEEDS_MPS["kn"])


def sent(body: Any) -> Said:
    return post(json.dumps(body).encode())


def fix(said: Said) -> Fix:
    [found] = [each for each in said.readings if isinstance(each, Fix)]
    return found


def rest(said: Said) -> list[Reading]:
    return [each for each in said.readings if not isinstance(each, Fix)]


@pytest.mark.parametrize("number", ["861001000719969", "0123456789012345", "phone 7", "ä" * 125])
def test_a_phone_is_the_device_that_its_identifier_names(number: str) -> None:
    said = sent({"device_id": number, "location": {"coords": {"latitude": 1, "longitude": 2}}})
    assert said.device == ("imei:" if len(number) == 15 else "id:") + number
    assert {each.device for each in said.readings} == {said.device}


def test_all_parameters_of_the_query() -> None:
    said = get(
        f"deviceid=7&{STAMP}&lat=-33.5&lon=151.25&speed=10&bearing=271.5&altitude=-4.5&accuracy=12&hdop=0.9&batt=87.5"
        "&charge=true&ignition=1&motion=false&odometer=1234567&cell=1,2,3,4&cell=5,6,7,8&wifi=00-11,-70&alarm=sos&x=y"
    )
    assert fix(said) == Fix(
        "id:7",
        AT,
        lat=-33.5,
        lon=151.25,
        altitude_m=-4.5,
        speed_mps=10 * 1852 / 3600,
        course_deg=271.5,
        hdop=0.9,
        accuracy_m=12.0,
        valid=True,
    )
    assert rest(said) == [
        Input("id:7", AT, "ignition", on=True),
        Input("id:7", AT, "moving", on=False),
        Input("id:7", AT, "charging", on=True),
        Meter("id:7", AT, "tracker_odometer", 1234.567, "km"),
        Signal("id:7", AT, "battery_level", 87.5, "%"),
        DeviceEvent("id:7", AT, "alarm", "sos"),
    ]


@pytest.mark.parametrize(("unit", "mps"), [("kn", 18.52 / 3.6), ("km/h", 10 / 3.6), ("m/s", 10.0), ("mph", 4.4704)])
def test_the_unit_of_a_speed_is_a_setting(unit: str, mps: float) -> None:
    assert fix(get("id=7&lat=1&lon=2&speed=10", unit)).speed_mps == pytest.approx(mps)


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("1764143970", AT - timedelta(days=365)),
        ("1795679970", AT),
        ("1795679970000", AT),
        ("1795679970250", AT + timedelta(milliseconds=250)),
        ("1795679970.25", AT + timedelta(milliseconds=250)),
        ("2147483646", datetime(2038, 1, 19, 3, 14, 6, tzinfo=UTC)),
        ("2147483647", datetime(1970, 1, 25, 20, 31, 23, 647000, tzinfo=UTC)),
        ("2026-11-26T07:59:30Z", AT),
        ("2026-11-26T07:59:30", AT),
        ("2026-11-26%2007:59:30", AT),
        ("2026-11-26+07:59:30", AT),
        ("2026-11-26T07:59:30.1239999Z", AT + timedelta(microseconds=123999)),
        ("2026-11-26T08:59:30%2B01:00", AT),
        ("2026-11-26T08:59:30+01:00", AT),
        ("2026-11-26T02:29:30-0530", AT),
        ("2026-12-31T23:59:60Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-11-25T24:00:00Z", datetime(2026, 11, 26, tzinfo=UTC)),
        ("2027-11-26T07:59:30Z", AT + timedelta(days=365)),
    ],
)
def test_times_in_every_form(stamp: str, at: datetime) -> None:
    found = fix(get(f"id=7&lat=1&lon=2&timestamp={stamp}"))
    if stamp == "2147483647":
        assert found.device_at == at, "from there on it is milliseconds, of long ago"
    else:
        assert (found.at, found.device_at) == (at, None)


def test_a_week_rollover_is_repaired_and_the_phones_own_time_kept() -> None:
    said = get("id=7&lat=1&lon=2&ignition=1&timestamp=2007-04-12T07:59:30Z")
    assert {(each.at, each.device_at) for each in said.readings} == {(AT, AT - timedelta(weeks=1024))}


def test_without_a_time_it_is_that_of_the_receipt() -> None:
    assert fix(get("id=7&lat=1&lon=2")).at == HEARD


@pytest.mark.parametrize(
    ("query", "place", "valid"),
    [
        ("lat=1&lon=2", (1.0, 2.0), True),
        ("location=1.5,-2.5", (1.5, -2.5), True),
        ("lat=1&lon=2&valid=0", (1.0, 2.0), False),
        ("lat=1&lon=2&valid=true", (1.0, 2.0), True),
        ("lat=1&lon=2&accuracy=-1", (1.0, 2.0), False),
        ("lat=1&lon=2&accuracy=-1&valid=1", (1.0, 2.0), False),
        ("lat=0&lon=0.000", (0.0, 0.0), False),
        ("ignition=1", (None, None), False),
        ("lat=&lon=&valid=true", (None, None), False),
        ("lat=90&lon=-180", (90.0, -180.0), True),
    ],
)
def test_when_a_position_is_one(query: str, place: tuple[float | None, float | None], valid: bool) -> None:  # noqa: FBT001 - what is expected
    found = fix(get(f"id=7&{query}"))
    assert ((found.lat, found.lon), found.valid) == (place, valid)


def test_what_a_phone_does_not_know_is_absent() -> None:
    found = get("id=7&lat=1&lon=2&speed=-1&heading=-1&hdop=0.0&accuracy=0&batt=-100&altitude=&charge=2")
    assert fix(found) == Fix("id:7", HEARD, lat=1.0, lon=2.0, valid=True)
    assert rest(found) == []


REFUSED = [
    ("lat=1&lon=2", "id: one identifier expected"),
    ("id=&lat=1&lon=2", "id: one identifier expected"),
    ("id=7&id=8&lat=1&lon=2", "id: once expected, got '7, 8'"),
    ("id=7&deviceid=8&lat=1&lon=2", "id: one identifier expected, got '7, 8'"),
    ("id=%07&lat=1&lon=2", "id: 1 to 125 printable characters expected"),
    (f"id={'x' * 126}&lat=1&lon=2", "id: 1 to 125 printable"),
    ("id=7&lat=1", "lon: both of lat and lon expected"),
    ("id=7&lon=1", "lat: both of lat and lon expected"),
    ("id=7&lat=91&lon=2", "lat: a number of -90 ... 90 expected, got '91'"),
    ("id=7&lat=1&lon=-180.5", "lon: a number of -180 ... 180 expected"),
    ("id=7&lat=1&lat=2&lon=2", "lat: once expected"),
    ("id=7&lat=1,5&lon=2", "lat: a decimal number expected, got '1,5'"),
    (f"id=7&lat={'0' * 30}1&lon=2", "lat: a decimal number expected, got '0000"),
    ("id=7&lat=NaN&lon=2", "lat: a decimal number expected"),
    ("id=7&lat=%D9%A1&lon=2", "lat: a decimal number expected"),
    ("id=7&location=1", "lon: a decimal number expected, got ''"),
    ("id=7&location=1,2&lat=1&lon=2", "location: none beside lat and lon expected"),
    ("id=7&lat=1&lon=2&speed=1e999", "speed: a number of"),
    ("id=7&lat=1&lon=2&bearing=361", "bearing: a number of"),
    ("id=7&lat=1&lon=2&heading=x", "heading: a decimal number expected"),
    ("id=7&lat=1&lon=2&altitude=Infinity", "altitude: a decimal number expected"),
    ("id=7&lat=1&lon=2&batt=101", "batt: a number of"),
    ("id=7&lat=1&lon=2&odometer=-1", "odometer: a number of"),
    ("id=7&lat=1&lon=2&valid=maybe", "valid: true or false expected"),
    ("id=7&lat=1&lon=2&ignition=2", "ignition: true or false expected, got '2'"),
    ("id=7&lat=1&lon=2&timestamp=yesterday", "timestamp: a time as 2026-01-31T23:59:59Z expected, got 'yesterday'"),
    ("id=7&lat=1&lon=2&timestamp=2026-02-30T00:00:00Z", "timestamp: a time as"),
    ("id=7&lat=1&lon=2&timestamp=2026-02-03T24:00:01Z", "timestamp: a time as"),
    ("id=7&lat=1&lon=2&timestamp=2026-02-03T10:00:00%2B24:00", "timestamp: a time as"),
    ("id=7&lat=1&lon=2&timestamp=1969-12-31T23:59:59Z", "timestamp: a time in 1970 ... 2199 expected"),
    ("id=7&lat=1&lon=2&timestamp=999999999999999", "timestamp: a time in 1970 ... 2199 expected"),
    ("id=7&lat=1&lon=2&timestamp=-1", "timestamp: a time as"),
    ("id=7&lat=%ff&lon=2", "parameters: "),
    ("&".join(f"p{n}=1" for n in range(101)), "parameters: "),
]


def why(said: Callable[[], Said]) -> str:
    """Why nothing can be made of it: it names no tracker and is refused, or is kept as what cannot be read."""
    try:
        kept = said()
    except BadFrame as error:
        return str(error)
    assert {type(reading) for reading in kept.readings} == {DeviceEvent}
    assert [reading.name for reading in kept.readings] == ["bad_reading"] * len(kept.wrong)  # type: ignore[union-attr]
    return kept.wrong[0]


@pytest.mark.parametrize(("query", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_cannot_be_read_is_named(query: str, words: str) -> None:
    for said in (lambda: get(query), lambda: post(query.encode())):
        assert words in why(said)


LOCATION = {
    "timestamp": "2026-11-26T07:59:30.000Z",
    "coords": {"latitude": -6.1, "longitude": 106.6, "accuracy": 3.8, "speed": 18.67, "heading": 63, "altitude": 35.7},
    "is_moving": True,
    "odometer": 1500.5,
    "battery": {"is_charging": False, "level": 0.79},
    "activity": {"type": "in_vehicle"},
    "extras": {"alarm": "sos"},
    "uuid": "x",
}


def test_all_members_of_the_json() -> None:
    said = sent({"location": LOCATION, "device_id": "8737767034"})
    device = "id:8737767034"
    assert list(said.readings) == [
        Fix(
            device,
            AT,
            lat=-6.1,
            lon=106.6,
            altitude_m=35.7,
            speed_mps=18.67,
            course_deg=63.0,
            accuracy_m=3.8,
            valid=True,
        ),
        Input(device, AT, "moving", on=True),
        Input(device, AT, "charging", on=False),
        Meter(device, AT, "tracker_odometer", 1.5005, "km"),
        Signal(device, AT, "battery_level", 79.0, "%"),
        DeviceEvent(device, AT, "alarm", "sos"),
    ]
    assert not said.wrong


def test_json_says_by_minus_one_what_it_does_not_know() -> None:
    unknown = {"latitude": 1, "longitude": 2, "speed": -1, "heading": -1, "accuracy": 0}
    said = sent({"device_id": 7, "location": {"coords": unknown, "battery": {"level": -1}, "extras": []}})
    assert list(said.readings) == [Fix("id:7", HEARD, lat=1.0, lon=2.0, valid=True)]


def test_several_records_in_one_request() -> None:
    other = LOCATION | {"timestamp": 1795679970000 + 1000}
    for body in (
        {"device_id": "7", "location": [LOCATION, other]},
        [{"device_id": "7", "location": LOCATION}, {"location": other}],
    ):
        said = sent(body)
        assert [each.at for each in said.readings if isinstance(each, Fix)] == [AT, AT + timedelta(seconds=1)]
    assert post(json.dumps({"location": LOCATION}).encode(), b"id=7").device == "id:7"


def test_a_record_that_cannot_be_read_holds_up_no_other() -> None:
    bad = LOCATION | {"coords": {"latitude": 91, "longitude": 2}}
    said = sent({"device_id": "7", "location": [LOCATION, bad, {"coords": "x"}]})
    assert fix(said).at == AT
    events = [each.detail or "" for each in said.readings if getattr(each, "name", "") == "bad_reading"]
    assert [text[:48] for text in events] == [
        "lat: a number of -90 ... 90 expected, got '91': ",
        "location: Expected `object | null`, got `str` - ",
    ]
    assert [text[:9] for text in said.wrong] == ["record 1:", "record 2:"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "body: Input data was truncated"),
        (b"[]", "device_id: one identifier expected"),
        (b'{"device_id":"7"}', "location: 1 to 1000 records expected, got '0'"),
        (b'{"location":{}}', "device_id: one identifier expected"),
        (b'[{"device_id":"7","location":{}},{"device_id":"8","location":{}}]', "device_id: one identifier expected"),
        (b'{"device_id":"7","location":5}', "location: Expected `object`, got `int`"),
        (b'{"device_id":"7","location":{"coords":{"latitude":"x"}}}', "at `$.coords.latitude`"),
        (b'{"device_id":"7","location":{"coords":{"latitude":1e999}}}', "location: "),
        (b'{"device_id":"7","location":{"coords":{"latitude":1' + b"0" * 5000 + b"}}}", "lat"),
        (b'{"device_id":"7","location":{"coords":{"latitude":1}}}', "lon: both"),
        (b'{"device_id":"7","location":[{"timestamp":"x"},{"timestamp":"y"}]}', "record 0: timestamp: a time as"),
        (b'{"device_id":"7","location":[' + b"{}," * 1000 + b"{}]}", "location: 1 to 1000 records expected"),
        (b'{"device_id":' + b"[" * 5000, "body: "),
        (b'{"device_id":"7","location":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body: "),
        (b"\xff\xfe{", "parameters"),
        (b'{"device_id":"\xff","location":{}}', "body"),
    ],
)
def test_json_that_cannot_be_read_is_named(body: bytes, words: str) -> None:
    assert words in why(lambda: post(body))
