"""How long after its start a backend commits, on a book of ten million readings against one of almost none.

Of several starts the slowest counts. The large book is large_book's: `python -m tests.bench.large_book` makes it ahead,
some minutes.
"""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from backend.app import clock
from models import wire
from models.reading import DeviceEvent, from_micros
from tests.bench.ingest_site import INTAKE, REST, Site
from tests.bench.large_book import KEPT, make

WITHIN_S = 2.0


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
    value, peer = max(ours)[0], max(empty)[0]
    facts = {"value": value, "peer": "an almost empty book", "peer_value": peer, "bound": f"<= {WITHIN_S} s"}
    measure(row | facts, ok=value <= WITHIN_S)


def _shown(runs: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"({took:.2f}, {cpu_s:.2f})" for took, cpu_s in runs)
