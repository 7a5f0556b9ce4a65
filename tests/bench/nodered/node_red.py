"""Node-RED with a flow that writes what an edge sends to InfluxDB, as a peer: one process, its functions kept short.

`nodes`: mqtt in -> json -> split -> function (one point) -> join 500 -> influxdb batch: its nodes as they are meant.
`function`: mqtt in -> json -> one function for split and join -> influxdb batch: the least that it can do.
It is installed into build/node-red when it is first wanted.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from simulators.torture.parts import Part, free_port

HERE = Path(__file__).parent
HOME = HERE.parents[2] / "build" / "node-red"
PROGRAM = HOME / "node_modules" / "node-red" / "red.js"


def install() -> None:
    """Have it in build/node-red; the test is skipped where that cannot be done."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no node and npm here: apt-get install nodejs npm")
    HOME.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    if PROGRAM.is_file() and (HOME / "package.json").read_text() == wanted:
        return
    (HOME / "package.json").write_text(wanted)
    command = [npm, "install", "--no-audit", "--no-fund", "--omit=dev"]
    done = subprocess.run(command, cwd=HOME, check=False, capture_output=True, text=True)
    if done.returncode:
        (HOME / "package.json").unlink()
        pytest.skip(f"Node-RED could not be installed: {done.stderr[-300:]}")


class NodeRed:
    """One run of it, from a broker to a database."""

    def __init__(self, folder: Path, ports: tuple[int, int], database: str, flow: str) -> None:
        """From a broker to a server at these ports; `flow` is nodes or function."""
        folder.mkdir(parents=True, exist_ok=True)
        flows = json.loads((HERE / f"{flow}.json").read_text())
        for node in flows:
            for key in ("func", "initialize"):
                if node.get(key):
                    node[key] = (HERE / node[key]).read_text()
        told = {"MQTT_PORT": ports[0], "INFLUX_PORT": ports[1], "INFLUX_DATABASE": database, "UI_PORT": free_port()}
        text = json.dumps(flows)
        for name, value in told.items():
            text = text.replace(f"${{{name}}}", str(value))
        (folder / "flows.json").write_text(text)
        settings = (HERE / "settings.js").read_text().replace("process.env.UI_PORT", str(told["UI_PORT"]))
        (folder / "settings.js").write_text(settings)
        command = [str(shutil.which("node")), str(PROGRAM), "--userDir", str(HOME)]
        self.part = Part("node-red", folder, [*command, "--settings", "settings.js", str(folder / "flows.json")])

    def is_connected(self) -> bool:
        """It has subscribed."""
        return "Connected to broker" in self.part.said()


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The most memory that a process had at once."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
