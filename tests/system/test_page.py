"""The live page in Chromium, on the real server: what a person sees, not what the HTML says."""

import runpy
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from backend.api import create_app
from backend.api.server import Server
from backend.api.services import Services
from backend.book import journal
from backend.book.db import open_engine, write
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
SAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "sample_book.py"))
SECOND = 1_000_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra e2e)")


def now() -> int:
    return time.time_ns() // 1000


@dataclass
class Backend:
    """The page's server on a sample book; it can be stopped and started on the same port."""

    book: Engine
    port: int = 0
    stop: Event = field(default_factory=Event)
    thread: Thread | None = None

    def start(self) -> None:
        app = create_app(Services(self.book, now, lambda *_given: True))
        add_page(app)
        server = Server(app, "127.0.0.1", self.port)
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


@pytest.fixture(scope="module")
def filled_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sample") / "book.db"
    engine = open_engine("sqlite", file)
    SAMPLE["fill"](engine, now())
    engine.dispose()
    return file


@pytest.fixture
def backend(tmp_path: Path, filled_book: Path) -> Iterator[Backend]:
    shutil.copy(filled_book, tmp_path / "book.db")
    engine = open_engine("sqlite", tmp_path / "book.db")
    backend = Backend(engine)
    backend.start()
    yield backend
    backend.end()
    engine.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


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


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def opened(page: Any, backend: Backend) -> None:
    page.set_default_timeout(8000)
    page.goto(backend.url)
    page.wait_for_selector('#live[data-state="live"]', timeout=8000)


def pass_a_carton(backend: Backend, k: int) -> str:
    """A carton passes a door now; its EPC."""
    with write(backend.book) as tx:
        held = journal.lock_stream(tx, "dock-a", SAMPLE["EPOCH"])
        made = SAMPLE["cross"](tx, held, k, now() - 3 * SECOND, held.mark + 1)
        journal.raise_mark(tx, held, held.mark + made)
    return f"3034257bf7194e40{0x1A85 + k:08x}"


def wait_until(found: Callable[[], bool], limit_s: float, page: Any) -> float:
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < limit_s
        page.wait_for_timeout(50)
    return time.monotonic() - started


def test_a_crossing_comes_up_by_itself_and_what_is_open_stays_open(page: Any, backend: Backend) -> None:
    seen = watch(page)
    opened(page, backend)
    first = page.locator(".move").first
    ident = first.get_attribute("id")
    first.locator("summary").click()
    page.wait_for_selector(f"#{ident} .readings td")
    top = page.locator(".pass").first
    epc = pass_a_carton(backend, 70)
    took = wait_until(lambda: epc in top.inner_text(), 2, page)
    page.wait_for_function("document.querySelectorAll('.move').length === 49")
    assert took < 1.5
    assert page.locator(f"#{ident} details[open] .readings td").count() == 16
    assert page.locator(".move").first.get_attribute("id") != ident
    assert {urlsplit(url).netloc for url in seen.requests} == {f"127.0.0.1:{backend.port}"}
    assert seen.errors == []


@pytest.mark.parametrize("slow", ["hx-sse.min.js", "live.js"])
def test_the_page_comes_alive_in_whatever_order_its_scripts_arrive(page: Any, backend: Backend, slow: str) -> None:
    def delay(route: Any) -> None:
        time.sleep(1.5)
        route.continue_()

    page.route(f"**/{slow}", delay)
    opened(page, backend)


def test_acknowledging_survives_a_reload_and_keeps_the_keyboard_where_it_was(page: Any, backend: Backend) -> None:
    opened(page, backend)
    button = page.get_by_role("button", name="Acknowledge: door-2 lost")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".alert.acknowledged:has-text('door-2 lost')")
    page.wait_for_function("document.activeElement.textContent === 'Acknowledge'")
    page.reload()
    assert page.locator(".alert.acknowledged").inner_text().count("Acknowledged by local") == 1
    assert page.locator(".alert.open").count() == 2
    page.get_by_role("button", name="Approve: order 50 PUMP-40").click()
    page.wait_for_selector(".proposal.approved")
    page.wait_for_selector("#stock .limits:has-text('50 on order')")


def test_a_stopped_backend_is_a_banner_within_ten_seconds_and_its_return_takes_it_away(
    page: Any, backend: Backend
) -> None:
    opened(page, backend)
    banner = page.locator("#stale")
    assert not banner.is_visible()
    backend.end()
    took = wait_until(banner.is_visible, 10, page)
    assert took > 2
    assert "not live" in banner.inner_text()
    page.get_by_role("button", name="Acknowledge: door-2 lost").click()
    page.wait_for_selector("#notice:has-text('could not be sent')")
    epc = pass_a_carton(backend, 80)
    backend.start()
    wait_until(lambda: not banner.is_visible(), 10, page)
    wait_until(lambda: epc in page.locator(".pass").first.inner_text(), 3, page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_all_without_scrolling_sideways(browser: Any, backend: Backend, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    opened(page, backend)
    for summary in page.locator("summary").all()[:3] + page.locator(".move summary").all()[:1]:
        summary.click()
    page.wait_for_selector(".move .readings td")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(RIGHTMOST) <= 390
    assert page.evaluate(LOW_CONTRAST) == []
    context.close()


RIGHTMOST = """Math.max(...[...document.querySelectorAll('button, summary, .way')]
  .map(e => e.getBoundingClientRect().right))"""
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
