"""A whole site of real processes on loopback, each of which can be killed and started again by its name."""

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from backend import site, verify
from backend.app import clock, open_book
from backend.book.migrations import migrate
from backend.config import load
from simulators.torture import books
from simulators.torture.parts import Part, free_port, wait_for

MOSQUITTO = shutil.which("mosquitto")
HERE = Path(__file__).parent
SITE = HERE.parents[1] / "deploy" / "site.example.toml"
GATEWAY, DOORS = "dock-a", ("door-1", "door-2")
IO = """[device.io]
72 = { signal = "gearbox_temperature", unit = "Cel", divide_by = 10, signed = true }
9 = { signal = "gearbox_vibration", unit = "mm/s", divide_by = 1000 }
6 = { signal = "oil_pressure", unit = "bar", divide_by = 1000 }
114 = { signal = "engine_load", unit = "%" }
"""
STILL_S = 0.5


def say(figures: str) -> None:
    """Figures that the long form is run for."""
    print(figures, flush=True)


class Plant:
    """Two readers at a site's doors, an edge that trackers can connect to, a broker, a backend; `parts` by name.

    "twin" is a second gateway of the edge's name and readers with an outbox of its own. `start` leaves it out.
    """

    def __init__(self, folder: Path, seed: int, rate: float, quota_mb: int = 1024) -> None:
        self.folder, self.quota_mb = folder, quota_mb
        self.fuses = folder / "fuses"
        self.fuses.mkdir()
        self.outbox, self.book = folder / "edge" / "outbox.db", folder / "backend" / "book.db"
        self.twin_outbox = folder / "twin" / "outbox.db"
        self.truths = [folder / f"{door}.jsonl" for door in DOORS]
        self.broker_port = free_port()
        self.api = f"http://127.0.0.1:{free_port()}"
        self.trackers = ("127.0.0.1", free_port())
        ports = [free_port() for _ in DOORS]
        self._configure(ports)
        python, serve = sys.executable, ["backend", "serve", "-c", "backend.toml"]
        commands: dict[str, list[str]] = {
            "broker": [str(MOSQUITTO), "-c", "mosquitto.conf"],
            "backend": [python, "-m", "simulators.torture.crash_points", str(self.fuses), *serve],
            "edge": [python, "-m", "edge", "run", "-c", "edge.toml"],
            "twin": [python, "-m", "edge", "run", "-c", "twin.toml"],
        }
        for number, (door, port) in enumerate(zip(DOORS, ports, strict=True)):
            reader = [python, "-m", "simulators", "device", "llrp", "--listen", f"127.0.0.1:{port}", "--distinct"]
            reader += ["--rate", f"{rate:g}", "--seed", str(2 * seed + number), "--truth", f"{door}.jsonl"]
            commands[door] = reader
        self.parts = {name: Part(name, folder, command) for name, command in commands.items()}

    def _configure(self, reader_ports: Sequence[int]) -> None:
        mqtt = f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.broker_port}"\n'
        listen = self.api.removeprefix("http://")
        broker = f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
        backend = f'[backend]\nstate_dir = "{self.book.parent}"\nlisten = "{listen}"\n{mqtt}'
        edge = mqtt
        for door, port in zip(DOORS, reader_ports, strict=True):
            edge += f'[[device]]\nname = "{door}"\ndriver = "llrp"\naddress = "127.0.0.1:{port}"\n'
            edge += "antennas = [1, 2, 3, 4]\n"
        listen = "{}:{}".format(*self.trackers)
        trackers = f'[[device]]\nname = "trackers"\ndriver = "teltonika"\nlisten = "{listen}"\n{IO}'
        for name, outbox, more in (("edge.toml", self.outbox, trackers), ("twin.toml", self.twin_outbox, "")):
            gateway = f'[gateway]\nname = "{GATEWAY}"\nstate_dir = "{outbox.parent}"\n'
            gateway += f"outbox_quota_mb = {self.quota_mb}\n"
            (self.folder / name).write_text(gateway + edge + more)
        for name, text in (("mosquitto.conf", broker), ("backend.toml", backend)):
            (self.folder / name).write_text(text)

    def start(self) -> None:
        """Declare the site, then start everything and wait until readings of both doors are journalled."""
        for name in ("broker", *DOORS):
            self.parts[name].start()
        book = open_book(load(self.folder / "backend.toml"))
        migrate(book)
        site.apply(book, SITE, clock(), "test")
        book.dispose()
        backend = self.parts["backend"]
        backend.start()
        wait_for("the backend", lambda: "connected to the broker" in backend.log.read_text(errors="replace"), 60)
        self.parts["edge"].start()
        self.await_up(60)

    def await_up(self, seconds: float) -> float:
        """Wait until a reading of each door that was taken after this call is journalled. How long it took."""
        begun = time.time_ns() // 1000
        return wait_for("readings of both doors in the journal", lambda: self._newest() > begun, seconds)

    def _newest(self) -> int:
        newest = books.newest(self.book)
        return min(newest.get(door, 0) for door in DOORS)

    def end_readers(self) -> None:
        """End both readers, and wait until the edge has committed what they had told it and that they are gone."""
        now = time.time_ns() // 1000
        for door in DOORS:
            self.parts[door].end()
        wait_for("both doors lost", lambda: self._lost_since(now) >= set(DOORS), 10)

    def _lost_since(self, at: int) -> set[str]:
        return set[str]().union(*(books.lost_since(outbox, at) for outbox in (self.outbox, self.twin_outbox)))

    def await_drained(self, seconds: float) -> float:
        """Wait until nothing is added to the outbox any more, and every row of it is receipted.

        Edge and backend say the same of every epoch then. How long it took.
        """
        seen, since, begun = -1, 0.0, time.monotonic()

        def still() -> bool:
            nonlocal seen, since
            depths = [books.depth(outbox) for outbox in (self.outbox, self.twin_outbox)]
            marks = books.receipted(self.outbox) | books.receipted(self.twin_outbox)
            rows = sum(committed for committed, _ in depths)
            if rows != seen or any(waiting for _, waiting in depths) or marks != books.marks(self.book):
                seen, since = rows, time.monotonic()
            return time.monotonic() - since > STILL_S

        wait_for("all of the outbox receipted", still, seconds)
        return since - begun

    def settle(self, drained_s: float) -> books.Account:
        """End the readers, wait for everything; then no number and no carton is lost or there twice.

        Every invariant holds, and no part had a bug.
        """
        self.end_readers()
        self.await_drained(drained_s)
        account = books.account([self.outbox, self.twin_outbox], self.book, self.truths)
        assert (account.lost, account.doubled) == ([], [])
        assert (account.lost_content, account.doubled_content, account.invented) == (set(), [], set())
        assert self.broken_invariants() == []
        self.check_logs()
        return account

    def check_logs(self) -> None:
        """No part had a bug: those that a thread's restart hides are in its log."""
        for part in self.parts.values():
            assert not part.bugs(), f"{part.name}: Traceback{part.bugs()}"

    def broken_invariants(self) -> list[str]:
        """What `stockyard verify` says is broken, without the seconds that another process takes to begin."""
        book = open_book(load(self.folder / "backend.toml"))
        try:
            return [f"{found.name}: {found.detail}" for found in verify.verify(book) if not found.ok]
        finally:
            book.dispose()

    def drop(self) -> None:
        """End by force what still runs."""
        for part in self.parts.values():
            part.drop()
