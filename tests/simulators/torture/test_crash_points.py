"""Fuses, and that every point still has its method."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from simulators.torture import crash_points
from simulators.torture.crash_points import POINTS, Point, arm, told
from simulators.torture.schedule import POINTS as SCHEDULED

PART = """
import sys
from types import SimpleNamespace
from pathlib import Path

class Worker:
    def tell(self, outcome):
        print("told", outcome.readings, flush=True)

def main():
    for readings in map(int, sys.argv[1:]):
        Worker().tell(SimpleNamespace(readings=readings, receipts=[("dock-a", SimpleNamespace(epoch="E", seq=7))]))
"""
RUN = """
import sys
from pathlib import Path
from simulators.torture.crash_points import Point, arm
import part
arm(Point("part.tell", "part", "Worker.tell", before=sys.argv[1] == "before", outcome=1), Path("."))
sys.argv = sys.argv[1:]
part.main()
"""


def run(folder: Path, when: str, *readings: int) -> subprocess.CompletedProcess[str]:
    (folder / "part.py").write_text(PART)
    command = [sys.executable, "-c", RUN, when, *map(str, readings)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("when", "said"), [("before", "told 0\n"), ("after", "told 0\ntold 2\n")])
def test_a_fuse_ends_the_process_at_the_first_call_that_has_readings(tmp_path: Path, when: str, said: str) -> None:
    (tmp_path / "part.tell").touch()
    done = run(tmp_path, when, 0, 2, 3)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, said)
    assert json.loads((tmp_path / "part.tell.burnt").read_bytes()) == [["E", 7]]
    assert not (tmp_path / "part.tell").exists()


def test_without_a_fuse_nothing_happens(tmp_path: Path) -> None:
    done = run(tmp_path, "after", 0, 2)
    assert (done.returncode, done.stdout) == (0, "told 0\ntold 2\n")


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_every_point_has_its_method(point: Point, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = crash_points.import_module(point.module)
    owner, _, method = point.method.partition(".")
    monkeypatch.setattr(getattr(where, owner), method, getattr(getattr(where, owner), method))  # put back afterwards
    arm(point, tmp_path)


def test_a_point_whose_method_is_gone_is_loud(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="no_such"):
        arm(Point("edge.x", "edge.outbox", "Outbox.no_such"), tmp_path)


def test_every_scheduled_point_of_a_process_of_ours_is_known() -> None:
    scheduled = {point for part in ("edge", "backend") for point in SCHEDULED[part]}
    assert scheduled == {point.name for point in POINTS}


def test_what_an_outcome_was_about_to_say() -> None:
    outcome = SimpleNamespace(receipts=[("dock-a", SimpleNamespace(epoch="E", seq=7))])
    assert told(outcome) == [("E", 7)]
