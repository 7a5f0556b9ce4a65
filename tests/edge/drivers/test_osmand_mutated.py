"""Requests damaged at random, repeated by a seed: only BadFrame and refusals, and the next good one is read.

STOCKYARD_RUNS is the number of damaged requests, 2000 if not given.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from edge.driver import BadFrame
from edge.drivers.osmand_http import Gone, HttpSession, Refused
from edge.drivers.osmand_listener import read
from models.reading import Fix
from models.wire import decode, encode
from tests.edge.drivers.phone_client import get, place, post

RUNS = int(os.environ.get("STOCKYARD_RUNS", "2000"))
HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
FULL = f"{place()}&speed=3.5&bearing=271&altitude=9&accuracy=4.5&hdop=0.9&batt=87&charge=true&ignition=1&odometer=77"
LOCATION = {
    "timestamp": "2026-11-26T07:59:30.000Z",
    "coords": {"latitude": -6.1, "longitude": 106.6, "accuracy": 3.8, "speed": 18.67, "heading": 63, "altitude": 35.7},
    "is_moving": True,
    "odometer": 1500.5,
    "battery": {"is_charging": False, "level": 0.79},
    "extras": {"alarm": "sos"},
}
ONE = json.dumps({"device_id": "7", "location": LOCATION}).encode()
MANY = json.dumps({"device_id": "7", "location": [LOCATION] * 3}).encode()
GOOD = [get(FULL), post(FULL.encode()), post(ONE, "Content-Type: application/json\r\n"), post(MANY)]
PIECES = (b"&", b"=", b"%", b"\r\n", b"\r\n\r\n", b"{", b"]", b'"', b"\x00", b"\xff", b"1e999", b"-", b"id=8", b"null")


def flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.sample(range(len(data) + 1), 2))
    return data[:begin] + data[min(end, begin + chance.randint(1, 30)) :]


def insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 50)) + data[at:]


def swap(data: bytes, chance: random.Random) -> bytes:
    at, to = sorted(chance.sample(range(len(data)), 2))
    return data[to:] + data[at:to] + data[:at]


DAMAGE: list[Callable[[bytes, random.Random], bytes]] = [flip, flip, cut, insert, swap]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Of half of them only the body or the query, so that HTTP lets it through."""
    times = chance.choice((1, 1, 2, 5))
    _, _, body = data.partition(b"\r\n\r\n")
    if body and chance.random() < 0.5:
        for _ in range(times):
            body = chance.choice(DAMAGE)(body or b"x", chance)
        return post(body)
    if not body and chance.random() < 0.5:
        query = data[6:].partition(b" HTTP")[0]
        for _ in range(times):
            query = chance.choice(DAMAGE)(query or b"x", chance)
        return post(query)
    for _ in range(times):
        data = chance.choice(DAMAGE)(data or b"x", chance)
    return data


class Writer:
    """Takes everything."""

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return "127.0.0.1", 1

    def write(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 ")

    async def drain(self) -> None:
        pass


async def heard(data: bytes) -> list[Any]:
    """What a connection that sends this and ends has: readings, or an error, of each request."""
    reader, writer = asyncio.StreamReader(), cast("asyncio.StreamWriter", Writer())
    reader.feed_data(data)
    reader.feed_eof()
    session, results = HttpSession(reader, writer), list[Any]()
    while True:
        try:
            request = await session.request(5.0)
        except (Gone, Refused) as error:
            return [*results, error]
        try:
            said = read(request, HEARD, 1852 / 3600)
            assert all(decode(encode(each)) == each for each in said.readings), "the wire carries it"
            results.append(said)
        except BadFrame as error:
            results.append(error)
        await session.answer(200, "OK")


@pytest.mark.timeout(900)
def test_damaged_requests_are_refused_by_name_and_the_next_good_one_is_read() -> None:
    chance = random.Random(4)

    async def runs() -> dict[str, int]:
        counts: dict[str, int] = {}
        for number in range(RUNS):
            good = GOOD[number % len(GOOD)]
            for each in await heard(damaged(good, chance)):
                counts[type(each).__name__] = counts.get(type(each).__name__, 0) + 1
            [said, end] = await heard(good)
            assert isinstance(end, Gone)
            assert {each.lat for each in said.readings if isinstance(each, Fix)} <= {51.0, -6.1}
        return counts

    counts = asyncio.run(runs())
    print(counts)
    assert counts.keys() == {"BadFrame", "Gone", "Refused", "Said"}
    assert min(counts.values()) > RUNS // 50
