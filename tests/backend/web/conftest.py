"""Books whose pages are looked at: one filled through ingest, one where nothing was ever heard."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.book.db import open_engine
from backend.planner import Planner
from backend.projector import Projector
from backend.telemetry import sql
from tests.asset_book import fill
from tests.backend.web.asset_pages import NOW, Pages, make


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    book = make(folder)
    telemetry = sql.on_file(folder / "telemetry.db")
    fill(book, NOW, days=5)
    Projector(book, telemetry, lambda: NOW).catch_up()
    planner = Planner(book, lambda: NOW)
    while planner.step():
        pass
    book.dispose()
    telemetry.close()
    return folder


@pytest.fixture
def pages(filled: Path, tmp_path: Path) -> Iterator[Pages]:
    for name in ("book.db", "telemetry.db"):
        shutil.copy(filled / name, tmp_path / name)
    book, telemetry = open_engine("sqlite", tmp_path / "book.db"), sql.on_file(tmp_path / "telemetry.db")
    pages = Pages(book, telemetry)
    with pages.client:
        yield pages
    book.dispose()
    telemetry.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Pages]:
    """A book of the example site where nothing was ever heard, without a telemetry store."""
    pages = Pages(make(tmp_path), None)
    with pages.client:
        yield pages
    pages.book.dispose()
