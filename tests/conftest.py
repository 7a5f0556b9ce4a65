"""What tests of several packages share: real servers, one of each for all tests of a process."""

import gc
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from backend.book import db
from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.telemetry import sql
from tests import engines
from tests.servers import postgres

db.create_engine = sql.create_engine = engines.create_engine  # type: ignore[attr-defined]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # of what a shell runs in the background; tests interrupt theirs
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole system first: they are the longest, and at the end one worker would wait for the other."""
    items.sort(key=lambda item: "system" not in item.path.parts)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: the collector of garbage need not look at it, now or ever."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL whose commits do not wait for the disk."""
    with postgres.cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: postgres.Cluster) -> Iterator[str]:
    """A new and empty database."""
    url = postgres_cluster.database()
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture
def postgres_book_url(postgres_cluster: postgres.Cluster) -> Iterator[str]:
    """A new database that is a migrated book with nothing in it."""
    url = postgres_cluster.database(postgres_cluster.template("book", _migrate))
    yield url
    postgres_cluster.drop_database(url)


def _migrate(url: str) -> None:
    engine = open_engine(url, Path())
    migrate(engine)
    engine.dispose()
