"""One demo as a process, what it printed, and how a browser sees its crossings arrive."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

PAGE_S = 60
WATCH = """() => {
  window.seen = {};
  const rows = () => document.querySelectorAll('li.pass[id]');
  const note = () => rows().forEach((li) => { window.seen[li.id.slice(2)] ??= Date.now(); });
  note();
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}"""


class Demo:
    """A running demo and what it printed."""

    def __init__(self, folder: Path, history_days: int, live_s: int) -> None:
        self.folder = folder
        self.output = folder / "demo.out"
        command = [sys.executable, "-m", "backend", "demo", "--dir", str(folder), "--port", "0", "--check"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--history", str(history_days), "--for", str(live_s)],
                stdout=output,
                stderr=output,
                env={**os.environ, "COLUMNS": "200"},
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def end(self) -> None:
        """Stop it if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def url(self) -> str:
        """Where the page is, once it says so."""
        end = time.monotonic() + PAGE_S
        while time.monotonic() < end:
            for line in self.text.splitlines():
                if "live page:" in line:
                    return line.split()[2]
            time.sleep(0.1)
        pytest.fail(f"no page within {PAGE_S} s: {self.text}")


def items(url: str, path: str) -> list[dict[str, Any]]:
    """All items of a list, over its pages."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        with urllib.request.urlopen(f"{url}api/v1/{path}?limit=1000{after}", timeout=10) as answer:
            body = json.load(answer)
        found += body["items"]
        if body["next"] is None:
            return found
        after = f"&after={body['next']}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser saw: seconds from the end of each live pass to its row, and requests that left the machine."""

    lags_s: list[float]
    foreign: list[str]


def watch(url: str, seconds: float) -> Shown:
    """Open the page in Chromium for a while. Every pass that ended meanwhile must have been shown."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra e2e)")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium: apt-get install chromium")
    foreign: list[str] = []
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("request", lambda request: None if request.url.startswith(url) else foreign.append(request.url))
        page.goto(url)
        page.evaluate(WATCH)
        opened = time.time()
        page.wait_for_timeout(seconds * 1000)
        seen: dict[str, int] = page.evaluate("() => window.seen")
        browser.close()
    lags: list[float] = []
    for crossing in items(url, "crossings"):
        ended = datetime.fromisoformat(crossing["closed_at"]).timestamp()
        if opened + 1 < ended < opened + seconds - 4 and crossing["direction"] != "none":
            assert crossing["id"] in seen, f"never shown: {crossing}"
            lags.append(seen[crossing["id"]] / 1000 - ended)
    return Shown(sorted(lags), foreign)
