"""The watchdog on a real notification socket: it is fed by the loop that does the work, and by nothing else."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.app import Backend
from backend.config import Backend as BackendTable
from backend.config import Config
from backend.leases import FileLeases
from backend.watchdog import Watchdog
from backend.worker import IngestWorker
from edge.watchdog import Watchdog as EdgeWatchdog
from tests.servers.broker import free_port

ALLOWED_US = 200_000
WAIT_S = 30.0


class Systemd:
    """The socket that systemd listens on, and what it heard."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    @property
    def environment(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": str(ALLOWED_US)}

    def next(self, wait_s: float = WAIT_S) -> str | None:
        self._socket.settimeout(wait_s)
        try:
            return self._socket.recv(1000).decode()
        except TimeoutError:
            return None

    def until(self, text: str) -> list[str]:
        """What was said, `text` last."""
        heard: list[str] = []
        while not heard or heard[-1] != text:
            said = self.next()
            assert said is not None, f"{text} expected, heard {heard}"
            heard.append(said)
        return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(str(tmp_path / "notify"))
    yield systemd
    systemd.close()


@pytest.fixture
def abstract() -> Iterator[Systemd]:
    """Its address is a name, not a file."""
    systemd = Systemd(f"@stockyard-{os.getpid()}")
    yield systemd
    systemd.close()


class Transport:
    """Delivers one message again and again."""

    connected = True

    def take(self, *_limits: float) -> list[Any]:
        time.sleep(0.005)
        return [Delivery()]

    def acknowledge(self, _deliveries: Sequence[Any]) -> None: ...


class Delivery:
    message = None


class Stuck:
    """An ingest that hangs once it is told to."""

    def __init__(self) -> None:
        self.hang, self.hung, self.let_go = threading.Event(), threading.Event(), threading.Event()
        self.book: Any = None

    def take(self, _messages: Sequence[Any]) -> Any:
        if self.hang.is_set():
            self.hung.set()
            self.let_go.wait(WAIT_S)
        raise KeyboardInterrupt


def test_an_ingest_loop_that_hangs_is_not_called_alive(systemd: Systemd) -> None:
    ingest, stop = Stuck(), threading.Event()
    worker: Any = IngestWorker(ingest, Transport(), lambda: 0)  # type: ignore[arg-type]
    worker.beat = Watchdog(systemd.environment).beat

    def run() -> None:
        while not stop.is_set():
            try:
                worker.run(stop)
            except KeyboardInterrupt:
                continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert [systemd.next() for _ in range(4)] == ["WATCHDOG=1"] * 4
    ingest.hang.set()
    assert ingest.hung.wait(WAIT_S)
    while systemd.next(0.05) is not None:
        """What was said before it hung."""
    assert systemd.next(3 * ALLOWED_US / 1e6) is None, "it hangs, and is called alive"
    ingest.hang.clear()
    ingest.let_go.set()
    assert systemd.next() == "WATCHDOG=1"
    stop.set()
    thread.join(WAIT_S)


def test_who_stands_by_for_another_part_does_not_call_ingest_alive(systemd: Systemd, tmp_path: Path) -> None:
    only = ["ingest", "deriver"]
    backend = Backend.build(Config(BackendTable(state_dir=str(tmp_path))), only)
    leases, workers = backend._workers(Watchdog(systemd.environment))  # pyright: ignore[reportPrivateUsage]
    assert isinstance(leases, FileLeases)
    stop, holds = threading.Event(), threading.Event()

    def hold(stop: threading.Event) -> None:
        holds.set()
        stop.wait()

    held = leases.while_held("deriver", hold)
    standing_by = [threading.Thread(target=run, args=(stop,)) for run in (held, workers["deriver"])]
    try:
        standing_by[0].start()
        assert holds.wait(WAIT_S)
        standing_by[1].start()
        assert systemd.next(3 * ALLOWED_US / 1e6) is None, "its ingest never began, and is called alive"
    finally:
        stop.set()
        for thread in standing_by:
            thread.join(WAIT_S)
        backend.book.dispose()


@pytest.mark.parametrize("watchdog", [Watchdog, EdgeWatchdog])
def test_a_loop_may_come_round_often_and_says_so_seldom(watchdog: Any, tmp_path: Path) -> None:
    systemd, now = Systemd(str(tmp_path / "notify")), [100.0]
    own = watchdog(systemd.environment, lambda: now[0])
    for _ in range(200):
        own.beat()
        now[0] += ALLOWED_US / 1e6 / 100
    assert [systemd.next(0.05) for _ in range(9)] == ["WATCHDOG=1"] * 8 + [None], "four within the time allowed"
    systemd.close()


@pytest.mark.parametrize("watchdog", [Watchdog, EdgeWatchdog])
def test_without_systemd_and_for_another_process_it_is_silent(watchdog: Any, tmp_path: Path) -> None:
    watchdog({}).ready()
    watchdog({}).beat()
    systemd = Systemd(str(tmp_path / "notify"))
    watchdog(systemd.environment | {"WATCHDOG_PID": "1"}).beat()
    assert systemd.next(0.05) is None
    systemd.close()
    watchdog(systemd.environment).ready()


def test_the_backend_says_ready_alive_and_stopping(abstract: Systemd, tmp_path: Path) -> None:
    (tmp_path / "backend.toml").write_text(
        f'[backend]\nstate_dir = "{tmp_path}"\nlisten = "127.0.0.1:0"\n[mqtt]\nurl = "mqtt://127.0.0.1:{free_port()}"\n'
    )
    _runs(abstract, tmp_path, ["-m", "backend", "serve", "-c", "backend.toml"])


def test_the_edge_says_ready_alive_and_stopping(systemd: Systemd, tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(
        f'[gateway]\nname = "dock-a"\nstate_dir = "{tmp_path}"\n[mqtt]\nurl = "mqtt://127.0.0.1:{free_port()}"\n'
    )
    _runs(systemd, tmp_path, ["-m", "edge", "run", "-c", "edge.toml"])


def _runs(systemd: Systemd, folder: Path, command: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | systemd.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert "READY=1" in systemd.until("READY=1")
        assert [systemd.next() for _ in range(5)] == ["WATCHDOG=1"] * 5
        process.send_signal(signal.SIGTERM)
        systemd.until("STOPPING=1")
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()
