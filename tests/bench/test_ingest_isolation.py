"""One device and one gateway at a hundred times their quota: how long the others wait, against a quiet run beside it.

Quiet and flooded stretches alternate, so that both see the same machine. Waiting is from publishing to the receipt for
gateways, and from the scan at the edge to its commit for devices.
"""

import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from simulators.torture import books
from simulators.torture.parts import Part, wait_for
from tests.system.crowd import Crowd, Flood, Gateway, chatter, p99

QUOTA, TIMES = 500, 100
STRETCHES, STRETCH_S = 4, 10.0
DEVICE_QUOTA, QUIET_DEVICES = 50, 4
MOST = 2.0


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    with Crowd(tmp_path, QUOTA) as crowd:
        yield crowd


@pytest.mark.timeout(600)
@pytest.mark.parametrize("in_flight", [0, 8], ids=["a client that never waits", "an edge with 8 batches in flight"])
def test_a_gateway_far_above_its_quota(crowd: Crowd, in_flight: int, measure: Any) -> None:
    quiet = [Gateway(crowd.broker.port, f"dock-{k}") for k in range(4)]
    chatter(quiet, STRETCH_S / 2)
    alone: list[float] = []
    beside: list[float] = []
    for n in range(STRETCHES):
        alone += chatter(quiet, STRETCH_S)
        flood = Flood(crowd.folder, crowd.broker.port, f"greedy-{n}", TIMES * QUOTA, in_flight)
        time.sleep(1)
        beside += chatter(quiet, STRETCH_S)
        sent, mark = flood.end()
        time.sleep(1)
    print(f"\n{sent} sent by the last flood, {mark} of them committed; {crowd.rss_mb():.0f} MiB")
    for gateway in quiet:
        gateway.close()
    who = f"an edge of {in_flight} in flight" if in_flight else "a client that never waits"
    _note(measure, f"4 gateways beside {who} at {TIMES}x its quota", alone, beside)


def _note(measure: Any, check: str, alone: Sequence[float], beside: Sequence[float]) -> None:
    quiet, flooded = p99(alone), p99(beside)
    row = {"group": "ingest", "check": f"{check}: their p99", "unit": "ms", "value": 1000 * flooded}
    peer = {"peer": "quiet run", "peer_value": 1000 * quiet, "bound": f"<= {MOST:g} x the quiet run"}
    measure(row | peer, ok=flooded <= MOST * quiet)


class Line:
    """One scanner behind a TCP port."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.said = 0

    def open(self) -> None:
        self.connection, _ = self.server.accept()
        self.connection.settimeout(0.5)

    def say(self, count: int = 1) -> None:
        """Scans; what the network does not take now is not said."""
        lines = "".join(f"]C1{self.port}-{self.said + k:07}\r" for k in range(count))
        try:
            self.connection.sendall(lines.encode())
        except TimeoutError:
            return
        self.said += count

    def close(self) -> None:
        self.connection.close()
        self.server.close()


@pytest.mark.timeout(600)
def test_a_device_far_above_its_quota(crowd: Crowd, measure: Any) -> None:
    with ExitStack() as ends:
        lines = {name: Line() for name in ("flood", *(f"quiet-{k}" for k in range(QUIET_DEVICES)))}
        edge = _edge(crowd, lines)
        ends.callback(edge.drop)
        edge.start()
        for line in lines.values():
            line.open()
            ends.callback(line.close)
        spans: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
        _speak(lines, STRETCH_S / 2, flooded=False)
        for _ in range(STRETCHES):
            for flooded in (False, True):
                begin = time.time_ns() // 1000
                _speak(lines, STRETCH_S, flooded=flooded)
                spans[flooded].append((begin, time.time_ns() // 1000))
                time.sleep(1)
        quiet = sum(line.said for name, line in lines.items() if name != "flood")
        query = "SELECT count(*) FROM journal JOIN device ON id = device_id WHERE name LIKE 'quiet%' AND kind = 'scan'"
        wait_for("every quiet scan", lambda: books.query(crowd.book, query) == [(quiet,)], 30)
        alone, beside = (_waits(crowd.book, spans[flooded]) for flooded in (False, True))
        slowest = sorted(beside, reverse=True)[:10]
        print(f"\nslowest beside it, ms after s of the flood: {[(round(1000 * w), round(at, 1)) for w, at in slowest]}")
    check = f"{QUIET_DEVICES} devices beside one at {TIMES}x its quota at one edge, scan to commit"
    _note(measure, check, [wait for wait, _ in alone], [wait for wait, _ in beside])


def _edge(crowd: Crowd, lines: dict[str, Line]) -> Part:
    text = f'[gateway]\nname = "dock-a"\nstate_dir = "{crowd.folder / "edge"}"\n'
    text += f'[mqtt]\nurl = "mqtt://127.0.0.1:{crowd.broker.port}"\n'
    for name, line in lines.items():
        text += f'[[device]]\nname = "{name}"\ndriver = "serial_scanner"\nport = "socket://127.0.0.1:{line.port}"\n'
        text += f"max_readings_per_s = {DEVICE_QUOTA}\n" if name == "flood" else ""
    (crowd.folder / "edge.toml").write_text(text)
    return Part("edge", crowd.folder, [sys.executable, "-m", "edge", "run", "-c", "edge.toml"])


def _speak(lines: dict[str, Line], seconds: float, *, flooded: bool) -> None:
    stop = Event()

    def flood() -> None:
        while not stop.wait(0.01):
            lines["flood"].say(TIMES * DEVICE_QUOTA // 100)

    flooding = Thread(target=flood)
    if flooded:
        flooding.start()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for name, line in lines.items():
            if name != "flood":
                line.say()
                time.sleep(0.2 / QUIET_DEVICES)
    stop.set()
    if flooded:
        flooding.join()


def _waits(book: Path, spans: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """From a quiet device's scan to the begin of the transaction of its commit, and when in its stretch; seconds."""
    query = (
        "SELECT at, received_at FROM journal JOIN device ON id = device_id WHERE name LIKE 'quiet%' AND kind = 'scan'"
    )
    rows = books.query(book, query)
    return [
        ((received - at) / 1e6, (at - low) / 1e6) for at, received in rows for low, high in spans if low <= at < high
    ]
