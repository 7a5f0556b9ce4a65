"""The torture runner as it is called, for a minute; `make torture` is the long form.

Other tests run beside it on two cores: everything must be there, but it may be there later than on a quiet machine.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulators.torture.parts import wait_for

SECONDS, KILLS, DRAIN_S = 45, 10, 30
KILLED, MEANT = "kill ", {"kill", "stop", "disk", "delay", "hole", "cut", "half-open", "slice", "double"}
LEAST_READINGS, LEAST_BEEPS = 2000, 50
TORTURE = [sys.executable, "-m", "simulators", "torture"]
needs_broker = pytest.mark.skipif(
    shutil.which("mosquitto") is None, reason="mosquitto is not installed: the embedded broker is tried by make torture"
)


@needs_broker
@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_broken_by_a_minute_of_every_fault(seed: int) -> None:
    options = ["--seed", str(seed), "--seconds", str(SECONDS), "--kills", str(KILLS), "--drain", str(DRAIN_S), "--json"]
    done = subprocess.run([*TORTURE, *options], capture_output=True, text=True, check=False)
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found = {one["check"]: one for one in verdict["found"]}
    print(f"seed {seed}: {verdict['done']}; {[one['figures'] for one in found.values()]}")
    assert [(name, one["differences"]) for name, one in found.items() if one["differences"]] == []
    assert (done.returncode, verdict["ok"], verdict["folder"]) == (0, True, "")
    assert sum(times for what, times in verdict["done"].items() if what.startswith(KILLED)) == KILLS
    assert {what.partition(" ")[0] for what in verdict["done"]} >= MEANT
    figures = found["outbox = journal, each reading once"]["figures"]
    assert figures["journal"] == figures["outbox"] > LEAST_READINGS
    assert found["scans that beeped"]["figures"]["beeped"] > LEAST_BEEPS


@needs_broker
def test_an_interrupt_ends_everything_and_leaves_nothing(tmp_path: Path) -> None:
    command = [*TORTURE, "--seconds", "60", "--faults", "stop"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    lines: list[str] = []
    assert running.stderr is not None
    for line in running.stderr:
        lines.append(line)
        if "torture" in line:
            break
    assert "starting" in lines[0]
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=40)
    assert running.returncode == 1
    assert "stopped" in out
    assert list(tmp_path.iterdir()) == []
    wait_for("no process of it", lambda: not _processes(str(tmp_path)), 5)


def _processes(folder: str) -> str:
    return subprocess.run(["pgrep", "-f", folder], capture_output=True, text=True, check=False).stdout
