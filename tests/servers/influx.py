"""A real InfluxDB server on loopback, in a folder of the test's, that can be ended, killed, paused and started again.

`pip` brings none; Debian's package is 1.6.7, which knows `/write` and InfluxQL only. Without it tests are skipped.
"""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from simulators.torture.parts import free_port

INFLUXD = shutil.which("influxd")
SKIP = "no influxd here: apt-get install influxdb"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
STARTS_WITHIN_S = 30.0
CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "{index}"
  query-log-enabled = false
  max-values-per-tag = {values_per_tag}
  cache-snapshot-memory-size = "{snapshot_at}"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  auth-enabled = {auth}
  flux-enabled = false
[monitor]
  store-enabled = false
[retention]
  check-interval = "1s"
[continuous_queries]
  enabled = false
"""


OPTIONS: dict[str, str | int] = {"auth": "false", "values_per_tag": 100_000, "index": "tsi1", "snapshot_at": "25m"}


@contextmanager
def on_loopback(**options: str | int) -> Iterator["InfluxServer"]:
    """A running one, its files in memory where there is a file system for that: it syncs every batch it is sent."""
    if INFLUXD is None:
        pytest.skip(SKIP)
    with tempfile.TemporaryDirectory(prefix="stockyard-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        server = InfluxServer(Path(folder), **options)
        try:
            server.start()
            yield server
        finally:
            server.end()


class InfluxServer:
    """One `influxd`; its data stay in the folder however it ends."""

    def __init__(self, folder: Path, **options: str | int) -> None:
        """`options` are of OPTIONS, as the configuration has them."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        told = OPTIONS | options | {"folder": str(folder), "port": self.port, "rpc": free_port()}
        (folder / "influxdb.conf").write_text(CONFIG.format(**told))

    @property
    def pid(self) -> int:
        assert self._process is not None, "influxd does not run"
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [str(INFLUXD), "-config", str(self.folder / "influxdb.conf")]
        with (self.folder / "influxd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, self.log()[-2000:]
            assert time.monotonic() < end, f"influxd: not within {STARTS_WITHIN_S:g} s\n{self.log()[-2000:]}"
            time.sleep(0.03)

    def pause(self) -> None:
        """It takes connections, and answers nothing."""
        self._send(signal.SIGSTOP)
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.01)

    def resume(self) -> None:
        """After `pause`."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """With no time to write anything down."""
        self._send(signal.SIGKILL)
        self._gone()

    def end(self) -> None:
        """Ask it to end, if it runs."""
        if self._process is not None:
            self._send(signal.SIGCONT)
            self._send(signal.SIGTERM)
            self._gone()

    def wipe(self) -> None:
        """Forget everything; it must not run."""
        assert self._process is None
        for name in ("meta", "data", "wal"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def ask(self, statement: str, db: str = "", **more: str) -> list[dict[str, Any]]:
        """The series that InfluxQL answers, times in nanoseconds; independent of the code that is tested."""
        query = urlencode({"q": statement, "db": db, "epoch": "ns", **more})
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/query", query, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert "error" not in answer, answer
        result = answer["results"][0]
        assert "error" not in result, result
        return result.get("series", [])

    def forget(self, database: str) -> None:
        """Drop a database, if it is there."""
        self.ask(f'DROP DATABASE "{database}"')

    def log(self) -> str:
        """What it printed, over all its runs."""
        return (self.folder / "influxd.log").read_text(errors="replace")

    def _send(self, what: signal.Signals) -> None:
        assert self._process is not None, "influxd does not run"
        self._process.send_signal(what)

    def _gone(self) -> None:
        assert self._process is not None
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 204
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
