"""Eight hours of a thousand trackers arrive at once, behind their live fixes, which go on: who waits, and for how long.

One gateway sends both, as an edge does after an outage: live readings in a new epoch, the backlog in order of time in
another, with 8 batches in flight. A tracker tells a fix each 30 s and its ignition. STOCKYARD_LATE_HOURS shortens it.
Ingest with the API, the deriver, and the rest are a process each: one process of Python computes on one core only.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from backend import site
from backend.app import clock, open_book
from backend.book import register
from backend.book.db import write
from backend.book.migrations import migrate
from backend.config import load
from backend.ingest import Message
from models import wire
from models.declared import Asset, Device, Tracker
from models.reading import Fix, Input, Reading, from_micros
from simulators.torture import books
from simulators.torture.parts import wait_for
from tests.backend.books import DAY, SECOND, Yard, facts, open_quick
from tests.bench.ingest_site import noted
from tests.system.crowd import Crowd, Gateway, p99

HOURS = float(os.environ.get("STOCKYARD_LATE_HOURS", "8"))
TRACKERS, EVERY_S = 1000, 30
LIVE_PER_S, IN_FLIGHT, BATCH = 200, 8, 500
LIVE_P99_S, COMPLETE_S = 2.0, 60.0
SITE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
INTAKE, BESIDE = "ingest,api", {"deriver": "deriver", "rest": "planner,projector,scorer,announcer,notifier,valuer"}
LEG = 20
"""Fixes of a drive; then the machine stands for as many."""


def said(tracker: int, n: int, at: int) -> list[Reading]:
    """What a tracker tells in its n-th record: it drives north for ten minutes, then stands for ten, and so on."""
    name, phase = f"imei:{tracker:015}", (n + tracker) % (2 * LEG)
    drives = phase < LEG
    lat = 51.0 + tracker * 0.01 + min(phase, LEG) * 0.003
    fix = Fix(name, from_micros(at), lat, 3.7, speed_mps=11.0 if drives else 0.0, hdop=0.9, satellites=9, valid=True)
    return [fix, Input(name, from_micros(at), "ignition", on=drives)] if phase in {0, LEG} else [fix]


def declare(crowd: Crowd) -> None:
    """The example's site, and every tracker on a machine."""
    book = open_book(load(crowd.folder / "backend.toml"))
    migrate(book)
    site.apply(book, SITE, DAY, "bench")
    stamp: dict[str, Any] = {"valid_from": 0, "actor": "bench", "now": 1}
    with write(book) as tx:
        for tracker in range(TRACKERS):
            name = f"imei:{tracker:015}"
            register.put(tx, "assets", f"T{tracker}", Asset("truck", str(tracker)), **stamp)
            register.put(tx, "devices", name, Device(name, tracker=Tracker(f"T{tracker}")), **stamp)
    book.dispose()


def backlog(until: int) -> Iterator[bytes]:
    """In the order in which an outbox took them."""
    records = int(HOURS * 3600 / EVERY_S)
    for n in range(records):
        for tracker in range(TRACKERS):
            at = until - (records - n) * EVERY_S * SECOND + tracker * EVERY_S * SECOND // TRACKERS
            yield from (wire.encode(each) for each in said(tracker, n, at))


def go_live(gateway: Gateway, stop: Event) -> None:
    """LIVE_PER_S readings a second, ten batches of them."""
    n = int(HOURS * 3600 / EVERY_S)
    tracker = 0
    while not stop.wait(0.1):
        texts: list[bytes] = []
        for _ in range(LIVE_PER_S // 10):
            texts += [wire.encode(each) for each in said(tracker, n, clock())]
            tracker += 1
            n, tracker = (n + 1, 0) if tracker == TRACKERS else (n, tracker)
        gateway.send_texts(texts)
        gateway.again()


def send_all(gateway: Gateway, until: int) -> int:
    """The backlog; returns when the last of it is committed. How many readings."""
    texts: list[bytes] = []
    count = 0
    for text in backlog(until):
        texts.append(text)
        if len(texts) == BATCH:
            while gateway.unreceipted >= IN_FLIGHT:
                gateway.again()
                time.sleep(0.002)
            gateway.send_texts(texts)
            count += len(texts)
            texts = []
    if texts:
        gateway.send_texts(texts)
    wait_for("the last late reading", lambda: all_receipted(gateway), 60)
    return count + len(texts)


def all_receipted(gateway: Gateway) -> bool:
    gateway.again()
    return not gateway.unreceipted


def dirty(book: Path) -> int:
    (row,) = books.query(book, "SELECT count(*) FROM dirty")
    return int(row[0])


def in_order(crowd: Crowd, template: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the book comes to, and what it does when it hears the same readings in the order of their time."""
    now = clock() + 3600 * SECOND
    with closing(sqlite3.connect(crowd.book)) as book:
        journal = book.execute("SELECT body FROM journal ORDER BY at").fetchall()
    told = Yard(open_quick(crowd.book), lambda: now)  # type: ignore[arg-type]
    anew = Yard(open_quick(template), lambda: now)  # type: ignore[arg-type]
    for low in range(0, len(journal), BATCH):
        texts = [bytes(body) for (body,) in journal[low : low + BATCH]]
        anew.ingest.take([batch_of(low + 1, texts)])
    for yard in (told, anew):
        while yard.deriver.step():
            pass
    found = facts(told.book), facts(anew.book)
    told.book.dispose()
    anew.book.dispose()
    return found


def batch_of(seq: int, texts: list[bytes]) -> Message:
    payload = wire.encode_batch("0" * 12, seq, from_micros(DAY), texts)
    return Message(wire.topic("yard", "readings"), payload)


@pytest.mark.timeout(1800)
def test_eight_hours_of_a_thousand_trackers_come_late(tmp_path: Path, measure: Any) -> None:
    crowd = Crowd(tmp_path, 20_000, only=INTAKE)
    beside = [crowd.process(*each) for each in BESIDE.items()]
    declare(crowd)
    template = tmp_path / "template.db"
    shutil.copy(crowd.book, template)
    try:
        crowd.start()
        for each in beside:
            each.start()
        live, late, stop = Gateway(crowd.broker.port, "yard"), Gateway(crowd.broker.port, "yard", "-late"), Event()
        speaking = Thread(target=go_live, args=(live, stop))
        speaking.start()
        time.sleep(EVERY_S / 2)
        begin = time.monotonic()
        count = send_all(late, clock() - 60 * SECOND)
        sent_s = time.monotonic() - begin
        waiting = dirty(crowd.book)
        complete_s = wait_for("derived figures", lambda: not dirty(crowd.book), 600)
        stop.set()
        speaking.join()
        wait_for("live receipts", lambda: all_receipted(live), 60)
        live_p99 = p99(live.waits)
        rss = crowd.rss_mb()
        live.close()
        late.close()
        for each in (*beside, crowd.backend):
            each.end()
    finally:
        for each in beside:
            each.drop()
        crowd.drop()
    print(
        f"\n{count} late readings in {sent_s:.0f} s ({count / sent_s:.0f}/s), then {waiting} keys dirty; {rss:.0f} MiB;"
        f" live: {LIVE_PER_S} readings/s, {len(live.waits)} batches"
    )
    row = {"group": "ingest", "check": f"late replay of {HOURS:g} h of {TRACKERS} trackers, a fix each {EVERY_S} s"}
    done = {"check": f"{row['check']}: derived figures complete after the last", "unit": "s", "value": complete_s}
    waits = {"check": f"{row['check']}: live reading to receipt, p99", "unit": "s", "value": live_p99}
    told, anew = in_order(crowd, template)
    differ = [name for name in told if told[name] != anew[name]]
    same = {"check": f"{row['check']}: kinds of derived rows that differ from in order", "unit": "kinds"}
    results = [
        noted(measure, row | done | {"bound": f"<= {COMPLETE_S:g}"}, ok=complete_s <= COMPLETE_S),
        noted(measure, row | waits | {"bound": f"<= {LIVE_P99_S:g}"}, ok=live_p99 <= LIVE_P99_S),
        noted(measure, row | same | {"value": len(differ), "bound": "0"}, ok=not differ),
    ]
    assert all(results)
