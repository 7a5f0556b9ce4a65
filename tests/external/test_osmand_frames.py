"""Requests that real phones sent, decoded to the values that they say.

STOCKYARD_TEST_DATA names a folder with gps/tracker_frames.json: `items`, each with a protocol and a request.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.drivers.osmand_http import Request
from edge.drivers.osmand_listener import read
from edge.drivers.osmand_request import Said
from models.reading import Fix, Input, Meter, Signal

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
ITEMS = json.loads((Path(FOLDER) / "gps" / "tracker_frames.json").read_text())["items"]
OSMAND = [item for item in ITEMS if item["protocol"] == "osmand"]
HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
DEGREES = 1e-6


def said(item: dict[str, Any]) -> Said:
    query = item["url"].partition("?")[2].encode()
    return read(Request(item["method"], query, item.get("body", "").encode()), HEARD, 1852 / 3600)


def fix(item: dict[str, Any]) -> Fix:
    [found] = [each for each in said(item).readings if isinstance(each, Fix)]
    return found


def name(item: dict[str, Any]) -> str:
    return f"{item['test']}-{item['seq']}"


def device(number: str) -> str:
    return f"imei:{number}" if len(number) == 15 else f"id:{number}"


@pytest.mark.parametrize("item", [item for item in OSMAND if item["method"] == "GET"], ids=name)
def test_a_query_is_what_its_parameters_say(item: dict[str, Any]) -> None:
    told, found = item["derived"]["params"], fix(item)
    assert found.device == device(told["id"])
    assert found.lat == pytest.approx(float(told["lat"]), abs=DEGREES)
    assert found.lon == pytest.approx(float(told["lon"]), abs=DEGREES)
    assert found.valid is True
    stamp = told.get("timestamp")
    if stamp is None:
        assert found.at == HEARD
    else:
        at = datetime.fromtimestamp(int(stamp), UTC) if stamp.isdecimal() else datetime.fromisoformat(stamp)
        assert (found.at, found.device_at) == (at, None)
    assert found.altitude_m == float(told["altitude"])
    assert found.speed_mps == float(told["speed"]) * 1852 / 3600
    assert found.hdop == (float(told.get("hdop", 0)) or None)
    levels = [each.value for each in said(item).readings if isinstance(each, Signal)]
    assert levels == ([float(told["batt"])] if "batt" in told else [])


@pytest.mark.parametrize("item", [item for item in OSMAND if item["method"] == "POST"], ids=name)
def test_a_json_body_is_what_its_members_say(item: dict[str, Any]) -> None:
    body = json.loads(item["body"])
    told, coords, found = body["location"], body["location"]["coords"], fix(item)
    assert found.device == device(body["device_id"])
    assert found.lat == pytest.approx(coords["latitude"], abs=DEGREES)
    assert found.lon == pytest.approx(coords["longitude"], abs=DEGREES)
    assert (found.at, found.valid) == (datetime.fromisoformat(told["timestamp"]), True)
    assert found.speed_mps == coords["speed"]
    assert found.course_deg == (coords["heading"] if coords["heading"] >= 0 else None)
    assert (found.altitude_m, found.accuracy_m) == (coords["altitude"], coords["accuracy"])
    rest = [(each.name, each.on) for each in said(item).readings if isinstance(each, Input)]
    assert rest == [("moving", told["is_moving"]), ("charging", told["battery"]["is_charging"])]
    [meter] = [each for each in said(item).readings if isinstance(each, Meter)]
    assert (meter.name, meter.value, meter.unit) == ("tracker_odometer", told["odometer"] / 1000, "km")
    [level] = [each for each in said(item).readings if isinstance(each, Signal)]
    assert level.value == pytest.approx(told["battery"]["level"] * 100)


def test_there_are_requests_of_both_kinds() -> None:
    assert sorted(item["method"] for item in OSMAND) == ["GET", "GET", "GET", "POST", "POST"]
