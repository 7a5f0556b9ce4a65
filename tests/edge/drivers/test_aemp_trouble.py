"""What AEMP endpoints get wrong, and what must not get out: links, redirects, threads, secrets."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from edge.driver import DeviceLost, SettingRefused
from edge.drivers import aemp, aemp_fetch
from edge.drivers.aemp import AempDriver, AempSettings
from edge.drivers.aemp_fetch import Ask, get, shown
from tests.edge.delivery_site import wait_for
from tests.edge.drivers.aemp_endpoint import Endpoint, Site, fleet, machine


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def start(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Site]]:
    monkeypatch.setattr(aemp, "FIRST_RETRY_S", 0.05)
    sites: list[Site] = []

    def make(query: str = "") -> Site:
        site = Site(endpoint)
        site.driver = AempDriver("feed", AempSettings(f"{site.settings.url}{query}", poll_s=0.05))
        sites.append(site)
        return site.start()

    yield make
    for site in sites:
        site.close()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Its end is that of the connection, as the server says: then http.client lets go of the socket."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(500):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def test_a_page_that_is_given_up_leaves_no_thread(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aemp_fetch, "PAGE_S", 0.2)
    endpoint.pages = {"/Fleet/1": drip}
    for _ in range(3):
        with pytest.raises(DeviceLost, match="no whole page"):
            get(f"{endpoint.url}/Fleet/1", Ask({}, None), threading.Event())
    wait_for(lambda: not any(each.name == "aemp" for each in threading.enumerate()), 6)


def test_a_link_is_relative_to_where_the_page_came_from(endpoint: Endpoint, start: Callable[..., Site]) -> None:
    endpoint.pages = {
        "/Fleet/1": (302, {"Location": "/v2/Fleet/1"}, b""),
        "/v2/Fleet/1": fleet(machine("a"), following="2"),
        "/v2/Fleet/2": fleet(machine("b"), following="2"),
    }
    site = start()
    wait_for(lambda: site.answers > 0)
    assert ([device for device, _ in site.told()], site.bad, site.lost) == (["id:a", "id:b"], [], [])


LINK = "<Links><rel>next</rel><href>{}</href></Links>"


def test_links_that_differ_cost_no_machine(endpoint: Endpoint, start: Callable[..., Site]) -> None:
    endpoint.pages = {
        "/Fleet/1": fleet(machine("a"), LINK.format("/Fleet/2"), LINK.format(f"{endpoint.url}/Fleet/2")),
        "/Fleet/2": fleet(machine("b"), LINK.format("3"), LINK.format("4")),
    }
    site = start()
    wait_for(lambda: site.answers > 0)
    assert [device for device, _ in site.told()] == ["id:a", "id:b"], "the same one written twice leads on"
    assert (set(site.bad), site.lost) == ({"Links: one next expected, got 2"}, [])


QUERY = "?key=sesame"
NEXT = f"/Fleet/2{QUERY}"


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"/Fleet/1": (401, {}, b"")},
        {"/Fleet/1": (429, {}, b"")},
        {"/Fleet/1": b"<html/>"},
        {"/Fleet/1": b"<Fleet>" + b" " * 2000},
        {"/Fleet/1": (302, {"Location": "http://127.0.0.2/x?key=sesame"}, b"")},
        {"/Fleet/1": (302, {"Location": "http://me:sesame@127.0.0.1/x"}, b"")},
        {"/Fleet/1": (302, {"Location": "/Fleet/1?key=sesame"}, b"")},
        {"/Fleet/1": (302, {"Location": "/Fleet/1?key=sesame\x7f"}, b"")},
        {"/Fleet/1": fleet(machine("a"), following="/a b?key=sesame")},
        {
            "/Fleet/1": fleet(machine("a"), following=NEXT),
            "/Fleet/2": fleet(machine("b"), following="/Fleet/1" + QUERY),
        },
        {"/Fleet/1": fleet(machine("a"), following=NEXT), "/Fleet/2": fleet(machine("a"), following="/3" + QUERY)},
    ],
)
def test_a_secret_in_the_address_is_not_said(
    endpoint: Endpoint, start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, pages: dict[str, Any]
) -> None:
    monkeypatch.setattr(aemp_fetch, "MAX_PAGE_BYTES", 1000)
    endpoint.pages = {path + QUERY: page for path, page in pages.items()}
    site = start(QUERY)
    wait_for(lambda: site.lost or site.bad)
    site.close()
    said = [*site.bad, *map(str, site.lost)]
    assert said
    assert not [each for each in said if "sesame" in each]


def test_nor_by_the_probe_or_the_configuration(endpoint: Endpoint) -> None:
    endpoint.pages = {f"/Fleet/1{QUERY}": fleet()}
    settings = AempSettings(f"{endpoint.url}/Fleet/1{QUERY}")
    assert AempDriver("feed", settings).probe().startswith(f"{endpoint.url}/Fleet/1 answers")
    assert shown("//me:sesame@oem.example/a@b#sesame") == "//oem.example/a@b"
    for url in ("https://me:sesame@oem.example/", "ftp://oem.example/?key=sesame", "me:sesame@oem.example"):
        with pytest.raises(ValueError, match="url: ") as error:
            AempSettings(url)
        assert "sesame" not in str(error.value)


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"two\nlines"])
def test_a_file_without_a_secret_is_a_setting_to_change(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingRefused, match=r"^token_file: "):
        AempDriver("feed", AempSettings("http://127.0.0.1/", token_file=str(file))).probe()
