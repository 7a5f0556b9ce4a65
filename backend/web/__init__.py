"""The live page: server-rendered sections that htmx fetches again when a server-sent event says something changed."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from backend.web import acts, asset_routes, page

STATIC = Path(__file__).parent / "static"


def add_page(app: FastAPI) -> None:
    """Put the pages and their files on an app of `backend.api.create_app`."""
    has_assets = "assets" in app.state.services.modules
    for router in (page.router, acts.router, *([asset_routes.router] if has_assets else [])):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
