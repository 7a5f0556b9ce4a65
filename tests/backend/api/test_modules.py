"""Each module alone, from the API: its own routes, rules and sections, and nothing of the other."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.api import ROUTERS, create_app
from backend.rules import OF_ASSETS, OF_STOCK, RULES, rules_of
from backend.web import add_page


def client(site: Any, *modules: str) -> TestClient:
    app = create_app(replace(site.services, modules=modules))
    add_page(app)
    return TestClient(app, "http://127.0.0.1:8000", raise_server_exceptions=False)


SHARED = ("crossings", "presence", "alerts", "gateways", "journal", "reports")


@pytest.mark.parametrize(("module", "other"), [("stock", "assets"), ("assets", "stock")])
def test_the_api_has_its_own_routes_only(site: Any, module: str, other: str) -> None:
    there = client(site, module).get("/api/openapi.json").json()["paths"]
    both = client(site, "stock", "assets").get("/api/openapi.json").json()["paths"]
    for prefix, router, of in ROUTERS:
        for route in router.routes:
            path = (prefix + route.path).replace(":path", "")  # type: ignore[attr-defined]
            assert (path in there) == (of != other), path
    assert set(there) < set(both)
    for path in SHARED:
        assert client(site, module).get(f"/api/v1/{path}").status_code == 200, path


def test_the_register_refuses_what_is_off(site: Any) -> None:
    stock = client(site, "stock")
    refused = stock.put("/api/v1/assets/c9", json={"name": "Crane", "serial": "1"})
    assert (refused.status_code, "only with the module assets" in refused.text) == (400, True), refused.text
    assert stock.put("/api/v1/items/bolt-9", json={"name": "Bolt"}).status_code == 201


@pytest.mark.parametrize(
    ("module", "sections", "not_there"),
    [("stock", ["stock", "movements", "dock"], ["yard"]), ("assets", ["yard", "dock"], ["stock", "movements"])],
)
def test_the_page_shows_its_own_sections(site: Any, module: str, sections: list[str], not_there: list[str]) -> None:
    page = client(site, module)
    html = page.get("/").text
    assert all(f'<section id="{name}"' in html for name in sections)
    assert not any(f'<section id="{name}"' in html for name in not_there)
    assert page.get(f"/page/{not_there[0]}").status_code == 404
    assert (page.get("/assets/TRUCK-1").status_code == 404) == (module == "stock")


def test_rules_of_the_modules() -> None:
    assert set(rules_of(["stock"])) == set(RULES) - set(OF_ASSETS)
    assert set(rules_of(["assets"])) == set(RULES) - set(OF_STOCK)
    assert rules_of(["stock", "assets"]) == RULES
