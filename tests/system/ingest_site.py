"""Ingest workers as processes of their own on one PostgreSQL book, and gateways that send to them through Mosquitto.

A gateway here is models.delivery with an outbox on disk (simulators.sending): it sends again what gets no receipt.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, select

from backend.book.db import open_engine, read
from backend.book.migrations import migrate
from backend.book.schema import gap, gateway, journal, lease, quarantine, stream
from models import wire
from models.reading import Fix, Input, Reading, Signal, Tag
from simulators.outbox import SentRows
from simulators.sending import Broker, HistorySender
from simulators.torture.parts import Part, free_port, wait_for
from tests.system.plant import MOSQUITTO

CHUNK = 200
START = datetime(2026, 11, 23, 6, tzinfo=UTC)
Row = tuple[str, str, int]
"""(gateway, epoch, seq)."""


def readings(name: str, seed: int) -> Iterator[Reading]:
    """What the devices of one gateway tell, for ever: mixed kinds, some of them of trackers."""
    chance, at = random.Random(f"{seed} {name}"), START
    trackers = [f"imei:{chance.randrange(10**15):015}" for _ in range(20)]
    while True:
        at += timedelta(milliseconds=chance.randint(1, 400))
        tracker = chance.choice(trackers)
        yield Fix(tracker, at, 50 + chance.random(), 4 + chance.random(), speed_mps=chance.random() * 20)
        yield Input(tracker, at, "ignition", on=chance.random() < 0.5)
        yield Signal(f"pump-{chance.randrange(5)}", at, "temperature", round(chance.gauss(60, 5), 2), "Cel")
        epc = f"3034257bf7194e40{chance.randrange(2**20):08x}"
        yield Tag("door-1", at, epc, chance.randint(1, 4), rssi_dbm=-55.0, count=2)


class Gateway:
    """One gateway that sends as fast as it is receipted, until it is told to stop; then what is left."""

    def __init__(self, name: str, folder: Path, mqtt: str, seed: int, ahead: int = 2000) -> None:
        self._ahead = ahead
        """So many readings may wait for a receipt: what is left when it is told to stop."""
        self.name, self.outbox = name, folder / f"{name}.db"
        self._mqtt, self._seed = mqtt, seed
        self._enough, self._abandon = Event(), Event()
        self.committed = 0
        self.is_done = False
        self._thread = Thread(target=self._send, name=name)

    def start(self) -> None:
        self._thread.start()

    def enough(self) -> None:
        """Make no more readings."""
        self._enough.set()

    def drop(self) -> None:
        self._enough.set()
        self._abandon.set()
        self._thread.join()

    def _send(self) -> None:
        rows = SentRows(self.outbox)
        try:
            sender = HistorySender(self.name, rows, self._show)
            self.is_done = sender.run(Broker(self._mqtt), self._chunks(), self._abandon)
        finally:
            rows.close()

    def _show(self, progress: Any) -> None:
        self.committed = progress.committed

    def _chunks(self) -> Iterator[tuple[float, list[bytes]]]:
        source, made = readings(self.name, self._seed), 0
        while not self._enough.is_set():
            if made - self.committed < self._ahead:
                made += CHUNK
                yield 0.5, [wire.encode(next(source)) for _ in range(CHUNK)]
            else:
                sleep(0.005)
                yield 0.5, []


class IngestSite:
    """A broker, so many workers, and so many gateways."""

    def __init__(self, folder: Path, url: str, gateways: int, seed: int) -> None:
        self.folder, self.url = folder, url
        port = free_port()
        self.mqtt = f"mqtt://127.0.0.1:{port}"
        conf = f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
        (folder / "mosquitto.conf").write_text(conf)
        self.broker = Part("broker", folder, [str(MOSQUITTO), "-c", "mosquitto.conf"])
        self.workers: dict[str, Part] = {}
        self.gateways = [Gateway(f"site-{n}", folder, self.mqtt, seed) for n in range(gateways)]
        self.book: Engine = open_engine(url, folder)
        migrate(self.book)

    def start(self, workers: int, only: str = "ingest") -> None:
        """Start the broker and the workers, then let the gateways send; returns when every gateway has a worker."""
        self.broker.start()
        for number in range(workers):
            self.start_worker(f"worker-{number}", only)
        for each in self.gateways:
            each.start()
        self.await_shared(workers)

    def start_worker(self, name: str, only: str = "ingest") -> None:
        if name not in self.workers:
            config = f'[backend]\nstate_dir = "{self.folder / name}"\n[mqtt]\nurl = "{self.mqtt}"\n'
            (self.folder / f"{name}.toml").write_text(f'{config}[book]\nurl = "{self.url}"\n')
            command = [sys.executable, "-m", "backend", "serve", "-c", f"{name}.toml", "--only", only]
            self.workers[name] = Part(name, self.folder, command)
        self.workers[name].start()

    def holders(self) -> dict[str, str]:
        """Who holds each gateway: a process id, by the gateway's name."""
        with read(self.book) as tx:
            rows = tx.execute(select(lease.c.name, lease.c.worker).where(lease.c.until > 0)).all()
            known = tx.scalars(select(gateway.c.name)).all()
        held = {name.removeprefix("gateway/"): worker for name, worker in rows if name.startswith("gateway/")}
        return {name: held.get(name, "").split("-")[-2] if name in held else "" for name in known}

    def pid(self, name: str) -> str:
        process = self.workers[name].process
        assert process is not None
        return str(process.pid)

    def await_shared(self, workers: int, seconds: float = 60) -> float:
        """Wait until each gateway is held by a living worker, and all of them by `workers`. How long it took."""

        def shared() -> bool:
            living = {self.pid(name) for name, part in self.workers.items() if part.process is not None}
            held = self.holders()
            counts = [list(held.values()).count(pid) for pid in living]
            return (
                len(held) == len(self.gateways)
                and set(held.values()) <= living
                and len(living) == workers
                and max(counts) - min(counts) <= 1
            )

        return wait_for("every gateway has a worker, all of them alike", shared, seconds)

    def rate(self, seconds: float) -> float:
        """Readings committed per second, over so many seconds."""
        begin, before = monotonic(), self.committed()
        sleep(seconds)
        return (self.committed() - before) / (monotonic() - begin)

    def committed(self) -> int:
        with read(self.book) as tx:
            return sum(tx.scalars(select(stream.c.mark)))

    def drain(self, seconds: float) -> float:
        """Make no more readings, and wait until every gateway has a receipt for all of its own. How long it took."""
        for each in self.gateways:
            each.enough()
        return wait_for("all receipted", lambda: all(each.is_done for each in self.gateways), seconds)

    def account(self) -> tuple[dict[Row, bytes], list[tuple[Row, bytes]]]:
        """What the outboxes hold, and every row of the journal."""
        sent: dict[Row, bytes] = {}
        for each in self.gateways:
            sent |= outbox_rows(each)
        query = (
            select(gateway.c.name, stream.c.epoch, journal.c.seq, journal.c.body)
            .join(stream, stream.c.id == journal.c.stream_id)
            .join(gateway, gateway.c.id == stream.c.gateway_id)
        )
        with read(self.book) as tx:
            stored = [((name, epoch, seq), bytes(body)) for name, epoch, seq, body in tx.execute(query)]
            assert not tx.execute(select(gap)).first()
            assert not tx.execute(select(quarantine)).first()
        return sent, stored

    def close(self) -> None:
        """However it is, everything has ended after this."""
        for each in self.gateways:
            if each.outbox.exists():
                each.drop()
        for part in (*self.workers.values(), self.broker):
            part.drop()
        self.book.dispose()

    def bugs(self) -> list[str]:
        return [bug for part in self.workers.values() if (bug := part.bugs())]


def outbox_rows(sender: Gateway) -> dict[Row, bytes]:
    with closing(connect(sender.outbox)) as rows:
        found = rows.execute("SELECT epoch, seq, text FROM readings")
        return {(sender.name, epoch, seq): bytes(text) for epoch, seq, text in found}


def lost_and_doubled(site: IngestSite) -> tuple[int, int, int]:
    """How many readings of the outboxes the journal does not have, has twice, or has in other words."""
    sent, stored = site.account()
    numbers = [row for row, _ in stored]
    lost = len(sent.keys() - {*numbers})
    return lost, len(numbers) - len({*numbers}), sum(sent.get(row) != body for row, body in stored)
