"""A real VictoriaMetrics server on loopback: it takes `/api/v2/write`, and says by its export API what it holds.

It reads PromQL only, keeps milliseconds, and makes each field a series of its own: `measurement_field{tags}`.
"""

import json
import shutil
import subprocess
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from simulators.torture.parts import free_port

VICTORIA = shutil.which("victoria-metrics")
SKIP = "no victoria-metrics here: apt-get install victoria-metrics"
STARTS_WITHIN_S = 30.0


class Sample(NamedTuple):
    """One value of one series; `at` in milliseconds."""

    name: str
    tags: tuple[tuple[str, str], ...]
    at: int
    value: float


class VictoriaServer:
    """One `victoria-metrics`; its data stay in the folder however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [str(VICTORIA), f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}"]
        command += ["-retentionPeriod=100y", "-memory.allowedBytes=100MB", "-search.latencyOffset=0s"]
        with (self.folder / "victoria.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, self.log()[-2000:]
            assert time.monotonic() < end, f"victoria-metrics: not within {STARTS_WITHIN_S:g} s"
            time.sleep(0.03)

    def kill(self) -> None:
        """With no time to write anything down."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def end(self) -> None:
        """Ask it to end, if it runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def export(self, match: str = '{__name__!=""}') -> list[Sample]:
        """Everything it holds of matching series, a repeated value as often as it is held."""
        self._get("/internal/force_flush")
        found: list[Sample] = []
        for line in self._get("/api/v1/export?" + urlencode({"match[]": match})).splitlines():
            series = json.loads(line)
            tags = dict(series["metric"])
            name = tags.pop("__name__")
            key = tuple(sorted(tags.items()))
            found += [
                Sample(name, key, at, value) for at, value in zip(series["timestamps"], series["values"], strict=True)
            ]
        return found

    def log(self) -> str:
        """What it printed, over all its runs."""
        return (self.folder / "victoria.log").read_text(errors="replace")

    def _get(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status in {200, 204}, body
        return body

    def _answers(self) -> bool:
        try:
            return b"OK" in self._get("/health")
        except (OSError, HTTPException):
            return False
