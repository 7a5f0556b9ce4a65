"""A real Mosquitto of a test's own: plain or TLS, with users, an access list or a whole configuration; ended by pid."""

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tests.servers.certificates import Pair

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PASSWD = shutil.which("mosquitto_passwd")
START_S = 15.0
BELOW_EPHEMERAL = (20_000, 32_000)


@dataclass(frozen=True)
class Options:
    """What the broker is to be."""

    tls: Pair | None = None
    ca: Path | None = None
    """With `tls`: clients need a certificate that it signed."""
    users: Mapping[str, str] = field(default_factory=dict[str, str])
    """Passwords by name; without any everybody may connect."""
    acl: Path | None = None
    more: str = ""
    """Further lines of its configuration."""
    config: str | None = None
    """The whole configuration instead, with {port} to be filled in."""


class Broker:
    """One Mosquitto on a free loopback port; `restart` keeps port and files."""

    def __init__(self, folder: Path, options: Options | None = None) -> None:
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed")
        self.options = options or Options()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "mosquitto.conf"
        self._config.write_text(self._text(), encoding="utf-8")

    @property
    def url(self) -> str:
        scheme = "mqtts" if self.options.tls else "mqtt"
        return f"{scheme}://localhost:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until its port answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(MOSQUITTO), "-c", str(self._config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        said = self.log.read_text(errors="replace")
        self.kill()
        raise AssertionError(f"mosquitto did not start: {said}")

    def stop(self) -> None:
        """Ask it to end."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it by force."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _text(self) -> str:
        if self.options.config is not None:
            return self.options.config.replace("{port}", str(self.port))
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "user root", "log_type all"]
        if self.options.tls is not None:
            lines += [f"certfile {self.options.tls.cert}", f"keyfile {self.options.tls.key}"]
            if self.options.ca is not None:
                lines += [f"cafile {self.options.ca}", "require_certificate true"]
        lines.append(f"allow_anonymous {str(not self.options.users).lower()}")
        if self.options.users:
            lines.append(f"password_file {passwords(self.folder / 'passwords', self.options.users)}")
        if self.options.acl is not None:
            lines.append(f"acl_file {self.options.acl}")
        return "\n".join([*lines, self.options.more]) + "\n"


def passwords(file: Path, users: Mapping[str, str]) -> Path:
    """A password file, as mosquitto_passwd writes it."""
    if PASSWD is None:
        pytest.skip("mosquitto_passwd is not installed")
    file.touch()
    for name, password in users.items():
        subprocess.run([PASSWD, "-b", str(file), name, password], check=True, capture_output=True)
    file.chmod(0o644)
    return file


def free_port() -> int:
    """One that no outgoing connection is given: while nobody listens there it must stay free."""
    while True:
        port = random.SystemRandom().randint(*BELOW_EPHEMERAL)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
