"""The HTTP API of docs/contract.md section 4: `create_app` puts the routers together; `backend.web` adds the page."""

from fastapi import APIRouter, FastAPI

from backend.api.answers import Api
from backend.api.guard import Guard
from backend.api.problems import add_handlers
from backend.api.routes import (
    alerts,
    asset_value,
    audits,
    calendars,
    catalogue,
    costs,
    custody,
    decisions,
    dossier,
    events,
    expected,
    fleet,
    fleets,
    health,
    intake,
    lots,
    maintenance,
    messages,
    periods,
    plans,
    presence,
    purchases,
    register,
    reorder,
    reports,
    reservations,
    risk,
    scans,
    seals,
    shelves,
    stock,
    tasks,
    use,
    warehouse,
    webhooks,
    work_lines,
    work_orders,
)
from backend.api.services import Services
from models.modules import Module

ROUTERS: list[tuple[str, APIRouter, Module | None]] = [
    ("", health.router, None),
    ("/api/v1", intake.router, None),
    ("/api/v1", seals.router, None),
    ("/api/v1", stock.router, "stock"),
    ("/api/v1", scans.router, None),
    ("/api/v1", presence.router, None),
    ("/api/v1", fleet.router, "assets"),
    ("/api/v1", custody.router, "assets"),
    ("/api/v1", audits.router, "assets"),
    ("/api/v1", asset_value.router, "assets"),
    ("/api/v1", fleets.router, "assets"),
    ("/api/v1", use.router, "assets"),
    ("/api/v1", maintenance.router, "assets"),
    ("/api/v1", dossier.router, "assets"),
    ("/api/v1", plans.router, "assets"),
    ("/api/v1", work_orders.router, "assets"),
    ("/api/v1", work_lines.router, "assets"),
    ("/api/v1", risk.router, "assets"),
    ("/api/v1", catalogue.router, "stock"),
    ("/api/v1", costs.router, "stock"),
    ("/api/v1", periods.router, None),
    ("/api/v1", lots.router, "stock"),
    ("/api/v1", reservations.router, "stock"),
    ("/api/v1", calendars.router, "assets"),
    ("/api/v1", register.router, None),
    ("/api/v1", alerts.router, None),
    ("/api/v1", messages.router, None),
    ("/api/v1", shelves.router, None),
    ("/api/v1", decisions.router, None),
    ("/api/v1", purchases.router, "stock"),
    ("/api/v1", reorder.router, "stock"),
    ("/api/v1", events.router, None),
    ("/api/v1", webhooks.router, None),
    ("/api/v1", reports.router, None),
    ("/api/v1", warehouse.router, "stock"),
    ("/api/v1", tasks.router, "stock"),
    ("/api/v1", expected.router, "stock"),
]
"""Where each is, and the module without which it is not there."""


def create_app(services: Services) -> FastAPI:
    """The API on these services; bind it to loopback, there is no sign-in yet."""
    app = Api(title="Stockyard", version=health.VERSION, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.services = services
    for prefix, router, module in ROUTERS:
        if module is None or module in services.modules:
            app.include_router(router, prefix=prefix)
    app.add_middleware(Guard, hosts=services.hosts)
    add_handlers(app)
    return app
