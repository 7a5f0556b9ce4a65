"""The systemd units: what they start is there, as a user of its own, and systemd finds nothing wrong with them."""

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

import backend.cli
import edge.cli
from backend.config import Backend
from edge.config import GatewayTable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = {"backend": backend.cli.app, "edge": edge.cli.app}
PROGRAMS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
STATE_DIR = {"backend": Backend().state_dir, "edge": GatewayTable(name="x").state_dir}
HARDENING = {
    "NoNewPrivileges": "true",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "CapabilityBoundingSet": "",
    "SystemCallFilter": "@system-service",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
}
COMMIT_S = 60
"""A writer of the book waits at most so long for another one, within one turn of the loop."""


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string((DEPLOY / f"stockyard-{name}.service").read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_what_there_is(name: str) -> None:
    service = unit(name)["Service"]
    for key in ("ExecStartPre", "ExecStart"):
        if key not in service:
            continue
        program, command, *arguments = shlex.split(service[key])
        assert Path(program).name in PROGRAMS
        known = get_command(UNITS[name]).commands[command]  # type: ignore[attr-defined]
        known.make_context(command, list(arguments), resilient_parsing=False)
        assert arguments[-1] == f"/etc/stockyard/{name}.toml"
    assert Path("/var/lib") / service["StateDirectory"] == Path(STATE_DIR[name])


@pytest.mark.parametrize("name", UNITS)
def test_it_is_watched_and_confined(name: str) -> None:
    service = unit(name)["Service"]
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert int(service["WatchdogSec"]) > COMMIT_S
    assert service["User"] == service["Group"] == "stockyard"
    assert {key: service.get(key) for key in HARDENING} == HARDENING
    assert unit(name)["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_it(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOY / f"stockyard-{name}.service").read_text(encoding="utf-8")
    file = tmp_path / f"stockyard-{name}.service"
    file.write_text(re.sub(r"/opt/stockyard/bin/\S+", "/bin/true", text))
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    file.write_text(file.read_text().replace("WatchdogSec=", "WatchdogSeconds="))
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert "WatchdogSeconds" in done.stderr, "it says so where a key is wrong"


def test_the_readme_names_every_file() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for file in DEPLOY.iterdir():
        if file.name != "README.md":
            assert f"`{file.name}{'/' if file.is_dir() else ''}`" in text
