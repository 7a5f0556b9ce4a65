from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.api.services import Services
from models.errors import Clash
from tests.shared_app import shared_app

NOW = 1_795_424_400_000_000


@dataclass
class Site:
    """The API on the sample book; `scans` is what went to ingest."""

    client: TestClient
    book: Engine
    services: Services
    scans: dict[str, bytes] = field(default_factory=dict[str, bytes])


@pytest.fixture
def site(book: Engine) -> Iterator[Site]:
    scans: dict[str, bytes] = {}

    def put_scan(_engine: Engine, ident: str, text: bytes, _now: int) -> bool:
        if ident in scans and scans[ident] != text:
            raise Clash(f"scan {ident}: held with other content")
        return scans.setdefault(ident, text) is text

    services = Services(book, lambda: NOW, put_scan, hosts=("stock.example",))
    with TestClient(shared_app(services), "http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield Site(client, book, services, scans)


@pytest.fixture
def get(site: Site) -> Callable[..., dict[str, object]]:
    def fetch(path: str, **params: object) -> dict[str, object]:
        response = site.client.get(f"/api/v1/{path}", params=params)
        assert response.status_code == 200, response.text
        body: dict[str, object] = response.json()
        return body

    return fetch
