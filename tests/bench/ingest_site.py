"""A backend as real processes over a real Mosquitto, for the ingest benches: what they cost, and how they are asked."""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from backend.book.db import open_engine, read
from backend.book.migrations import migrate
from backend.telemetry import source
from tests.bench.mixed_world import declare
from tests.servers.broker import Broker, Options, free_port

ROOT = Path(__file__).parents[2]
BROKER = "max_inflight_messages 500\nmax_queued_messages 5000\nset_tcp_nodelay true\nlog_type none"
INTAKE, REST = "ingest", "deriver,planner,scorer,announcer,notifier"
"""Two processes, as one process of Python computes on one core only; the projector is the third."""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """Of a process so far."""

    rss_mb: float
    cpu_s: float


class Site:
    """A broker, a book with the register of mixed_world, and the processes that were started; `stop` ends them."""

    def __init__(self, folder: Path, state: Path | None = None) -> None:
        self.folder = folder
        self.state = state or folder / "state"
        self.broker = Broker(folder / "broker", Options(more=BROKER))
        self.listen = f"127.0.0.1:{free_port()}"
        self.config = folder / "backend.toml"
        self.config.write_text(
            f'[backend]\nstate_dir = "{self.state}"\nlisten = "{self.listen}"\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.broker.port}"\n',
            encoding="utf-8",
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        book = open_engine("sqlite", self.state / "book.db")
        migrate(book)
        with read(book) as tx:
            is_new = not source.marks(tx)
        if is_new:
            declare(book, time.time_ns() // 1000)
        book.dispose()
        self.broker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.stop(name)
        self.broker.stop()

    def start(self, name: str, only: str) -> None:
        """A process of the backend with these parts."""
        command = [sys.executable, "-m", "backend", "serve", "-c", str(self.config), "--only", only]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def publisher(self, *more: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.bench.mixed_publisher", "--port", str(self.broker.port), *more]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def cost(self, name: str) -> Cost:
        """RSS and CPU of a process."""
        return cost(self.running[name].pid)

    def marks(self) -> int:
        """How many readings the book has, by its marks."""
        book = open_engine("sqlite", self.state / "book.db")
        with read(book) as tx:
            total = sum(mark for _, mark in source.marks(tx).values())
        book.dispose()
        return total

    def lag(self) -> int:
        """How many readings the telemetry store is behind the book."""
        with sqlite3.connect(f"file:{self.state / 'telemetry.db'}?mode=ro", uri=True) as store:
            followed = store.execute("SELECT coalesce(sum(upto), 0) FROM followed").fetchone()[0]
        store.close()
        return self.marks() - int(followed)


def cost(pid: int) -> Cost:
    """Of any process, from /proc."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    rss_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return Cost(rss_kb / 1024, (int(fields[11]) + int(fields[12])) / TICK)


def answer(publisher: "subprocess.Popen[str]", seconds: float) -> dict[str, Any]:
    """What the publisher came to."""
    said, _ = publisher.communicate(timeout=seconds)
    found: dict[str, Any] = json.loads(said)
    return found


def fsync_ms(folder: Path) -> float:
    """The median of a small write that is made durable on this disk."""
    took: list[float] = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begin)
    return 1000 * statistics.median(took)


def bare_rows_per_s(folder: Path, texts: Sequence[bytes], group: int) -> float:
    """The peer: the same texts as rows of a plain table by sqlite3 alone, `group` rows a durable commit."""
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(n INTEGER PRIMARY KEY, body)")
    begin = time.perf_counter()
    for low in range(0, len(texts), group):
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany("INSERT INTO t VALUES (?, ?)", enumerate(texts[low : low + group], low + 1))
        bare.execute("COMMIT")
    took = time.perf_counter() - begin
    bare.close()
    return len(texts) / took


def noted(measure: Any, row: dict[str, Any], *, ok: bool) -> bool:
    """Note a figure; whether it keeps its bound. So all are noted, also those after one that does not."""
    try:
        measure(row, ok=ok)
    except AssertionError:
        return False
    return True
