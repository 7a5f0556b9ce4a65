"""The HTTP API of docs/contract.md section 4: `create_app` puts the routers together; `backend.web` adds the page."""

from fastapi import APIRouter, FastAPI

from backend.api.answers import Api
from backend.api.guard import Guard
from backend.api.problems import add_handlers
from backend.api.routes import (
    decisions,
    events,
    fleet,
    fleets,
    health,
    intake,
    maintenance,
    presence,
    register,
    reports,
    risk,
    scans,
    stock,
    webhooks,
)
from backend.api.services import Services

ROUTERS: list[tuple[str, APIRouter]] = [
    ("", health.router),
    ("/api/v1", intake.router),
    ("/api/v1", stock.router),
    ("/api/v1", scans.router),
    ("/api/v1", presence.router),
    ("/api/v1", fleet.router),
    ("/api/v1", fleets.router),
    ("/api/v1", maintenance.router),
    ("/api/v1", risk.router),
    ("/api/v1", register.router),
    ("/api/v1", decisions.router),
    ("/api/v1", events.router),
    ("/api/v1", webhooks.router),
    ("/api/v1", reports.router),
]


def create_app(services: Services) -> FastAPI:
    """The API on these services; bind it to loopback, there is no sign-in yet."""
    app = Api(title="Stockyard", version=health.VERSION, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.services = services
    for prefix, router in ROUTERS:
        app.include_router(router, prefix=prefix)
    app.add_middleware(Guard, hosts=services.hosts)
    add_handlers(app)
    return app
