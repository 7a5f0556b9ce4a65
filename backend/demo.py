"""The whole system on loopback from one command: every part a process of its own, real protocols between them.

Order: broker, simulated site, backend, edge, history; at the end the site first, so that its last passes are told,
then `stockyard-sim check` over the running system, then the rest.
"""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from rich.console import Console

from backend import site
from backend.app import clock, open_book
from backend.book.migrations import migrate
from backend.config import load
from backend.demo_files import Addresses, Plan, write_configs, write_fleet, write_scenario
from backend.predict.registry import install

GATEWAY = "dock-a"
MAX_PAYLOAD = 1 << 20
READY_S = 60.0
END_S = 20.0
FAILED, UNAVAILABLE = 1, 4
HERE = Path(__file__)
SITES = (HERE.with_name("demo_site.toml"), HERE.parents[1] / "deploy" / "site.example.toml")
"""The demo's site in a wheel, and in a checkout."""


@dataclass(slots=True)
class Demo:
    """One run: its processes, started by it and ended by it."""

    plan: Plan
    stop: Event
    console: Console = field(default_factory=Console)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, "subprocess.Popen[bytes]"])

    def run(self) -> int:
        """Run to the end. The exit status of the command."""
        folder = (self.plan.directory or Path(tempfile.mkdtemp(prefix="stockyard-demo-"))).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        ports = Addresses(free_port(0), free_port(self.plan.port), (free_port(0), free_port(0)), free_port(0))
        write_configs(folder, ports, GATEWAY)
        write_scenario(folder, ports, self.plan)
        config = load(folder / "backend.toml")
        book = open_book(config)
        migrate(book)
        for path in (next(path for path in SITES if path.exists()), write_fleet(folder, self.plan.machines)):
            site.apply(book, path, clock(), "demo")
        book.dispose()
        install(config.state_dir)
        with self.broker(ports.broker):
            try:
                return self.play(folder, ports)
            finally:
                self.end_all()

    @contextmanager
    def broker(self, port: int) -> Generator[None]:
        """The embedded broker, a child process on loopback that ends with this one."""
        from iotcore import Broker  # noqa: PLC0415 - only the demo needs this extra

        broker = Broker(port=port, listen="127.0.0.1", max_payload_size=MAX_PAYLOAD)
        broker.start()
        try:
            yield
        finally:
            broker.stop()

    def play(self, folder: Path, ports: Addresses) -> int:
        """Start everything, wait for what was asked for, and check it."""
        url = f"http://127.0.0.1:{ports.page}/"
        self.start(folder, "site", "simulators", "run", "scenario.toml")
        self.start(folder, "backend", "backend", "serve", "-c", "backend.toml")
        self.start(folder, "edge", "edge", "run", "-c", "edge.toml")
        if not self.page_answers(url):
            self.console.print(f"the page did not come up; see {folder}/backend.log", style="red")
            return UNAVAILABLE
        self.console.print(f"live page: [bold]{url}[/bold]   files: {folder}", soft_wrap=True)
        if self.plan.history_days and not self.history(folder, ports):
            return 0 if self.stop.is_set() else FAILED
        self.wait()
        return self.check(folder, url) if self.plan.check else 0

    def start(self, folder: Path, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """One part as a process; what it prints goes to its own log."""
        with (folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", module, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.running[name] = process
        return process

    def page_answers(self, url: str) -> bool:
        """Wait until the page answers."""
        end = time.monotonic() + READY_S
        while time.monotonic() < end and not self.stop.is_set() and self.running["backend"].poll() is None:
            try:
                with urllib.request.urlopen(f"{url}health", timeout=2):  # noqa: S310 - our own loopback URL
                    return True
            except OSError:
                self.stop.wait(0.1)
        return False

    def history(self, folder: Path, ports: Addresses) -> bool:
        """Send the history as an edge would that was offline; its progress bar is this terminal's."""
        begin = time.monotonic()
        options = ["--scenario", "scenario.toml", "--mqtt", f"mqtt://127.0.0.1:{ports.broker}", "--gateway", GATEWAY]
        options += ["--api", f"http://127.0.0.1:{ports.page}"]
        options += ["--days", str(self.plan.history_days), "--truth", "truth-history.jsonl", "--outbox", "history.db"]
        process = subprocess.Popen([sys.executable, "-m", "simulators", "history", *options], cwd=folder)  # noqa: S603 - our own module
        self.running["history"] = process
        while process.poll() is None and not self.stop.wait(0.2):
            self.all_run()
        if process.returncode == 0:
            self.console.print(f"{self.plan.history_days} days of history in {time.monotonic() - begin:.0f} s")
        return process.returncode == 0

    def wait(self) -> None:
        """Until --for is over, an interrupt, or a part has ended by itself."""
        end = None if self.plan.run_s is None else time.monotonic() + self.plan.run_s
        while not self.stop.wait(0.2) and (end is None or time.monotonic() < end):
            self.all_run()

    def all_run(self) -> None:
        """Raises OSError if a part has ended by itself."""
        for name in ("site", "backend", "edge"):
            if self.running[name].poll() is not None:
                raise OSError(f"the {name} process ended with status {self.running[name].returncode}")

    def check(self, folder: Path, url: str) -> int:
        """End the site's agenda, then compare the books with the truth."""
        self.end("site")
        truths = [name for name in ("truth-history.jsonl", "truth.jsonl") if (folder / name).exists()]
        outboxes = [name for name in ("history.db", "edge/outbox.db") if (folder / name).exists()]
        command = [sys.executable, "-m", "simulators", "check", "--url", url.rstrip("/")]
        command += [part for name in truths for part in ("--truth", name)]
        command += [part for name in outboxes for part in ("--outbox", name)]
        return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - our own module

    def end(self, name: str) -> None:
        """Ask one part to end, and insist after a while."""
        process = self.running.pop(name)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def end_all(self) -> None:
        """End what still runs."""
        for name in list(self.running):
            self.end(name)


def free_port(wanted: int) -> int:
    """The wanted port if it is free on loopback, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")
