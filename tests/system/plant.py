"""A whole site of real processes on loopback, each of which can be killed and started again by its name."""

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backend import site
from backend.app import clock, open_book
from backend.book.migrations import migrate
from backend.config import load
from tests.system import books

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
BELOW_EPHEMERAL = (20_000, 32_000)


def wait_for(what: str, met: Callable[[], object], seconds: float) -> float:
    """How long it took."""
    start = time.monotonic()
    while not met():
        assert time.monotonic() - start < seconds, f"{what}: not within {seconds:g} s"
        time.sleep(0.03)
    return time.monotonic() - start


def free_port() -> int:
    """One that no outgoing connection is given: while nobody listens there it must stay free."""
    while True:
        port = random.SystemRandom().randint(*BELOW_EPHEMERAL)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def say(figures: str) -> None:
    """Figures that the long form is run for."""
    print(figures, flush=True)


class Part:
    """One process of the site; what it prints is added to its log, whichever run it is."""

    def __init__(self, name: str, folder: Path, command: Sequence[str]) -> None:
        self.name, self.folder, self.command = name, folder, command
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        self._running().send_signal(signal.SIGKILL)
        self.await_killed(5)

    def await_killed(self, seconds: float) -> None:
        """Wait until it has died by SIGKILL, and by nothing else."""
        status = self._running().wait(seconds)
        self.process = None
        assert status == -signal.SIGKILL, f"{self.name} had ended by itself with {status}:\n{self.tail()}"

    def end(self) -> None:
        """Ask it to end. Its exit status must be 0."""
        process = self._running()
        process.terminate()
        try:
            status = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        self.process = None
        assert status == 0, f"{self.name} ended with {status}:\n{self.tail()}"

    def drop(self) -> None:
        """However it is, it is gone after this."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def bugs(self) -> str:
        """The first traceback in its log."""
        return self.log.read_text(errors="replace").partition("Traceback")[2][:4000] if self.log.exists() else ""

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self.process is not None, f"{self.name} does not run"
        return self.process


class Plant:
    """Two readers at a site's doors, an edge that trackers can connect to, a broker, a backend; `parts` by name.

    "twin" is a second gateway of the edge's name and readers with an outbox of its own. `start` leaves it out.
    """

    def __init__(self, folder: Path, seed: int, rate: float) -> None:
        self.folder = folder
        self.fuse = folder / "fuse"
        self.outbox, self.book = folder / "edge" / "outbox.db", folder / "backend" / "book.db"
        self.twin_outbox = folder / "twin" / "outbox.db"
        self.truths = [folder / f"{door}.jsonl" for door in DOORS]
        self.broker_port = free_port()
        self.api = f"http://127.0.0.1:{free_port()}"
        self.trackers = ("127.0.0.1", free_port())
        ports = [free_port() for _ in DOORS]
        self._configure(ports)
        python = sys.executable
        commands: dict[str, list[str]] = {
            "broker": [str(MOSQUITTO), "-c", "mosquitto.conf"],
            "backend": [python, str(HERE / "crashing_backend.py"), str(self.fuse), "serve", "-c", "backend.toml"],
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

    def stockyard(self, *arguments: str) -> str:
        """Run one of the backend's commands to its end; what it printed. It must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "backend", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"stockyard {arguments[0]}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def check_logs(self) -> None:
        """No part had a bug: those that a thread's restart hides are in its log."""
        for part in self.parts.values():
            assert not part.bugs(), f"{part.name}: Traceback{part.bugs()}"

    def broken_invariants(self) -> list[dict[str, str]]:
        """What `stockyard verify` says is broken; it exits 0 if nothing is."""
        found: list[dict[str, str]] = json.loads(self.stockyard("verify", "--json", "-c", "backend.toml"))
        return [each for each in found if each[""] != "ok"]

    def drop(self) -> None:
        """End by force what still runs."""
        for part in self.parts.values():
            part.drop()
