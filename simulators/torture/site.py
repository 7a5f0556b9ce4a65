"""The site that is tortured: broker, edge, backend, readers as processes, a fault proxy on every link between them."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from simulators.torture import books
from simulators.torture.beeper import Beeper
from simulators.torture.disks import Disk, LimitedFiles, SmallDisk, can_mount
from simulators.torture.machines import Fleet
from simulators.torture.parts import Part, PartFailed, free_port, wait_for
from simulators.torture.proxy import FaultProxy

HOST, GATEWAY, DOORS = "127.0.0.1", "dock-a", ("door-1", "door-2")
SITE = Path(__file__).parent / "site.toml"
UP_S = 60.0
FLEET_EVERY_S = 0.5
ROOM_MB = {"edge": (48, 0.15), "backend": (256, 0.5)}
"""Of the outbox and the backend's files: at the begin, and for each second; nothing is to be forced out by a quota."""
ABOVE_QUOTA_MB = 16
UNAVAILABLE, INTEGRITY, AGAIN_S = 4, 5, 0.5
IO = """[device.io]
72 = { signal = "gearbox_temperature", unit = "Cel", divide_by = 10, signed = true }
9 = { signal = "gearbox_vibration", unit = "mm/s", divide_by = 1000 }
6 = { signal = "oil_pressure", unit = "bar", divide_by = 1000 }
114 = { signal = "engine_load", unit = "%" }
"""


@dataclass(frozen=True)
class Wanted:
    """What a site is made of."""

    folder: Path
    seed: int
    seconds: float
    """How long things will go wrong."""
    reads_a_second: float
    """At each of two doors."""
    small_disks: bool
    """Whether disks are to be filled."""

    def room_mb(self, name: str) -> int:
        """What that part's files may need."""
        least, a_second = ROOM_MB[name]
        return least + round(self.seconds * a_second)


class Site:
    """Everything by name: `parts`, `links`, `disks`; and the devices that know what they were told."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.folder = wanted, wanted.folder
        self.fuses = self.folder / "fuses"
        self.fuses.mkdir()
        self.outbox, self.book = self.folder / "edge" / "outbox.db", self.folder / "backend" / "book.db"
        self.truths = [self.folder / f"{door}.jsonl" for door in DOORS]
        ports = {name: free_port() for name in ("broker", "page", "trackers", *DOORS)}
        self.beeper = Beeper((HOST, 0), wanted.seed)
        targets = {
            "edge-broker": ports["broker"],
            "backend-broker": ports["broker"],
            **{f"{door}-edge": ports[door] for door in DOORS},
            "trackers-edge": ports["trackers"],
            "scanner-edge": self.beeper.address[1],
        }
        self.links = {
            name: FaultProxy((HOST, free_port()), (HOST, port), wanted.seed + n, mqtt=name.endswith("broker"))
            for n, (name, port) in enumerate(targets.items())
        }
        self.fleet = Fleet(self.links["trackers-edge"].listen, wanted.seed, FLEET_EVERY_S)
        self._configure(ports)
        self.parts = {name: Part(name, self.folder, command) for name, command in self._commands(ports).items()}
        self.disks: dict[str, Disk] = {}

    def _commands(self, ports: dict[str, int]) -> dict[str, list[str]]:
        python, mosquitto = [sys.executable, "-m"], shutil.which("mosquitto")
        crashing = [*python, "simulators.torture.crash_points", str(self.fuses)]
        commands = {
            "broker": [mosquitto, "-c", "mosquitto.conf"]
            if mosquitto
            else [*python, "simulators.torture.embedded", str(ports["broker"])],
            "backend": [*crashing, "backend", "serve", "-c", "backend.toml"],
            "edge": [*crashing, "edge", "run", "-c", "edge.toml"],
        }
        for n, door in enumerate(DOORS):
            reader = [*python, "simulators", "device", "llrp", "--listen", f"{HOST}:{ports[door]}", "--distinct"]
            reader += ["--rate", f"{self.wanted.reads_a_second:g}", "--seed", str(2 * self.wanted.seed + n)]
            commands[door] = [*reader, "--truth", f"{door}.jsonl"]
        return commands

    def _configure(self, ports: dict[str, int]) -> None:
        broker = f"listener {ports['broker']} {HOST}\nallow_anonymous true\npersistence false\nuser root\n"
        backend = f'[backend]\nstate_dir = "{self.book.parent}"\nlisten = "{HOST}:{ports["page"]}"\n'
        quota_mb = self.wanted.room_mb("edge")
        edge = f'[gateway]\nname = "{GATEWAY}"\nstate_dir = "{self.outbox.parent}"\noutbox_quota_mb = {quota_mb}\n'
        edge += self._mqtt("edge-broker")
        for door in DOORS:
            edge += f'[[device]]\nname = "{door}"\ndriver = "llrp"\naddress = "{self._at(f"{door}-edge")}"\n'
            edge += "antennas = [1, 2, 3, 4]\n"
        edge += '[[device]]\nname = "scanner-1"\ndriver = "serial_scanner"\nfeedback_ok = "\\u0006"\n'
        edge += f'port = "socket://{self._at("scanner-edge")}"\n'
        edge += f'[[device]]\nname = "trackers"\ndriver = "teltonika"\nlisten = "{HOST}:{ports["trackers"]}"\n{IO}'
        files = {"mosquitto.conf": broker, "backend.toml": backend + self._mqtt("backend-broker"), "edge.toml": edge}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        shutil.copy(SITE, self.folder / "site.toml")

    def _mqtt(self, link: str) -> str:
        return f'[mqtt]\nurl = "mqtt://{self._at(link)}"\n'

    def _at(self, link: str) -> str:
        return "{}:{}".format(*self.links[link].listen)

    def start(self, stop: Event) -> None:
        """Declare the site, start everything, wait until readings of both doors are journalled, or for `stop`.

        Raises PartFailed.
        """
        if self.wanted.small_disks and can_mount(self.folder / "tried"):
            for name in ROOM_MB:
                self.disks[name] = SmallDisk(self.folder / name, self.wanted.room_mb(name) + ABOVE_QUOTA_MB)
        for link in self.links.values():
            link.start()
        for name in ("broker", *DOORS):
            self.parts[name].start()
        self.stockyard("apply", "site.toml", "-c", "backend.toml")
        self.parts["backend"].start()
        self.parts["edge"].start()
        for name in ROOM_MB:
            self.disks.setdefault(name, LimitedFiles(self.parts[name]))
        self.fleet.start()
        self.beeper.start()
        wait_for("readings of both doors in the journal", lambda: stop.is_set() or self._is_up(), UP_S)

    def _is_up(self) -> bool:
        newest = books.newest(self.book)
        return all(newest.get(door, 0) > 0 for door in DOORS)

    def restart_refused(self) -> list[str]:
        """Start again who ended because its disk was full, as its supervisor would; the names. Raises PartFailed."""
        again: list[str] = []
        for name in self.disks:
            part = self.parts[name]
            with part.lock:
                if part.process is not None and part.process.poll() is not None:
                    if part.process.returncode != UNAVAILABLE:
                        msg = f"{name} ended by itself with {part.process.returncode}:\n{part.tail()}"
                        raise PartFailed(msg)
                    time.sleep(AGAIN_S)
                    part.start()
                    again.append(name)
        return again

    def end_devices(self) -> int:
        """No more readings; what devices still hold is told. How many of the trackers' records were never taken."""
        for door in DOORS:
            self.parts[door].end()
        self.beeper.stop()
        return self.fleet.end()

    def stockyard(self, *arguments: str, also: int = 0) -> str:
        """Run one of the backend's commands to its end; what it printed.

        Raises PartFailed if its exit status is neither 0 nor `also`.
        """
        command: Sequence[str] = [sys.executable, "-m", "backend", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode not in {0, also}:
            msg = f"stockyard {arguments[0]}: {done.returncode}\n{done.stdout}{done.stderr}"
            raise PartFailed(msg)
        return done.stdout

    def broken_invariants(self) -> list[dict[str, str]]:
        """What `stockyard verify` says is broken."""
        said = self.stockyard("verify", "--json", "-c", "backend.toml", also=INTEGRITY)
        found: list[dict[str, str]] = json.loads(said)
        return [each for each in found if each[""] != "ok"]

    def drop(self) -> None:
        """End by force what still runs, and give everything back."""
        self.fleet.drop()
        self.beeper.stop()
        for part in self.parts.values():
            part.drop()
        for link in self.links.values():
            link.stop()
        for disk in self.disks.values():
            disk.close()
