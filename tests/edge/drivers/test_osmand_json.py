"""What of a request that cannot be read is kept: at its own time where that can, so that it is the same again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.drivers.osmand_http import Request
from edge.drivers.osmand_listener import read
from models.reading import DeviceEvent
from models.wire import encode

HEARD = datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC)
AT = datetime(2026, 11, 26, 7, 59, 30, tzinfo=UTC)
OLD = AT - timedelta(weeks=1024)


def kept(query: str, body: bytes = b"", at: datetime = HEARD) -> DeviceEvent:
    [event] = read(Request("POST", query.encode(), body), at, 1.0).readings
    assert isinstance(event, DeviceEvent)
    assert event.name == "bad_reading"
    return event


def record(**members: Any) -> bytes:
    return json.dumps({"device_id": "7", "location": members}).encode()


@pytest.mark.parametrize(
    ("query", "body", "at", "device_at"),
    [
        (f"id=7&lat=91&lon=2&timestamp={AT:%FT%TZ}", b"", AT, None),
        (f"id=7&lat=91&lon=2&timestamp={AT.timestamp():.0f}", b"", AT, None),
        (f"id=7&lat=91&lon=2&timestamp={OLD:%FT%TZ}", b"", AT, OLD),
        ("id=7&lat=91&lon=2", b"", HEARD, None),
        ("id=7&lat=1&lon=2&timestamp=soon", b"", HEARD, None),
        ("", record(timestamp=f"{AT:%FT%TZ}", coords={"latitude": 91, "longitude": 2}), AT, None),
        ("", record(timestamp=AT.timestamp() * 1000, coords="nowhere"), AT, None),
        ("", record(timestamp=f"{OLD:%FT%TZ}", coords=[]), AT, OLD),
        ("", record(timestamp="", coords=[]), HEARD, None),
        ("", record(timestamp=[], coords=[]), HEARD, None),
        ("", b'{"device_id":"7","location":{"timestamp":%s}}' % (b"9" * 5000), HEARD, None),
        ("", b'{"device_id":"7","location":[3]}', HEARD, None),
    ],
)
def test_a_record_that_cannot_be_read_has_its_own_time(
    query: str, body: bytes, at: datetime, device_at: datetime | None
) -> None:
    event = kept(query, body)
    assert (event.at, event.device_at) == (at, device_at)
    again = kept(query, body, HEARD + timedelta(minutes=40))
    assert (encode(again) == encode(event)) == (at != HEARD)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("id=7", "lat=51&lon=3&timestamp=1795679970"),
        ("id=7&timestamp=1795679970&lat=51&lon=3", ""),
        ("", "id=7&timestamp=1795679970&lat=51&lon=3\r\n"),
        ("lat=51&lon=3", "timestamp=1795679970&id=7"),
    ],
)
def test_a_query_and_a_form_are_one_record(query: str, body: str) -> None:
    said = read(Request("POST", query.encode(), body.encode()), HEARD, 1.0)
    whole = read(Request("GET", b"id=7&timestamp=1795679970&lat=51&lon=3", b""), HEARD, 1.0)
    assert said == whole
    assert said.device == "id:7"
