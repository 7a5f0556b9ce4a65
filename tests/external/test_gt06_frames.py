"""Packets that real GT06 trackers sent, decoded to the values that an independent decoder states or gives.

STOCKYARD_TEST_DATA names a folder with gps/tracker_frames.json: `items`, each with a protocol and a frame.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.gt06_conversation import identity
from edge.drivers.gt06_frame import Framer, Packet, crc_itu
from edge.drivers.gt06_message import LOGIN, decode
from edge.drivers.gt06_readings import readings
from models.reading import DeviceEvent, Fix, Input, Reading, Signal

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
ITEMS = json.loads((Path(FOLDER) / "gps" / "tracker_frames.json").read_text())["items"]
GT06 = [item for item in ITEMS if item["protocol"] == "gt06"]
FRAMES = [item for item in ITEMS if item["protocol"] == "gt06_frame"]
DEVICE, RECEIVED_AT = "imei:356307042441013", datetime(2026, 11, 26, tzinfo=UTC)
WITHOUT_CRC = {100, 103, 106, 160}
"""Of watches: they are read where the port's settings take packets without serial number and CRC."""
WHOLE_VOLTS = {172}
"""Of a maker whose heartbeats have volts in the place of the alert: a setting of the port."""


def name(item: dict[str, Any]) -> str:
    return f"{item['test']}-{item['seq']}"


def taken(data: bytes, *, unchecked: bool = False) -> Packet:
    framer = Framer(unchecked=unchecked)
    framer.feed(data)
    packet = framer.packet()
    assert packet is not None
    assert not framer.begun
    return packet


def repaired(frame: bytes) -> bytes:
    """The same with the CRC that belongs to it: the independent decoder does not look at it."""
    return frame[:-4] + crc_itu(frame[2:-4]).to_bytes(2) + frame[-2:]


def packet_of(item: dict[str, Any]) -> Packet:
    frame = bytes.fromhex(item["frame"])
    if item["seq"] in WITHOUT_CRC:
        return taken(frame, unchecked=True)
    return taken(frame if item["derived"]["crc_ok"] else repaired(frame))


def said(item: dict[str, Any]) -> list[Reading]:
    what = decode(packet_of(item), heartbeat_volts=item["seq"] in WHOLE_VOLTS)
    return readings(DEVICE, what, RECEIVED_AT, timedelta())


def detail(found: list[Reading], name: str) -> str:
    [event] = [each for each in found if isinstance(each, DeviceEvent) and each.name == name]
    return str(event.detail)


def alarm(found: list[Reading]) -> str:
    """Spelt as it is stated."""
    return re.sub("_(.)", lambda match: match[1].upper(), detail(found, "alarm"))


def signal(found: list[Reading], name: str) -> float:
    return next(each.value for each in found if isinstance(each, Signal) and each.name == name)


def door(found: list[Reading]) -> bool:
    return next(each.on for each in found if isinstance(each, Input) and each.name == "door")


def altitude(found: list[Reading]) -> float | None:
    return next(each.altitude_m for each in found if isinstance(each, Fix))


VALUES: dict[str, Callable[[list[Reading]], object]] = {
    "alarm": alarm,
    "altitude": altitude,
    "batteryLevel": lambda found: signal(found, "battery_level"),
    "door": door,
    "driverUniqueId": lambda found: detail(found, "identified"),
    "event": lambda found: int(detail(found, "alarm").removeprefix("code ")),
    "iccid": lambda found: detail(found, "information").removeprefix("iccid "),
    "power": lambda found: signal(found, "external_voltage"),
    "result": lambda found: detail(found, "information").removeprefix("serial "),
    "serial": lambda found: detail(found, "information").removeprefix("serial "),
    "steps": lambda found: signal(found, "steps"),
    "temp1": lambda found: signal(found, "temperature"),
}
"""Attributes as they are stated, and where readings have them."""


@pytest.mark.parametrize("item", [item for item in GT06 if "derived" in item], ids=name)
def test_framing_and_crc_are_judged_as_by_another_decoder(item: dict[str, Any]) -> None:
    frame, derived = bytes.fromhex(item["frame"]), item["derived"]
    framer = Framer()
    framer.feed(frame)
    if derived["framed_ok"] and derived["crc_ok"]:
        packet = taken(frame)
        assert (packet.kind, packet.serial, packet.long) == (
            derived["type"],
            derived["serial"],
            derived["header"] == "7979",
        )
    elif derived["framed_ok"]:
        with pytest.raises(BadFrame, match="CRC"):
            framer.packet()
    else:
        with suppress(BadFrame):
            assert framer.packet() is None, "its length says that there is more"


@pytest.mark.parametrize("item", [item for item in GT06 if item["value_stated"]], ids=name)
def test_stated_values(item: dict[str, Any]) -> None:
    expected = item["expected"]
    assert VALUES[expected["attribute"]](said(item)) == expected["expected"]


@pytest.mark.parametrize("item", [item for item in GT06 if "lat" in item.get("derived", {})], ids=name)
def test_derived_places(item: dict[str, Any]) -> None:
    derived, what = item["derived"], decode(packet_of(item))
    place = what.place
    assert place is not None
    assert what.at == datetime.fromisoformat(derived["device_time"]).replace(tzinfo=UTC)
    assert (place.lat, place.lon) == pytest.approx((derived["lat"], derived["lon"]), abs=1e-6)
    assert (place.satellites, place.speed_kmh, place.course_deg, place.valid) == (
        derived["satellites"],
        derived["speed_kmh"],
        derived["course"],
        derived["valid"],
    )


@pytest.mark.parametrize("item", GT06, ids=name)
def test_each_gives_what_it_must(item: dict[str, Any]) -> None:
    """A place, something, or nothing."""
    if packet_of(item).kind == LOGIN:
        assert identity(packet_of(item).content) == f"imei:{item['derived']['imei']}"
        assert item["verify"] == "verifyNull"
        return
    if item["verify"] == "verifyNull":
        try:
            found = said(item)
        except BadFrame:
            found = []
        assert not any(isinstance(each, Fix) and each.lat is not None for each in found)
        return
    found = said(item)
    assert found
    if item["verify"] == "verifyPosition":
        [fix] = [each for each in found if isinstance(each, Fix)]
        assert fix.lat is not None


def test_framing_of_the_packets_of_watches() -> None:
    for item in FRAMES:
        taken(bytes.fromhex(item["frame"]), unchecked=True)


def test_the_exceptions_are_what_they_say() -> None:
    framed = {item["seq"] for item in GT06 if not item.get("derived", {"framed_ok": False})["framed_ok"]}
    assert framed == WITHOUT_CRC
    assert all("SEEWORLD" in item["setup"][-1] for item in GT06 if item["seq"] in WHOLE_VOLTS)
