"""A browser that looks at the pages of a real server: what the tests of the pages share."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from sqlalchemy import Engine

from backend.api import create_app
from backend.api.services import Services
from backend.server import Server
from backend.telemetry.store import Reader
from backend.web import add_page

CHROMIUM = shutil.which("chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SECOND = 1_000_000


def now() -> int:
    return time.time_ns() // 1000


@contextmanager
def launched(sync_api: Any) -> Iterator[Any]:
    """Chromium, by playwright."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@dataclass
class Backend:
    """The pages' server on a book; it can be stopped and started on the same port."""

    book: Engine
    telemetry: Reader | None = None
    port: int = 0
    stop: Event = field(default_factory=Event)
    thread: Thread | None = None

    def start(self) -> None:
        app = create_app(Services(self.book, now, lambda *_given: True, telemetry=self.telemetry))
        add_page(app)
        server = Server(lambda: app, "127.0.0.1", self.port)
        self.port, self.stop = server.port, Event()
        self.thread = Thread(target=server.run, args=(self.stop,))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        if self.thread is not None:
            self.thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@dataclass
class Seen:
    """What the browser did besides showing: every request, and everything that went wrong."""

    requests: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])


def watch(page: Any) -> Seen:
    seen = Seen()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    return seen


def opened(page: Any, backend: Backend, path: str = "") -> None:
    page.set_default_timeout(8000)
    page.goto(backend.url + path)
    page.wait_for_selector('#live[data-state="live"]', timeout=8000)


def wait_until(found: Callable[[], bool], limit_s: float, page: Any) -> float:
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < limit_s
        page.wait_for_timeout(50)
    return time.monotonic() - started


RIGHTMOST = """Math.max(...[...document.querySelectorAll('button, summary, .way, .chip, input:not([type=hidden]), svg')]
  .filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().right))"""
LOW_CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const f = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll('main *, header *, footer *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(e.className + ' ' + e.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
  }
  return [...new Set(bad)];
}"""
