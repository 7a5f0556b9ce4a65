"""Dockerfiles and compose file, without Docker: paths, ports, commands and extras are those that there are."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.routing import Route
from typer.main import get_command

import backend.cli
import edge.cli
from backend import config as backend_config
from backend.api import ROUTERS
from edge import config as edge_config
from tests.deploy.guarded import BACKEND, INSTALLED

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CLIS = {"backend": backend.cli.app, "edge": edge.cli.app}
PARTS = [*CLIS]


def instructions(part: str) -> list[tuple[str, str]]:
    """(instruction, argument) of a Dockerfile, lines put together."""
    text = (DEPLOY / f"Dockerfile.{part}").read_text(encoding="utf-8")
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def said(part: str, instruction: str) -> list[str]:
    """Of the last stage, which is what runs."""
    lines = instructions(part)
    last = max(k for k, (word, _) in enumerate(lines) if word == "FROM")
    return [rest for word, rest in lines[last:] if word == instruction]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def settings(part: str) -> dict[str, Any]:
    return tomllib.loads((DEPLOY / "compose" / f"{part}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", PARTS)
def test_an_image_is_built_of_what_the_package_needs(part: str) -> None:
    copied = [rest.split()[:-1] for word, rest in instructions(part) if word == "COPY" and "--from" not in rest]
    sources = {source for each in copied for source in each}
    assert all((ROOT / source).exists() for source in sources)
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", PROJECT["project"]["readme"]}
    assert needed | {*PROJECT["project"]["license-files"]} <= sources
    (build,) = [rest for word, rest in instructions(part) if word == "RUN" and "pip install" in rest]
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', build)
    assert {*extras.split(",")} <= {*PROJECT["project"]["optional-dependencies"]}
    assert part in extras.split(",")
    assert "-c constraints.txt" in build
    pythons = {rest.split()[0] for word, rest in instructions(part) if word == "FROM"}
    assert pythons == {f"python:{PROJECT['project']['requires-python'].removeprefix('>=')}-slim"}


@pytest.mark.parametrize("part", PARTS)
def test_it_runs_a_command_there_is_as_a_user_without_rights(part: str) -> None:
    (program,), (arguments,) = (map(json.loads, said(part, word)) for word in ("ENTRYPOINT", "CMD"))
    script = Path(program[0]).name
    assert PROJECT["project"]["scripts"][script] == f"{part}.cli:main"
    command, *options = arguments
    get_command(CLIS[part]).commands[command].make_context(command, options)  # type: ignore[attr-defined]
    (user,) = said(part, "USER")
    assert user.split(":")[0] in {"10001", "stockyard"}
    (made,) = [rest for rest in said(part, "RUN") if "useradd" in rest]
    assert "--uid 10001" in made


def test_the_health_of_a_backend_is_a_route_and_that_of_an_edge_a_command() -> None:
    (check,) = said("backend", "HEALTHCHECK")
    port, path = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)[0]
    assert path in {route.path for _, router, _ in ROUTERS for route in router.routes if isinstance(route, Route)}
    assert port == settings("backend")["backend"]["listen"].rpartition(":")[2]
    (check,) = said("edge", "HEALTHCHECK")
    _, command, *options = json.loads(check[check.index("[") :])
    get_command(CLIS["edge"]).commands[command].make_context(command, options)  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", PARTS)
def test_ports_paths_and_mounts_agree(compose: dict[str, Any], part: str) -> None:
    service, told = compose["services"][part], settings(part)
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == (
        DEPLOY / f"Dockerfile.{part}"
    )
    listens = [told["backend"]["listen"]] if part == "backend" else [d["listen"] for d in told["device"]]
    ports = {listen.rpartition(":")[2] for listen in listens}
    assert {*said(part, "EXPOSE")} == ports == {port.rpartition(":")[2] for port in service["ports"]}
    if part == "backend":
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), "there is no sign-in"
    mounts = dict(re.findall(r"^([^:]+):([^:]+)", volume)[0] for volume in service["volumes"])
    targets = {*mounts.values()}
    state_dir = told["backend" if part == "backend" else "gateway"]["state_dir"]
    assert mounts[part] == state_dir == said(part, "VOLUME")[0]
    assert part in compose["volumes"]
    assert f"install -d -o stockyard -g stockyard -m 0750 {'/var/lib/stockyard'}" in said(part, "RUN")[0]
    config = json.loads(said(part, "CMD")[0])[2]
    assert config in targets
    for key in ("password_file", "ca_file"):
        assert told["mqtt"][key] in targets
    broker = compose["services"]["broker"]
    host, _, port = told["mqtt"]["url"].removeprefix("mqtts://").partition(":")
    assert host in compose["services"]
    assert {port} == {each.rpartition(":")[2] for each in broker["ports"]}
    for source in mounts:
        if source.startswith("./") and "/secrets/" not in source:
            assert (DEPLOY / source).is_file()


def test_the_broker_has_every_file_that_its_configuration_names(compose: dict[str, Any]) -> None:
    broker = compose["services"]["broker"]
    mounts = dict(volume.split(":")[:2] for volume in broker["volumes"])
    conf = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    assert {*re.findall(rf"(?m)^\w+ ({INSTALLED}/\S+)$", conf)} <= {*mounts.values()}
    assert mounts["./mosquitto.conf"] == broker["command"][-1]
    assert re.findall(r"(?m)^listener (\d+)$", conf) == [port.split(":")[-1] for port in broker["ports"]]
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    secrets = {Path(s).name for service in compose["services"].values() for s in _sources(service) if "/secrets/" in s}
    assert all(f"`{name}`" in text for name in secrets)


def _sources(service: dict[str, Any]) -> list[str]:
    return [volume.split(":")[0] for volume in service["volumes"]]


def test_the_configurations_are_ones(tmp_path: Path) -> None:
    for part in PARTS:
        text = (DEPLOY / "compose" / f"{part}.toml").read_text(encoding="utf-8")
        (tmp_path / part).write_text(re.sub(r'"/etc/stockyard/(\S+)"', rf'"{tmp_path}/\1"', text))
    for name in ("backend.password", "edge.password", "ca.crt"):
        (tmp_path / name).write_text("x")
    assert backend_config.load(tmp_path / "backend").mqtt.username == BACKEND
    edge = edge_config.load(tmp_path / "edge")
    assert (edge.gateway.name, edge.mqtt.username) == ("dock-a", "dock-a")
    assert edge_config.missing_files(edge) == []
