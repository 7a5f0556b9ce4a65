"""A gateway's process with 5,000 trackers connected: how long each waits for its acknowledgement, and what that costs.

The real process with its outbox, a broker, and a backend in a process of its own; the trackers are this process.
"""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from threading import Event
from typing import Any, cast

import pytest

from simulators.devices.teltonika_codec import login, packet
from simulators.record import ENGINE_S, EXTERNAL_MV, HDOP, IGNITION, MOVING, ODOMETER_M, TRACKER_M, Record
from tests.bench.test_edge import Backend, cpu_s
from tests.edge.delivery_site import MOSQUITTO, Iotcore, Mosquitto, free_port, wait_for

TRACKERS, EVERY_S = int(os.environ.get("STOCKYARD_BENCH_TRACKERS", "5000")), 10
WARM_S, MEASURED_S = 15, 60
MOST_P99_S, MOST_RSS_MB = 1.0, 150
SPARE_FILES = 256
LOGIN_S = 120
FIRST_IMEI = 356_307_042_000_000


def receipt(port: int) -> None:
    """A backend that receipts everything, until it is ended."""
    Backend(port)
    Event().wait()


class Tracker(asyncio.Protocol):
    """One tracker: it logs in, then sends a record of its own every so often and times its acknowledgement."""

    def __init__(self, number: int, fleet: "Fleet") -> None:
        self.number, self.fleet = number, fleet
        self.transport: asyncio.Transport | None = None
        self.logged_in = False
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(login(str(FIRST_IMEI + self.number)))

    def data_received(self, data: bytes) -> None:
        if not self.logged_in:
            assert data == b"\x01"
            self.logged_in = True
            self.fleet.logged_in += 1
            return
        assert data == b"\0\0\0\1"
        self.fleet.waits_s.append(time.perf_counter() - self.sent_at)
        self.sent_at = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.fleet.is_over:
            self.fleet.lost.append(exc)

    def send(self) -> None:
        if self.sent_at:
            self.fleet.late += 1
            return
        assert self.transport is not None
        now = time.time_ns() // 1_000_000
        io = [(TRACKER_M, now % 10**9), (EXTERNAL_MV, 27_500), (ODOMETER_M, now % 10**9), (HDOP, 9)]
        io += [(IGNITION, 1), (MOVING, 1), (ENGINE_S, now // 1000 % 10**9)]
        place = 51.06 + self.number / 1e5, 3.73 + now % 10_000 / 1e6
        data = packet([Record(now * 1000, round(place[0], 7), round(place[1], 7), 9, 271, 11, 36, tuple(io))])
        self.sent_at = time.perf_counter()
        self.transport.write(data)


class Fleet:
    """All of them, in one event loop."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.trackers: list[Tracker] = []
        self.logged_in = self.late = 0
        self.waits_s: list[float] = []
        self.lost: list[Exception | None] = []
        self.is_over = False

    async def connect(self) -> float:
        """All at once, as after an outage. Returns the seconds until the last of them has logged in."""
        begun = time.perf_counter()
        await asyncio.gather(*(self._connect(number) for number in range(TRACKERS)))
        async with asyncio.timeout(LOGIN_S):
            while self.logged_in < TRACKERS:
                assert not self.lost, self.lost[:3]
                await asyncio.sleep(0.01)
        return time.perf_counter() - begun

    async def send(self, seconds: float) -> list[float]:
        """Each sends every EVERY_S, at its own moment. Returns the waits for an acknowledgement."""
        self.waits_s = []
        begun = time.perf_counter()
        for turn in range(round(seconds * TRACKERS / EVERY_S)):
            due = begun + turn * EVERY_S / TRACKERS
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            self.trackers[turn % TRACKERS].send()
        await asyncio.sleep(MOST_P99_S)
        return self.waits_s

    async def close(self) -> None:
        self.is_over = True
        for tracker in self.trackers:
            assert tracker.transport is not None
            tracker.transport.close()
        await asyncio.sleep(1)

    async def _connect(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        _, tracker = await loop.create_connection(lambda: Tracker(number, self), "127.0.0.1", self.port)
        self.trackers.append(tracker)


@pytest.fixture
def open_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = TRACKERS + SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{wanted} open files are needed, {hard} are allowed")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    broker = (Mosquitto if MOSQUITTO else Iotcore)(tmp_path)
    broker.start()
    backend = get_context("spawn").Process(target=receipt, args=(broker.port,), daemon=True)
    backend.start()
    yield broker.port
    backend.terminate()
    backend.join()
    broker.kill()


@pytest.fixture
def gateway(tmp_path: Path, broker: int) -> Iterator[tuple[int, int]]:
    """The process id of a gateway, and the port that it listens on."""
    port, config = free_port(), tmp_path / "edge.toml"
    config.write_text(
        f'[gateway]\nname = "bench"\nstate_dir = "{tmp_path}"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker}"\n'
        f'[[device]]\nname = "trackers"\ndriver = "teltonika"\nlisten = "127.0.0.1:{port}"\n'
        f"max_connections = {TRACKERS}\n"
    )
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "edge", "run", "-c", str(config)], stderr=log)
    wait_for(lambda: listens(port), 20)
    yield process.pid, port
    process.terminate()
    assert process.wait(60) == 0, (tmp_path / "log").read_text()


def most_rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.timeout(300)
def test_trackers(measure: Any, open_files: None, gateway: tuple[int, int]) -> None:  # noqa: ARG001 - a limit that is raised
    pid, port = gateway

    async def run() -> tuple[float, list[float], float, float]:
        fleet = Fleet(port)
        storm_s = await fleet.connect()
        await fleet.send(WARM_S)
        begun, cpu_before = time.perf_counter(), cpu_s(pid)
        waits_s = await fleet.send(MEASURED_S)
        percent = 100 * (cpu_s(pid) - cpu_before) / (time.perf_counter() - begun)
        rss = most_rss_mb(pid)
        await fleet.close()
        assert (fleet.lost, fleet.late, len(waits_s)) == ([], 0, MEASURED_S * TRACKERS // EVERY_S)
        return storm_s, waits_s, percent, rss

    storm_s, waits_s, percent, rss = asyncio.run(run())
    cuts = quantiles(waits_s, n=100)
    what = f"{TRACKERS} trackers, a record each {EVERY_S} s"
    for check, value, unit in (
        ("all log in at once", storm_s, "s"),
        ("acknowledged, p50", cuts[49], "s"),
        ("acknowledged, longest", max(waits_s), "s"),
        ("share of a core", percent, "%"),
    ):
        measure({"group": "motion", "check": f"{what}: {check}", "value": value, "unit": unit}, ok=True)
    row = {"group": "motion", "check": f"{what}: acknowledged, p99", "value": cuts[98], "unit": "s"}
    measure(row | {"bound": f"<= {MOST_P99_S}"}, ok=cuts[98] <= MOST_P99_S)
    row = {"group": "motion", "check": f"{what}: most memory", "value": rss, "unit": "MB", "bound": f"<= {MOST_RSS_MB}"}
    measure(row, ok=rss <= MOST_RSS_MB)
