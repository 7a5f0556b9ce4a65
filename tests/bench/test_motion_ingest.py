"""Fixes of fifty trackers into the book, one thread: journal, states, trips, stops, visits and distance in SQLite."""

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from backend import site
from backend.book import register
from backend.book.db import open_engine, write
from backend.book.migrations import migrate
from backend.ingest import Ingest, Message
from models import wire
from models.declared import Asset, Device, Tracker
from models.reading import Fix, Input, from_micros

TRACKERS, RECORDS, S = 50, 200, 1_000_000
BEGIN = 20_000 * 86_400 * S
SITE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
INPUTS = ("ignition", "moving")
LEAST = 20_000
"""Of records that are a fix alone; inputs are readings of their own."""


def texts(inputs: int) -> list[bytes]:
    """A record each 10 s of trucks that drive north at 11 m/s: a fix, and so many inputs."""
    said: list[bytes] = []
    for k in range(RECORDS):
        at = from_micros(BEGIN + k * 10 * S)
        for tracker in range(TRACKERS):
            name, lat = f"imei:{tracker:015}", 51.0 + tracker * 0.01 + k * 0.001
            said.append(wire.encode(Fix(name, at, lat, 3.7, speed_mps=11.0, hdop=0.9, satellites=9, valid=True)))
            said += [wire.encode(Input(name, at, INPUTS[each], on=True)) for each in range(inputs)]
    return said


@pytest.mark.timeout(300)
@pytest.mark.parametrize("inputs", [0, 2])
def test_fixes_into_the_book(inputs: int, tmp_path: Path, measure: Any) -> None:
    now = BEGIN + 86_400 * S // 2
    book = open_engine("sqlite", tmp_path / "book.db")
    migrate(book)
    site.apply(book, SITE, 86_400 * S, "bench")
    stamp = {"valid_from": 0, "actor": "bench", "now": 1}
    with write(book) as tx:
        for tracker in range(TRACKERS):
            name = f"imei:{tracker:015}"
            register.put(tx, "assets", f"T{tracker}", Asset("truck", str(tracker)), **stamp)
            register.put(tx, "devices", name, Device(name, tracker=Tracker(f"T{tracker}")), **stamp)
    said, ingest = texts(inputs), Ingest(book, lambda: now)
    begin = perf_counter()
    for low in range(0, len(said), 500):
        payload = wire.encode_batch("0" * 12, low + 1, from_micros(now), said[low : low + 500])
        ingest.take([Message(wire.topic("dock-a", "readings"), payload)])
    fixes = TRACKERS * RECORDS / (perf_counter() - begin)
    book.dispose()
    row = {"group": "motion", "check": f"fixes with {inputs} inputs each into the book, batches of 500, all effects"}
    least = 0 if inputs else LEAST
    bound = f">= {least}" if least else None
    measure(row | {"unit": "fixes/s", "value": fixes, "bound": bound}, ok=fixes >= least)
