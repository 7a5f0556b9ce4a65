import os
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.book.db import open_engine
from tests.backend.books import Template, Yard, fill, make_template
from tests.servers.postgres import Cluster

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a module that says ON_BOTH run on SQLite and on PostgreSQL."""
    if getattr(metafunc.module, "ON_BOTH", False) and "store" in metafunc.fixturenames:
        metafunc.parametrize("store", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """What the book is in: SQLite, where a test does not ask for PostgreSQL (ON_BOTH), or STOCKYARD_STORE says so."""
    return getattr(request, "param", os.environ.get("STOCKYARD_STORE", "sqlite"))


@pytest.fixture(scope="session")
def file_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated book with the example site and nothing else, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "book.db")


@pytest.fixture
def template(store: str, file_template: Path, request: pytest.FixtureRequest) -> Iterator[Template]:
    """What new books of the example site are made of."""
    if store == "sqlite":
        yield file_template
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.template("site", lambda url: fill(open_engine(url, Path())))
    made: list[Engine] = []

    def copy() -> Engine:
        made.append(open_engine(cluster.database(name), Path()))
        return made[-1]

    yield copy
    for engine in made:
        engine.dispose()  # its database goes with the cluster: to drop one takes longer than most tests


@pytest.fixture
def yard(tmp_path: Path, template: Template) -> Iterator[Yard]:
    """An empty book of the example site with its ingest and deriver, at NOW."""
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yield yard
    yard.book.dispose()
