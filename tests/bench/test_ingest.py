"""Readings to the book with all in-order effects, one thread, against bare inserts of the same rows by sqlite3."""

import random
import sqlite3
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from backend import site
from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.ingest import Ingest, Message
from models import wire
from models.reading import from_micros, micros
from tests.backend.test_any_order import day_of_readings

AT_LEAST = 200
SITE = Path(__file__).parents[2] / "deploy" / "site.example.toml"


@pytest.mark.timeout(120)
def test_a_day_in_order(tmp_path: Path, measure: Any) -> None:
    texts = [wire.encode(reading) for reading in day_of_readings(3)]
    now = max(micros(wire.decode(text).at) for text in texts) + 60_000_000
    book = open_engine("sqlite", tmp_path / "book.db")
    migrate(book)
    site.apply(book, SITE, now, "bench")
    ingest = Ingest(book, lambda: now)
    epoch = "".join(random.Random(1).choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=12))
    begin = perf_counter()
    for low in range(0, len(texts), 500):
        payload = wire.encode_batch(epoch, low + 1, from_micros(now), texts[low : low + 500])
        ingest.take([Message(wire.topic("dock-a", "readings"), payload)])
    ours = len(texts) / (perf_counter() - begin)
    book.dispose()
    bare = sqlite3.connect(tmp_path / "bare.db", isolation_level=None)
    bare.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(seq INTEGER PRIMARY KEY, body)"
    )
    begin = perf_counter()
    for low in range(0, len(texts), 500):
        bare.execute("BEGIN")
        bare.executemany("INSERT INTO t VALUES (?, ?)", enumerate(texts[low : low + 500], low + 1))
        bare.execute("COMMIT")
    peer = len(texts) / (perf_counter() - begin)
    bare.close()
    row = {"group": "ingest", "check": "one day in order, batches of 500, all effects", "unit": "readings/s"}
    facts = {"value": ours, "peer": "sqlite3, bare rows", "peer_value": peer, "bound": f">= {AT_LEAST} readings/s"}
    measure(row | facts, ok=ours >= AT_LEAST)
