from typing import Any

import pytest

from backend.api.guard import host_name, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "127.8.0.1", "stock.example:8000"])
def test_our_names_are_served(site: Any, host: str) -> None:
    assert site.client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"])
def test_another_name_is_not(site: Any, host: str) -> None:
    answer = site.client.get("/health", headers={"host": host})
    assert answer.status_code == 421
    assert answer.json()["type"] == "urn:stockyard:problem:unknown-host"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}, 404),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_only_our_own_page_changes_things(site: Any, headers: dict[str, str], status: int) -> None:
    assert site.client.post("/api/v1/alerts/none/acknowledge", headers=headers).status_code == status


def test_every_answer_is_guarded(site: Any) -> None:
    for path in ("/health", "/api/v1/nothing", "/api/v1/stock"):
        headers = site.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_host_names() -> None:
    assert [host_name(h) for h in ("LocalHost:80", "[::1]:80", "a.example")] == ["localhost", "::1", "a.example"]
    assert [is_loopback(h) for h in ("localhost", "::1", "127.1.2.3", "8.8.8.8", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]
