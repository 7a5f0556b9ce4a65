"""A PostgreSQL cluster for tests: in a folder of its own, on a free loopback port, ended with the test that owns it.

It does not run as root, so that root starts it as the user of Debian's package. Databases are copied from templates
that are filled once.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from simulators.torture.parts import free_port

BIN = Path(shutil.which("initdb") or max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default="initdb")).parent
USER = "stockyard"
START_S = 30.0
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {"max_connections": "200", "shared_buffers": "64MB", "max_wal_size": "1GB", "log_min_messages": "warning"}


def missing() -> str:
    """Why there can be none on this machine, or ""."""
    if not (BIN / "initdb").is_file():
        return "PostgreSQL is not installed"
    if shutil.which("setpriv") is None:
        return "setpriv is not installed"
    if os.geteuid() == 0 and _owner() is None:
        return "root cannot run PostgreSQL, and there is no user postgres"
    return ""


def _owner() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError:
        return None


def _as_owner(command: list[str]) -> list[str]:
    """The command as a user that PostgreSQL accepts; it ends when the thread that started it does."""
    owner = _owner()
    assert owner is not None
    change = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", "--pdeathsig", "INT", *change, *command]


class Cluster:
    """One server. `quick`: commits do not wait for the disk, for tests that kill nothing but processes."""

    def __init__(self, *, quick: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="stockyard-pg-"))
        owner = _owner()
        assert owner is not None
        os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.port = free_port()
        self.log = self.folder / "log"
        self._settings = SETTINGS | (QUICK if quick else {})
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        self._templates: dict[str, str] = {}
        initdb = [str(BIN / "initdb"), "-D", str(self.folder / "data"), "-U", USER, "-E", "UTF8", "--locale=C"]
        made = subprocess.run(
            _as_owner([*initdb, "--auth=trust", "--no-sync"]), cwd=self.folder, capture_output=True, check=False
        )
        assert made.returncode == 0, made.stderr.decode(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(BIN / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder)]
        for name, value in {"listen_addresses": "127.0.0.1", **self._settings}.items():
            command += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + START_S
        while True:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    _as_owner(command), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            if self._answers(deadline):
                return
            # Right after a kill, backends of the old server may still hold its memory.
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)

    def _answers(self, deadline: float) -> bool:
        while time.monotonic() < deadline and self.pid() is not None:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.address("postgres")):
                return True
            time.sleep(0.02)
        return False

    def pid(self) -> int | None:
        """Of the server, while it runs."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def kill(self) -> None:
        """kill -9 of the server; its backends end by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it; transactions that run are rolled back."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def drop(self) -> None:
        """End it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str) -> str:
        """The URL of a database, as `[book] url` takes it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def database(self, template: str = "template1") -> str:
        """A new database, as `template` is; its URL."""
        name = f"test_{next(self._names)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.address(name)

    def drop_database(self, url: str) -> None:
        """Remove it, whoever is connected to it."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rpartition("/")[2])

    def template(self, what: str, fill: Callable[[str], None]) -> str:
        """The name of a database that `fill(url)` fills the first time that `what` is asked for.

        `fill` closes its connections: a database that is in use cannot be copied.
        """
        if what not in self._templates:
            url = self.database()
            fill(url)
            self._templates[what] = url.rpartition("/")[2]
        return self._templates[what]

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextlib.contextmanager
def cluster(*, quick: bool = True) -> Iterator[Cluster]:
    """A running cluster for as long as the block; skips the test where there can be none."""
    if why := missing():
        pytest.skip(why)
    made = Cluster(quick=quick)
    try:
        made.start()
        yield made
    finally:
        made.drop()
