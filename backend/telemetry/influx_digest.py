"""A digest of everything that the telemetry store on InfluxDB says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from backend.telemetry import influx_lines as lp
from backend.telemetry import influx_read as reading
from backend.telemetry.influx_http import Connection
from backend.telemetry.influx_state import FOREVER, STOCK, TIMED, rows
from backend.telemetry.influx_write import SUFFIX
from backend.telemetry.rows import FIX

_EVERYTHING = (lp.EARLIEST, lp.LATEST)


def digest(connection: Connection) -> str:
    """`Reader.digest`; a device at a time, as an answer is held in memory."""
    total = sha256()
    shown = connection.read('SHOW TAG VALUES WITH KEY = "device"')[0]
    for device in sorted({lp.decode(value) for each in shown for _, value in each.values}):
        for row in _contents(connection, device):
            total.update(msgspec.json.encode(row))
    for row in _stock(connection):
        total.update(msgspec.json.encode(row))
    return total.hexdigest()


def _contents(connection: Connection, device: str) -> Iterator[Sequence[Any]]:
    where = (lp.one_of("device", [device]), f"time >= {lp.clamp(connection.forgotten)}")
    fixes, values = connection.read(
        lp.select(", ".join(FIX), f"{TIMED}.fix", *where),
        lp.select('"value"', f'{TIMED}."value"', *where, tail='GROUP BY "name", unit'),
    )
    for each in fixes:
        for at, *told in each.values:
            figures = [None if value == lp.VOID else value for value in told]
            if any(value is not None for value in figures):
                yield device, at, *figures
    for each in sorted(values, key=lambda series: (series.tags["name"], series.tags["unit"])):
        start = (device, each.tags["name"], each.tags["unit"])
        yield from ((*start, at, value) for at, value in each.values if value != lp.VOID)
    for width in SUFFIX:
        yield from reading.rollups(connection, None, [device], (*_EVERYTHING, width))
        yield from reading.readings(connection, [device], (*_EVERYTHING, width))


def _stock(connection: Connection) -> Iterator[Sequence[Any]]:
    sums: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for each in connection.read(lp.select('at, delta, sku, "location"', f"{FOREVER}.{STOCK}"))[0]:
        for row in rows(each):
            sums[row["at"], lp.decode(row["sku"]), lp.decode(row["location"])] += row["delta"]
    yield from ((*of, delta) for of, delta in sorted(sums.items()) if delta)
