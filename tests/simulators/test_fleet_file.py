"""The file to train on: its form, the values of a tracker, and a run that was stopped and goes on."""

import gzip
import json
from itertools import groupby
from pathlib import Path
from threading import Event

import msgspec
import pytest
from typer.testing import CliRunner

from simulators import cli, fleet, roster
from simulators.fleet import Written
from simulators.past import Story, past
from simulators.record import Record, readings
from simulators.scenario import Scenario, load
from simulators.trackers import records
from simulators.weather import Weather
from tests.simulators.machine_lines import FLEET

VALUES = ["engine_hours", "gearbox_temperature", "gearbox_vibration", "oil_pressure", "engine_load"]


def small(**changes: int) -> Scenario:
    return msgspec.structs.replace(load(FLEET), **{"machines": 3, "history_days": 20, **changes})


def show(_done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fleet") / "fleet.jsonl"
    assert fleet.write(small(), path, show, Event()) == Written(3, 0, done=True)
    assert [leaf.name for leaf in path.parent.iterdir()] == ["fleet.jsonl"]
    return path.read_bytes()


def test_machine_after_machine_in_order_of_time(whole: bytes) -> None:
    lines = [json.loads(line) for line in whole.splitlines()]
    machines = [(asset, list(group)) for asset, group in groupby(lines, lambda line: line["asset"])]
    assert [asset for asset, _ in machines] == ["M-001", "M-002", "M-003"]
    for asset, group in machines:
        assert list(group[0]) == ["asset", "kind", "imei", "what"]
        assert (group[0]["kind"], group[0]["what"]) == (("crane", "truck")[int(asset[-1]) % 2], "machine")
        times = [line["at"] for line in group[1:]]
        assert times == sorted(times)
        assert {line["what"] for line in group[1:]} <= {"signals", "failure", "repair", "service"}
        signals = [line for line in group if line["what"] == "signals"]
        assert len(signals) > 150
        assert all(list(line) == ["asset", "what", "at", *VALUES] for line in signals)
        assert all(line["at"][14:] in {"00:00.000000Z", "20:00.000000Z", "40:00.000000Z"} for line in signals)
        assert {line["plan"] for line in group if line["what"] == "service"} == {f"{asset}/oil"}


def test_the_values_are_those_of_the_tracker(whole: bytes) -> None:
    scenario = small()
    machine = roster.fleet(scenario)[1]
    lived = past(machine, scenario.seed, roster.span(scenario), Story())
    told: dict[tuple[str, str], float] = {}

    def hear(record: Record) -> None:
        for reading in readings(machine.imei, record):
            if hasattr(reading, "value"):
                told[reading.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), reading.name] = reading.value

    for record in records(lived, (), Weather(scenario.seed)):
        hear(record)
    lines = [json.loads(line) for line in whole.splitlines()]
    signals = [line for line in lines if line["what"] == "signals" and line["asset"] == machine.asset]
    for line in signals:
        assert {name: line[name] for name in VALUES} == {name: told[line["at"], name] for name in VALUES}
    assert len(signals) == sum(name == "engine_load" for _, name in told)


@pytest.mark.parametrize("name", ["fleet.jsonl", "fleet.jsonl.gz"])
def test_a_run_that_was_stopped_goes_on_after_the_last_whole_machine(whole: bytes, name: str, tmp_path: Path) -> None:
    path, stop = tmp_path / name, Event()
    part = tmp_path / f"{name}.part"
    written = fleet.write(small(), path, lambda done, _: stop.set() if done else None, stop)
    assert (written, path.exists()) == (Written(2, 0, done=False), False)
    part.write_bytes(part.read_bytes()[:-40])
    assert fleet.write(small(), path, show, Event()) == Written(3, 1, done=True)
    assert not part.exists()
    data = path.read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == whole


@pytest.mark.parametrize("name", ["fleet.jsonl", "fleet.jsonl.gz"])
def test_what_another_fleet_left_is_not_gone_on_with(whole: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    part = tmp_path / f"{name}.part"
    for left in (gzip.compress(b"{}\n"), whole.replace(b"M-001", b"M-009"), b"x", b""):
        part.write_bytes(left)
        assert fleet.write(small(machines=1), path, show, Event()).resumed == 0
        data = path.read_bytes()
        assert whole.startswith(gzip.decompress(data) if name.endswith(".gz") else data)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl.gz"
    asked = ["run", str(FLEET), "--telemetry", str(path), "--machines", "1", "--days", "3", "--seed", "9", "--json"]
    done = CliRunner().invoke(cli.app, asked)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "telemetry done"
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert {line["asset"] for line in lines} == {"M-001"}
    assert min(line["at"] for line in lines[1:]) > "2026-11-19"
    wrong = CliRunner().invoke(cli.app, ["run", str(FLEET), "--days", "3"])
    assert (wrong.exit_code, "belong to --telemetry" in wrong.output) == (3, True)
    live = CliRunner().invoke(cli.app, ["run", str(FLEET)])
    assert (live.exit_code, "[[door]]" in live.output) == (3, True)
    bad = CliRunner().invoke(cli.app, ["run", str(FLEET), "--telemetry", str(tmp_path / "no" / "f")])
    assert (bad.exit_code, "--telemetry" in bad.output) == (3, True)
