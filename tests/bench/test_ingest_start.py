"""How long after its start a backend commits, on a book of ten million readings against one of almost none.

The large book is kept in build/ and made once: 96,000 real readings are ingested, and every row that grows with them
is copied in SQL, older and older, until there are STOCKYARD_START_READINGS (default 10 million; about 4 GB).
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from backend.app import clock
from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.deriver import Deriver
from backend.ingest import Ingest, Message
from backend.planner import Planner
from models import wire
from models.reading import DeviceEvent, from_micros
from tests.bench.ingest_site import INTAKE, REST, Site
from tests.bench.mixed_world import GATEWAYS, MESSAGE, Gateway, declare

READINGS = int(os.environ.get("STOCKYARD_START_READINGS", "10000000"))
KEPT = Path(__file__).parents[2] / "build" / "large-book"
ROUND, GROUP = 96_000, 96
WITHIN_S = 2.0
COPIES: dict[str, tuple[str | None, dict[str, str]]] = {
    "crossing": ("n", {"id": "hex(randomblob(16))", "subject": "subject || k", "movement": "movement || k"}),
    "fold_state": (None, {"subject": "subject || k", "due_at": "NULL"}),
    "checkpoint": (None, {"subject": "subject || k"}),
    "scan_act": ("n", {"id": "hex(randomblob(16))"}),
    "event": ("n", {"published": "1"}),
}
"""Tables that grow with the readings: the column that numbers itself, and what is another in each copy."""


def make(folder: Path) -> Path:
    """The folder of the large book, made where there is none."""
    made = folder / f"{READINGS}.made"
    if made.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begin = clock() - 120_000_000
    book = open_engine("sqlite", folder / "book.db")
    migrate(book)
    declare(book, begin)
    ingest, sources = Ingest(book, clock), [Gateway(number, begin, 1) for number in range(GATEWAYS)]
    lines = [(each.name, each.messages()) for each in sources]
    for _ in range(ROUND // MESSAGE // GROUP):
        ingest.take([_message(name, line) for name, line in lines for _ in range(GROUP // GATEWAYS)])
    deriver, planner = Deriver(book, clock), Planner(book, clock)
    while deriver.step() or planner.step():
        pass
    book.dispose()
    _multiply(folder / "book.db", READINGS // ROUND + 1)
    made.touch()
    return folder


def _message(name: str, line: Iterator[tuple[int, bytes]]) -> Message:
    return Message(wire.topic(name, "readings"), next(line)[1])


def _multiply(file: Path, copies: int) -> None:
    db = sqlite3.connect(file, isolation_level=None)
    db.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-400000; PRAGMA journal_mode=MEMORY;")
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'journal' AND type = 'index' AND sql > ''"
    )
    of_journal = indexes.fetchall()
    db.execute("BEGIN")
    db.execute(
        "CREATE TEMP TABLE copy AS WITH RECURSIVE c(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM c WHERE k < ?) "
        "SELECT k FROM c",
        (copies - 1,),
    )
    for name, _ in of_journal:
        db.execute(f'DROP INDEX "{name}"')
    db.execute(
        "INSERT INTO journal SELECT j.stream_id, j.seq + k * s.mark, kind, device_id, at - k * 10000000, "
        "received_at - k * 10000000, abs(random() / 2), body FROM copy, journal j JOIN stream s ON s.id = j.stream_id "
        "ORDER BY 1, 2"
    )
    for _, sql in of_journal:
        db.execute(sql)
    for table, (own, other) in COPIES.items():
        columns: list[str] = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != own]
        values = ", ".join(other.get(column, column) for column in columns)
        names = ", ".join(columns)
        db.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM copy, {table}")  # noqa: S608 - names of ours
    db.execute(
        "INSERT INTO movement SELECT n + k * (SELECT n FROM ledger_head), hex(randomblob(16)), movement_id || k, at, "
        "recorded_at, sku, lot, quantity, source, target, reason, evidence, NULL, actor, hash FROM copy, movement"
    )
    db.execute("UPDATE ledger_head SET n = (SELECT max(n) FROM movement)")
    db.execute("UPDATE stream SET mark = mark * ?", (copies,))
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode=WAL")
    db.close()


def first_commit(folder: Path, state: Path, epoch: str) -> tuple[float, float]:
    """From the start of the process to the receipt of a batch that is sent again and again: seconds, CPU seconds."""
    with Site(folder, state) as site:
        came = Event()
        client = Client(CallbackAPIVersion.VERSION2, client_id="bench-gateway")

        def receipt(_client: Client, _data: Any, _message: MQTTMessage) -> None:
            came.set()

        client.on_message = receipt
        client.connect("127.0.0.1", site.broker.port)
        client.subscribe(wire.topic("gate-00", "receipt"), 1)
        client.loop_start()
        now = from_micros(clock())
        payload = wire.encode_batch(epoch, 1, now, [wire.encode(DeviceEvent("", now, "restored"))])
        began = time.monotonic()
        site.start("backend", f"{INTAKE},{REST},api")
        while not came.wait(0.02) and time.monotonic() < began + 60:
            client.publish(wire.topic("gate-00", "readings"), payload, qos=0)
        took, cpu_s = time.monotonic() - began, site.cost("backend").cpu_s
        client.disconnect()
        client.loop_stop()
        assert came.is_set(), (folder / "backend.log").read_text()[-2000:]
    return took, cpu_s


@pytest.mark.timeout(1800)
def test_first_commit_on_a_large_book(tmp_path: Path, measure: Any) -> None:
    large = make(KEPT)
    rows = sqlite3.connect(large / "book.db").execute("SELECT sum(mark) FROM stream").fetchone()[0]
    epochs = [f"{clock() + number:012d}"[-12:] for number in range(6)]
    empty = [first_commit(tmp_path / f"empty-{k}", tmp_path / "empty", epochs[k]) for k in range(3)]
    ours = [first_commit(tmp_path / f"large-{k}", large, epochs[3 + k]) for k in range(3)]
    print(f"\n{rows:,} readings; (seconds, of CPU), by run: {_shown(ours)}; almost empty: {_shown(empty)}")
    row = {"group": "ingest", "check": "first commit after a start, ten million readings", "unit": "s"}
    value, peer = min(ours)[0], min(empty)[0]
    facts = {"value": value, "peer": "an almost empty book", "peer_value": peer, "bound": f"<= {WITHIN_S} s"}
    measure(row | facts, ok=value <= WITHIN_S)


def _shown(runs: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"({took:.2f}, {cpu_s:.2f})" for took, cpu_s in runs)
