"""The live page in Chromium, on the real server: what a person sees, not what the HTML says."""

import runpy
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from backend.book import journal
from backend.book.db import open_engine, write
from tests.system.browser import (
    CHROMIUM,
    LOW_CONTRAST,
    RIGHTMOST,
    SECOND,
    Backend,
    launched,
    now,
    opened,
    wait_until,
    watch,
)

SAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "sample_book.py"))

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra e2e)")


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
    with launched(sync_api) as browser:
        yield browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def pass_a_carton(backend: Backend, k: int) -> str:
    """A carton passes a door now; its EPC."""
    with write(backend.book) as tx:
        held = journal.lock_stream(tx, "dock-a", SAMPLE["EPOCH"])
        made = SAMPLE["cross"](tx, held, k, now() - 3 * SECOND, held.mark + 1)
        journal.raise_mark(tx, held, held.mark + made)
    return f"3034257bf7194e40{0x1A85 + k:08x}"


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
