import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.book.db import open_engine
from tests.backend.books import Yard, make_template

NOW = 1_795_424_400_000_000


@pytest.fixture(scope="session")
def filled_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample book as of NOW, to be copied."""
    file = tmp_path_factory.mktemp("sample") / "book.db"
    engine = open_engine("sqlite", file)
    runpy.run_path(str(Path(__file__).parents[1] / "sample_book.py"))["fill"](engine, NOW)
    engine.dispose()
    return file


@pytest.fixture
def book(tmp_path: Path, filled_book: Path) -> Iterator[Engine]:
    """A copy of the sample book."""
    shutil.copy(filled_book, tmp_path / "book.db")
    engine = open_engine("sqlite", tmp_path / "book.db")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated book with the example site and nothing else, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "book.db")


@pytest.fixture
def yard(tmp_path: Path, template: Path) -> Iterator[Yard]:
    """An empty book of the example site with its ingest and deriver, at NOW."""
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yield yard
    yard.book.dispose()
