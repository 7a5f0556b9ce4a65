"""The demo as a newcomer runs it: history and live beside each other, the page alive, the books equal to the truth."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.system.demo_run import Demo, watch

HISTORY_DAYS, LIVE_S = 3, 22
MACHINES = (
    "each tracker record counts once",
    "running hours = truth, or between bounds",
    "odometer = what was driven",
    "place = where it was last seen",
    "services done, due and told once",
    "each machine has a risk, or too little data",
)
"""What is checked of the machines, beside stock."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    pytest.importorskip("iotcore", reason="the demo needs the embedded broker")
    running = Demo(tmp_path_factory.mktemp("demo"), HISTORY_DAYS, LIVE_S)
    yield running
    running.end()


@pytest.mark.timeout(200)
def test_live_crossings_appear_on_the_page_and_nothing_leaves_the_machine(demo: Demo) -> None:
    shown = watch(demo.url(), LIVE_S - 2)
    assert shown.lags_s, "no live crossing while the page was open"
    print(f"\n{len(shown.lags_s)} live crossings, shown at the latest {shown.lags_s[-1]:.2f} s after their end")
    assert not shown.foreign


@pytest.mark.timeout(240)
def test_the_books_equal_the_truth_and_verify_is_clean(demo: Demo) -> None:
    assert demo.process.wait(200) == 0, demo.text
    assert "unexplained 0" in demo.text, demo.text
    assert [name for name in MACHINES if name not in demo.text] == []
    verify = [sys.executable, "-m", "backend", "verify", "-c", str(demo.folder / "backend.toml"), "--json"]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
