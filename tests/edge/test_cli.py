"""stockyard-edge as people and machines call it: exit codes, JSON, and a gateway that ends cleanly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.outbox import Outbox
from models.reading import Scan, from_micros
from simulators.devices.llrp import LlrpReader


def edge(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "edge", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "edge.toml"
    file.write_text(
        f"""
[gateway]
name = "dock-a"
state_dir = "{tmp_path}/state"
[mqtt]
url = "mqtt://127.0.0.1:{free_port()}"
[[device]]
name = "scanner-1"
driver = "serial_scanner"
port = "{tmp_path}/no-port"
"""
    )
    return file


@pytest.fixture
def broker(config: Path, tmp_path: Path) -> Iterator[None]:
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        pytest.skip("mosquitto is not installed")
    port = config.read_text().split("127.0.0.1:")[1].split('"')[0]
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([mosquitto, "-c", tmp_path / "mosquitto.conf"], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                break
        time.sleep(0.05)
    yield
    process.terminate()
    process.wait(10)


def test_a_bad_configuration_is_exit_3(config: Path) -> None:
    config.write_text(config.read_text().replace("port =", "prt ="))
    done = edge("check-config", "-c", str(config))
    assert (done.returncode, "prt: unknown key; did you mean port?" in done.stderr) == (3, True)


def test_usage_is_exit_2() -> None:
    assert edge("status").returncode == 2


def test_check_config_says_what_it_means(config: Path) -> None:
    done = edge("check-config", "-c", str(config), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["devices"] == [{"name": "scanner-1", "driver": "serial_scanner"}]


READER = """
[[device]]
name = "door-1"
driver = "llrp"
address = "127.0.0.1:{port}"
tls = true
ca_file = "{folder}/reader.pem"
"""


def test_a_file_that_is_missing_is_exit_3_and_named_by_its_key(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + READER.format(port=free_port(), folder=tmp_path))
    done = edge("check-config", "-c", str(config))
    assert done.returncode == 3
    assert done.stderr == f"{config}: device door-1.ca_file: no such file: {tmp_path}/reader.pem\n"


def test_doctor_names_a_certificate_that_is_missing_or_none(config: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        config.write_text(config.read_text() + READER.format(port=server.getsockname()[1], folder=tmp_path))
        findings = json.loads(edge("doctor", "-c", str(config), "--json").stdout)
        missing = f"no such file: {tmp_path}/reader.pem"
        told = {finding["check"]: finding["found"] for finding in findings}
        assert told["files"] == f"device door-1.ca_file: {missing}"
        assert told["device door-1"] == f"ca_file: {missing}"
        (tmp_path / "reader.pem").write_text("no certificate")
        findings = json.loads(edge("doctor", "-c", str(config), "--json").stdout)
    told = {finding["check"]: finding["found"] for finding in findings}
    assert "files" not in told
    assert told["device door-1"].startswith(f"ca_file: a certificate in PEM expected: {tmp_path}/reader.pem")


def test_doctor_names_the_setting_that_a_reader_cannot_do(config: Path) -> None:
    reader = LlrpReader(("127.0.0.1", 0))
    reader.start()
    try:
        device = '[[device]]\nname = "door-1"\ndriver = "llrp"\naddress = "{}:{}"\n'.format(*reader.address)
        before = config.read_text()
        config.write_text(f"{before}{device}tx_power_dbm = 33.0\n")
        refused = edge("doctor", "-c", str(config)).stdout
        config.write_text(before + device)
        taken = edge("doctor", "-c", str(config)).stdout
    finally:
        reader.stop()
    assert "FAIL device door-1: tx_power_dbm: 10.0 ... 30.0 expected for this reader, got 33.0" in refused
    assert "-> change this key of the device in the configuration" in refused
    assert "ok   device door-1: an LLRP reader of 4 antennas, firmware stockyard 1, takes these settings" in taken


def test_status_of_no_outbox_is_exit_4(config: Path) -> None:
    done = edge("status", "-c", str(config))
    assert (done.returncode, "no outbox here" in done.stderr) == (4, True)


def test_status_tells_what_waits_beside_a_running_gateway(config: Path, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "state" / "outbox.db")
    at = from_micros(1_800_000_000_000_000)
    outbox.put([Scan("scanner-1", at, "A"), Scan("scanner-1", at, "B")]).result(10)
    done = edge("status", "-c", str(config), "--json")
    outbox.close()
    assert done.returncode == 0, done.stderr
    [stream] = json.loads(done.stdout)["streams"]
    assert (stream["next_seq"], stream["mark"], stream["rows"], stream["unreceipted"]) == (3, 0, 2, 2)
    assert stream["oldest_unreceipted"] == "2027-01-15T08:00:00Z"
    assert "2 unreceipted" in edge("status", "-c", str(config)).stdout


def test_a_second_gateway_on_one_outbox_is_exit_4(config: Path, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "state" / "outbox.db")
    done = edge("run", "-c", str(config))
    outbox.close()
    assert (done.returncode, "outbox.db" in done.stderr) == (4, True)


def test_doctor_gives_each_failure_its_next_step(config: Path) -> None:
    done = edge("doctor", "-c", str(config), "--json")
    findings: dict[str, Any] = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {check for check, finding in findings.items() if not finding["ok"]} == {"broker", "device scanner-1"}
    assert all(finding["ok"] or finding["next_step"] for finding in findings.values())


@pytest.mark.usefixtures("broker")
def test_doctor_is_content_with_a_broker(config: Path) -> None:
    done = edge("doctor", "-c", str(config))
    assert "ok   mqtt: connected, receipts and replies granted" in done.stdout


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_cleanly_on_signals(config: Path, sign: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-m", "edge", "run", "-c", config], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        said = "".join(lines)
        if "connected" in said and "scanner-1: lost" in said:
            break
    time.sleep(0.5)  # the loss is put right after it is logged
    os.kill(process.pid, sign)
    lines += process.stderr.readlines()
    process.stderr.close()
    assert process.wait(20) == 0, "".join(lines)
    assert "stopped" in lines[-1]
    done = edge("status", "-c", str(config), "--json")
    assert json.loads(done.stdout)["streams"][0]["rows"] == 1


def test_the_edge_does_without_the_backend_and_the_simulators() -> None:
    code = (
        "import sys, edge.cli\n"
        "heavy = {'fastapi', 'sqlalchemy', 'numpy', 'uvicorn', 'jinja2', 'sklearn', 'backend', 'simulators'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
