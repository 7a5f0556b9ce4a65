"""Pages damaged at random, repeated by a seed: only BadFrame and `bad_reading`, and the next good page is read.

STOCKYARD_RUNS is the number of damaged pages, 2000 if not given.
"""

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.aemp_feed import Page, parse_page
from models.reading import DeviceEvent
from models.wire import decode, encode

RUNS = int(os.environ.get("STOCKYARD_RUNS", "2000"))
HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
STAMP = "2026-11-26T06:30:00Z"
LINKS = "<Links><rel>self</rel><href>https://x/1</href></Links><Links><rel>next</rel><href>https://x/2</href></Links>"
MACHINE = f"""<Equipment><EquipmentHeader><OEMName>X</OEMName><PIN>P1</PIN></EquipmentHeader>
<Location datetime="{STAMP}"><Latitude>50.5</Latitude><Longitude>-3.25</Longitude><Altitude>9</Altitude>
<AltitudeUnits>metre</AltitudeUnits></Location>
<CumulativeOperatingHours datetime="{STAMP}"><Hour>4810.25</Hour></CumulativeOperatingHours>
<Distance datetime="{STAMP}"><OdometerUnits>mile</OdometerUnits><Odometer>1000</Odometer></Distance>
<FuelUsed datetime="{STAMP}"><FuelUnits>litre</FuelUnits><FuelConsumed>23456</FuelConsumed></FuelUsed>
<EngineStatus datetime="{STAMP}"><Running>true</Running></EngineStatus>
<FaultCode datetime="{STAMP}"><CodeIdentifier>SPN 100</CodeIdentifier></FaultCode></Equipment>"""
XML = (
    f'<?xml version="1.0"?><Fleet xmlns="x" version="2">{LINKS}{MACHINE}{MACHINE.replace("P1", "P2")}</Fleet>'.encode()
)
ELEMENTS: dict[str, Any] = {
    "EquipmentHeader": {"PIN": "P1"},
    "Location": {"Latitude": 50.5, "Longitude": -3.25, "datetime": STAMP},
    "CumulativeOperatingHours": {"Hour": 4810.25, "datetime": STAMP},
    "Distance": {"Odometer": 1000, "OdometerUnits": "mile", "datetime": STAMP},
    "EngineStatus": [{"Running": True, "datetime": STAMP}],
}
LINKED = {"Links": [{"rel": "next", "href": "https://x/2"}], "Equipment": [ELEMENTS, ELEMENTS]}
GOOD = [XML, json.dumps(LINKED).encode()]
PIECES = (
    b"<",
    b">",
    b"&",
    b"&a;",
    b"</Fleet>",
    b"<!DOCTYPE x>",
    b"<!--",
    b"]]>",
    b"<?x?>",
    b"<Hour>",
    b'"',
    b"{",
    b"]",
)
PIECES += (b"\x00", b"\xff", b"null", b"1e999", b"-", b",5", b"\xef\xbb\xbf")


def flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def digit(data: bytes, chance: random.Random) -> bytes:
    """Of what stands in a value, so that the page stays one."""
    places = [at for at, byte in enumerate(data) if byte in b"0123456789.-:TZ"] or [0]
    at = chance.choice(places)
    return data[:at] + chance.choice((b"9", b"0", b"-", b",", b"e", b".", b"x", b" ")) + data[at + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 30) :]


def insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 40)) + data[at:]


def end(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(1, len(data))]


DAMAGE: list[Callable[[bytes, random.Random], bytes]] = [flip, digit, digit, digit, cut, insert, end]


def read(text: bytes) -> Page:
    return parse_page(text, HEARD)


@pytest.mark.timeout(900)
def test_damaged_pages_are_refused_or_said_and_the_next_good_one_is_read() -> None:
    chance = random.Random(6)
    expected = [read(text) for text in GOOD]
    counts = {"refused": 0, "said": 0, "bad_reading": 0}
    for number in range(RUNS):
        text = GOOD[number % 2]
        for _ in range(chance.choice((1, 1, 2, 5))):
            text = chance.choice(DAMAGE)(text or b"x", chance)
        try:
            page = read(text)
        except BadFrame:
            counts["refused"] += 1
        else:
            counts["said"] += 1
            said = [each for readings in page.machines.values() for each in readings]
            assert all(decode(encode(each)) == each for each in said), "the wire carries it"
            bad = [each for each in said if isinstance(each, DeviceEvent) and each.name == "bad_reading"]
            assert all(each.detail for each in bad)
            counts["bad_reading"] += bool(bad)
        assert read(GOOD[number % 2]) == expected[number % 2]
    print(counts)
    assert min(counts.values()) > RUNS // 10
