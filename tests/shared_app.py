"""One API for many tests: FastAPI works out its routes at an app's first request, which takes longer than most tests.

For tests that have one API open at a time; it answers from the services that were given last.
"""

from functools import lru_cache

from fastapi import FastAPI

from backend.api import create_app
from backend.api.services import Services
from backend.web import add_page


def shared_app(services: Services, *, pages: bool = False) -> FastAPI:
    """The API on these services; its routes are those of an earlier test with the same modules and hosts."""
    app = _app(tuple(services.modules), services.hosts, pages=pages)
    app.state.services = services
    return app


@lru_cache
def _app(modules: tuple[str, ...], hosts: tuple[str, ...], *, pages: bool) -> FastAPI:
    app = create_app(Services(None, lambda: 0, lambda *_: False, hosts=hosts, modules=modules))  # type: ignore[arg-type]
    if pages:
        add_page(app)
    return app
