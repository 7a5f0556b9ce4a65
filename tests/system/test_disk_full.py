"""A disk that is full refuses, says so once, and heals by itself when there is room: at the edge, of the book, and of
the telemetry store, which holds up nothing. Nothing is lost and nothing comes twice.
"""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from simulators.torture import books
from simulators.torture.disks import SmallDisk, can_mount
from simulators.torture.parts import Part, wait_for
from tests.system.crowd import Crowd, Flood, Gateway

EDGE_MB, BOOK_MB, POINTS_MB = 16, 48, 16
SAID = "the outbox does not take readings"
AWAY = "the book is away"
BACK_S = 30.0


class Scanner:
    """A scanner behind a TCP port: it says numbers as fast as the gateway takes them."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.said = 0
        self._connection: socket.socket | None = None
        self._accepting = Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        self._connection, _ = self.server.accept()

    def say(self, count: int) -> None:
        """Scans; returns when the network has them."""
        self._accepting.join(20)
        assert self._connection is not None
        lines = "".join(f"]C1N{number:06}\r" for number in range(self.said, self.said + count))
        self._connection.sendall(lines.encode())
        self.said += count

    def close(self) -> None:
        self.server.close()
        if self._connection is not None:
            self._connection.close()


class Site:
    """Edge, broker and backend, each of their files on a small disk of its own."""

    def __init__(self, folder: Path) -> None:
        if not can_mount(folder / "tried"):
            pytest.skip("no file system may be mounted here; the torture runner fills disks by limits then")
        self.folder = folder
        self.ends = ExitStack()
        self.crowd = Crowd(folder, 5000)
        self.ends.callback(self.crowd.drop)
        self.edge_disk = self._disk("edge", EDGE_MB)
        self.book_disk = self._disk("backend", BOOK_MB)
        self.points_disk = self._disk("points", POINTS_MB)
        (self.crowd.state / "telemetry.db").symlink_to(folder / "points" / "telemetry.db")
        self.scanner = Scanner()
        self.ends.callback(self.scanner.close)
        (folder / "edge.toml").write_text(
            f'[gateway]\nname = "dock-a"\nstate_dir = "{folder / "edge"}"\noutbox_quota_mb = 8\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.crowd.broker.port}"\n'
            f'[[device]]\nname = "s"\ndriver = "serial_scanner"\nport = "socket://127.0.0.1:{self.scanner.port}"\n'
        )
        self.edge = Part("edge", folder, [sys.executable, "-m", "edge", "run", "-c", "edge.toml"])
        self.ends.callback(self.edge.drop)

    def _disk(self, name: str, size_mb: int) -> SmallDisk:
        disk = SmallDisk(self.folder / name, size_mb)
        self.ends.callback(disk.close)
        return disk

    def start(self) -> None:
        self.crowd.start()
        self.edge.start()
        wait_for("the scanner", lambda: "s: reading" in self.edge.log.read_text(errors="replace"), BACK_S)
        self.scanner.say(10)
        self.await_all()

    def await_all(self) -> None:
        """Every scan is in the journal, once."""
        wait_for("every scan in the journal", lambda: self.journalled() >= self.scanner.said, BACK_S)
        assert self.journalled() == self.scanner.said

    def journalled(self) -> int:
        (row,) = books.query(self.crowd.book, "SELECT count(*) FROM journal WHERE kind = 'scan'") or [(0,)]
        return int(row[0])

    def alerts(self, rule: str) -> int:
        return books.query(self.crowd.book, "SELECT rule FROM alert").count((rule,))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with site.ends:
        site.start()
        yield site


@pytest.mark.timeout(240)
def test_a_full_disk_refuses_says_so_and_heals(site: Site) -> None:
    _edge_is_full(site)
    _points_are_full(site)
    _book_is_full(site)
    site.crowd.backend.end()
    assert site.edge.said().count(SAID) == 1
    verified = Part("verify", site.folder, [sys.executable, "-m", "backend", "verify", "-c", "backend.toml"])
    verified.start()
    assert verified.running().wait(60) == 0, verified.tail()


def _edge_is_full(site: Site) -> None:
    site.edge_disk.fill()
    site.scanner.say(3000)
    wait_for("the edge says so", lambda: SAID in site.edge.said(), BACK_S)
    time.sleep(1.5)
    assert site.edge.said().count(SAID) == 1
    site.edge_disk.free()
    site.await_all()
    wait_for("an alert", lambda: site.alerts("outbox_refused") == 1, BACK_S)


def _points_are_full(site: Site) -> None:
    site.points_disk.fill()
    for _ in range(3):
        site.scanner.say(100)
        site.await_all()
    site.points_disk.free()


def _book_is_full(site: Site) -> None:
    quiet = Gateway(site.crowd.broker.port, "dock-b")
    site.book_disk.fill()
    flood = Flood(site.folder, site.crowd.broker.port, "greedy", 50_000)
    site.scanner.say(1000)
    wait_for("the backend says so", lambda: AWAY in site.crowd.backend.said(), BACK_S)
    time.sleep(5.5)
    assert site.crowd.backend.said().count(AWAY) == 1
    assert site.crowd.rss_mb() < 300
    flood.end()
    site.book_disk.free()
    site.await_all()
    wait_for("an alert", lambda: site.alerts("book_away") == 1, BACK_S)
    quiet.send(5)
    wait_for("a receipt", lambda: not quiet.unreceipted, BACK_S)
    quiet.close()
