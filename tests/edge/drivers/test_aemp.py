"""The AEMP driver on real sockets: from page to page, each value once, and whatever the endpoint does it goes on."""

import base64
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from edge.driver import DeviceLost, DeviceRefused
from edge.drivers import aemp, aemp_fetch, aemp_poll
from edge.drivers.aemp import AempDriver, AempSettings
from models.reading import DeviceEvent
from tests.edge.delivery_site import wait_for
from tests.edge.drivers.aemp_endpoint import Endpoint, Site, fleet, machine

Start = Callable[..., Site]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def start(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(aemp, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(aemp_fetch, "LEAST_RETRY_S", 0.1)
    sites: list[Site] = []

    def make(**settings: Any) -> Site:
        sites.append(Site(endpoint, **settings))
        return sites[-1].start()

    yield make
    for site in sites:
        site.close()


def polled(endpoint: Endpoint, times: int = 2, first: str = "/Fleet/1") -> None:
    """So many further polls have begun."""
    until = endpoint.asked.count(first) + times
    wait_for(lambda: endpoint.asked.count(first) >= until)


def test_every_page_and_each_value_once(endpoint: Endpoint, start: Start) -> None:
    endpoint.pages = {
        "/Fleet/1": fleet(machine("a"), machine("b"), following="/Fleet/2?x=1"),
        "/Fleet/2?x=1": fleet(machine("c"), machine("a"), following=f"{endpoint.url}/Fleet/3#here"),
        "/Fleet/3": fleet(machine("d")),
    }
    site = start()
    polled(endpoint, 3)
    assert site.told() == [("id:a", 5.0), ("id:b", 5.0), ("id:c", 5.0), ("id:d", 5.0)]
    endpoint.pages["/Fleet/3"] = fleet(machine("d", 6.0, "2026-11-26T06:35:00Z"))
    polled(endpoint)
    assert site.told()[4:] == [("id:d", 6.0)]
    endpoint.pages["/Fleet/3"] = fleet(machine("d", 6.25, "2026-11-26T06:35:00Z"))
    polled(endpoint)
    assert site.told()[5:] == [("id:d", 6.25)], "a value that was corrected is news"
    endpoint.pages["/Fleet/3"] = fleet(machine("d"))
    polled(endpoint)
    assert len(site.told()) == 6, "nor is an older page again"
    assert (site.bad, site.lost) == ([], [])
    assert site.answers >= 3


def test_what_could_not_be_made_durable_is_told_again(endpoint: Endpoint) -> None:
    endpoint.pages = {"/Fleet/1": fleet(machine("a"))}
    site = Site(endpoint)
    site.fail = OSError("the disk is full")
    site.start()
    wait_for(lambda: len(site.told()) >= 2)
    site.fail = None
    polled(endpoint)
    count = len(site.told())
    polled(endpoint, 3)
    assert len(site.told()) == count
    site.close()


def test_it_waits_until_a_page_is_durable_and_stops_meanwhile(endpoint: Endpoint) -> None:
    endpoint.pages = {"/Fleet/1": fleet(machine("a"), following="/Fleet/2"), "/Fleet/2": fleet(machine("b"))}
    site = Site(endpoint)
    site.hold = True
    site.start()
    wait_for(lambda: len(site.held) == 1)
    time.sleep(0.2)
    assert endpoint.asked == ["/Fleet/1"]
    started = time.monotonic()
    site.close()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("pages", "words", "told"),
    [
        ({"/Fleet/2": fleet(machine("b"), following="/Fleet/1")}, "Links: a page that was not there yet", ["a", "b"]),
        ({"/Fleet/2": fleet(machine("b"), following="/Fleet/2")}, None, ["a", "b"]),
        ({"/Fleet/2": fleet(machine("a"), following="/Fleet/3"), "/Fleet/3": fleet()}, "/Fleet/2: machines exp", ["a"]),
        (
            {"/Fleet/2": fleet(following="/Fleet/3"), "/Fleet/3": fleet(machine("c"), following="/Fleet/4")}
            | {"/Fleet/4": fleet(following="/Fleet/5"), "/Fleet/5": fleet(following="/Fleet/6")},
            "/Fleet/5: no further pages after 2 empty ones",
            ["a", "c"],
        ),
        (
            {"/Fleet/2": fleet(machine("b"), following="http://127.0.0.2/Fleet/3")},
            "Links: an address on the",
            ["a", "b"],
        ),
        (
            {"/Fleet/2": fleet(machine("b"), following="https://127.0.0.1/3")},
            "Links: an address on the same",
            ["a", "b"],
        ),
        ({"/Fleet/2": fleet(machine("b"), following="//evil/3")}, "Links: an address on the same", ["a", "b"]),
        ({"/Fleet/2": fleet(machine("b"), following="http://[x/3")}, "Links: ", ["a", "b"]),
        ({"/Fleet/2": fleet(machine("b"), following="file:///etc/passwd")}, "Links: http", ["a", "b"]),
        ({"/Fleet/2": fleet(machine("b"), following="/a b")}, "Links: an address without blanks", ["a", "b"]),
    ],
)
def test_links_that_lead_nowhere_end_a_poll(
    endpoint: Endpoint, start: Start, pages: dict[str, Any], words: str | None, told: list[str]
) -> None:
    endpoint.pages = {"/Fleet/1": fleet(machine("a"), following="/Fleet/2"), **pages}
    site = start()
    polled(endpoint, 3)
    assert [device for device, _ in site.told()] == [f"id:{pin}" for pin in told]
    assert site.lost == []
    assert bool(site.bad) == (words is not None)
    assert all((words or "") in each for each in site.bad)


def test_pages_have_an_end(endpoint: Endpoint, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aemp_poll, "MAX_PAGES", 5)
    endpoint.pages = {f"/Fleet/{n}": fleet(machine(f"m{n}"), following=f"/Fleet/{n + 1}") for n in range(1, 10)}
    site = start()
    polled(endpoint, 2)
    assert len(site.told()) == 5
    assert set(site.bad) == {"Links: at most 5 pages expected"}


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def short(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(fleet(machine("b")))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"garbage\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b""), "/Fleet/2 answers 404"),
        ((500, {}, b"oops"), "/Fleet/2 answers 500"),
        (b"<html>busy</html>", "/Fleet/2: page: a Fleet expected, got 'html'"),
        (b"<!DOCTYPE Fleet><Fleet/>", "/Fleet/2: page: XML without a document type expected"),
        (fleet(machine("b"))[:-5], "/Fleet/2: page: XML: "),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "/Fleet/2: Content-Encoding: none expected, got 'gzip'"),
        (b"<Fleet>" + b" " * 200_000 + b"</Fleet>", "/Fleet/2: a page of at most 100000 bytes expected"),
        ((302, {"Location": "http://127.0.0.2/x"}, b""), "/Fleet/2: redirected: Links: an address on the same server"),
        ((302, {"Location": "/Fleet/2"}, b""), "/Fleet/2: at most 5 redirects expected"),
        (short, "/Fleet/2: a page of 1000 bytes expected"),
        (hang_up, "/Fleet/2: "),
        (drip, "/Fleet/2: no whole page within 0.3 s"),
    ],
)
def test_a_page_that_fails_is_a_loss_and_read_when_it_is_there_again(
    endpoint: Endpoint, start: Start, monkeypatch: pytest.MonkeyPatch, answer: Any, words: str
) -> None:
    monkeypatch.setattr(aemp_fetch, "PAGE_S", 0.3)
    monkeypatch.setattr(aemp_fetch, "MAX_PAGE_BYTES", 100_000)
    endpoint.pages = {"/Fleet/1": fleet(machine("a"), following="/Fleet/2"), "/Fleet/2": answer}
    site = start()
    wait_for(lambda: len(site.lost) >= 2)
    assert words in str(site.lost[0])
    assert not isinstance(site.lost[0], DeviceRefused)
    assert (site.told(), site.answers) == ([("id:a", 5.0)], 0)
    endpoint.pages["/Fleet/2"] = fleet(machine("b"))
    wait_for(lambda: site.answers > 0)
    assert site.told() == [("id:a", 5.0), ("id:b", 5.0)]


def test_a_redirect_on_the_same_server_is_followed(endpoint: Endpoint, start: Start) -> None:
    endpoint.pages = {"/Fleet/1": (307, {"Location": "/v2/Fleet/1"}, b""), "/v2/Fleet/1": fleet(machine("a"))}
    site = start()
    wait_for(lambda: site.told() == [("id:a", 5.0)])


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_left_alone_and_asked_on_from_there(endpoint: Endpoint, start: Start, status: int) -> None:
    endpoint.pages = {
        "/Fleet/1": fleet(machine("a"), following="/Fleet/2"),
        "/Fleet/2": (status, {"Retry-After": "1"}, b""),
    }
    site = start()
    wait_for(lambda: len(site.lost) == 1)
    endpoint.pages["/Fleet/2"] = fleet(machine("b"))
    began = time.monotonic()
    wait_for(lambda: len(site.told()) == 2)
    assert time.monotonic() - began > 0.8
    assert endpoint.asked[:3] == ["/Fleet/1", "/Fleet/2", "/Fleet/2"], "the first page was read, and may not be asked"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_password_names_its_key(endpoint: Endpoint, start: Start, tmp_path: Path, status: int) -> None:
    secret = tmp_path / "secret"
    secret.write_text("pass:word\n")
    endpoint.pages = {"/Fleet/1": (status, {}, b"")}
    site = start(username="fleet", password_file=str(secret))
    wait_for(lambda: len(site.lost) == 1)
    assert isinstance(site.lost[0], DeviceRefused)
    assert str(site.lost[0]) == f"password_file: {endpoint.url}/Fleet/1 answers {status}"
    pair = base64.b64encode(b"fleet:pass:word").decode()
    assert endpoint.headers[0]["Authorization"] == f"Basic {pair}"
    assert endpoint.headers[0]["Accept"].startswith("application/xml")


def test_a_token_is_read_anew_at_each_poll(endpoint: Endpoint, start: Start, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    endpoint.pages = {"/Fleet/1": fleet(machine("a"))}
    site = start(token_file=str(token))
    polled(endpoint)
    token.write_text("two")
    polled(endpoint)
    assert [endpoint.headers[at]["Authorization"] for at in (0, -1)] == ["Bearer one", "Bearer two"]
    token.unlink()
    wait_for(lambda: len(site.lost) > 0)
    assert str(site.lost[0]).startswith("token_file: ")
    assert isinstance(site.lost[0], DeviceRefused)


def test_what_cannot_be_read_is_said_once(endpoint: Endpoint, start: Start) -> None:
    endpoint.pages = {"/Fleet/1": fleet(machine("a", float("nan")), "<Equipment><EquipmentHeader/></Equipment>")}
    site = start()
    polled(endpoint, 3)
    said = [(each.device, (each.detail or "")[:30]) for each in site.readings if isinstance(each, DeviceEvent)]
    assert said == [("id:a", "CumulativeOperatingHours.Hour:"), ("feed", "EquipmentHeader: one of PIN, S")]
    assert len(site.bad) == 2


def test_it_stops_at_once_whatever_it_waits_for(endpoint: Endpoint, start: Start) -> None:
    endpoint.pages = {"/Fleet/1": lambda _: time.sleep(6)}
    site = start(poll_s=1000)
    wait_for(lambda: endpoint.asked == ["/Fleet/1"])
    started = time.monotonic()
    site.close()
    assert time.monotonic() - started < 2
    assert site.lost == []


def test_the_probe_asks_for_the_first_page(endpoint: Endpoint) -> None:
    endpoint.pages = {"/Fleet/1": fleet(machine("a"), machine("b"), following="/Fleet/2")}
    driver = AempDriver("feed", AempSettings(endpoint.url))
    assert driver.probe() == f"{endpoint.url}/Fleet/1 answers: 2 machines on the first page"
    endpoint.pages = {}
    with pytest.raises(DeviceLost, match="/Fleet/1 answers 404"):
        driver.probe()
