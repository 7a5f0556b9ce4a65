"""Frames that real trackers sent, decoded to the values that an independent decoder gives.

STOCKYARD_TEST_DATA names a folder with gps/tracker_frames.json: `items`, each with a protocol and a frame.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.teltonika_datagram import datagram
from edge.drivers.teltonika_frame import MESSAGES, Framer, decode
from edge.drivers.teltonika_io import readings, table
from models.reading import EPOCH

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
ITEMS = json.loads((Path(FOLDER) / "gps" / "tracker_frames.json").read_text())["items"]
TELTONIKA = [item for item in ITEMS if item["protocol"] == "teltonika"]


def name(item: dict[str, Any]) -> str:
    return f"{item['test']}-{item['seq']}"


def framed(item: dict[str, Any]) -> Framer:
    framer = Framer()
    framer.feed(bytes.fromhex(item["frame"]))
    return framer


@pytest.mark.parametrize("item", [item for item in TELTONIKA if "derived" in item], ids=name)
def test_records_are_what_another_decoder_finds(item: dict[str, Any]) -> None:
    data = framed(item).frame()
    assert data is not None
    records = decode(data)
    assert len(records) == item["derived"]["count"] == len(item["derived"]["records"])
    for record, told in zip(records, item["derived"]["records"], strict=True):
        assert record.at_ms == told["timestamp_ms"]
        assert (record.lat_e7 / 1e7, record.lon_e7 / 1e7) == (told["lat"], told["lon"])
        assert (record.altitude_m, record.course_deg) == (told["altitude"], told["angle"])
        assert (record.satellites, record.speed_kmh) == (told["satellites"], told["speed_kmh"])
        assert (record.priority, record.event_id) == (told["priority"], told["event_io"])
        assert {key: len(raw) for key, raw in record.io.items()} == {int(k): v for k, v in told["io_size"].items()}
        for key, value in told["io"].items():
            raw = record.io[int(key)]
            assert value == (raw.hex() if isinstance(value, str) else int.from_bytes(raw)), key
        fix = readings("imei:356307042441013", record, table({}), EPOCH)[0]
        assert (fix.lat, fix.lon, fix.valid) == (told["lat"], told["lon"], told["satellites"] > 0)  # type: ignore[union-attr]


@pytest.mark.parametrize("item", [item for item in TELTONIKA if "derived" not in item], ids=name)
def test_what_holds_no_records_is_told_apart(item: dict[str, Any]) -> None:
    framer, why = framed(item), item["not_derived"]
    if item["frame"].startswith("000f"):
        assert framer.login() == "123456789012345"
    elif why == "not tcp avl":
        with pytest.raises(BadFrame, match="preamble"):
            framer.frame()
        found = datagram(bytes.fromhex(item["frame"]))
        assert (found.packet_id, found.avl_id, found.imei) == (0xCAFE, 0x22, "357454072713975")
        [record] = decode(found.data)
        assert (record.at_ms, record.lat_e7, record.lon_e7) == (1_499_873_081_000, 516_301_150, 4_124_566)
        assert (record.altitude_m, record.course_deg, record.satellites, record.speed_kmh) == (99, 109, 9, 49)
    elif "decoder.setExtended(true);" in item.get("setup", ()):
        data = framer.frame()
        assert data is not None
        assert len(decode(data)) == data[1]
    elif why.startswith("codec"):
        data = framer.frame()
        assert data is not None
        assert data[0] in MESSAGES
    elif why.startswith("length"):
        assert framer.frame() is None
    else:
        data = framer.frame()
        assert data is not None
        with pytest.raises(BadFrame):
            decode(data)


def test_a_network_ping_is_no_frame() -> None:
    [ping] = [item for item in ITEMS if item["protocol"] == "teltonika_frame"]
    framer = framed(ping)
    assert framer.frame() is None
    assert not framer.begun


def test_there_are_frames_of_every_codec() -> None:
    assert {item["derived"]["codec"] for item in TELTONIKA if "derived" in item} == {0x08, 0x8E, 0x10}
